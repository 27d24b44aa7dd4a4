"""Finding a token whose kind the caller knows no better than by a hint."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.flow.effects import Flow, find
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore.resource.stored_token import find_access_token, looks_signed

Token = AccessToken | RefreshToken


def find_token(value: Secret, hint: str | None, context: Context) -> Flow[Token | None]:
    """Find an access or a refresh token.

    The hint says only where to look first: a wrong or unknown one finds the token all the same (RFC 7009 section 2.1).
    """
    if hint == "refresh_token" and not looks_signed(value):
        refresh = yield from find(RefreshToken, context.digest("refresh_token", value))
        return refresh or (yield from find_access_token(value, context.digest, context.own_keys, context.verify))
    # RFC 7009 section 2.1: if the token can't be found by the hint, the search MUST extend to all types.
    access = yield from find_access_token(value, context.digest, context.own_keys, context.verify)
    return access or (yield from find(RefreshToken, context.digest("refresh_token", value)))
