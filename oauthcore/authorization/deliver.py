"""Delivery: the parts of a response leave together, and an ID token is made last, of what leaves beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import attrs

from oauthcore.add_claims import with_claims
from oauthcore.authorization.jwt_response import JwtResponse, as_jwt, encryption_of_responses
from oauthcore.authorization.response_mode import answer, send_jwt
from oauthcore.authorization.response_type import Part
from oauthcore.authorization.validated import RequestedResponse
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.grants.issuance import IssuedAccess, id_token_target, signed_access_token
from oauthcore.jose.jwt import Encryption, Jwt
from oauthcore.oidc.id_token import NOTHING, HashInputs, IdTokenDetails, id_token, is_due, names_in, with_hashes
from oauthcore.oidc.person import NOBODY, Person, load_claims
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.login import Login
from oauthcore.scope import parse_scope
from oauthcore.wire.http import Response


@per_request
class Delivery:
    """Hold what is sent to the client once it is signed: an access token among `parameters`, and an ID token beside."""

    response: RequestedResponse
    parameters: Mapping[str, str]
    grant: Grant
    access_token: IssuedAccess | None
    id_token: Jwt | None
    encryption: Encryption | None = None


Undelivered: TypeAlias = Decision[Response | Delivery | JwtResponse]
"""The decision of an authorization request: a response, or something of which some may be unsigned."""


def deliver(
    response: RequestedResponse, grant: Grant, parts: Sequence[Part], person: Person, context: Context
) -> Delivery:
    """Deliver the response to the client, with an ID token for what is issued with it, if one was requested."""
    parameters: dict[str, str] = {}
    access_token = jwt = None
    for part in parts:
        parameters |= part.parameters
        access_token = access_token or part.unsigned
    if response.type.issues_id_token and is_due(grant.scope, context):
        # OIDC Core section 5.4: where no access token comes, now or later, there is no other place to ask for them.
        claimed = NOTHING if response.type.parts else grant.scope
        details = IdTokenDetails(response.redirectable.request.nonce, person, claimed)
        jwt = id_token(response.redirectable.client, grant, details, context)
    return Delivery(response, parameters, grant, access_token, jwt, encryption_around(response, context))


def deliver_nothing(response: RequestedResponse, context: Context) -> Response | JwtResponse:
    """Deliver that the user has agreed, and nothing else (Multiple Response Type Encoding section 4)."""
    if response.is_jwt:
        return JwtResponse(response.redirectable, response.mode, {}, encryption_around(response, context))
    return answer(response.redirectable, response.mode, {}, context)


def encryption_around(response: RequestedResponse, context: Context) -> Encryption | None:
    """Say how the whole response is encrypted, if it is a JWT of a client that wants that (JARM section 2.2)."""
    return encryption_of_responses(response.redirectable.client, context) if response.is_jwt else None


def delivered(decision: Undelivered, context: Context) -> Flow[Outcome]:
    """Return the decision with its response: what has to be signed is signed after its checks, before its commit."""
    value = decision.value
    if isinstance(value, Response):
        response = value
    elif isinstance(value, JwtResponse):
        response = yield from signed_whole(value, context)
    elif value.access_token is None and value.id_token is None and not value.response.is_jwt:
        # A code alone, as almost always.
        response = answer(value.response.redirectable, value.response.mode, value.parameters, context)
    else:
        response = yield from signed(value, context)
    return Decision(response, decision.changes, decision.events)


def signed(delivery: Delivery, context: Context) -> Flow[Response]:
    """Send a delivery to the client; the ID token is signed last, as everything beside it is hashed into it."""
    parameters, redirectable = dict(delivery.parameters), delivery.response.redirectable
    # The access token first: its hash goes into the ID token as `at_hash` (OIDC Core section 3.2.2.10).
    if delivery.access_token is not None:
        issued = delivery.access_token
        assert issued.jwt is not None, "an opaque token is among the parameters"
        parameters["access_token"] = (yield from signed_access_token(issued, issued.jwt, context)).reveal()
    if delivery.id_token is not None:
        code, token = parameters.get("code"), parameters.get("access_token")
        state = redirectable.request.state
        beside = HashInputs(None if code is None else Secret(code), None if token is None else Secret(token), state)
        jwt = with_hashes(delivery.id_token, beside)
        # As with the claims of scopes (OIDC Core section 5.4): an ID token that passes through the browser has further
        # claims only where nothing else comes, now or later, from which the client could have them.
        if not delivery.response.type.parts:
            grant = delivery.grant
            target = id_token_target(redirectable.client, grant.subject, grant.scope)
            jwt = yield from with_claims(jwt, target, context)
        parameters["id_token"] = yield from context.sign(jwt)
    mode = delivery.response.mode
    if delivery.response.is_jwt:
        return (yield from signed_whole(JwtResponse(redirectable, mode, parameters, delivery.encryption), context))
    return answer(redirectable, mode, parameters, context)


def signed_whole(unsigned: JwtResponse, context: Context) -> Flow[Response]:
    """Sign a response as a whole, and send it to the client (JARM section 2.3)."""
    jwt = yield from context.sign(as_jwt(unsigned, context))
    return attrs.evolve(send_jwt(unsigned.redirectable, unsigned.mode, jwt), refusal=unsigned.refusal)


def front_channel_person(
    request: AuthorizationRequest, client: Client | None, login: Login | None, context: Context
) -> Flow[Person]:
    """Find the claims of the user for an ID token that is issued at once; usually there are none.

    The names are those of the request before it is validated; the final choice is made when the token is issued.
    """
    types = (request.response_type or "").split(" ")
    # The application is asked only if an ID token is issued now; otherwise the request costs it nothing.
    if client is None or login is None or context.openid is None or "id_token" not in types:
        return NOBODY
    names = names_wished(request, client, context, alone=types == ["id_token"])
    if not names:
        return NOBODY
    return (yield from load_claims(login.subject, client, names, request.claims_locales, context)) or NOBODY


def names_wished(request: AuthorizationRequest, client: Client, context: Context, *, alone: bool) -> tuple[str, ...]:
    """Return the claims to ask the application for; none where the request can't be read, since it will be refused."""
    try:
        requested = None if request.scope is None else parse_scope(request.scope)
        scope = context.requested_scope(requested, client)
        return names_in(client, scope if alone else NOTHING, request.claims, context)
    except OAuthError:
        return ()
