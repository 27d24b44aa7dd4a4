"""The client credentials grant: a token of the client's own, for nobody (RFC 6749 section 4.4)."""

from __future__ import annotations

from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.errors import UnauthorizedClient
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.grants.issuance import Tokens, issue_access, token_response
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.parameters import Parameters


def client_credentials(caller: Authenticated, parameters: Parameters, context: Context) -> Flow[Outcome]:
    """Issue a client its own access token; there is nothing to find, the caller is the grant."""
    asked = parameters.get("scope")
    return pure(decide(caller, None if asked is None else parse_scope(asked), context))


def decide(caller: Authenticated, asked: Scope | None, context: Context) -> Outcome:
    """Issue an access token, and never a refresh token (RFC 6749 section 4.4.3)."""
    client = caller.client
    if client.is_public:
        raise UnauthorizedClient("a public client has no credentials to grant with")
    access = issue_access(context.mint(), client, None, context.requested_scope(asked, client), context)
    return Decision(
        token_response(Tokens(access, access.record.scope), context.now),
        (Require(client), Insert(access.record)),
        (Event("token_issued", client.client_id),),
    )
