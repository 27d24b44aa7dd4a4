"""The resource owner password credentials grant, for clients that can't do better yet (RFC 6749 section 4.3)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant, TooManyAttempts
from oauthcore.find_user import Permission, find_permission
from oauthcore.flow.effects import AuthenticatedUser, Flow, Throttled, authenticate
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.grants.audience import requested_resources, understood_scope
from oauthcore.grants.issuance import Issue, answered, issue_first_tokens, new_grant
from oauthcore.grants.token_request import TokenRequest
from oauthcore.records.client_subject import check_subject


def password(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Exchange a person's username and password for tokens."""
    username, secret = request.parameters.need("username"), Secret(request.parameters.need("password"))
    _ = request.scope  # what can't be read is refused before a password is tried
    user = yield from authenticate(username, secret)
    subject = user.subject if isinstance(user, AuthenticatedUser) else None
    permission = yield from find_permission(subject, request.client, context.user_policy)
    return (yield from answered(decide(request, user, permission, context), context))


def decide(
    request: TokenRequest, user: AuthenticatedUser | Throttled | None, permission: Permission, context: Context
) -> Issue:
    """Issue tokens if the application knows the user, and only while the records it relied on are unchanged."""
    client, scope = request.client, request.scope
    # RFC 6749 section 4.3.2: the endpoint MUST be protected against brute force attacks.
    if isinstance(user, Throttled):
        raise TooManyAttempts("too many wrong passwords", user.seconds)
    if user is None:
        raise InvalidGrant("the username or password is wrong")
    check_subject(user.subject)
    if not permission.is_given:
        # RFC 6749 section 5.2: the grant is invalid. Only the description tells it from a wrong password.
        raise InvalidGrant.with_description("the user may not use this client")
    resources = requested_resources(request.resources, client, context)
    allowed = understood_scope(context.requested_scope(scope, client), resources, resources, client, context)
    grant = new_grant(client, user.subject, allowed, context.now, context, scope, resources)
    first = issue_first_tokens(request, grant, context)
    return Decision(
        first.tokens,
        # Hashing a password takes long. If it was changed or the user disabled meanwhile, the commit fails.
        (Require(client), *map(Require, user.relying_on), *permission.changes, Insert(first.grant), *first.changes),
        (Event("token_issued", client.client_id, user.subject, first.grant.key),),
    )
