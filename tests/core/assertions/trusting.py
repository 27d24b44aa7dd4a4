"""A site that trusts an identity provider, a CI service and a cluster, and the assertions that come from them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import attrs

from oauthcore import (
    AllowReuse,
    Client,
    Request,
    Resource,
    Resources,
    Response,
    SubjectRule,
    TrustedIssuer,
    run,
)
from oauthcore.flow.effects import Claims
from oauthcore.grants.jwt_bearer import GRANT_TYPE
from oauthcore.jose.jwk import set_of
from tests.core.assertions.issuing import GIVEN, IDP, NOW, assertion
from tests.core.signing_keys import key_for
from tests.core.site import CLIENTS, FORM, SECRETS, Drive, Site, basic, make_site

ENTERPRISE = "https://enterprise.example/tenant"
CI = "https://ci.example"
CLUSTER = "https://cluster.example"
ENTERPRISE_KEY = key_for("ES256", 2).named("ES256")
CI_KEY = key_for("RS256").named("RS256")
CLUSTER_KEY = key_for("ES256", 3).named("ES256")
API = Resource("https://api.example/mcp", scopes="read write profile")
MAIL = Resource("https://mail.example", scopes="email")

APP = Client(client_id="app", grant_types=(GRANT_TYPE, "refresh_token"), response_types=(), scope="read write email")
BROWSERLESS = Client(
    client_id="browserless",
    token_endpoint_auth_method="none",
    grant_types=(GRANT_TYPE,),
    response_types=(),
    scope="read openid offline_access",
)
DEPLOYER = Client(
    client_id="deployer",
    token_endpoint_auth_method="none",
    grant_types=(GRANT_TYPE,),
    response_types=(),
    scope="read write",
)
SERVICE = attrs.evolve(DEPLOYER, client_id="service")

ISSUERS = (
    TrustedIssuer(
        issuer=IDP,
        keys=GIVEN,
        subjects=[
            SubjectRule(claims={"sub": "a1"}, subject="alice"),
            SubjectRule(claims={"sub": "b1"}, subject="bob", scope="read"),
            SubjectRule(claims={"sub": "kiosk"}, subject="kiosk", client_id="browserless"),
            SubjectRule(claims={"connection": "staff"}, subject_claim="sub"),
        ],
        client_ids=["app", "browserless", "public", "deployer"],
    ),
    TrustedIssuer(
        issuer=ENTERPRISE,
        keys=set_of([ENTERPRISE_KEY]),
        uses=["id-jag"],
        subjects=[SubjectRule(subject_claim="sub")],
        audience=["https://as.example/token"],
    ),
    TrustedIssuer(
        issuer=CI,
        keys=set_of([CI_KEY]),
        subjects=[
            SubjectRule(
                claims={"repository": "acme/api", "ref": "refs/heads/main", "environment": "production"},
                client_id="deployer",
                scope="write",
            )
        ],
    ),
    TrustedIssuer(
        issuer=CLUSTER,
        keys=set_of([CLUSTER_KEY]),
        subjects=[SubjectRule(claims={"sub": "system:serviceaccount:prod:*"}, client_id="service")],
        reuse=AllowReuse(),
    ),
)
ALL_CLIENTS = (*CLIENTS, APP, BROWSERLESS, DEPLOYER, SERVICE)
ALL_SECRETS: Mapping[str, str] = {**SECRETS, "app": "app-secret"}

# What GitHub says of a run of a workflow, as far as it matters here.
RUN: dict[str, Any] = {
    "iss": CI,
    "sub": "repo:acme/api:environment:production",
    "repository": "acme/api",
    "repository_owner": "acme",
    "ref": "refs/heads/main",
    "environment": "production",
    "jti": "run-1",
}


class People:
    """Be the application: it knows these people."""

    def __init__(self, *subjects: str) -> None:
        self.subjects = set(subjects)

    def __call__(self, asked: Claims) -> Mapping[str, object] | None:
        """Return what is known of a person, None of whom nobody knows."""
        return {} if asked.subject in self.subjects else None


def trusting_site(drive: Drive = run, people: People | None = None, **settings: Any) -> Site:
    """Make a site with all of these issuers and clients."""
    given: dict[str, Any] = {
        "trusted_issuers": ISSUERS,
        "resources": Resources([API, MAIL]),
        "clients": ALL_CLIENTS,
        "secrets": ALL_SECRETS,
    }
    site = make_site(drive, **(given | settings))
    site.world = attrs.evolve(site.world, claims=people or People("alice", "bob", "kiosk"))
    return site


def workflow(**changes: Any) -> str:
    """Return the token of a CI run, right but for the changes."""
    return assertion(CI_KEY, **(RUN | changes))


def service_account(**changes: Any) -> str:
    """Return a token as Kubernetes projects it into a pod, right but for the changes."""
    claims: dict[str, Any] = {
        "iss": CLUSTER,
        "aud": ["https://as.example"],
        "sub": "system:serviceaccount:prod:api",
        "nbf": NOW,
        "exp": NOW + 3_600,
        "jti": None,
        "kubernetes.io": {"namespace": "prod", "serviceaccount": {"name": "api", "uid": "u"}},
    }
    return assertion(CLUSTER_KEY, **(claims | changes))


def id_jag(typ: str = "oauth-id-jag+jwt", **changes: Any) -> str:
    """Return an ID-JAG for the client `app` to use the API for alice, right but for the changes."""
    claims: dict[str, Any] = {
        "iss": ENTERPRISE,
        "sub": "alice",
        "client_id": "app",
        "resource": API.uri,
        "scope": "read write",
        "jti": "j1",
    }
    return assertion(ENTERPRISE_KEY, typ, **(claims | changes))


def presenting(text: str, client_id: str | None = "app", **values: Any) -> Request:
    """Return a request with an assertion, of a client that authenticates, or of none."""
    fields = {"grant_type": GRANT_TYPE, "assertion": text, **values}
    headers: tuple[tuple[str, str], ...] = (FORM,)
    if client_id is not None and client_id in ALL_SECRETS:
        headers += (basic(client_id, ALL_SECRETS[client_id]),)
    elif client_id is not None:
        fields["client_id"] = client_id
    return Request("POST", "/token", headers, urlencode(fields, doseq=True).encode())


def present(site: Site, text: str, client_id: str | None = "app", **values: Any) -> Response:
    """Present an assertion."""
    return site.handle(presenting(text, client_id, **values))
