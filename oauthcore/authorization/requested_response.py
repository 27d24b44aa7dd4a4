"""The checks of how an authorization request is to be answered: redirect URI, response type and mode, and PKCE.

Each takes the draft and adds its result. `checks` defines their order.
"""

from __future__ import annotations

import re

from oauthcore.authorization.draft import Draft
from oauthcore.authorization.jwt_response import requested_mode
from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.clients.pushing import may_push_redirect
from oauthcore.context import Context
from oauthcore.errors import InvalidRequest, UnauthorizedClient, UnsupportedResponseType
from oauthcore.pkce import parse_challenge
from oauthcore.policy import Allowance, CodeBinding
from oauthcore.redirect_uri import ValidatedRedirect, validate_redirect
from oauthcore.scope import Scope


def check_redirect_uri(draft: Draft, context: Context) -> None:
    """Check that the redirect URI is one of the client's; until then it is not trusted."""
    requested, client = draft.request.redirect_uri, draft.client
    if draft.is_pushed and requested is not None and may_push_redirect(requested, client, context):
        draft.redirect = ValidatedRedirect(requested, given=True)
        return
    # RFC 6749 section 3.1.2.4: on a mismatch the user is told and not redirected. URIs are compared as exact strings
    # (RFC 9700 section 2.1); patterns and prefixes have leaked codes time and again (RFC 9700 section 4.1).
    draft.redirect = validate_redirect(requested, client.redirect_uris)


def check_response_type(draft: Draft, context: Context) -> None:
    """Check that the server offers the response type, and that the client is registered for it."""
    if draft.request.response_type is None:
        raise InvalidRequest.with_description("response_type is missing")
    # OAuth 2.0 Multiple Response Type Encoding section 3: the order of the values does not matter.
    name = " ".join(sorted(draft.request.response_type.split(" ")))
    response_type = RESPONSE_TYPES.get(name)
    # The policy decides what the server offers, the registration what this client uses. A client of the code flow then
    # never receives a token in a URL because an attacker changed `response_type` (RFC 9700 section 2.1.2).
    if response_type is None or name not in context.policy.response_types:
        raise UnsupportedResponseType("the response type is not offered").by_setting("policy.response_types")
    if name not in draft.client.response_types:
        raise UnauthorizedClient.with_description("the client is not registered for this response type").by_setting(
            "client.response_types"
        )
    # RFC 9449 section 5.2, RFC 8705 section 3: what goes through a browser is bound to no key. Such a registration is
    # refused; a host that stores its clients itself has had none of them checked.
    bound = draft.client.dpop_bound_access_tokens or draft.client.tls_client_certificate_bound_access_tokens
    if bound and response_type.issues_tokens:
        raise UnauthorizedClient("the client's tokens are bound to a key, and none is bound here").by_setting(
            "client.response_types"
        )
    # OIDC Dynamic Client Registration section 2 says which grant types a response type needs.
    for grant_type in response_type.grant_types:
        if grant_type not in draft.client.grant_types:
            raise UnauthorizedClient(f"the client is not registered for the {grant_type} grant").by_setting(
                "client.grant_types"
            )
    draft.response_type = response_type


def check_response_mode(draft: Draft, context: Context) -> None:
    """Check that the answer may travel as the client wants: a token never in a query that can be read."""
    mode = requested_mode(draft.request.response_mode, draft.response_type.modes, draft.client, context)
    # Multiple Response Type Encoding section 3.0: types that return a token or an ID token never use the query, which
    # ends up in logs, histories and Referer headers (RFC 9700 sections 4.2 and 4.3).
    if mode is None:
        raise InvalidRequest.with_description("response_mode is unknown, or not allowed with this response_type")
    draft.response_mode, draft.is_jwt_response = mode


