"""The checks of an authorization request, in their order: the order is policy (RFC 6749 section 4.1.2.1).

First those whose failure must not redirect, since until then nobody knows whose URI it is: `prove_redirect`. Then
those that may: `validate`. Each row of the two says what it learns; the result is evidence for the next step.
"""

from __future__ import annotations

from oauthcore.authorization.response_type import RESPONSE_TYPES, ResponseType
from oauthcore.authorization.unstored import check_length
from oauthcore.context import Context
from oauthcore.errors import (
    DisabledClient,
    InvalidRequest,
    InvalidScope,
    LoginRequired,
    RegistrationNotSupported,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnknownClient,
    UnsupportedResponseType,
)
from oauthcore.oidc.claims_request import ClaimsRequest, parse_claims
from oauthcore.oidc.person import asked_beside_scope
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge, parse_challenge
from oauthcore.policy import Allowance, CodeBinding
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.liveness import is_live_client
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect, validate_redirect
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.text import decimal, words

# What every application can do, also one that knows nothing of OpenID Connect.
PROMPTS = frozenset({"none", "login", "consent"})
# OIDC Core section 3.1.2.1.
DISPLAYS = frozenset({"page", "popup", "touch", "wap"})
# Enough for a century; an integer without an end is an attack on whoever reads it.
MAX_MAX_AGE_DIGITS = 10


@per_request
class Redirectable:
    """Prove that a request came with a known client and one of its redirect URIs: it may be answered there."""

    request: AuthorizationRequest
    client: Client
    redirect: ValidatedRedirect


@per_request
class ValidatedRequest:
    """Prove that a request passed every check, and hold what they learned."""

    asked: Redirectable
    response_type: ResponseType
    response_mode: ResponseMode
    scope: Scope
    code_challenge: CodeChallenge | None
    prompt: frozenset[str]
    max_age: int | None
    claims: ClaimsRequest
    claims_beside_scope: tuple[str, ...]
    subjects: tuple[str, ...]
    essential_acr: tuple[str, ...]


def prove_redirect(request: AuthorizationRequest, client: Client | None, context: Context) -> Redirectable:
    """Run the checks whose failure is an error page: is the client known, enabled, and the redirect URI its own?"""
    live = known_client(client, context)
    return Redirectable(request, live, validate_redirect(request.redirect_uri, live.redirect_uris))


def validate(asked: Redirectable, context: Context) -> ValidatedRequest:
    """Run the checks whose failure is sent back to the client."""
    request, client = asked.request, asked.client
    check_length(request)
    refuse_what_cannot_be_obeyed(request, context)
    response_type = offered_response_type(asked, context)
    response_mode = fit_response_mode(request, response_type)
    prompt = parse_prompt(request, context)
    scope = allowed_scope(asked, response_type, prompt, context)
    demand_openid(request, response_type, scope, context)
    claims = possible_claims(request, scope, context)
    return ValidatedRequest(
        asked=asked,
        response_type=response_type,
        response_mode=response_mode,
        scope=scope,
        code_challenge=require_code_challenge(asked, response_type, scope, context),
        prompt=prompt,
        max_age=possible_max_age(asked, context),
        claims=claims,
        claims_beside_scope=asked_beside_scope(client, claims, scope, context),
        subjects=wanted_subjects(request, claims),
        essential_acr=essential_acr(claims),
    )


def known_client(client: Client | None, context: Context) -> Client:
    """Check that there is such a client and that it may be served (RFC 6749 section 4.1.2.1)."""
    if client is None:
        raise UnknownClient("the client is unknown")
    if not is_live_client(client, context.now):
        raise DisabledClient("the client is disabled")
    return client


