"""The checks of the access that an authorization request asks for; `requested_response` has those of the response.

Each takes the draft and adds its result. `checks` defines their order.
"""

from __future__ import annotations

from oauthcore.authorization.draft import Draft
from oauthcore.authorization.request_object import apply_request_object
from oauthcore.context import Context
from oauthcore.errors import (
    DisabledClient,
    InvalidAuthorizationDetails,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnknownClient,
)
from oauthcore.grants.audience import requested_resources, understood_scope
from oauthcore.oidc.claims_request import ClaimsRequest, parse_claims
from oauthcore.oidc.person import requested_beside_scope
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_admitted, is_live_client
from oauthcore.scope import parse_scope
from oauthcore.wire.text import decimal, words

# What every application can do, also one that knows nothing of OpenID Connect.
PROMPTS = frozenset({"none", "login", "consent"})
# OIDC Core section 3.1.2.1.
DISPLAYS = frozenset({"page", "popup", "touch", "wap"})
# Enough for a century; parsing integers of unbounded length would be a way to attack the server.
MAX_MAX_AGE_DIGITS = 10


def known_client(client: Client | None, context: Context) -> Client:
    """Return the client, if there is one and it may be served (RFC 6749 section 4.1.2.1)."""
    # RFC 6749 section 4.1.2.1: with an invalid client identifier the browser MUST NOT be redirected. A redirect would
    # make an open redirector of the server (RFC 9700 section 4.11.2).
    if client is None:
        raise UnknownClient("the client is unknown")
    if client.document is not None and not is_admitted(client, context.admits):
        raise UnknownClient("the client has a metadata document that is not taken here")
    # Errors for disabled or expired clients are shown on a page, too: their redirect URIs may belong to others by now.
    if not is_live_client(client, context.now, context.admits):
        raise DisabledClient("the client is disabled").by_setting("client.enabled")
    return client


def check_client(draft: Draft, context: Context) -> None:
    """Check that the client exists and may be served."""
    draft.client = known_client(draft.found, context)


def check_no_request_uri(draft: Draft, _: Context) -> None:
    """Refuse to push a reference to a request that is elsewhere."""
    # RFC 9126 section 2.1: `request_uri` MUST NOT be provided here. One of this server's would let requests be renewed
    # for ever, and any other would have to be fetched.
    if draft.request.request_uri is not None:
        raise InvalidRequest.with_description("request_uri can't be pushed: push the request itself")


def check_pushed(draft: Draft, context: Context) -> None:
    """Check that the request was pushed, where the client or the server requires that."""
    if draft.is_pushed:
        return
    # RFC 9126 sections 5 and 6: else an attacker who controls the browser could do without, and write parameters of
    # their own.
    if draft.client.require_pushed_authorization_requests:
        raise InvalidRequest.with_description("the client has to push its requests (RFC 9126)").by_setting(
            "client.require_pushed_authorization_requests"
        )
    if context.pushed_requests is not None and context.pushed_requests.required:
        raise InvalidRequest.with_description("requests have to be pushed here (RFC 9126)").by_setting(
            "pushed_requests.required"
        )


def check_object(draft: Draft, context: Context) -> None:
    """Apply the signed request object; the parameters beside it could have been added by anybody."""
    # It was applied when the request was pushed; what is kept has none any more.
    if draft.request.pushed is not None:
        return
    draft.request = apply_request_object(draft.request, draft.client, context, alone=draft.is_pushed)


def check_no_object(draft: Draft, _: Context) -> None:
    """Refuse an object that can't be obeyed rather than ignore it: it may say something else than what is beside it.

    One that was obeyed is gone from the request by now.
    """
    # OIDC Core section 3.1.2.6 has an error for each of the two. To ignore the object instead would answer the
    # parameters beside it, which its signature does not cover.
    if draft.request.request is not None:
        raise RequestNotSupported("request was given").by_setting("openid")
    if draft.request.request_uri is not None:
        raise RequestUriNotSupported("request_uri was given").by_setting("openid")


def check_no_registration(draft: Draft, _: Context) -> None:
    """Refuse a client that would register itself with its request: that is for self-issued providers."""
    # OIDC Core section 7.2.1: `registration` belongs to self-issued providers; section 3.1.2.6 names the error.
    if draft.request.registration is not None:
        raise RegistrationNotSupported("registration was given")


def check_hint(draft: Draft, _: Context) -> None:
    """Refuse a hint that could not be verified, if the request has `prompt=none`.

    It is unknown who is meant, and the user can't be asked. In other requests, such a hint has already been removed.
    """
    if draft.request.id_token_hint is not None:
        raise LoginRequired("id_token_hint is no ID token of this server's for this client, or its key is gone")


def check_display(draft: Draft, _: Context) -> None:
    """Check that `display` has a known value (OIDC Core section 3.1.2.1)."""
    # OIDC Core section 3.1.2.1 lists the values. An unknown one is an error of the client, not of the user.
    if draft.request.display is not None and draft.request.display not in DISPLAYS:
        raise InvalidRequest.with_description("display has an unknown value")


