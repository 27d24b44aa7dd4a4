"""Token exchange, in every order in which it can meet what ends or changes its subject token.

An exchange that was answered before the end leaves a token that has ended; one that comes after it is refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest

from oauthcore import Request, Response, World
from oauthcore.flow.effects import Flow
from oauthcore.flow.storage import Storage
from oauthcore.testing import Factory, Run, interleave
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from tests.core.grants.exchanging import (
    CHAT,
    SECRETS,
    claims_of_alice,
    exchange_site,
    introspected,
    revocation,
    signed_in,
)
from tests.core.scene import SetInMemory
from tests.core.site import FORM, Site, basic, members
from tests.core.test_interleavings import disable

Record = Callable[[str, object], None]
Prepare = Callable[[Site], list[Flow[Any]]]


def world(storage: Storage) -> World:
    """Know one person."""
    return World(storage, claims=claims_of_alice)


def committed(run: Run[Any]) -> tuple[int, ...]:
    """Return which of the flows have committed something, in their order."""
    done = (event for event in run.story if "commit" in event and event.endswith("True"))
    return tuple(int(event.removeprefix("flow ").partition(":")[0]) for event in done)


class Meeting:
    """Let an exchange meet something else over one site, made afresh for each schedule."""

    def __init__(self, prepare: Prepare) -> None:
        self.prepare = prepare
        self.site = exchange_site()

    def begin(self, drive: Callable[[Flow[Any]], Any]) -> list[Flow[Any]]:
        """Set the scene."""
        scene = SetInMemory(world)
        self.site = exchange_site(scene.drive)
        flows = self.prepare(self.site)
        scene.move(drive)
        return flows


def explored(record: Record, meeting: Meeting, check: Callable[[Run[Any]], None], kept: Factory) -> None:
    """Explore a meeting in every order, and note how many schedules that took."""
    result = interleave(
        lambda flows: flows[0],
        lambda flows: flows[1],
        prepare=meeting.begin,
        check=check,
        storage=kept,
        world=world,
    )
    record("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
    assert result.schedules > 1


def exchanging(site: Site, client_id: str, token: str, kind: str = "access_token", **values: str) -> Flow[Response]:
    """Return an exchange."""
    types = {"subject_token_type": TOKEN_TYPE + kind}
    body = urlencode({"grant_type": GRANT_TYPE, "subject_token": token, **types, **values}).encode()
    return site.server.handle(Request("POST", "/token", (FORM, basic(client_id, SECRETS[client_id])), body))


def refreshing(site: Site, token: str) -> Flow[Response]:
    """Return a refresh."""
    body = urlencode({"grant_type": "refresh_token", "refresh_token": token}).encode()
    return site.server.handle(Request("POST", "/token", (FORM, basic("app", SECRETS["app"])), body))


ENDINGS: dict[str, Callable[[Site, dict[str, Any]], Flow[Any]]] = {
    "the revocation of its grant": lambda site, tokens: site.server.handle(revocation("app", tokens["refresh_token"])),
    "the person's withdrawal": lambda site, _: site.server.applications.withdraw("alice", "app"),
    "its client being disabled": lambda *_: disable("app"),
    "its exchanger being disabled": lambda *_: disable("gateway"),
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_exchange_leaves_nothing_that_outlives(ending: str, record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        tokens = signed_in(site)
        return [exchanging(site, "gateway", tokens["access_token"]), ENDINGS[ending](site, tokens)]

    meeting, statuses = Meeting(prepare), set[int]()

    def check(run: Run[Any]) -> None:
        response = run.results[0]
        statuses.add(response.status)
        assert response.status in {200, 400, 401}
        if response.status == 200:
            assert introspected(meeting.site, members(response)["access_token"]) == {"active": False}

    explored(record_property, meeting, check, kept)
    assert {200} < statuses


@pytest.mark.parametrize("kind", ["id_token", "refresh_token"])
def test_no_assertion_is_issued_after_the_end_of_its_grant(kind: str, record_property: Record, kept: Factory) -> None:
    """It can't be revoked, so it has to have been issued before."""
    types = {"requested_token_type": TOKEN_TYPE + "id-jag", "audience": CHAT}

    def prepare(site: Site) -> list[Flow[Any]]:
        tokens = signed_in(site)
        return [
            exchanging(site, "app", tokens[kind], kind, **types),
            site.server.handle(revocation("app", tokens["refresh_token"])),
        ]

    meeting, orders = Meeting(prepare), set[tuple[int, ...]]()

    def check(run: Run[Any]) -> None:
        assert run.results[1].status == 200
        orders.add(committed(run))

    explored(record_property, meeting, check, kept)
    # First the assertion and then the end, or the end alone.
    assert orders == {(0, 1), (1,)}


def test_the_revocation_of_an_access_token_ends_its_exchange_or_comes_after(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        token = signed_in(site)["access_token"]
        return [exchanging(site, "gateway", token), site.server.handle(revocation("app", token))]

    meeting, orders = Meeting(prepare), set[tuple[int, ...]]()

    def check(run: Run[Any]) -> None:
        assert run.results[1].status == 200
        orders.add(committed(run))

    explored(record_property, meeting, check, kept)
    assert orders == {(0, 1), (1,)}


def test_an_exchange_and_a_refresh_both_succeed_or_the_token_was_replaced(
    record_property: Record, kept: Factory
) -> None:
    """The refresh is never the loser: an exchange uses nothing up."""

    def prepare(site: Site) -> list[Flow[Any]]:
        token = signed_in(site)["refresh_token"]
        return [exchanging(site, "app", token, "refresh_token"), refreshing(site, token)]

    meeting, statuses = Meeting(prepare), set[int]()

    def check(run: Run[Any]) -> None:
        exchange, refresh = run.results
        statuses.add(exchange.status)
        assert refresh.status == 200
        tokens = [members(one)["access_token"] for one in run.results if one.status == 200]
        assert all(introspected(meeting.site, token)["active"] for token in tokens)

    explored(record_property, meeting, check, kept)
    assert statuses == {200, 400}


def test_two_exchanges_of_one_token_do_not_disturb_each_other(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        token = signed_in(site)["access_token"]
        return [exchanging(site, "gateway", token), exchanging(site, "app", token)]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        tokens = [members(response)["access_token"] for response in run.results]
        assert [introspected(meeting.site, token)["client_id"] for token in tokens] == ["gateway", "app"]

    explored(record_property, meeting, check, kept)