def refuse_what_cannot_be_obeyed(request: AuthorizationRequest, context: Context) -> None:
    """Refuse what can't be obeyed rather than ignore it: a request object may say something else (RFC 9101 section 5).

    One that was obeyed is gone from the request by now, and so is a hint, but for one that could not be verified in a
    request that allows no page: who is meant can't be told then, and nobody can be asked (OIDC Core section 3.1.2.1).
    """
    if request.request is not None:
        raise RequestNotSupported("request was given")
    if request.request_uri is not None:
        raise RequestUriNotSupported("request_uri was given")
    if context.openid is None:  # RFC 6749 section 3.1: the others are OpenID Connect's, and to be ignored
        return
    if request.registration is not None:
        raise RegistrationNotSupported("registration was given")
    if request.id_token_hint is not None:
        raise LoginRequired("id_token_hint is no ID token of this server's for this client, or its key is gone")
    if request.display is not None and request.display not in DISPLAYS:
        raise InvalidRequest.with_description("display has a value that is not known")


def offered_response_type(asked: Redirectable, context: Context) -> ResponseType:
    """Check that the server offers the response type and the client is registered for it (RFC 6749 section 3.1.1)."""
    if asked.request.response_type is None:
        raise InvalidRequest.with_description("response_type is missing")
    # OAuth 2.0 Multiple Response Type Encoding section 3: the order of the values does not matter.
    name = " ".join(sorted(asked.request.response_type.split(" ")))
    response_type = RESPONSE_TYPES.get(name)
    if response_type is None or name not in context.policy.response_types:
        raise UnsupportedResponseType("the response type is not offered")
    if name not in asked.client.response_types:
        raise UnauthorizedClient.with_description("the client is not registered for this response type")
    for grant_type in response_type.grant_types:
        if grant_type not in asked.client.grant_types:
            raise UnauthorizedClient(f"the client is not registered for the {grant_type} grant")
    return response_type


def fit_response_mode(request: AuthorizationRequest, response_type: ResponseType) -> ResponseMode:
    """Check that the answer may travel as asked: a token never in a query (Multiple Response Types section 3)."""
    if request.response_mode is None:
        return response_type.modes[0]
    for mode in response_type.modes:
        if mode == request.response_mode:
            return mode
    raise InvalidRequest.with_description("response_mode is unknown, or does not go with the response type")


def allowed_scope(asked: Redirectable, response_type: ResponseType, prompt: frozenset[str], context: Context) -> Scope:
    """Check that the client may ask for that scope; where it names none, its default holds (RFC 6749 section 3.3)."""
    text, client = asked.request.scope, asked.client
    named = None if text is None else parse_scope(text)
    if named is not None and "openid" in named and context.openid is None:
        # The client waits for an ID token, and it is better told so before the person has signed in than after.
        raise InvalidScope.with_description("scope openid is asked for, and OpenID Connect is not offered here")
    scope = context.requested_scope(named, client)
    if "offline_access" not in scope or "openid" not in scope or context.openid is None:
        return scope
    # OIDC Core section 11: to be ignored where no code is asked for, or where the person is not asked anew.
    asks = "consent" in prompt or context.allows(Allowance.OFFLINE_WITHOUT_CONSENT, client)
    if response_type.issues_code and asks:
        return scope
    return Scope(tuple(token for token in scope if token != "offline_access"))


def demand_openid(request: AuthorizationRequest, response_type: ResponseType, scope: Scope, context: Context) -> None:
    """Check that an ID token is asked for as it must be: with scope openid, and with a nonce where it comes at once.

    A nonce ties it to the browser that asked (OIDC Core sections 3.2.2.1 and 3.3.2.11); in the code flow the code does.
    """
    if not response_type.issues_id_token:
        return
    if context.openid is None or "openid" not in scope:
        raise InvalidRequest.with_description("an ID token is asked for without scope openid")
    if request.nonce is None:
        raise InvalidRequest.with_description("an ID token is asked for without nonce")


def require_code_challenge(
    asked: Redirectable, response_type: ResponseType, scope: Scope, context: Context
) -> CodeChallenge | None:
    """Check that there is a code challenge where one is due: always from public clients (RFC 9700 section 2.1.1)."""
    request, client = asked.request, asked.client
    plain_allowed = context.allows(Allowance.PLAIN_PKCE, client)
    challenge = parse_challenge(request.code_challenge, request.code_challenge_method, plain_allowed=plain_allowed)
    if challenge is None and response_type.issues_code:
        if client.is_public:
            raise InvalidRequest.with_description(
                "code_challenge is missing", "code_challenge is missing, and the client is public"
            )
        may_go_without = context.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, client)
        if not may_go_without and not brings_nonce(request, scope, context):
            raise unbound_code(context)
    return challenge


