"""The end session endpoint, and the application's side of it (OIDC RP-Initiated Logout 1.0).

A client redirects the user here to log out. The browser is redirected to the application's page with a handle that
carries the client's request; the page asks the user and reports by `sign_out`. Only the session of this browser is
ended, whatever a hint says; and the browser returns only to a URI that the client has registered, byte for byte.

A hint that can't be verified is not refused, because its key may simply be gone, and users must be able to log out. The
user is then asked, as without a hint.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs

from oauthcore.authorization.browser import bind, browser_of, is_same_browser
from oauthcore.authorization.requested_access import known_client
from oauthcore.authorization.untrusted import is_vouched_for
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import (
    IdTokenOfAnotherClient,
    OAuthError,
    OtherBrowser,
    UnnamedClient,
    UnregisteredPostLogoutRedirectUri,
)
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.handle import check_carried
from oauthcore.oidc.front_channel import SignedOut, frames_for
from oauthcore.oidc.id_token_hint import Hint, UnverifiedHint, read_hint
from oauthcore.oidc.session import (
    NO_SESSIONS,
    SessionsToEnd,
    ending,
    is_active,
    session_of,
    sessions_to_end,
    still_signed_in,
)
from oauthcore.oidc.sid import sid_for
from oauthcore.oidc.subject import subject_for
from oauthcore.policy import Allowance
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_live_client
from oauthcore.records.login import Login, LoginSession, LogoutRequest
from oauthcore.redirect_uri import form_encoded, is_impersonable, with_parameters
from oauthcore.wire.http import Response, see_other
from oauthcore.wire.parameters import Parameters
from oauthcore.wire.text import words

_KNOWN = frozenset(field.name for field in attrs.fields(LogoutRequest))

RenderSignedOut = Callable[[SignedOut], Response]


@attrs.frozen
class Arrival:
    """Hold what a client has a browser bring here, and what the browser's cookie says."""

    parameters: Parameters
    browser: Secret | None


@attrs.frozen
class LogoutFacts:
    """Hold what was found for it: what `id_token_hint` proves, None if it is absent, and the client that is named."""

    hint: Hint | UnverifiedHint | None
    client: Client | None


