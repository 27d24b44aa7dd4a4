"""What an operator does to a client, in every order in which it can meet what is given to that client."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import Client, Request, Secret
from oauthcore.flow.effects import Flow
from oauthcore.records.listed_client import ListedClient
from oauthcore.testing import Factory, Run
from oauthcore.wire.http import Response
from tests.core.site import CONFIDENTIAL, SECRETS, Site, handle_of, members
from tests.core.test_interleavings import Meeting, live, redemption, refresh

Act = Callable[[Site], Flow[Any]]
Asking = Callable[[Site], Request]


def remove(site: Site) -> Flow[Any]:
    """Remove the client."""
    return site.server.clients.remove("confidential")


def disable(site: Site) -> Flow[Any]:
    """Disable the client."""
    return site.server.clients.disable("confidential")


def narrow(site: Site) -> Flow[Any]:
    """Take a scope out of the registration."""
    return site.server.clients.update("confidential", scope="profile read")


def declare(site: Site) -> Flow[Any]:
    """Register it again, with another name."""
    named = attrs.evolve(CONFIDENTIAL, name="The app")
    return site.server.clients.register(named, Secret(SECRETS["confidential"]), replace=True)


def redeeming(site: Site) -> Request:
    """Redeem a code."""
    return redemption(site.code(scope="email profile"))


def refreshing(site: Site) -> Request:
    """Refresh."""
    return refresh(site.tokens(scope="email profile")["refresh_token"])


def resuming(site: Site) -> Request:
    """Come back from the page where consent was given."""
    handle = handle_of(site.authorize(scope="email profile"))
    finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email", "profile"]), site.world)
    return Request("GET", finished.header("location"), (("Cookie", site.cookie or ""),))


def met(kept: Factory, act: Act, asking: Asking, check: Callable[[Site, Response], None]) -> None:
    """Let an act meet a request in every order."""

    def prepare(site: Site) -> list[Flow[Any]]:
        """Set the scene."""
        request = asking(site)
        return [site.server.handle(request), act(site)]

    meeting = Meeting(prepare)

    def checked(run: Run[Response]) -> None:
        """Look at what the request was answered with, once both are done."""
        meeting.site.world = run.world
        check(meeting.site, run.results[0])

    assert meeting.explored(checked, kept).schedules > 1


@pytest.mark.parametrize("act", [remove, disable])
@pytest.mark.parametrize("asking", [redeeming, refreshing])
def test_no_token_lives_that_was_given_while_its_client_was_taken_away(act: Act, asking: Asking, kept: Factory) -> None:
    def check(site: Site, answer: Response) -> None:
        """Whatever was answered, it is good for nothing."""
        assert answer.status in {200, 401}
        if answer.status == 200:
            assert live(site, [members(answer)]) == []

    met(kept, act, asking, check)


def test_a_later_client_of_that_name_has_nothing_that_was_given_while_the_first_was_removed(kept: Factory) -> None:
    def check(site: Site, answer: Response) -> None:
        """Register another client of that name, once both are done."""
        site.drive(site.server.clients.register(CONFIDENTIAL, Secret(SECRETS["confidential"])), site.world)
        if answer.status == 200:
            tokens = members(answer)
            assert live(site, [tokens]) == []
            assert site.refresh(tokens["refresh_token"]).status == 400

    met(kept, remove, refreshing, check)


def test_a_code_that_is_given_while_its_client_is_removed_redeems_nothing_from_a_later_one(kept: Factory) -> None:
    def check(site: Site, answer: Response) -> None:
        """Register another client of that name, and redeem for it."""
        site.drive(site.server.clients.register(CONFIDENTIAL, Secret(SECRETS["confidential"])), site.world)
        location = answer.header("location") or ""
        if "code=" in location:
            code = location.partition("code=")[2].partition("&")[0]
            assert site.redeem(code).status == 400

    met(kept, remove, resuming, check)


def test_a_scope_that_is_taken_out_meanwhile_is_in_no_token_that_lives(kept: Factory) -> None:
    def check(site: Site, answer: Response) -> None:
        """What a resource is told has lost it, whatever the client was told."""
        assert site.introspect(str(members(answer)["access_token"]), "resource")["scope"] == "profile"

    met(kept, narrow, refreshing, check)


def test_a_client_that_is_registered_again_loses_nothing_that_is_given_meanwhile(kept: Factory) -> None:
    def check(site: Site, answer: Response) -> None:
        """Both came through."""
        assert answer.status == 200
        assert len(live(site, [members(answer)])) == 2

    met(kept, declare, refreshing, check)


@pytest.mark.memory_alone
def test_workers_that_start_together_register_a_declared_client_once(kept: Factory) -> None:
    fresh = attrs.evolve(CONFIDENTIAL, client_id="new")

    def declared(site: Site) -> list[Flow[Any]]:
        """Be three workers, each of which declares the client."""
        return [site.server.clients.register(fresh, Secret("s" * 43), replace=True) for _ in range(3)]

    meeting = Meeting(declared, flows=3)

    def check(run: Run[Any]) -> None:
        """There is one, and it is the one that each was told of."""
        stored = run.world.storage.find(Client, "new")
        assert stored is not None
        assert {made.client for made in run.results} == {stored}
        assert run.world.storage.find(ListedClient, "new") is not None

    assert meeting.explored(check, kept).schedules > 1


def test_a_removal_and_a_change_leave_a_client_or_none_and_a_list_that_agrees(kept: Factory) -> None:
    def both(site: Site) -> list[Flow[Any]]:
        """Remove the client, and register it again."""
        return [remove(site), declare(site)]

    meeting = Meeting(both)

    def check(run: Run[Any]) -> None:
        """The list has it if it is there."""
        storage = run.world.storage
        there = storage.find(Client, "confidential"), storage.find(ListedClient, "confidential")
        assert (there[0] is None) == (there[1] is None)

    assert meeting.explored(check, kept).schedules > 1
