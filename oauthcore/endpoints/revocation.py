"""The revocation endpoint (RFC 7009)."""

from __future__ import annotations

from oauthcore.clients.authentication import Authenticated, authenticate_client, spend
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.endpoints.find_token import Token, find_token
from oauthcore.errors import InvalidGrant, OAuthError
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Outcome, Replace
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import is_standing
from oauthcore.records.token import AccessToken
from oauthcore.revocation import close_retry, revoke_grant
from oauthcore.wire.http import json_response

# RFC 7009 section 2.2 requires a 200, and says that clients ignore the body; some parse it, and fail if it is not JSON.
REVOKED = json_response(200, {})


def revocation(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """End a token at the wish of the client that has it."""
    parameters = incoming.form()
    # RFC 7009 section 2.1: the client is authenticated first, then the token is checked to be its own.
    caller = yield from authenticate_client(incoming.request, parameters, context)
    token = yield from find_token(Secret(parameters.need("token")), parameters.get("token_type_hint"), context)
    grant = None
    if token is not None and token.grant is not None:
        grant = yield from find(Grant, token.grant)
    try:
        return spend(caller.spent, decide(caller, token, grant, context))
    except OAuthError as error:
        raise explain(error, caller.client, context) from None


def decide(caller: Authenticated, token: Token | None, grant: Grant | None, context: Context) -> Outcome:
    """Revoke an access token alone; for a refresh token, revoke its grant with all its tokens (RFC 7009 section 2.1).

    An unknown token gets the same response as a revoked one (section 2.2).
    """
    if token is None:
        return Decision(REVOKED)
    client_id = caller.client.client_id
    if token.client_id != client_id:
        # Section 2.1: the request is refused with an error. A caller that has the token learns nothing new from it.
        raise InvalidGrant("the token was issued to another client")
    live_grant = grant if is_standing(grant, context.now) else None
    if isinstance(token, AccessToken):
        # A retry would hand out the token that has just been revoked. Who revokes it has had the answer.
        # An exchanged token is on another client's grant (RFC 8693), and no retry hands it out.
        is_own = live_grant is not None and live_grant.client_id == client_id
        closed: tuple[Change, ...] = close_retry(live_grant) if live_grant is not None and is_own else ()
        return Decision(
            REVOKED, (Delete(token), *closed), (Event("token_revoked", client_id, token.subject, token.grant),)
        )
    # The grant, and with it the token, is revoked already; revoking it again changes nothing (RFC 7009 section 2.2).
    if live_grant is None:
        return Decision(REVOKED)
    # RFC 7009 section 2.1: with a refresh token, the access tokens on the same grant SHOULD be invalidated too.
    event = Event("grant_revoked", client_id, live_grant.subject, live_grant.key)
    return Decision(REVOKED, (Replace(live_grant, revoke_grant(live_grant)),), (event,))