def unbound_code(context: Context) -> InvalidRequest:
    """Return the refusal of a confidential client's request for a code that nothing binds: with what it lacks."""
    if context.openid is not None and context.policy.code_binding is CodeBinding.PKCE_OR_NONCE:
        return InvalidRequest.with_description("code_challenge is missing, and so is a nonce with scope openid")
    return InvalidRequest.with_description(
        "code_challenge is missing", "code_challenge is missing, and the policy demands it"
    )


def brings_nonce(request: AuthorizationRequest, scope: Scope, context: Context) -> bool:
    """Tell whether a confidential client's nonce does in the place of a code challenge (OAuth 2.1 section 7.5.1).

    It does where it comes back in an ID token with what the code is redeemed for: without scope openid there is none,
    and the client would have nothing to compare it with.
    """
    may = context.policy.code_binding is CodeBinding.PKCE_OR_NONCE
    return may and context.openid is not None and "openid" in scope and request.nonce is not None


def relies_on_nonce(judged: ValidatedRequest, context: Context) -> bool:
    """Tell whether nothing but the nonce binds the code of a request that has passed `require_code_challenge`."""
    unchallenged = judged.response_type.issues_code and judged.code_challenge is None
    return unchallenged and not context.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, judged.asked.client)


def parse_prompt(request: AuthorizationRequest, context: Context) -> frozenset[str]:
    """Check that the prompt can be obeyed: known values, and `none` alone (OIDC Core section 3.1.2.1)."""
    prompt = frozenset(words(request.prompt))
    if not prompt <= (PROMPTS if context.openid is None else context.openid.prompts):
        raise InvalidRequest.with_description("prompt has a value that is not known")
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest.with_description("prompt has none beside another value")
    return prompt


def possible_max_age(asked: Redirectable, context: Context) -> int | None:
    """Check that max_age is a number of seconds (OIDC Core section 3.1.2.1); without one the client's default holds."""
    text = asked.request.max_age
    if text is None:
        return asked.client.default_max_age
    if context.openid is None:  # RFC 6749 section 3.1: a parameter that is not known is ignored
        return None
    max_age = decimal(text, MAX_MAX_AGE_DIGITS)
    if max_age is None:
        raise InvalidRequest.with_description("max_age is no number of seconds")
    return max_age


def possible_claims(request: AuthorizationRequest, scope: Scope, context: Context) -> ClaimsRequest:
    """Check that the claims parameter can be read, where it means anything: for an ID token (OIDC Core section 5.5)."""
    return parse_claims(request.claims if context.openid is not None and "openid" in scope else None)


def wanted_subjects(request: AuthorizationRequest, claims: ClaimsRequest) -> tuple[str, ...]:
    """Return whom the client wants, by a hint or by a value of `sub` (OIDC Core section 5.5.1)."""
    named = claims.id_token.get("sub")
    values = () if named is None else _texts("sub", named.values[:1])
    return values if request.hinted_subject is None else (request.hinted_subject, *values)


def essential_acr(claims: ClaimsRequest) -> tuple[str, ...]:
    """Return the authentication contexts of which one is essential (OIDC Core section 5.5.1.1)."""
    wanted = claims.id_token.get("acr")
    return _texts("acr", wanted.values) if wanted is not None and wanted.essential else ()


def _texts(claim: str, values: tuple[object, ...]) -> tuple[str, ...]:
    """Check that what a claim is asked to be is what it can be (OIDC Core section 5.5.1): 1 is not the person "1"."""
    texts = tuple(value for value in values if isinstance(value, str))
    if len(texts) != len(values):
        raise InvalidRequest(f"claims asks for a value of {claim} that is no string")
    return texts
