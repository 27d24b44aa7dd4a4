"""The introspection endpoint (RFC 7662)."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.add_claims import claims_to_add
from oauthcore.clients.authentication import Authenticated, authenticate_client, spend
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.endpoints.find_token import Token, find_token
from oauthcore.errors import InvalidClient, OAuthError
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.grants.audience import described
from oauthcore.grants.resource_claims import claims_at_introspection
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.subject import actor_for, subject_for
from oauthcore.records.client import Client
from oauthcore.records.confirmation import token_type
from oauthcore.records.liveness import IssuedTo, is_live, scope_of_token
from oauthcore.records.token import AccessToken
from oauthcore.resource.stored_token import issued_to
from oauthcore.scope import Scope
from oauthcore.wire.http import NO_STORE, Request, Response, json_response

SIGNED_TYPE = "application/token-introspection+jwt"


def introspection(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Describe a token to a client or a resource server."""
    parameters = incoming.form()
    # RFC 7662 section 2.1: the endpoint MUST require authorization, to prevent token scanning attacks.
    caller = yield from authenticate_client(incoming.request, parameters, context)
    token = yield from find_token(Secret(parameters.need("token")), parameters.get("token_type_hint"), context)
    to = yield from issued_to(token, context.user_policy, caller.client)
    try:
        members = decide(caller, token, to, context)
    except OAuthError as error:
        raise explain(error, caller.client, context) from None
    if members["active"] and isinstance(token, AccessToken) and to.client is not None:
        # First, so that no claim of the user or of the host takes the place of one of the server's own.
        members = {**(yield from further_members(caller.client, token, to, context)), **members}
    # RFC 9701 section 4: the caller requests a signed response by its Accept header.
    alg = (yield from signing_alg(caller, context)) if accepts_signed(incoming.request) else None
    if alg is None:
        answer = json_response(200, members)
    else:
        signed = yield from context.sign(signed_answer(members, caller, alg, context))
        answer = Response(200, (("Content-Type", SIGNED_TYPE), *NO_STORE), signed.encode("ascii"))
    # Nothing changes here, and still the assertion is good once (RFC 7523 section 3).
    return spend(caller.spent, Decision(answer))


def further_members(caller: Client, token: AccessToken, to: IssuedTo, context: Context) -> Flow[Mapping[str, object]]:
    """Return the claims that a JWT of the same token would have for this caller (RFC 7662 section 2.2), as of now."""
    if context.resources is None and context.extra_claims is None:
        return {}
    client = to.client
    assert client is not None, "of an active token"
    scope = scope_of_token(token, to, context.policy)
    target = ClaimsTarget(
        place="introspection",
        client=client,
        subject=token.subject,
        scope=scope,
        audience=token.audience,
        caller=caller,
    )
    of_resources = claims_at_introspection(token.audience, client, scope, caller, context)
    return (yield from claims_to_add(target, context, of_resources))


def accepts_signed(request: Request) -> bool:
    """Return whether the caller wants a signed response."""
    return SIGNED_TYPE in (request.header("accept") or "")


def signing_alg(caller: Authenticated, context: Context) -> Flow[str | None]:
    """Return the algorithm of a signed response, None without a key."""
    # RFC 9701 section 6: the registered algorithm, or the server's first; without keys the answer is plain JSON.
    keys = yield from context.own_keys()
    return caller.client.introspection_signed_response_alg or next((key.alg for key in keys), None)


def decide(caller: Authenticated, token: Token | None, to: IssuedTo, context: Context) -> dict[str, object]:
    """Describe a live token to callers that may know it; for all others it is not active (RFC 7662 section 2.2).

    A resource server that may introspect tokens for its own resources sees no others (section 4). So a token for one
    resource is useless at another, even if that one does not check `aud`. A refresh token is described only to its
    client. A resource server introspects to decide about access, and many check only `active`: a stolen refresh token
    would otherwise give access without the client's secret.
    """
    client = caller.client
    # A public client authenticates by naming itself, which anybody can do.
    if client.is_public:
        raise InvalidClient("a public client can't introspect (RFC 7662 section 2.1)").by_setting(
            "client.token_endpoint_auth_method"
        )
    # RFC 7662 section 2.2: one response for unknown, expired, revoked and foreign tokens, without further members,
    # since the reason would reveal something about other parties' tokens (section 4).
    if token is None or to.client is None or not is_live(token, to, context.policy, context.now, context.admits):
        return {"active": False}
    is_resource_server = client.introspects_any or (
        context.resources is not None and is_for_resource_of(client, token, to.client, context)
    )
    if token.client_id != client.client_id and not (is_resource_server and isinstance(token, AccessToken)):
        return {"active": False}
    scope = scope_of_token(token, to, context.policy) if isinstance(token, AccessToken) else Scope()
    members = describe(token, scope, client, context)
    if to.grant is not None and isinstance(token, AccessToken):
        # RFC 9470 section 6.2: a resource sends people back by it, whose server may know nothing of OpenID.
        members |= to.grant.authentication_claims
    return members


def is_for_resource_of(caller: Client, token: Token, client: Client, context: Context) -> bool:
    """Return whether a token is for a resource whose tokens the caller may ask about."""
    if not isinstance(token, AccessToken):
        return False
    return any(caller.client_id in one.introspected_by for one in described(token.audience, client, context))


def signed_answer(members: dict[str, object], caller: Authenticated, alg: str, context: Context) -> Jwt:
    """Return the description as a JWT for the caller alone (RFC 9701 section 5)."""
    claims = {
        "iss": context.issuer,
        # RFC 9701 section 5: the caller is the audience, so that no other can use the answer as its own.
        "aud": caller.client.client_id,
        "iat": context.now,
        # RFC 9701 section 5: nested, so that the token's own iss and aud are not taken for those of the answer.
        "token_introspection": members,
    }
    return Jwt(claims, alg, typ="token-introspection+jwt")


def describe(token: Token, scope: Scope, caller: Client, context: Context) -> dict[str, object]:
    """Return the members of an active token's description, for a caller.

    A refresh token has no `token_type`: it is not one to be accepted at a resource (RFC 6749 section 1.5).
    """
    members: dict[str, object] = {
        "active": True,
        "iss": context.issuer,
        "client_id": token.client_id,
        "exp": token.expires_at,
        "iat": token.issued_at,
        "jti": token.key[:32],
    }
    # Subjects as the caller knows them, whichever client's token it is (OIDC Core section 8.1): a resource server of a
    # sector of its own can't tell the clients of others who their users are, nor who acts for them.
    if token.subject is not None:
        members["sub"] = subject_for(caller, token.subject, context)
    if isinstance(token, AccessToken):
        members["aud"] = list(token.audience)
        members["token_type"] = token_type(token.confirmation)
        if scope.tokens:
            members["scope"] = scope.text
        if token.confirmation is not None or token.actors or token.details:
            members |= token.further_claims(actor_for(caller, context))
    return members
