"""Delivery: the parts of a response leave together, and an ID token is made last, of what leaves beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oauthcore.authorization.checks import ValidatedRequest
from oauthcore.authorization.response_mode import answer
from oauthcore.authorization.response_type import Part
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import OAuthError
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Unsigned
from oauthcore.oidc.id_token import NOTHING, HashInputs, IdTokenDetails, id_token, is_due, names_in
from oauthcore.oidc.person import NOBODY, Person, load_claims
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.login import Login
from oauthcore.scope import parse_scope
from oauthcore.wire.http import Response


def deliver(
    judged: ValidatedRequest, grant: Grant, parts: Sequence[Part], person: Person, context: Context
) -> Response | Unsigned:
    """Send the parts to the client, with an ID token made of what leaves beside it where one was asked for."""
    parameters = {name: value for part in parts for name, value in part.parameters.items()}
    unsigned = tuple(part.unsigned for part in parts if part.unsigned is not None)
    if not unsigned:
        return deliver_with(judged, grant, parameters, person, context)

    def complete(signed: tuple[str, ...]) -> Response | Unsigned:
        """Deliver with the access token, now that it is signed."""
        return deliver_with(judged, grant, {**parameters, "access_token": signed[0]}, person, context)

    return Unsigned(unsigned, complete)


def deliver_with(
    judged: ValidatedRequest, grant: Grant, parameters: Mapping[str, str], person: Person, context: Context
) -> Response | Unsigned:
    """Add the ID token, once everything that is hashed into it is known."""
    asked, mode = judged.asked, judged.response_mode
    if not judged.response_type.issues_id_token or not is_due(grant.scope, context):
        return answer(asked, mode, parameters, context)
    code, token = parameters.get("code"), parameters.get("access_token")
    beside = HashInputs(
        None if code is None else Secret(code), None if token is None else Secret(token), asked.request.state
    )
    # OIDC Core section 5.4: where no access token comes, now or later, there is no other place to ask for them.
    claimed = NOTHING if judged.response_type.parts else grant.scope
    jwt = id_token(asked.client, grant, IdTokenDetails(asked.request.nonce, person, claimed), beside, context)
    return Unsigned((jwt,), lambda signed: answer(asked, mode, {**parameters, "id_token": signed[0]}, context))


def front_channel_person(
    request: AuthorizationRequest, client: Client | None, login: Login | None, context: Context
) -> Flow[Person]:
    """Ask for what an ID token that leaves at once has to say of the person; mostly there is none.

    The names are those of the request before it is judged; what leaves in the end is chosen then.
    """
    types = (request.response_type or "").split(" ")
    if client is None or login is None or context.openid is None or "id_token" not in types:
        return NOBODY
    names = names_wished(request, client, context, alone=types == ["id_token"])
    if not names:
        return NOBODY
    return (yield from load_claims(login.subject, client, names, request.claims_locales)) or NOBODY


def names_wished(request: AuthorizationRequest, client: Client, context: Context, *, alone: bool) -> tuple[str, ...]:
    """Return the claims to ask the application for; none where the request can't be read, since it will be refused."""
    try:
        asked = None if request.scope is None else parse_scope(request.scope)
        scope = context.requested_scope(asked, client)
        return names_in(client, scope if alone else NOTHING, request.claims, context)
    except OAuthError:
        return ()
