"""The checks of an authorization request, in their order: the order is policy (RFC 6749 section 4.1.2.1).

First those whose failure must not redirect, since until then nobody knows whose URI it is: `prove_redirect`. Then
those that may: `judge`. Each row of the two says what it learns; the result is evidence for the next step.
"""

from __future__ import annotations

import attrs

from oauthcore.authorization.response_type import RESPONSE_TYPES, ResponseType
from oauthcore.context import Context
from oauthcore.errors import (
    InvalidRequest,
    RequestNotSupported,
    RequestUriNotSupported,
    UnauthorizedClient,
    UnsupportedResponseType,
)
from oauthcore.liveness import is_live_client
from oauthcore.pkce import CodeChallenge, parse_challenge
from oauthcore.policy import Allowance
from oauthcore.records import AuthorizationRequest, Client
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect, validate_redirect
from oauthcore.scope import Scope, parse_scope, resolve_scope

PROMPTS = frozenset({"none", "login", "consent"})


@attrs.frozen
class Redirectable:
    """Prove that a request came with a known client and one of its redirect URIs: it may be answered there."""

    request: AuthorizationRequest
    client: Client
    redirect: ValidatedRedirect


@attrs.frozen
class Judged:
    """Prove that a request passed every check, and hold what they learned."""

    asked: Redirectable
    response_type: ResponseType
    response_mode: ResponseMode
    scope: Scope
    code_challenge: CodeChallenge | None
    prompt: frozenset[str]


def prove_redirect(request: AuthorizationRequest, client: Client | None, context: Context) -> Redirectable:
    """Run the checks whose failure is an error page: is the client known, enabled, and the redirect URI its own?"""
    live = known_client(client, context)
    return Redirectable(request, live, validate_redirect(request.redirect_uri, live.redirect_uris))


def judge(asked: Redirectable, context: Context) -> Judged:
    """Run the checks whose failure is sent back to the client."""
    refuse_request_objects(asked.request)
    response_type = offered_response_type(asked, context)
    return Judged(
        asked=asked,
        response_type=response_type,
        response_mode=fit_response_mode(asked.request, response_type),
        scope=allowed_scope(asked),
        code_challenge=demanded_code_challenge(asked, response_type, context),
        prompt=possible_prompt(asked.request),
    )


def known_client(client: Client | None, context: Context) -> Client:
    """Check that there is such a client and that it may be served."""
    if client is None:
        raise InvalidRequest("the client is unknown")
    if not is_live_client(client, context.now):
        raise InvalidRequest("the client is disabled")
    return client


def refuse_request_objects(request: AuthorizationRequest) -> None:
    """Refuse what can't be obeyed rather than ignore it: the object may say something else (RFC 9101 section 5)."""
    if request.request:
        raise RequestNotSupported("request was given")
    if request.request_uri:
        raise RequestUriNotSupported("request_uri was given")


def offered_response_type(asked: Redirectable, context: Context) -> ResponseType:
    """Check that the server offers the response type and the client is registered for it."""
    if asked.request.response_type is None:
        raise InvalidRequest("response_type is missing")
    # OAuth 2.0 Multiple Response Type Encoding section 3: the order of the values does not matter.
    name = " ".join(sorted(asked.request.response_type.split(" ")))
    response_type = RESPONSE_TYPES.get(name)
    if response_type is None or name not in context.policy.response_types:
        raise UnsupportedResponseType("the response type is not offered")
    if name not in asked.client.response_types:
        raise UnauthorizedClient("the client is not registered for this response type")
    if response_type.grant_type is not None and response_type.grant_type not in asked.client.grant_types:
        raise UnauthorizedClient(f"the client is not registered for the {response_type.grant_type} grant")
    return response_type


def fit_response_mode(request: AuthorizationRequest, response_type: ResponseType) -> ResponseMode:
    """Check that the answer may travel as asked: a token never in a query (Multiple Response Types section 3)."""
    if request.response_mode is None:
        return response_type.modes[0]
    for mode in response_type.modes:
        if mode == request.response_mode:
            return mode
    raise InvalidRequest("response_mode is unknown, or does not go with the response type")


def allowed_scope(asked: Redirectable) -> Scope:
    """Check that the client may ask for that scope; where it names none, its default is meant."""
    text = asked.request.scope
    return resolve_scope(None if text is None else parse_scope(text), asked.client.omitted_scope, asked.client.scope)


def demanded_code_challenge(asked: Redirectable, response_type: ResponseType, context: Context) -> CodeChallenge | None:
    """Check that there is a code challenge where one is demanded: always from public clients (RFC 9700 2.1.1)."""
    request, client = asked.request, asked.client
    plain_allowed = context.allows(Allowance.PLAIN_PKCE, client)
    challenge = parse_challenge(request.code_challenge, request.code_challenge_method, plain_allowed=plain_allowed)
    if challenge is None and response_type.issues_code:
        if client.is_public:
            raise InvalidRequest("code_challenge is missing, and the client is public")
        if not context.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, client):
            raise InvalidRequest("code_challenge is missing, and the policy demands it")
    return challenge


def possible_prompt(request: AuthorizationRequest) -> frozenset[str]:
    """Check that the prompt can be obeyed: known values, and `none` alone (OIDC Core section 3.1.2.1)."""
    prompt = frozenset(filter(None, (request.prompt or "").split(" ")))
    if not prompt <= PROMPTS:
        raise InvalidRequest("prompt has a value that is not known")
    if "none" in prompt and len(prompt) > 1:
        raise InvalidRequest("prompt has none beside another value")
    return prompt
