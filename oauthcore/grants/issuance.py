"""Issuance: the records and the answer of freshly made tokens (RFC 6749 section 5.1)."""

from __future__ import annotations

import attrs

from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.http import Response, json_response
from oauthcore.outcome import Change, Insert
from oauthcore.records import AccessToken, Client, Grant, RefreshToken
from oauthcore.scope import Scope


@attrs.frozen
class IssuedAccess:
    """Pair an access token with its record."""

    value: Secret
    record: AccessToken


@attrs.frozen
class IssuedRefresh:
    """Pair a refresh token with its record."""

    value: Secret
    record: RefreshToken


def issue_access(value: Secret, client: Client, grant: Grant | None, scope: Scope, context: Context) -> IssuedAccess:
    """Make the record of an access token: on a grant, or the client's own where there is none."""
    expires_at = context.access_token_expires_at(client)
    record = AccessToken(
        key=context.digest("access_token", value),
        client_id=client.client_id,
        subject=None if grant is None else grant.subject,
        grant=None if grant is None else grant.key,
        scope=scope,
        audience=(context.issuer,),
        issued_at=context.now,
        expires_at=expires_at if grant is None else min(expires_at, grant.expires_at),
    )
    return IssuedAccess(value, record)


def issue_refresh(value: Secret, client: Client, grant: Grant, context: Context) -> IssuedRefresh:
    """Make the record of a refresh token; unused, it lasts the idle lifetime, and never longer than its grant."""
    record = RefreshToken(
        key=context.digest("refresh_token", value),
        client_id=client.client_id,
        subject=grant.subject,
        grant=grant.key,
        issued_at=context.now,
        expires_at=min(context.refresh_token_expires_at(client), grant.expires_at),
    )
    return IssuedRefresh(value, record)


def new_grant(client: Client, subject: str, scope: Scope, auth_time: int | None, context: Context) -> Grant:
    """Make the record of what a person allowed just now.

    It lasts as long as what may be issued with it at once; a redemption prolongs it. So a code that nobody comes for
    leaves nothing behind for months.
    """
    return Grant(
        key=context.digest("grant", context.mint()),
        client_id=client.client_id,
        subject=subject,
        scope=scope,
        auth_time=auth_time,
        granted_at=context.now,
        expires_at=max(context.code_expires_at(client), context.access_token_expires_at(client)),
    )


@attrs.frozen
class FirstTokens:
    """Hold the first tokens on a grant, and the grant as it is with them."""

    grant: Grant
    response: Response
    changes: tuple[Change, ...]


def issue_first_tokens(caller: Authenticated, grant: Grant, context: Context) -> FirstTokens:
    """Issue on a grant for the first time: an access token, and a refresh token to a client registered for that."""
    client = caller.client
    refreshable = "refresh_token" in client.grant_types and "refresh_token" in context.policy.grant_types
    # A refresh token may be rotated on and on until the absolute lifetime is over, counted from the person's decision.
    over = (
        context.grant_expires_at(client, grant.granted_at) if refreshable else context.access_token_expires_at(client)
    )
    lasting = attrs.evolve(grant, expires_at=over)
    access = issue_access(context.mint(), client, lasting, grant.scope, context)
    if not refreshable:
        answer = token_response(access.value, access.record.expires_at, access.record.scope, context.now)
        return FirstTokens(lasting, answer, (Insert(access.record),))
    refresh = issue_refresh(context.mint(), client, lasting, context)
    return FirstTokens(
        grant=attrs.evolve(lasting, refresh_token=refresh.record.key),
        response=token_response(
            access.value,
            access.record.expires_at,
            access.record.scope,
            context.now,
            refresh.value,
            refresh.record.expires_at,
        ),
        changes=(Insert(access.record), Insert(refresh.record)),
    )


def token_response(
    access_token: Secret,
    access_expires_at: int,
    scope: Scope,
    now: int,
    refresh_token: Secret | None = None,
    refresh_expires_at: int | None = None,
) -> Response:
    """Answer with tokens; lifetimes go out as seconds from now, the scope always, whether it was asked or not."""
    # RFC 6749 appendix A.14: no sign. What an honest retry is answered with may have expired since.
    members: dict[str, object] = {"expires_in": max(0, access_expires_at - now)}
    if refresh_expires_at is not None:
        members["refresh_token_expires_in"] = refresh_expires_at - now
    members["access_token"] = access_token.reveal()
    if refresh_token is not None:
        members["refresh_token"] = refresh_token.reveal()
    if scope:
        members["scope"] = scope.text
    members["token_type"] = "Bearer"
    return json_response(200, members)
