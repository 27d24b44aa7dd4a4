"""Imitations of the tokens of well-known providers, for clients that read more than the standards guarantee.

They follow the vendors' own documentation, but are not the vendors' software, and imitate only formats: the end of the
issuer's URL, and the names and kinds of claims. The protocol and its checks stay those of this provider. `roles` of a
user or token are put where the vendor has them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, TypeAlias

import attrs

ImitationName: TypeAlias = Literal["keycloak", "auth0", "entra", "google", "cognito"]
Claims: TypeAlias = dict[str, object]
# Entra's tenants and objects are GUIDs; the same in all tests.
TENANT = "00000000-0000-4000-8000-000000000001"


@attrs.frozen
class Imitation:
    """Describe a provider's tokens: `path` is that of the issuer with its name, `typ` the header of access tokens.

    `typ` is None if there is none. `access_token` and `id_token` turn our claims into the vendor's. `is_opaque` is true
    if access tokens are not JWTs.
    """

    path: str
    access_token: Callable[[Claims], Claims]
    id_token: Callable[[Claims], Claims]
    typ: str | None = "JWT"
    is_opaque: bool = False


def _keycloak_access(claims: Claims) -> Claims:
    """(Keycloak, Server Administration Guide, on tokens and role mappers.)"""
    roles = claims.pop("roles", [])
    client_id = claims.pop("client_id", None)
    return {"typ": "Bearer", "azp": client_id, "realm_access": {"roles": roles}, "resource_access": {}, **claims}


def _keycloak_id(claims: Claims) -> Claims:
    _ = claims.pop("roles", None)
    return {"typ": "ID", "preferred_username": claims.get("sub"), **claims}


def _auth0_access(claims: Claims) -> Claims:
    """(Auth0, Access Token Profiles: the Auth0 profile, with the permissions of role-based access control.)"""
    roles = claims.pop("roles", None)
    client_id = claims.pop("client_id", None)
    audience, issuer = claims.get("aud"), claims.get("iss")
    if "openid" in str(claims.get("scope", "")).split(" ") and isinstance(audience, str):
        claims["aud"] = [audience, f"{issuer}userinfo"]
    return {"azp": client_id, **claims, **({} if roles is None else {"permissions": roles})}


def _entra_access(claims: Claims) -> Claims:
    """(Microsoft identity platform, access token claims reference: version 2.0.)"""
    client_id, scope = claims.pop("client_id", None), claims.pop("scope", None)
    shaped = {"ver": "2.0", "tid": TENANT, "oid": claims.get("sub"), "azp": client_id, **claims}
    return shaped if scope is None else {**shaped, "scp": scope}


def _entra_id(claims: Claims) -> Claims:
    _ = claims.pop("azp", None)
    return {"ver": "2.0", "tid": TENANT, "oid": claims.get("sub"), "preferred_username": claims.get("sub"), **claims}


def _google_id(claims: Claims) -> Claims:
    """(Google, OpenID Connect: an ID token's payload; `hd` is the domain of a hosted organization.)"""
    email = claims.get("email")
    domain = email.partition("@")[2] if isinstance(email, str) else ""
    return {**claims, **({"hd": domain} if domain else {})}


def _cognito_access(claims: Claims) -> Claims:
    """(Amazon Cognito, Understanding the access token: it has no audience.)"""
    groups, _ = claims.pop("roles", None), claims.pop("aud", None)
    shaped = {"token_use": "access", "version": 2, "username": claims.get("sub"), **claims}
    return shaped if groups is None else {**shaped, "cognito:groups": groups}


def _cognito_id(claims: Claims) -> Claims:
    groups, _ = claims.pop("roles", None), claims.pop("azp", None)
    shaped = {"token_use": "id", "cognito:username": claims.get("sub"), **claims}
    return shaped if groups is None else {**shaped, "cognito:groups": groups}


def _as_it_is(claims: Claims) -> Claims:
    return claims


IMITATIONS: Mapping[ImitationName, Imitation] = {
    "keycloak": Imitation("{name}/realms/test", _keycloak_access, _keycloak_id),
    # The issuer ends in a slash, which is part of it: clients that remove it refuse every token.
    "auth0": Imitation("{name}/", _auth0_access, _as_it_is),
    "entra": Imitation("{name}/v2.0", _entra_access, _entra_id),
    "google": Imitation("{name}", _as_it_is, _google_id, is_opaque=True),
    "cognito": Imitation("{name}", _cognito_access, _cognito_id, typ=None),
}