def end_session_endpoint(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Redirect the browser to the page that asks the user, with a handle that carries the client's request."""
    request = incoming.request
    parameters = incoming.query() if request.method == "GET" else incoming.form()
    hint = yield from read_hint(parameters.get("id_token_hint"), context)
    client_id = parameters.get("client_id") or (None if hint is None else hint.client_id)
    client = None if client_id is None else (yield from find(Client, client_id))
    return decide(Arrival(parameters, browser_of(request, context)), LogoutFacts(hint, client), context)


def decide(arrival: Arrival, facts: LogoutFacts, context: Context) -> Outcome:
    """Refuse with a page what can't be verified, and send the browser on with what could (sections 2 and 3)."""
    parameters, client = arrival.parameters, facts.client
    # RP-Initiated Logout section 4: if anything is wrong, there is no redirect.
    try:
        check_request(parameters, facts, context)
    except OAuthError as error:
        raise explain(error, client, context) from None
    verified = facts.hint if isinstance(facts.hint, Hint) else None
    # Bound to the browser as an interaction is: a link alone must not sign anybody out.
    bound, cookies = bind(arrival.browser, context)
    logout_request = LogoutRequest(
        browser=bound,
        expires_at=context.now + context.policy.lifetimes.interaction_lifetime,
        client_id=None if client is None else client.client_id,
        hinted_subject=None if verified is None else verified.subject,
        hinted_sid=None if verified is None else verified.sid,
        post_logout_redirect_uri=wanted_uri(parameters, facts, context),
        **{name: parameters.get(name) for name in ("state", "logout_hint", "ui_locales")},
    )
    members = attrs.asdict(logout_request, filter=lambda _, value: value is not None)
    check_carried(members)
    handle = context.handles.write("logout", members, context.mint())
    page = context.paths.interaction or context.base + context.paths.logout
    return Decision(see_other(f"{page}?{form_encoded([('logout', handle.reveal())])}", cookies))


def carried_by(handle: Secret, context: Context) -> LogoutRequest | None:
    """Return the client's request, None if the handle carries none."""
    members = context.handles.read("logout", handle)
    # One that a newer version wrote may have more in it than this one knows.
    return None if members is None or not members.keys() <= _KNOWN else LogoutRequest(**members)


def wanted_uri(parameters: Parameters, facts: LogoutFacts, context: Context) -> str | None:
    """Return the URI to which the client wants the browser back; None if the hint names no client, or another one.

    Section 4: if something is wrong with the request, there is no redirect. A token that looks like ours, but whose key
    is gone, is not wrong. If the client that only the hint names does not exist any more, the user can still log out.
    """
    named, hint, client = parameters.get("client_id"), facts.hint, facts.client
    if hint is not None:
        # RP-Initiated Logout section 4: no redirect if the hint and client_id contradict each other.
        if hint.client_id is None or hint.client_id != (named or hint.client_id):
            return None
        if named is None and (client is None or not is_live_client(client, context.now, context.admits)):
            return None
    return parameters.get("post_logout_redirect_uri")


def check_request(parameters: Parameters, facts: LogoutFacts, context: Context) -> None:
    """Check, in this order, that the hint and then the URI are this client's; on failure there is no redirect."""
    hint, client = facts.hint, facts.client
    # RP-Initiated Logout section 2: with both, client_id MUST match the audience of the hint.
    if isinstance(hint, Hint) and parameters.get("client_id") not in {None, hint.client_id}:
        raise IdTokenOfAnotherClient("id_token_hint was made for another client")
    if "client_id" in parameters:
        known_client(client, context)
    uri = wanted_uri(parameters, facts, context)
    if uri is not None and client is None and hint is None and "client_id" not in parameters:
        raise UnnamedClient("post_logout_redirect_uri came without client_id and id_token_hint")
    # RP-Initiated Logout section 3: exact match with a registered value. Else the endpoint is an open redirector.
    if uri is not None and uri not in known_client(client, context).post_logout_redirect_uris:
        raise UnregisteredPostLogoutRedirectUri(
            "post_logout_redirect_uri is not registered for this client"
        ).by_setting("client.post_logout_redirect_uris")


@attrs.frozen(kw_only=True)
class PendingLogout:
    """Hold what the application's page needs to know about a logout.

    `must_ask` is False only if the client has proved that it means exactly this user and this session; then the page
    need not ask. `login` is who is signed in, None if no one is any more. `logout_hint` and `ui_locales` are the
    client's wishes and not verified.
    """

    client: Client | None
    login: Login | None
    must_ask: bool
    logout_hint: str | None = None
    ui_locales: tuple[str, ...] = ()


def describe_logout(handle: Secret, login: Login | None, context: Context) -> Flow[PendingLogout | None]:
    """Find out what a logout waits for; None if it is unknown or too old."""
    requested = carried_by(handle, context)
    if requested is None or context.now >= requested.expires_at:
        return None
    client = None if requested.client_id is None else (yield from find(Client, requested.client_id))
    session = yield from session_of(login)
    login = still_signed_in(login, session, context.now)
    return PendingLogout(
        client=client,
        login=login,
        must_ask=login is not None and not is_meant(requested, client, login, context),
        logout_hint=requested.logout_hint,
        ui_locales=words(requested.ui_locales),
    )


def is_meant(requested: LogoutRequest, client: Client | None, login: Login, context: Context) -> bool:
    """Return whether a hint names who is signed in, and in that session."""
    if client is None or requested.hinted_subject is None:
        return False
    sid = None if login.sid is None else sid_for(client, login.sid, context)
    # RP-Initiated Logout section 2: the user MUST be asked if the hint is not of the current session. Otherwise any
    # site could log users out.
    return subject_for(client, login.subject, context) == requested.hinted_subject and requested.hinted_sid in {
        None,
        sid,
    }


def is_persons_own(login: Login | None, requested: LogoutRequest, client: Client, context: Context) -> bool:
    """Return whether the hint is an ID token by which the client knows who signs out."""
    return login is not None and subject_for(client, login.subject, context) == requested.hinted_subject


@attrs.frozen
class SignOut:
    """Hold who signs out, in which browser, and for which logout request, if one was made."""

    login: Login | None
    browser: Secret | None
    handle: Secret | None
    location: str | None = None


def sign_out(signing_out: SignOut, render: RenderSignedOut, context: Context) -> Flow[Outcome]:
    """End the browser's own session."""
    requested = None if signing_out.handle is None else carried_by(signing_out.handle, context)
    client = (
        None if requested is None or requested.client_id is None else (yield from find(Client, requested.client_id))
    )
    session = yield from session_of(signing_out.login)
    ends = NO_SESSIONS if session is None else (yield from sessions_to_end([session]))
    return decide_sign_out(signing_out, SignOutFacts(requested, client, ends), render, context)


@attrs.frozen
class SignOutFacts:
    """Hold what was found for it: the logout request and its client, if there are such, and the session that ends."""

    requested: LogoutRequest | None
    client: Client | None
    ends: SessionsToEnd

    @property
    def session(self) -> LoginSession | None:
        """Return the browser's own session; None if the host keeps none."""
        return next(iter(self.ends.sessions), None)


def decide_sign_out(signing_out: SignOut, facts: SignOutFacts, render: RenderSignedOut, context: Context) -> Outcome:
    """End the session and its grants, and show the page on which the browser notifies clients (front channel)."""
    location, session = signing_out.location, facts.session
    if signing_out.handle is not None:
        location = destination(signing_out, facts, context) or location
    # Only this browser's session, whatever the hint says: an ID token of another session must not end that one.
    own = still_signed_in(signing_out.login, session, context.now)
    if own is None or session is None or not is_active(session, context.now):
        return Decision(signed_out_response(SignedOut((), location), render))
    ended = ending(facts.ends, context)
    return Decision(
        signed_out_response(SignedOut(frames_for(session, facts.ends.clients, context), location), render),
        ended.changes,
        ended.events,
    )


def signed_out_response(signed_out: SignedOut, render: RenderSignedOut) -> Response:
    """Redirect the browser at once if it has no clients to notify, otherwise show the page that notifies them."""
    if signed_out.location is not None and not signed_out.frames:
        return see_other(signed_out.location)
    return render(signed_out)


def destination(signing_out: SignOut, facts: SignOutFacts, context: Context) -> str | None:
    """Return where the client wants the browser back, if that is one of its URIs still."""
    requested, client = facts.requested, facts.client
    if requested is None or context.now >= requested.expires_at:
        return None
    # The `state` that goes back belongs to the browser that brought it.
    if not is_same_browser(signing_out.browser, requested.browser, context):
        raise OtherBrowser("the logout was started in another browser")
    uri = requested.post_logout_redirect_uri
    if uri is None or client is None or uri not in client.post_logout_redirect_uris:
        return None
    # RP-Initiated Logout section 3: without a valid hint, redirect only if other means confirm the target. For a client
    # that is not approved nothing does, not even an ID token of the attacker's own account: this would be
    # an open redirector (RFC 9700 section 4.11.2).
    is_trusted = (
        not client.is_unverified
        or is_vouched_for(client, context)
        or is_impersonable(uri)
        or context.allows(Allowance.UNTRUSTED_REDIRECTS, client)
    )
    if not is_trusted and not is_persons_own(signing_out.login, requested, client, context):
        return None
    # RP-Initiated Logout section 2: `state` is passed back as it came.
    return uri if requested.state is None else with_parameters(uri, "query", {"state": requested.state})
