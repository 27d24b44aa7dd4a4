"""The introspection endpoint (RFC 7662)."""

from __future__ import annotations

from oauthcore.clients.authentication import Authenticated, authenticate_client
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.effects import Flow, find
from oauthcore.endpoints.find_token import Token, find_token
from oauthcore.errors import InvalidClient
from oauthcore.http import Request, Response, json_response
from oauthcore.liveness import is_live
from oauthcore.outcome import Outcome
from oauthcore.parameters import form_of
from oauthcore.records import AccessToken, Grant


def introspection(request: Request, context: Context) -> Flow[Outcome]:
    """Tell a client, or a resource server, about a token."""
    parameters = form_of(request)
    caller = yield from authenticate_client(request, parameters, context)
    token = yield from find_token(Secret(parameters.need("token")), parameters.get("token_type_hint"), context)
    grant = None
    if token is not None and token.grant is not None:
        grant = yield from find(Grant, token.grant)
    return Outcome(decide(caller, token, grant, context))


def decide(caller: Authenticated, token: Token | None, grant: Grant | None, context: Context) -> Response:
    """Describe a live token to who may know it; to everybody else there is no such token (RFC 7662 section 2.2)."""
    client = caller.client
    if client.is_public:
        raise InvalidClient("a public client can't introspect (RFC 7662 section 2.1)")
    if token is None or not is_live(token, grant, context.now):
        return json_response(200, {"active": False})
    if token.client_id != client.client_id and not client.introspects_any:
        return json_response(200, {"active": False})
    return json_response(200, describe(token, context))


def describe(token: Token, context: Context) -> dict[str, object]:
    """Give the members of an active token's description.

    A refresh token has no `token_type`: it is not one to be accepted at a resource (RFC 6749 section 1.5).
    """
    members: dict[str, object] = {"active": True, "iss": context.issuer, "client_id": token.client_id}
    if token.subject is not None:
        members["sub"] = token.subject
    members |= {"exp": token.expires_at, "iat": token.issued_at, "jti": token.key[:32]}
    if isinstance(token, AccessToken):
        members |= {"aud": list(token.audience), "token_type": "Bearer"}
        if token.scope:
            members["scope"] = token.scope.text
    return members
