"""A site at which tokens may be exchanged: an app with a person, a gateway behind it, and a back end behind that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from oauthcore import Client, ExchangeRule, IdJagRule, Lifetimes, Policy, Request, Response, Secret, TokenExchange, run
from oauthcore.flow.effects import Claims
from oauthcore.jose import crypto
from oauthcore.openid import OpenID
from oauthcore.records.token import AccessToken
from oauthcore.signing.keys import GivenKeys
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from tests.core.signing_keys import key_for
from tests.core.site import FORM, VERIFIER, Drive, Site, basic, make_site, members

API, BACK_API = "https://api.example", "https://back.example"
CHAT, CHAT_API = "https://chat.example", "https://api.chat.example"
APP = Client(
    client_id="app",
    redirect_uris=("https://app.example/cb",),
    grant_types=("authorization_code", "refresh_token", "client_credentials", GRANT_TYPE),
    scope="openid email read write offline_access",
)
GATEWAY = Client(
    client_id="gateway",
    grant_types=("client_credentials", GRANT_TYPE),
    response_types=(),
    scope="openid email read write audit",
)
BACK = attrs.evolve(GATEWAY, client_id="back", scope="read")
RESOURCE = Client(
    client_id="resource", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)
CLIENTS = (APP, GATEWAY, BACK, RESOURCE)
SECRETS = {name: f"{name}-secret" for name in ("app", "gateway", "back", "resource", "desk")}
KEY = key_for("RS256")

BY_GATEWAY = ExchangeRule(client_ids=["gateway"], subject_client_ids=["app", "gateway"], audience=[API])
BY_BACK = ExchangeRule(client_ids=["back"], subject_client_ids=["*"], subject_audience=[API], audience=[BACK_API])
OF_ITS_OWN = ExchangeRule(
    client_ids=["app"], subject_token_types=["access_token", "refresh_token", "id_token"], mode="impersonation"
)
CHAT_RULE = IdJagRule(
    client_ids=["app"],
    audience=CHAT,
    client_id_there="app-at-chat",
    subject_token_types=["id_token", "refresh_token"],
    resources=[CHAT_API],
    scope="chat.read chat.history",
    email=True,
)
RULES = (BY_GATEWAY, BY_BACK, OF_ITS_OWN, CHAT_RULE)
LIFETIMES = Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900, grant_lifetime=3_600)
ALICE: Mapping[str, object] = {"email": "alice@wonderland.example", "email_verified": True}


def claims_of_alice(asked: Claims) -> Mapping[str, object] | None:
    """Know one person."""
    return ALICE if asked.subject == "alice" else None


def exchange_site(drive: Drive = run, *, rules: Any = RULES, **settings: Any) -> Site:
    """Make a site at which tokens are exchanged by these rules."""
    defaults: dict[str, Any] = {
        "clients": CLIENTS,
        "secrets": SECRETS,
        "keys": GivenKeys([KEY]),
        "openid": OpenID(),
        "policy": Policy.openid(lifetimes=LIFETIMES),
        "token_exchange": TokenExchange(rules=rules) if rules else None,
    }
    site = make_site(drive, **(defaults | settings))
    site.world = attrs.evolve(site.world, claims=claims_of_alice)
    return site


def signed_in(site: Site, scope: str = "openid email read write") -> dict[str, Any]:
    """Return the tokens that the app gets for alice."""
    answer = site.approve(
        site.authorize(None, client_id="app", redirect_uri=None, scope=scope, nonce="n", prompt="consent")
    )
    code = str(answer.header("location")).partition("code=")[2].partition("&")[0]
    response = ask(site, "app", grant_type="authorization_code", code=code, code_verifier=VERIFIER)
    return members(response)


def ask(site: Site, client_id: str, **values: str | list[str] | None) -> Response:
    """Send a token request of a client."""
    body = urlencode({name: value for name, value in values.items() if value is not None}, doseq=True).encode()
    return site.post("/token", body, basic(client_id, SECRETS[client_id]))


def exchange(site: Site, client_id: str, token: str, kind: str = "access_token", **changes: Any) -> Response:
    """Exchange a token, rightly but for the changes; types are given by their last part."""
    values: dict[str, Any] = {"grant_type": GRANT_TYPE, "subject_token": token, "subject_token_type": kind}
    values |= changes
    for name in ("subject_token_type", "actor_token_type", "requested_token_type"):
        if values.get(name) is not None:
            values[name] = TOKEN_TYPE + values[name]
    return ask(site, client_id, **values)


def exchanged(site: Site, client_id: str, token: str, kind: str = "access_token", **changes: Any) -> dict[str, Any]:
    """Return what a token was exchanged for."""
    response = exchange(site, client_id, token, kind, **changes)
    assert response.status == 200, response
    return members(response)


def own_token(site: Site, client_id: str) -> str:
    """Return a client's own token."""
    return str(members(ask(site, client_id, grant_type="client_credentials"))["access_token"])


def introspected(site: Site, token: str) -> dict[str, Any]:
    """Return how a resource server is told of a token."""
    body = urlencode({"token": token}).encode()
    return members(site.post("/introspect", body, basic("resource", SECRETS["resource"])))


def claims_in(token: str) -> Mapping[str, Any]:
    """Return what a signed token says."""
    return crypto.verify(token, [KEY.public], ["RS256"]).claims


def record_of(site: Site, token: str) -> AccessToken:
    """Return the record of an opaque token."""
    record = site.world.storage.find(AccessToken, site.server.context().digest("access_token", Secret(token)))
    assert record is not None
    return record


def revocation(client_id: str, token: str) -> Request:
    """Return a client's request to revoke a token."""
    return Request(
        "POST", "/revoke", (FORM, basic(client_id, SECRETS[client_id])), urlencode({"token": token}).encode()
    )
