"""The authorization endpoint (RFC 6749 section 3.1)."""

from __future__ import annotations

import attrs

from oauthcore.authorization.browser import bind, browser_of
from oauthcore.authorization.checks import ValidatedRequest, known_client, prove_redirect, validate
from oauthcore.authorization.consent import consent_key
from oauthcore.authorization.deliver import Undelivered, delivered, front_channel_person
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.need import NOTHING_ASKED, Need, next_step
from oauthcore.authorization.proceed import Approval, approve, refusal_without_page, send_to_page
from oauthcore.authorization.request_object import apply_request_object
from oauthcore.authorization.response_mode import refuse
from oauthcore.authorization.unstored import carry
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import OAuthError, UnnamedClient
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
from oauthcore.wire.http import Request, Response, see_other
from oauthcore.wire.parameters import Parameters, form_of, query_of
from oauthcore.wire.text import words

# What every server between here and the browser takes in a request line (RFC 9110 section 4.1 asks for 8000).
LONGEST_QUERY = 6_000


@per_request
class BrowserRequest:
    """Hold an authorization request as a browser brought it, and what the browser's cookie says.

    `reload`, where there is one, sends the browser here once more, before the person is asked anything or it is refused
    to ask them: it came without its cookies.
    """

    request: AuthorizationRequest
    browser: Secret | None
    reload: Response | None = None


def authorization(request: Request, login: Login | None, context: Context) -> Flow[Outcome]:
    """Answer an authorization request, or start an interaction with the person."""
    received = read(query_of(request) if request.method == "GET" else form_of(request))
    client = yield from find(Client, received.client_id)
    asked = understand(received, client, context)
    if isinstance(asked, Decision):
        return asked
    session = yield from session_of(login)
    login = still_signed_in(login, session, context.now)
    consent = None
    if login is not None:
        consent = yield from find(Consent, consent_key(login.subject, asked.client_id, context))
    if asked.id_token_hint is not None:
        asked = with_hint(asked, (yield from read_hint(asked.id_token_hint, context)))
    person = NOBODY if context.openid is None else (yield from front_channel_person(asked, client, login, context))
    browser = browser_of(request, context)
    is_without_cookies = request.method == "POST" and login is None and browser is None
    reload = reload_as_get(received, context) if is_without_cookies else None
    facts = AuthorizationFacts(client, login, session, consent, person=person)
    return (yield from delivered(decide(BrowserRequest(asked, browser, reload), facts, context), context))


def read(parameters: Parameters) -> AuthorizationRequest:
    """Read the parameters of an authorization request; raises `InvalidRequest` where not even a client is named."""
    if "client_id" not in parameters:
        raise UnnamedClient.with_description("client_id is missing")
    return AuthorizationRequest(**parameters.among(REQUEST_PARAMETERS))


def reload_as_get(received: AuthorizationRequest, context: Context) -> Response | None:
    """Send the browser here once more, by GET, where it came with a form and without cookies: another site's, perhaps.

    With such a form it sends none that are Lax (RFC 6265bis section 5.6.7.1). Else whoever is signed in would have to
    sign in again, be refused for prompt=none, and lose what waits in other tabs. None for a request that is too
    long for a URL, to be answered as it came.
    """
    given = attrs.asdict(received, filter=lambda field, value: field.name in REQUEST_PARAMETERS and value is not None)
    query = form_encoded(given.items())
    if len(query) > LONGEST_QUERY:
        return None
    return see_other(f"{context.base}{context.paths.authorization}?{query}")


def understand(
    received: AuthorizationRequest, client: Client | None, context: Context
) -> AuthorizationRequest | Outcome:
    """Return the request that a request object makes of it; refuse one that can't be used by what stands beside it."""
    known = known_client(client, context)
    try:
        return apply_request_object(received, known, context)
    except OAuthError as error:
        return Decision(refuse(prove_redirect(received, known, context), error, context))


def with_hint(request: AuthorizationRequest, hint: Hint | UnverifiedHint | None) -> AuthorizationRequest:
    """Put whom a verified hint names in the hint's place (OIDC Core section 3.1.2.1).

    It has to be this client's own: what another was told of somebody is nothing to build on. One that proves nothing is
    ignored, as its key may merely be gone by now: the person says who they are. Only where they can't be asked it
    stays, and is refused later.
    """
    if isinstance(hint, Hint) and hint.client_id == request.client_id:
        return attrs.evolve(request, id_token_hint=None, hinted_subject=hint.subject)
    return request if "none" in words(request.prompt) else attrs.evolve(request, id_token_hint=None)


def decide(arrived: BrowserRequest, facts: AuthorizationFacts, context: Context) -> Undelivered:
    """Refuse with a page until the redirect URI is proven, and from then on at the client."""
    asked = prove_redirect(arrived.request, facts.client, context)
    try:
        judged = validate(asked, context)
        needed = next_step(judged, facts, NOTHING_ASKED, context)
        if isinstance(needed, Login):
            return approve(judged, Approval(needed, judged.scope, asked=False), facts, context)
        if arrived.reload is not None:
            return Decision(arrived.reload)
        if "none" in judged.prompt:
            raise refusal_without_page(needed)
    except OAuthError as error:
        return Decision(refuse(asked, error, context))
    return start_interaction(judged, needed, arrived.browser, facts.login, context)


def start_interaction(
    judged: ValidatedRequest, needed: Need, browser: Secret | None, login: Login | None, context: Context
) -> Outcome:
    """Bind the request to the browser, and send that to the page for what is needed.

    It is remembered if somebody is signed in, and otherwise carried: nothing that anybody may ask fills the storage.
    """
    bound, cookies = bind(browser, context)
    if login is None:
        handle = carry(judged.asked.request, judged.asked.client, bound, context)
        return Decision(send_to_page(needed, handle, context, cookies))
    handle = context.mint()
    interaction = Interaction(
        key=context.digest("interaction", handle),
        client_id=judged.asked.client.client_id,
        request=judged.asked.request,
        browser=bound,
        started_at=context.now,
        expires_at=context.now + context.policy.lifetimes.interaction_lifetime,
        login=login if needed is Need.CONSENT else None,
        auth_time=login.auth_time,
        client_generation=judged.asked.client.generation,
    )
    changes = (Require(judged.asked.client), Insert(interaction))
    return Decision(send_to_page(needed, handle, context, cookies), changes)
