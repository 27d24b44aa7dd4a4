"""Assertions in every order that requests can meet in: one use is answered, and what has ended gives nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import attrs
import pytest

from oauthcore import Request, Response, World
from oauthcore.documents import Documents
from oauthcore.flow.effects import Claims, Flow
from oauthcore.flow.storage import Storage
from oauthcore.testing import Exploration, Factory, Run, interleave
from tests.core.assertions.issuing import KEY, OTHER_KEY, IssuerServer, assertion
from tests.core.assertions.trusting import (
    ISSUERS,
    People,
    id_jag,
    present,
    presenting,
    service_account,
    trusting_site,
    workflow,
)
from tests.core.scene import SetInMemory
from tests.core.site import FORM, Site, basic, form, members

Record = Callable[[str, object], None]
Scene = Callable[[Site], list[Flow[Any]]]
PEOPLE = People("alice", "bob", "kiosk")


def explored(
    record: Record,
    kept: Factory,
    scene: Scene,
    check: Callable[[Run[Any]], None],
    fetch: Callable[..., Response] | None = None,
    **settings: Any,
) -> Exploration:
    """Let requests meet."""

    def around(storage: Storage) -> World:
        """Have people known, and documents fetched."""
        return World(storage, claims=PEOPLE) if fetch is None else World(storage, claims=PEOPLE, fetch=fetch)

    def begin(drive: Callable[[Flow[Any]], Any]) -> list[Flow[Any]]:
        """Set the scene."""
        set_up = SetInMemory(world=around)
        site = trusting_site(set_up.drive, **settings)
        flows = scene(site)
        set_up.move(drive)
        return flows

    flows = [partial(_numbered, one) for one in range(2)]
    result = interleave(*flows, prepare=begin, check=check, storage=kept, world=around)
    record("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
    assert result.schedules > 1
    return result


def _numbered(number: int, prepared: list[Flow[Any]]) -> Flow[Any]:
    return prepared[number]


def other_worker(site: Site, request: Request) -> Flow[Response]:
    """Answer a request as another process does, which shares the storage alone."""
    apart = attrs.evolve(site.server.instruments, documents=Documents())
    return site.server.with_instruments(apart).handle(request)


def used_once(run: Run[Response]) -> None:
    """Check that one request was answered, and the others told that it was used before."""
    assert sorted(response.status for response in run.results) == [200] + [400] * (len(run.results) - 1)
    refused = [response for response in run.results if response.status == 400]
    assert all(members(response)["error"] == "invalid_grant" for response in refused)
    assert all(r.refusal is not None and "used before" in r.refusal.reason for r in refused)


@pytest.mark.parametrize(
    ("text", "client_id"),
    [(assertion(), "app"), (id_jag(), "app"), (workflow(), None)],
    ids=["of a user", "an ID-JAG", "of a workload"],
)
def test_h2_h5_assertion_that_comes_to_two_workers_at_once_is_used_once(
    record_property: Record, kept: Factory, text: str, client_id: str | None
) -> None:
    def scene(site: Site) -> list[Flow[Any]]:
        request = presenting(text, client_id)
        return [site.server.handle(request), other_worker(site, request)]

    explored(record_property, kept, scene, used_once)


def test_client_that_is_disabled_meanwhile_has_no_token(record_property: Record, kept: Factory) -> None:
    """Either it was disabled first, or what it got has ended with it."""

    def scene(site: Site) -> list[Flow[Any]]:
        return [
            site.server.handle(presenting(service_account(), None)),
            site.server.clients.disable("service"),
        ]

    def check(run: Run[Any]) -> None:
        response = run.results[0]
        if response.status == 200:
            site = trusting_site()
            site.world = run.world
            assert not site.is_active(members(response)["access_token"])
        else:
            assert members(response)["error"] == "invalid_client"

    explored(record_property, kept, scene, check)


def test_user_who_is_disabled_while_their_assertion_is_used_has_no_live_token() -> None:
    """They were known when it was asked, and no more when it was committed."""
    site = trusting_site()

    people = People("alice")

    def leaving(asked: Claims) -> Mapping[str, object] | None:
        known = people(asked)
        people.subjects.clear()
        return known

    site.world = attrs.evolve(site.world, claims=leaving)

    token = members(present(site, assertion()))["access_token"]

    assert not site.is_active(token)


def test_token_that_is_revoked_is_not_revived_by_the_same_assertion(record_property: Record, kept: Factory) -> None:
    text = assertion()
    tokens: list[str] = []

    def scene(site: Site) -> list[Flow[Any]]:
        tokens[:] = [members(present(site, text))["access_token"]]
        revocation = Request(
            "POST", "/revoke", (FORM, basic("app", "app-secret")), form(token=tokens[0], client_id="app")
        )
        return [site.server.handle(presenting(text)), site.server.handle(revocation)]

    def check(run: Run[Any]) -> None:
        assert [response.status for response in run.results] == [400, 200]
        site = trusting_site()
        site.world = run.world
        assert not site.is_active(tokens[0])

    explored(record_property, kept, scene, check)


@pytest.mark.memory_alone
def test_keys_that_are_rotated_meanwhile_refuse_nobody(record_property: Record, kept: Factory) -> None:
    """One request has an assertion of the old key, which is published still, and one of the new."""
    server = IssuerServer(KEY)

    def scene(site: Site) -> list[Flow[Any]]:
        server.publish(KEY)
        assert present(site, assertion(jti="before")).status == 200
        server.publish(KEY, OTHER_KEY)
        site.clock.advance(61)
        return [
            site.server.handle(presenting(assertion(KEY, jti="old", now=site.now))),
            site.server.handle(presenting(assertion(OTHER_KEY, jti="new", now=site.now))),
        ]

    def check(run: Run[Any]) -> None:
        assert [response.status for response in run.results] == [200, 200]

    issuers = [attrs.evolve(ISSUERS[0], keys=None)]
    explored(record_property, kept, scene, check, fetch=server, trusted_issuers=issuers)
