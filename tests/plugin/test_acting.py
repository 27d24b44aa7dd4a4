"""Somebody at a protected route without a token: in every framework, and with every check of the route's own."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from oauthcore import Access, MemoryStorage, Request, ResourceServer, Response, Scope, World, run
from oauthcore.flow.effects import pure
from oauthcore_pytest import acting_as
from tests.hosts.test_protect import HOSTS, SERVER, Ask


@pytest.mark.slow
@pytest.mark.parametrize("host", HOSTS, ids=lambda host: str(host.__name__))
def test_a_test_says_who_it_is_and_the_route_still_checks_what_it_takes(host: Callable[[], Ask]) -> None:
    ask = host()

    with acting_as("bob", "read write", acr="mfa"):
        found = ask([])
    with acting_as("bob", "read", acr="mfa"):
        narrow = ask([])
    with acting_as("bob", "read write", acr="pwd"):
        weak = ask([])

    assert (found[0], found[2]) == (200, b"bob")
    assert narrow[0] == 403
    assert 'error="insufficient_scope"' in dict(narrow[1])["www-authenticate"]
    assert weak[0] == 401
    assert 'error="insufficient_user_authentication"' in dict(weak[1])["www-authenticate"]
    assert ask([])[0] == 401, "the route is open after the block"


PROTECTED = ResourceServer(lambda _: pure(None), resource="https://api.example")
WORLD = World(MemoryStorage())


def verdict(server: ResourceServer, scope: str = "") -> Access | Response:
    """Return what a resource server makes of a request without a token."""
    return run(server.verify(Request("GET", "/"), scope), WORLD)


def test_somebody_is_at_one_resource_server_alone_where_the_test_says_so() -> None:
    with acting_as("bob", at=PROTECTED):
        here, there = verdict(PROTECTED), verdict(SERVER)

    assert isinstance(here, Access)
    assert here.audience == ("https://api.example/",) or here.audience == ("https://api.example",)
    assert isinstance(there, Response)


def test_an_access_that_is_meant_for_another_resource_is_refused() -> None:
    given = Access(
        client_id="app",
        subject="bob",
        scope=Scope(),
        issued_at=None,
        expires_at=None,
        audience=("https://other.example",),
    )

    with acting_as(given):
        refused = verdict(PROTECTED)

    assert isinstance(refused, Response)
    assert refused.status == 401


def test_a_client_of_its_own_is_at_a_route_too() -> None:
    with acting_as(None, "jobs", client_id="worker", claims={"tenant": "acme"}):
        access = verdict(PROTECTED, "jobs")

    assert isinstance(access, Access)
    assert (access.subject, access.client_id, access.claims["tenant"]) == (None, "worker", "acme")


def test_blocks_within_each_other_end_in_order() -> None:
    with acting_as("bob"):
        with acting_as("carol"):
            inner = verdict(PROTECTED)
        outer = verdict(PROTECTED)

    assert isinstance(inner, Access)
    assert isinstance(outer, Access)
    assert (inner.subject, outer.subject) == ("carol", "bob")
    assert isinstance(verdict(PROTECTED), Response)


def test_somebody_is_there_in_another_thread_too() -> None:
    found: list[Access | Response] = []

    with acting_as("bob"):
        thread = threading.Thread(target=lambda: found.append(verdict(PROTECTED)))
        thread.start()
        thread.join(10)

    assert isinstance(found[0], Access)
