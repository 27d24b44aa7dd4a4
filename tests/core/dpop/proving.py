"""Proofs as clients make them, right but for what a test changes."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping
from functools import cache
from typing import Any

from oauthcore import Client, Dpop, Response
from oauthcore.digest import base64url
from oauthcore.jose.crypto import sign_as_given
from oauthcore.jose.jwk import Jwk
from tests.core.signing_keys import key_for
from tests.core.site import CLIENTS, ISSUER, PUBLIC, SECRETS, Drive, Site, basic, form, make_site

TOKEN_URL = f"{ISSUER}/token"
BOUND = Client(
    client_id="bound",
    grant_types=("client_credentials",),
    response_types=(),
    scope="read",
    dpop_bound_access_tokens=True,
)
_numbers = itertools.count()


@cache
def key(number: int = 0, alg: str = "ES256") -> Jwk:
    """Return a client's key; the same number gets the same one."""
    return key_for(alg, number)


def jkt(of: Jwk) -> str:
    """Return the thumbprint that a token is bound to."""
    return of.thumbprint


def public_members(of: Jwk) -> dict[str, object]:
    """Return a key as a proof shows it."""
    return of.bare.members


def ath(token: str) -> str:
    """Return the hash of an access token."""
    return base64url(hashlib.sha256(token.encode()).digest())


def proof(
    now: int,
    by: Jwk | None = None,
    *,
    alg: str = "ES256",
    header: Mapping[str, object] | None = None,
    without: str | None = None,
    signed_by: Jwk | None = None,
    **claims: object,
) -> str:
    """Return a proof for the token endpoint, right but for the changes; each has another `jti`."""
    by = by or key(alg=alg)
    all_claims: dict[str, object] = {"jti": f"jti-{next(_numbers)}", "htm": "POST", "htu": TOKEN_URL, "iat": now}
    head: dict[str, object] = {"typ": "dpop+jwt", "alg": alg, "jwk": public_members(by)}
    members, head = {**all_claims, **claims}, {**head, **(header or {})}
    return sign_as_given(
        {name: value for name, value in head.items() if name != without},
        {name: value for name, value in members.items() if name != without},
        signed_by or by,
        alg,
    )


def dpop_site(drive: Drive | None = None, settings: Dpop | None = None, **more: Any) -> Site:
    """Return a site that takes proofs."""
    clients = more.pop("clients", (*CLIENTS, BOUND))
    secrets = {**SECRETS, "bound": "bound-secret"}
    options = {"clients": clients, "secrets": secrets, "dpop": settings or Dpop(), **more}
    return make_site(**options) if drive is None else make_site(drive, **options)


def ask(site: Site, client_id: str, *proofs: str, **values: str | None) -> Response:
    """Ask the token endpoint with these proofs."""
    headers = [("DPoP", one) for one in proofs]
    if client_id == PUBLIC.client_id:
        return site.post("/token", form(client_id=client_id, **values), *headers)
    secret = {**SECRETS, "bound": "bound-secret"}[client_id]
    return site.post("/token", form(**values), basic(client_id, secret), *headers)