def check_prompt(draft: Draft, context: Context) -> None:
    """Check that the prompt can be obeyed: known values, and `none` alone."""
    draft.prompt = prompt = frozenset(words(draft.request.prompt))
    if context.openid is None:
        # OAuth has no such parameter (RFC 6749 section 3.1: what is unknown is ignored). MCP's clients send it all the
        # same, so that what is known of it is obeyed.
        draft.prompt = prompt = prompt & PROMPTS
    # OIDC Core section 3.1.2.6. An unknown value may ask for more than any known one, so ignoring it could skip a page
    # that the client relies on.
    elif not prompt <= context.openid.prompts:
        raise InvalidRequest.with_description("prompt has an unknown value")
    # OIDC Core section 3.1.2.1: if `none` comes with any other value, an error is returned.
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest.with_description("prompt combines none with another value")


def check_resource(draft: Draft, context: Context) -> None:
    """Check that the resources exist, and that the client may have tokens for them."""
    draft.resources = requested_resources(draft.request.resource, draft.client, context)


def check_scope(draft: Draft, context: Context) -> None:
    """Check that the client may ask for that scope; where it names none, its default holds."""
    text = draft.request.scope
    named = None if text is None else parse_scope(text)
    if named is not None and "openid" in named and context.openid is None:
        # The client expects an ID token, and should get this error before the user signs in rather than after.
        raise InvalidScope.with_description(
            "scope openid was requested, but this server does not offer OpenID Connect"
        ).by_setting("openid")
    # RFC 6749 section 3.3: an omitted scope means the default, and one that exceeds the registration is `invalid_scope`
    # or cut down, as the policy says.
    scope = context.requested_scope(named, draft.client)
    if draft.resources:
        scope = understood_scope(scope, draft.resources, draft.resources, draft.client, context)
    draft.scope = scope


def check_details(draft: Draft, context: Context) -> None:
    """Check that the authorization details are of types that the server knows, and the client is registered for."""
    # RFC 6749 section 3.1: a server that knows no types ignores the parameter, as it does what it does not know.
    if context.authorization_details is not None:
        draft.details = context.authorization_details.parse(draft.request.authorization_details, draft.client)


def check_no_details(draft: Draft, context: Context) -> None:
    """Refuse authorization details where no page shows them: to leave them out would allow something else."""
    if context.authorization_details is not None and draft.request.authorization_details is not None:
        raise InvalidAuthorizationDetails.with_description("authorization details can't be requested in this way")


def check_claims(draft: Draft, context: Context) -> None:
    """Check that the claims parameter can be read, where it means anything: for an ID token."""
    # OIDC Core section 5.5: without `openid` it is no OpenID Connect request, and `claims` has no meaning in it.
    if "openid" in draft.scope:
        draft.claims = parse_claims(draft.request.claims)
        draft.claims_beside_scope = requested_beside_scope(draft.client, draft.claims, draft.scope, context)


def check_claim_values(draft: Draft, _: Context) -> None:
    """Check that who has to sign in, and how, is named by strings: 1 is not the person "1"."""
    draft.subjects = wanted_subjects(draft.request.hinted_subject, draft.claims)
    draft.essential_acr = essential_acr(draft.claims)


def check_max_age(draft: Draft, _: Context) -> None:
    """Check that max_age is a number of seconds; without one the client's default holds.

    It is obeyed without OpenID Connect as well: a resource demands a login that is no older (RFC 9470 section 4).
    """
    text = draft.request.max_age
    if text is None:
        draft.max_age = draft.client.default_max_age
        return
    draft.max_age = max_age = decimal(text, MAX_MAX_AGE_DIGITS)
    if max_age is None:
        raise InvalidRequest.with_description("max_age is not a number of seconds")


def check_acr_values(draft: Draft, _: Context) -> None:
    """Treat acr_values as essential if no ID token is requested, because then a resource has required one of them.

    RFC 9470 section 5 has such a request fail, so that the client does not loop. With scope openid they are voluntary,
    as in OIDC Core section 3.1.2.1, and the ID token has the `acr` that was achieved.
    """
    if "openid" not in draft.scope:
        draft.essential_acr = words(draft.request.acr_values)


def wanted_subjects(hinted_subject: str | None, claims: ClaimsRequest) -> tuple[str, ...]:
    """Return the users that the client accepts, by a hint or by a value of `sub` (OIDC Core section 5.5.1)."""
    named = claims.id_token.get("sub")
    values = () if named is None else _texts("sub", named.values[:1])
    return values if hinted_subject is None else (hinted_subject, *values)


def essential_acr(claims: ClaimsRequest) -> tuple[str, ...]:
    """Return the authentication contexts of which one is essential (OIDC Core section 5.5.1.1)."""
    wanted = claims.id_token.get("acr")
    return _texts("acr", wanted.values) if wanted is not None and wanted.essential else ()


def _texts(claim: str, values: tuple[object, ...]) -> tuple[str, ...]:
    texts = tuple(value for value in values if isinstance(value, str))
    if len(texts) != len(values):
        raise InvalidRequest(f"claims asks for a value of {claim} that is no string")
    return texts
