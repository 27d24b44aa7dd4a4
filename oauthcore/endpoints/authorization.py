"""The authorization endpoint (RFC 6749 section 3.1)."""

from __future__ import annotations

import attrs

from oauthcore.authorization.approve import Approval, approve
from oauthcore.authorization.browser import bind, browser_of
from oauthcore.authorization.checks import RefusedObject, read_redirectable, validate
from oauthcore.authorization.consent import find_consents
from oauthcore.authorization.deliver import Undelivered, delivered, front_channel_person
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.next_step import NOT_BEGUN, Need, next_step, refusal_without_page
from oauthcore.authorization.pages import send_to_page
from oauthcore.authorization.pushed import find_named, names_pushed, read_pushed, spending, with_spent
from oauthcore.authorization.received import read_request
from oauthcore.authorization.unstored import carry
from oauthcore.authorization.untrusted import refuse_unanswered
from oauthcore.authorization.validated import Redirectable, RequestedAccess
from oauthcore.clients.document_clients import current_client
from oauthcore.clients.first_use import find_kept
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import OAuthError
from oauthcore.find_user import NOT_NEEDED, find_permission
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Insert, Outcome, Require
from oauthcore.oidc.id_token_hint import Hint, UnverifiedHint, read_hint
from oauthcore.oidc.person import NOBODY
from oauthcore.oidc.session import session_of, still_signed_in
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import REQUEST_PARAMETERS, AuthorizationRequest, Interaction
from oauthcore.records.login import Login
from oauthcore.redirect_uri import form_encoded
from oauthcore.wire.http import Response, see_other
from oauthcore.wire.text import words

# A length that all servers and proxies accept in a request line (RFC 9110 section 4.1 recommends 8000).
LONGEST_QUERY = 6_000


@per_request
class BrowserRequest:
    """Hold an authorization request from a browser, with the value of the browser's cookie.

    `reload`, if any, redirects the browser here once more before the user is asked anything, or the request is refused
    because it would have to ask: the request came without cookies.
    """

    redirectable: Redirectable
    browser: Secret | None
    reload: Response | None = None


