"""Find an access token, opaque or JWT: both are stored, and live only as long as their records.

What the token was issued on is found here, too: its liveness depends on it (`oauthcore.records.liveness`).

A JWT (RFC 9068) is found by its `jti`, after its signature has proved that this server issued it: the signature alone
would not show a revocation.
"""

from __future__ import annotations

from oauthcore.context import OwnKeys
from oauthcore.digest import Digest, Digester, Secret
from oauthcore.find_user import find_permission, find_user
from oauthcore.flow.effects import Flow, find
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.crypto import Verify
from oauthcore.jose.jwk import SERVER_ALGORITHMS, Jwk
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import IssuedTo
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore.user_policy import UserPolicy


def find_access_token(value: Secret, digest: Digester, own_keys: OwnKeys, verify: Verify) -> Flow[AccessToken | None]:
    """Find an access token, whichever of the two it is."""
    if looks_signed(value):
        return _find_signed(value, digest, own_keys, verify)
    # Looked up by digest: the time this takes says nothing about how much of a guessed token was right.
    return find(AccessToken, digest("access_token", value))


def _find_signed(value: Secret, digest: Digester, own_keys: OwnKeys, verify: Verify) -> Flow[AccessToken | None]:
    keys = yield from own_keys()
    key = key_of_signed(value, keys, digest, verify)
    return None if key is None else (yield from find(AccessToken, key))


def looks_signed(value: Secret) -> bool:
    """Return whether it could be a JWT: opaque tokens of this server contain no full stop."""
    return value.reveal().count(".") == 2


def key_of_signed(value: Secret, keys: tuple[Jwk, ...], digest: Digester, verify: Verify) -> Digest | None:
    """Return what a signed access token is stored under; None for one that is not ours, or no access token at all."""
    try:
        verified = verify(value.reveal(), keys, SERVER_ALGORITHMS)
    # Forged, expired key or nonsense: for the caller, all of them are unknown tokens.
    except InvalidJwt:
        return None
    jti = verified.claims.get("jti")
    # RFC 9068 section 4: an ID token is no access token, though the same key has signed it.
    return digest("jti", Secret(jti)) if verified.header.get("typ") == "at+jwt" and isinstance(jti, str) else None


def issued_to(
    token: AccessToken | RefreshToken | None,
    policy: UserPolicy,
    caller: Client | None = None,
    claim_names: tuple[str, ...] = (),
) -> Flow[IssuedTo]:
    """Find what the liveness of a token depends on; `caller` is a client that has been found already.

    The application is called last, and only if the grant exists: whether the user exists and may use the client, with
    these claims or none.
    """
    if token is None:
        return IssuedTo(None)
    grant = None if token.grant is None else (yield from find(Grant, token.grant))
    is_callers = caller is not None and caller.client_id == token.client_id
    client = caller if is_callers else (yield from find(Client, token.client_id))
    # A token whose client was removed is not valid, even if its user still exists.
    if grant is None or client is None:
        return IssuedTo(client, grant)
    actors = yield from acting_users(token, policy, (client, caller))
    grantee = None
    # RFC 8693: what another client was issued in exchange ends with the grant's client as well.
    if grant.client_id != token.client_id:
        is_callers = caller is not None and caller.client_id == grant.client_id
        grantee = caller if is_callers else (yield from find(Client, grant.client_id))
    person = yield from find_user(grant.subject, grantee or client, policy, claim_names)
    if grantee is None:
        return IssuedTo(client, grant, person, actors=actors)
    permission = yield from find_permission(grant.subject, client, policy)
    return IssuedTo(client, grant, person if permission.is_given else None, grantee, permission.records, actors)


def acting_users(
    token: AccessToken | RefreshToken, policy: UserPolicy, known: tuple[Client | None, ...]
) -> Flow[tuple[IssuedTo, ...]]:
    """Find what the users depend on who act with a token; `known` are clients that have been found already.

    Where no user acts, which is usual, it costs nothing.
    """
    found: tuple[IssuedTo, ...] = ()
    for key in token.actor_grants if isinstance(token, AccessToken) else ():
        grant = yield from find(Grant, key)
        if grant is None:
            continue
        client = next((one for one in known if one is not None and one.client_id == grant.client_id), None)
        if client is None:
            client = yield from find(Client, grant.client_id)
        person = None if client is None else (yield from find_user(grant.subject, client, policy))
        found = (*found, IssuedTo(client, grant, person))
    return found
