"""Whatever consumes something, in every order that two or three requests can meet in.

Each test explores all schedules; their number is printed in the summary of the run (see conftest).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs
import pytest

from oauthcore import Client, Lifetimes, Policy, Request, Resource, Response, World
from oauthcore.authorization.consent import consent_key
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Delete, Event, Replace
from oauthcore.flow.storage import Storage
from oauthcore.flow.transact import commit_with_retry
from oauthcore.records.grant import Consent, Grant
from oauthcore.revocation import revoke_grant
from oauthcore.testing import Exploration, Factory, Run, interleave
from oauthcore.testing.storage_probe import MakeWorld
from tests.core.scene import SetInMemory
from tests.core.site import (
    FORM,
    REDIRECT,
    SECRETS,
    VERIFIER,
    Site,
    basic,
    form,
    handle_of,
    location,
    make_site,
    members,
)
from tests.scale import before_a_release

Prepare = Callable[[Site], list[Flow[Any]]]


def token_request(**values: str) -> Request:
    """Return a token request of the confidential client."""
    return Request("POST", "/token", (FORM, basic("confidential", SECRETS["confidential"])), form(**values))


def redemption(code: str) -> Request:
    """Return the redemption of a code."""
    return token_request(grant_type="authorization_code", code=code, redirect_uri=REDIRECT, code_verifier=VERIFIER)


def refresh(value: str) -> Request:
    """Return a refresh."""
    return token_request(grant_type="refresh_token", refresh_token=value)


def revocation(value: str) -> Request:
    """Return a revocation."""
    return Request("POST", "/revoke", (FORM, basic("confidential", SECRETS["confidential"])), form(token=value))


def end_grant(key: str) -> Flow[Response]:
    """Revoke a grant, whatever happens to it meanwhile."""

    def decision() -> Flow[Decision[Response]]:
        grant = yield from find(Grant, key)
        assert grant is not None
        return Decision(Response(204), (Replace(grant, revoke_grant(grant)),))

    return commit_with_retry(decision)


def withdraw(key: str) -> Flow[Response]:
    """Forget a consent, whatever happens meanwhile."""

    def decision() -> Flow[Decision[Response]]:
        consent = yield from find(Consent, key)
        assert consent is not None
        return Decision(Response(204), (Delete(consent),))

    return commit_with_retry(decision)


def disable(client_id: str) -> Flow[Response]:
    """Disable a client, whatever happens meanwhile."""

    def decision() -> Flow[Decision[Response]]:
        client = yield from find(Client, client_id)
        assert client is not None
        return Decision(Response(204), (Replace(client, attrs.evolve(client, enabled=False)),))

    return commit_with_retry(decision)


class Meeting:
    """Let flows meet over one site, made afresh for each schedule."""

    def __init__(
        self,
        prepare: Prepare,
        policy: Policy | None = None,
        flows: int = 2,
        *,
        around: MakeWorld = World,
        **settings: Any,
    ) -> None:
        self.prepare = prepare
        self.settings = {"policy": policy, **settings}
        self.around = around
        self.flows = flows
        self.events: list[Event] = []
        self.site = make_site()

    def world(self, storage: Storage) -> World:
        """Listen to what happens."""
        return attrs.evolve(self.around(storage), audit=self.events.append)

    def begin(self, drive: Callable[[Flow[Any]], Any]) -> list[Flow[Response]]:
        """Set the scene: the same each time, since time and chance are fixed."""
        scene = SetInMemory(self.world)
        self.site = make_site(scene.drive, **self.settings)
        self.site.events = self.events
        self.events.clear()
        flows = self.prepare(self.site)
        scene.move(drive)
        return flows

    def explored(self, check: Callable[[Run[Response]], None], kept: Factory) -> Exploration:
        """Let them meet in every order."""
        flows = [partial(_numbered, number) for number in range(self.flows)]
        return interleave(*flows, prepare=self.begin, check=check, storage=kept, world=self.world)


def _numbered(number: int, prepared: list[Flow[Response]]) -> Flow[Response]:
    return prepared[number]


def sent(site: Site, *requests: Request) -> list[Flow[Response]]:
    """Return the flows that answer these requests."""
    return [site.server.handle(request) for request in requests]


def successes(run: Run[Response]) -> list[dict[str, object]]:
    """Return the tokens that were handed out; whatever else happened must have been a plain refusal."""
    assert all(response.status in {200, 204, 400} for response in run.results), run.results
    return [members(r) for r in run.results if r.status == 200 and r.body]


def live(site: Site, tokens: list[dict[str, object]]) -> list[str]:
    """Return those of the tokens that are still live."""
    values = [str(t[kind]) for t in tokens for kind in ("access_token", "refresh_token") if kind in t]
    return [value for value in values if site.is_active(value)]


def explored(
    record: Callable[[str, object], None], meeting: Meeting, check: Callable[[Run[Response]], None], kept: Factory
) -> Exploration:
    """Explore a meeting and note how many schedules that took."""
    result = meeting.explored(check, kept)
    record("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
    assert result.schedules > 1
    return result


def test_two_redemptions_of_one_code_succeed_once_and_leave_nothing_live(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        code = site.code()
        return sent(site, redemption(code), redemption(code))

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        tokens = successes(run)
        assert len(tokens) == 1
        # The second redemption is a replay, whichever it was: what the first was given is revoked.
        assert live(meeting.site, tokens) == []

    explored(record_property, meeting, check, kept)


@pytest.mark.slow
@pytest.mark.long
@before_a_release
@pytest.mark.memory_alone
def test_three_redemptions_of_one_code_succeed_once_and_leave_nothing_live(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        code = site.code()
        return sent(site, *[redemption(code)] * 3)

    meeting = Meeting(prepare, flows=3)

    def check(run: Run[Response]) -> None:
        tokens = successes(run)
        assert len(tokens) == 1
        assert live(meeting.site, tokens) == []

    explored(record_property, meeting, check, kept)


def test_two_refreshes_of_one_token_get_the_same_pair(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        value = site.tokens()["refresh_token"]
        return sent(site, refresh(value), refresh(value))

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        tokens = successes(run)
        assert len(tokens) == 2
        assert tokens[0] == tokens[1]
        assert len(set(live(meeting.site, tokens))) == 2

    explored(record_property, meeting, check, kept)


def test_two_refreshes_for_two_resources_give_one_token_for_one_of_them_and_leave_the_grant_as_it_was(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    """RFC 8707 section 2.2: what narrows a token narrows no grant."""
    one, two = "https://one.example", "https://two.example"

    def narrowed(value: str, resource: str) -> Request:
        return token_request(grant_type="refresh_token", refresh_token=value, resource=resource)

    def prepare(site: Site) -> list[Flow[Response]]:
        target = f"{site.authorize_target()}&{form(resource=one).decode()}&{form(resource=two).decode()}"
        code = parse_qs(urlsplit(location(site.approve(site.get(target)))).query)["code"][0]
        value = members(site.handle(redemption(code)))["refresh_token"]
        return sent(site, narrowed(value, one), narrowed(value, two))

    meeting = Meeting(prepare, resources=[Resource(one), Resource(two)])

    def check(run: Run[Response]) -> None:
        (tokens,) = successes(run)
        won = one if run.results[0].status == 200 else two
        (lost,) = [members(response)["error"] for response in run.results if response.status == 400]
        assert lost == "invalid_target"
        assert meeting.site.introspect(str(tokens["access_token"]), "resource")["aud"] == [won]
        for resource in (two, one):
            tokens = members(meeting.site.handle(narrowed(str(tokens["refresh_token"]), resource)))
            assert meeting.site.introspect(str(tokens["access_token"]), "resource")["aud"] == [resource]

    explored(record_property, meeting, check, kept)


def test_two_refreshes_without_a_retry_window_succeed_once_and_leave_nothing_live(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        value = site.tokens()["refresh_token"]
        return sent(site, refresh(value), refresh(value))

    meeting = Meeting(prepare, Policy.oauth21(lifetimes=Lifetimes(refresh_retry_lifetime=0)))

    def check(run: Run[Response]) -> None:
        tokens = successes(run)
        assert len(tokens) == 1
        assert live(meeting.site, tokens) == []

    explored(record_property, meeting, check, kept)


def test_a_refresh_with_a_spent_token_ends_what_a_concurrent_refresh_gives(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        first = site.tokens()["refresh_token"]
        second = members(site.refresh(first))["refresh_token"]
        third = members(site.refresh(second))["refresh_token"]
        return sent(site, refresh(third), refresh(first))

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert live(meeting.site, successes(run)) == []
        assert run.results[1].status == 400

    explored(record_property, meeting, check, kept)


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_a_refresh_and_a_revocation_leave_no_live_token_on_a_revoked_grant(
    kind: str, record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        tokens = site.tokens()
        return sent(site, refresh(tokens["refresh_token"]), revocation(tokens[kind]))

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        tokens = successes(run)
        assert run.results[1].status == 200
        # A revoked access token ends alone; a revoked refresh token takes its grant along, successors and all.
        assert len(live(meeting.site, tokens)) == (2 if kind == "access_token" else 0)

    explored(record_property, meeting, check, kept)


@pytest.mark.slow
@pytest.mark.memory_alone
def test_a_redemption_and_the_revocation_of_what_it_gave_leave_nothing_live(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    """The code of one grant is replayed while its refresh token is revoked and refreshed: three ways to the grant."""

    def prepare(site: Site) -> list[Flow[Response]]:
        code = site.code()
        tokens = members(site.redeem(code))
        return sent(site, redemption(code), revocation(tokens["refresh_token"]), refresh(tokens["refresh_token"]))

    meeting = Meeting(prepare, flows=3)

    def check(run: Run[Response]) -> None:
        assert run.results[0].status == 400
        assert run.results[1].status == 200
        assert live(meeting.site, successes(run)) == []

    explored(record_property, meeting, check, kept)


def test_a_redemption_and_a_revocation_of_its_grant_leave_nothing_live(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    """The operator, or the person, ends the grant while the client redeems its code."""

    def prepare(site: Site) -> list[Flow[Response]]:
        code = site.code()
        grant = next(event.grant for event in site.events if event.name == "code_issued")
        assert grant is not None
        return [site.server.handle(redemption(code)), end_grant(grant)]

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert run.results[1].status == 204
        assert live(meeting.site, successes(run)) == []

    explored(record_property, meeting, check, kept)


def test_an_interaction_that_is_resumed_twice_gives_one_code(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        handle = handle_of(site.authorize())
        finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
        assert site.cookie is not None
        back = Request("GET", location(finished), (("Cookie", site.cookie),))
        return sent(site, back, back)

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [303, 400]

    explored(record_property, meeting, check, kept)


def answered_in_one_go(site: Site, handle: str) -> Flow[Response]:
    """Approve what nobody has answered yet, and come back with the answer."""
    finished = yield from site.server.interactions.finish(handle, site.alice, ["email"])
    back = finished.header("location")
    if back is None:
        return finished
    return (yield from site.server.handle(Request("GET", back, (("Cookie", site.cookie or ""),))))


def test_a_carried_interaction_that_is_answered_in_two_tabs_gives_one_code(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        handle = handle_of(site.authorize())
        return [answered_in_one_go(site, handle) for _ in range(2)]

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [303, 400]
        assert sum("code=" in (response.header("location") or "") for response in run.results) == 1

    explored(record_property, meeting, check, kept)


def test_approving_and_denying_at_once_end_in_one_answer(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        handle = handle_of(site.authorize())
        server = site.server
        return [server.interactions.finish(handle, site.alice, ["email"]), server.interactions.deny(handle, site.alice)]

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [303, 400]

    explored(record_property, meeting, check, kept)


def test_a_client_that_is_disabled_meanwhile_gets_no_tokens(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        code = site.code()
        return [site.server.handle(redemption(code)), disable("confidential")]

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        redeemed = next(
            (n for n, step in enumerate(run.story) if step.startswith("flow 0: commit") and "True" in step), None
        )
        disabled = next(n for n, step in enumerate(run.story) if step.startswith("flow 1: commit") and "True" in step)
        assert run.results[0].status == (401 if redeemed is None else 200)
        assert redeemed is None or redeemed < disabled

    explored(record_property, meeting, check, kept)


def test_consent_that_is_withdrawn_meanwhile_gives_no_code(
    record_property: Callable[[str, object], None], kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        site.code()
        context = site.server.context()
        key = consent_key("alice", "confidential", context)
        request = Request("GET", site.authorize_target())
        return [site.server.handle(request, site.alice), withdraw(key)]

    meeting = Meeting(prepare)

    def check(run: Run[Response]) -> None:
        issued = next(
            (n for n, step in enumerate(run.story) if step.startswith("flow 0: commit Require(Client confidential #")),
            None,
        )
        withdrawn = next(n for n, step in enumerate(run.story) if step.startswith("flow 1: commit") and "True" in step)
        got_code = "code=" in location(run.results[0])
        assert not got_code or (issued is not None and issued < withdrawn)

    explored(record_property, meeting, check, kept)