def authorization(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Answer an authorization request, or start an interaction with the person."""
    http, login = incoming.request, incoming.login
    received = read_request(incoming.query() if http.method == "GET" else incoming.form())
    # The client first: until its redirect URI is verified, every error is a page (RFC 6749 section 4.1.2.1).
    client = yield from find(Client, received.client_id)
    if context.client_id_metadata is not None:
        client = current_client(received.client_id, client, context)
    request, pushed = received, None
    if names_pushed(received, context):
        pushed = yield from find_named(received, context)
        request = read_pushed(received, pushed, client, context)
    redirectable = read_redirectable(request, client, "authorization", context)
    if isinstance(redirectable, RefusedObject):
        facts = AuthorizationFacts(client)
        refusal = refuse_unanswered(redirectable.redirectable, redirectable.error, facts, context)
        return (yield from delivered(refusal, context))
    session = yield from session_of(login)
    # The host's cookie may be older than the end of the session: a logout elsewhere counts at once.
    login = still_signed_in(login, session, context.now)
    consents: tuple[Consent, ...] = ()
    person, kept, permission = NOBODY, None, NOT_NEEDED
    if login is not None:
        consents = yield from find_consents(login.subject, redirectable.request, client, context)
        kept = yield from find_kept(login.subject, client, context)
        permission = yield from find_permission(login.subject, client, context.user_policy)
    if context.openid is not None:
        if redirectable.request.id_token_hint is not None:
            hint = yield from read_hint(redirectable.request.id_token_hint, context)
            redirectable = attrs.evolve(redirectable, request=with_hint(redirectable.request, hint))
        person = yield from front_channel_person(redirectable.request, client, login, context)
    browser = browser_of(http, context)
    # OIDC Core section 3.1.2.1: the endpoint MUST support GET and POST.
    is_without_cookies = http.method == "POST" and login is None and browser is None
    reload = reload_as_get(received, context) if is_without_cookies else None
    facts = AuthorizationFacts(
        client, login, session, consents, person=person, kept=kept, permission=permission, pushed=pushed
    )
    arrived = BrowserRequest(redirectable, browser, reload)
    return (yield from delivered(decide(arrived, facts, context), context))


def reload_as_get(received: AuthorizationRequest, context: Context) -> Response | None:
    """Redirect the browser here once more, by GET, if it posted a form without cookies, which may be from another site.

    Browsers send no Lax cookies with such a form (RFC 6265bis section 5.6.7.1). Without the redirect, a user who is
    signed in would have to sign in again, prompt=none would be refused, and interactions in other tabs would be lost.
    Returns None if the request is too long for a URL; it is then answered as it came.
    """
    given = attrs.asdict(received, filter=lambda field, value: field.name in REQUEST_PARAMETERS and value is not None)
    del given["resource"]
    query = form_encoded((*given.items(), *(("resource", uri) for uri in received.resource)))
    if len(query) > LONGEST_QUERY:
        return None
    return see_other(f"{context.base}{context.paths.authorization}?{query}")


def with_hint(request: AuthorizationRequest, hint: Hint | UnverifiedHint | None) -> AuthorizationRequest:
    """Replace a verified hint by the subject that it names (OIDC Core section 3.1.2.1).

    It must have been issued to this client; another client's ID token is not accepted. A hint that can't be verified is
    ignored, since its key may simply be gone: the user signs in. Only with prompt=none, when they can't, it is kept,
    and refused later.
    """
    # OIDC Core section 3.1.2.1 only says that the hint is an ID token issued before. That it was issued to this client
    # is stricter: else one client could probe whether the user of another is signed in here.
    if isinstance(hint, Hint) and hint.client_id == request.client_id:
        return attrs.evolve(request, id_token_hint=None, hinted_subject=hint.subject)
    return request if "none" in words(request.prompt) else attrs.evolve(request, id_token_hint=None)


def decide(arrived: BrowserRequest, facts: AuthorizationFacts, context: Context) -> Undelivered:
    """Answer at the client, or send the browser to the page for what is needed of the person."""
    redirectable = arrived.redirectable
    spent = spending(redirectable.request, facts.pushed, context)
    try:
        validated = validate(redirectable, "authorization", context)
        needed = next_step(validated, facts, NOT_BEGUN, context)
        # Everything the client wants is there already: no page is shown (OIDC Core section 3.1.2.3).
        if isinstance(needed, Login):
            approval = Approval(needed, validated.access.scope, explicit=False)
            return with_spent(spent, approve(validated, approval, facts, context))
        if arrived.reload is not None:
            return Decision(arrived.reload)
        # OIDC Core section 3.1.2.1: with prompt=none the server MUST NOT show a page; section 3.1.2.6 names the error
        # for each need.
        if "none" in validated.access.prompt:
            raise refusal_without_page(needed)
    except OAuthError as error:
        return with_spent(spent, refuse_unanswered(redirectable, error, facts, context))
    return start_interaction(validated.access, needed, arrived.browser, facts.login, context)


def start_interaction(
    access: RequestedAccess, needed: Need, browser: Secret | None, login: Login | None, context: Context
) -> Outcome:
    """Bind the request to the browser, and redirect to the page for the next step.

    It is stored only if a user is signed in, and otherwise carried in the handle, so that strangers can't fill the
    storage.
    """
    # The cookie is set before the user is sent anywhere, so that the answer can be tied to this browser.
    bound, cookies = bind(browser, context)
    if login is None:
        handle = carry(access.request, access.client, bound, context)
        return Decision(send_to_page(needed, handle, context, cookies))
    handle = context.mint()
    interaction = Interaction(
        key=context.digest("interaction", handle),
        client_id=access.client.client_id,
        request=access.request,
        browser=bound,
        started_at=context.now,
        expires_at=context.now + context.policy.lifetimes.interaction_lifetime,
        # If the login is not accepted for this request, the page must not offer to continue with it.
        login=login if needed is Need.CONSENT else None,
        auth_time=login.auth_time,
        client_generation=access.client.generation,
    )
    return Decision(send_to_page(needed, handle, context, cookies), (Require(access.client), Insert(interaction)))
