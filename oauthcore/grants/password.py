"""The resource owner password credentials grant, for clients that can't do better yet (RFC 6749 section 4.3)."""

from __future__ import annotations

from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant, TooManyAttempts
from oauthcore.flow.effects import AuthenticatedUser, Flow, TryLater, authenticate
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.grants.issuance import issue_first_tokens, new_grant, token_response
from oauthcore.records.client_subject import check_subject
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.parameters import Parameters


def password(caller: Authenticated, parameters: Parameters, context: Context) -> Flow[Outcome]:
    """Exchange a person's username and password for tokens."""
    username, secret = parameters.need("username"), Secret(parameters.need("password"))
    asked = parameters.get("scope")
    scope = None if asked is None else parse_scope(asked)
    user = yield from authenticate(username, secret)
    return decide(caller, user, scope, context)


def decide(
    caller: Authenticated, user: AuthenticatedUser | TryLater | None, asked: Scope | None, context: Context
) -> Outcome:
    """Issue on a new grant, if the application knew the person, and while what it knew them by is stored."""
    client = caller.client
    if isinstance(user, TryLater):
        raise TooManyAttempts("too many wrong passwords", user.seconds)
    if user is None:
        raise InvalidGrant("the username or password is wrong")
    check_subject(user.subject)
    grant = new_grant(client, user.subject, context.requested_scope(asked, client), context.now, context, asked)
    first = issue_first_tokens(caller, grant, context)
    return Decision(
        token_response(first.tokens, context.now),
        (Require(client), *map(Require, user.relying_on), Insert(first.grant), *first.changes),
        (Event("token_issued", client.client_id, user.subject, first.grant.key),),
    )
