"""A provider under test: the site of the core's tests, with OpenID Connect, three clients and one person."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs

from oauthcore import Allowance, Client, Login, Policy, run
from oauthcore.context import Context
from oauthcore.digest import Digest
from oauthcore.flow.effects import Claims, Sign
from oauthcore.openid import OpenID
from oauthcore.records.grant import Grant
from oauthcore.scope import Scope, as_scope
from oauthcore.signing.keys import GivenKeys, KeySet
from tests.core.signing_keys import key_for
from tests.core.site import Drive, Site, make_site

ALL_TYPES = (
    *("code", "none", "token", "id_token", "id_token token"),
    *("code id_token", "code token", "code id_token token"),
)
CALLBACK = "https://rp.example/cb"
RP = Client(
    client_id="rp",
    redirect_uris=(CALLBACK,),
    grant_types=("authorization_code", "refresh_token", "implicit"),
    response_types=ALL_TYPES,
    scope="openid profile email address phone offline_access",
    allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE},
)
PAIRWISE = attrs.evolve(
    RP, client_id="pairwise", redirect_uris=("https://pairwise.example/cb",), subject_type="pairwise"
)
SECRETS = {"rp": "rp-secret", "pairwise": "pairwise-secret"}
ALICE: Mapping[str, object] = {
    "name": "Alice Liddell",
    "name#de": "Alice im Wunderland",
    "given_name": "Alice",
    "nickname": "",
    "email": "alice@wonderland.example",
    "email_verified": True,
    "address": {"locality": "Oxford"},
    "phone_number": None,
    "secret_of_the_application": "goes nowhere",
    "sub": "mallory",
    "iss": "https://evil.example",
}
POLICY = Policy.openid(allow={Allowance.IMPLICIT})


def claims_of_alice(asked: Claims) -> Mapping[str, object] | None:
    """Know one person, and tell more than was asked for."""
    return ALICE if asked.subject == "alice" else None


def sign_as_json(asked: Sign) -> tuple[str, ...]:
    """Sign nothing: a token is its claims, for tests that look at what is said and not at how it is signed."""
    return tuple(json.dumps({**jwt.claims, "typ": jwt.typ, "alg": jwt.alg}) for jwt, _ in asked.jwts)


def provider(drive: Drive = run, *, openid: OpenID | None = None, **settings: Any) -> Site:
    """Make a provider whose signatures are left out."""
    keys = GivenKeys([key_for("RS256")])
    defaults: dict[str, Any] = {"policy": POLICY, "clients": (RP, PAIRWISE), "secrets": SECRETS, "keys": keys}
    site = make_site(drive, openid=openid or OpenID(), **(defaults | settings))
    site.world = attrs.evolve(site.world, claims=claims_of_alice, sign=sign_as_json)
    return site


def context_of(openid: OpenID | None = None, **settings: Any) -> Context:
    """Return the context of one request at a provider."""
    return provider(openid=openid, **settings).server.context()


def use_keys(site: Site, keys: KeySet) -> None:
    """Have a site sign with other keys from now on."""
    site.server = site.server.with_instruments(attrs.evolve(site.server.instruments, keys=keys))


def grant_of(scope: str = "openid", **changes: Any) -> Grant:
    """Return a grant of alice's."""
    values: dict[str, Any] = {
        "key": Digest("g" * 64),
        "client_id": "rp",
        "subject": "alice",
        "scope": as_scope(scope) if scope else Scope(),
        "auth_time": 1_799_999_000,
        "granted_at": 1_800_000_000,
        "expires_at": 1_800_010_000,
    }
    return Grant(**(values | changes))


def login_of(**changes: Any) -> Login:
    """Return alice as she is signed in, a thousand seconds ago."""
    values: dict[str, Any] = {"subject": "alice", "auth_time": 1_799_999_000}
    return Login(**(values | changes))