def check_offline_access(draft: Draft, context: Context) -> None:
    """Ignore offline_access if no code is requested, and if the user is not asked for consent.

    OIDC Core section 11 says to ignore it, not to refuse it.
    """
    scope = draft.scope
    if "offline_access" not in scope or "openid" not in scope:
        return
    # OIDC Core section 11: `offline_access` requires `prompt=consent`, unless other conditions permit it.
    asks = "consent" in draft.prompt or context.allows(Allowance.OFFLINE_WITHOUT_CONSENT, draft.client)
    if not (draft.response_type.issues_code and asks):
        draft.scope = Scope(tuple(token for token in scope if token != "offline_access"))


def check_id_token(draft: Draft, context: Context) -> None:
    """Check the preconditions of an ID token: scope openid, and a nonce if it is issued by the authorization endpoint.

    A nonce binds it to the browser that sent the request (OIDC Core sections 3.2.2.1 and 3.3.2.11); in the code flow
    the code does.
    """
    if not draft.response_type.issues_id_token:
        return
    if context.openid is None or "openid" not in draft.scope:
        raise InvalidRequest.with_description("scope must contain openid: the response_type requests an ID token")
    # OIDC Core section 3.2.2.1: nonce is REQUIRED where the ID token leaves in the front channel; it is what detects an
    # ID token that was injected or replayed (RFC 9700 section 4.5.3.2).
    if draft.request.nonce is None:
        raise InvalidRequest.with_description("nonce is missing: a response_type with id_token requires it")


def check_code_challenge(draft: Draft, context: Context) -> None:
    """Check that there is a code challenge if one is required, which it always is for public clients."""
    request, client = draft.request, draft.client
    plain_allowed = context.allows(Allowance.PLAIN_PKCE, client)
    challenge = parse_challenge(request.code_challenge, request.code_challenge_method, plain_allowed=plain_allowed)
    draft.code_challenge = challenge
    # PKCE protects codes; tokens in the redirect have none to protect.
    if challenge is not None or not draft.response_type.issues_code:
        return
    # RFC 9700 section 2.1.1: public clients MUST use PKCE. Without a secret, only the verifier keeps an attacker who
    # intercepts the code from redeeming it (RFC 7636 section 1). No allowance turns this off.
    if client.is_public:
        raise InvalidRequest.with_description(
            "code_challenge is missing", "code_challenge is missing, and the client is public"
        ).by_setting("client.token_endpoint_auth_method")
    # RFC 9700 section 2.1.1 recommends PKCE for confidential clients too: client authentication does not stop code
    # injection, where an attacker has the real client redeem a stolen code (RFC 9700 section 4.5).
    if not context.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, client) and not brings_nonce(draft, context):
        raise unbound_code(context)


def check_dpop_jkt(draft: Draft, context: Context) -> None:
    """Check that dpop_jkt is the thumbprint of a key (RFC 9449 section 10), where the server knows the parameter."""
    jkt = draft.request.dpop_jkt
    # Else the code would be bound to a key that there can't be, and the client would find out after its user signed in.
    if jkt is not None and context.dpop is not None and not _THUMBPRINT.fullmatch(jkt):
        raise InvalidRequest.with_description("dpop_jkt is not the SHA-256 thumbprint of a key")


# RFC 7638 with SHA-256, in base64url: the last of its 43 letters has two bits that are 0.
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]")


def brings_nonce(draft: Draft, context: Context) -> bool:
    """Return whether a confidential client's nonce can replace a code challenge (OAuth 2.1 section 7.5.1)."""
    may = context.policy.code_binding is CodeBinding.PKCE_OR_NONCE
    return may and context.openid is not None and "openid" in draft.scope and draft.request.nonce is not None


def unbound_code(context: Context) -> InvalidRequest:
    """Return the refusal of a confidential client's request for a code that nothing binds: with what it lacks."""
    if context.openid is not None and context.policy.code_binding is CodeBinding.PKCE_OR_NONCE:
        return InvalidRequest.with_description(
            "code_challenge is missing: send one, or scope openid with a nonce"
        ).by_setting("policy.code_binding")
    return InvalidRequest.with_description(
        "code_challenge is missing", "code_challenge is missing, and the policy demands it"
    ).by_setting("policy.code_binding")
