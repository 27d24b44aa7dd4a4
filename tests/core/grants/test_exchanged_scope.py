"""The scope of an exchanged token, once a client has lost some: what came from the grant is the first client's.

RFC 8693 section 1.1: what is issued hangs on the grant of the token that it was exchanged for.
"""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from oauthcore import Client, Request, ResourceServer, Response, Scope, ScopeHierarchy, run
from oauthcore.policy import Policy
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import IssuedTo, scope_of_token
from tests.core.grants.exchanging import (
    API,
    APP,
    BACK,
    BY_BACK,
    BY_GATEWAY,
    GATEWAY,
    exchange,
    exchange_site,
    exchanged,
    introspected,
    signed_in,
)
from tests.core.grants.test_token_exchange import GRANT, SUBJECT
from tests.core.site import ISSUER, Site, refused

Told = Callable[[Site, str], str]


def by_introspection(site: Site, token: str) -> str:
    """Return the scope as a resource server is told it."""
    return str(introspected(site, token).get("scope", ""))


def by_the_storage(site: Site, token: str) -> str:
    """Return the scope as a resource server on the same storage finds it."""
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    access = run(ResourceServer(site.server.tokens, audience=API).verify(request), site.world)
    assert not isinstance(access, Response)
    return access.scope.text


def registered(site: Site, client_id: str, scope: str) -> None:
    """Change what a client is registered for."""
    site.drive(site.server.clients.update(client_id, scope=scope), site.world)


@pytest.mark.parametrize("told", [by_introspection, by_the_storage])
@pytest.mark.parametrize(
    ("client_id", "left"),
    [("app", "email read audit"), ("gateway", "read audit")],
)
def test_exchanged_token_has_no_scope_that_either_client_has_lost(told: Told, client_id: str, left: str) -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, extra_scope="audit")])
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]
    assert told(site, token) == "openid email read write audit"

    registered(site, client_id, left.removesuffix(" audit") if client_id == "app" else left)

    assert told(site, token) == left


def test_what_is_exchanged_further_has_none_of_it_either() -> None:
    site = exchange_site(rules=[BY_GATEWAY, attrs.evolve(BY_BACK, client_ids=["back"])])
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]
    registered(site, "back", "read write")
    registered(site, "app", "openid read")

    assert exchanged(site, "back", token)["scope"] == "read"
    assert refused(exchange(site, "back", token, scope="write"), "invalid_scope")


def test_userinfo_is_closed_to_it_once_the_first_client_signs_no_users_in() -> None:
    site = exchange_site(rules=[attrs.evolve(BY_GATEWAY, audience=[ISSUER])])
    token = exchanged(site, "gateway", signed_in(site)["access_token"])["access_token"]
    userinfo = Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))
    assert site.handle(userinfo).status == 200

    registered(site, "app", "email read write")

    assert site.handle(userinfo).status == 403


FILES = attrs.evolve(Policy.openid(), implies=ScopeHierarchy({"files": ["files:read", "files:write"]}))


@pytest.mark.parametrize(
    ("token", "granted", "first", "left"),
    [
        ("files", "files", "files", "files"),
        ("files", "files", "files:read", "files:read"),
        ("files", "files", "other", ""),
        ("files:read other", "files other", "files:read", "files:read"),
        ("files:write", "files", "files:read", ""),
        ("files", "files:read", "other", "files"),
        ("other files", "files:read", "files:read", "other files"),
        ("read other", "", "", "read other"),
    ],
)
def test_what_a_policy_added_stays_and_what_a_scope_implies_is_cut_with_it(
    token: str, granted: str, first: str, left: str
) -> None:
    exchanger = attrs.evolve(GATEWAY, scope="files files:read files:write other read")
    grantee: Client = attrs.evolve(APP, scope=first)
    grant: Grant = attrs.evolve(GRANT, scope=Scope(tuple(granted.split())))
    record = attrs.evolve(SUBJECT, client_id="gateway", scope=Scope(tuple(token.split())))

    assert scope_of_token(record, IssuedTo(exchanger, grant, grantee=grantee), FILES).text == left


def test_token_of_the_grants_own_client_has_what_that_client_is_registered_for() -> None:
    narrowed = attrs.evolve(BACK, client_id="app", scope="read")

    assert scope_of_token(SUBJECT, IssuedTo(narrowed, GRANT), FILES).text == "read"
