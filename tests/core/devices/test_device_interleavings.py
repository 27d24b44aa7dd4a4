"""Devices, in every order in which polls, users, guesses, withdrawals and operators can meet (RFC 8628)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from oauthcore import DeviceGrant, DeviceState, Login, Response, Secret
from oauthcore.errors import LoginRequired, OAuthError, TooManyAttempts
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Decision, Delete
from oauthcore.flow.transact import commit_with_retry
from oauthcore.records.device import DeviceAuthorization
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import is_standing
from oauthcore.testing import Factory, Run
from tests.core.devices.device_site import BROWSER, OTHER_TV, TV, approve, begun, entered, poll, polling
from tests.core.site import CLIENTS, Site, members
from tests.core.test_interleavings import Meeting, Prepare, disable, explored, live

Record = Callable[[str, object], None]
BOB = "bob"


class OfDevices(Meeting):
    """Let flows meet at a site where devices may ask."""

    def __init__(self, prepare: Prepare, flows: int = 2, device: DeviceGrant | None = None) -> None:
        super().__init__(prepare, flows=flows, device=device or DeviceGrant(), clients=(*CLIENTS, TV, OTHER_TV))


def tried(flow: Flow[Any]) -> Flow[Any]:
    """Return what a call of the application returns or raises."""
    try:
        return (yield from flow)
    except OAuthError as refusal:
        return refusal


def allowing(site: Site, codes: dict[str, Any], login: Login | None = None) -> Flow[Any]:
    """Return a user's yes, who has entered the code before."""
    login = login or site.alice
    pending = entered(site, codes["user_code"], login)
    return tried(site.server.devices.finish(pending.id, login, ["email"]))


def denying(site: Site, codes: dict[str, Any], login: Login | None = None) -> Flow[Any]:
    """Return a user's no."""
    login = login or site.alice
    return tried(site.server.devices.deny(entered(site, codes["user_code"], login).id, login))


def given_to(answers: Sequence[Response]) -> list[dict[str, Any]]:
    """Return the tokens that polls were given; each other one was a plain refusal."""
    assert all(answer.status in {200, 400, 401} for answer in answers), answers
    return [members(answer) for answer in answers if answer.status == 200]


def standing(meeting: Meeting, run: Run[Any], subject: str = "alice") -> list[Grant]:
    """Return the grants of somebody that are in force."""
    return [g for g in run.world.storage.find_of(Grant, subject) if is_standing(g, meeting.site.now)]


def test_a_yes_that_meets_a_poll_gives_tokens_at_once_or_with_the_next(record_property: Record, kept: Factory) -> None:
    codes: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        codes.update(begun(site))
        return [allowing(site, codes), polling(site, codes["device_code"])]

    meeting, answers = OfDevices(prepare), set[int]()

    def check(run: Run[Any]) -> None:
        assert run.results[0] is DeviceState.APPROVED
        answers.add(run.results[1].status)
        assert (run.results[1].status == 200) != (poll(meeting.site, codes["device_code"]).status == 200)

    explored(record_property, meeting, check, kept)
    assert answers == {200, 400}


def test_two_polls_after_a_yes_give_tokens_once_and_leave_nothing_live(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        approve(site, codes)
        return [polling(site, codes["device_code"]) for _ in range(2)]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        tokens = given_to(run.results)
        assert len(tokens) == 1
        # The second poll is a replay, whichever it was.
        assert live(meeting.site, tokens) == []
        assert standing(meeting, run) == []

    explored(record_property, meeting, check, kept)


@pytest.mark.slow
@pytest.mark.memory_alone
def test_a_yes_and_two_polls_give_tokens_once_at_most(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        return [allowing(site, codes), *(polling(site, codes["device_code"]) for _ in range(2))]

    meeting = OfDevices(prepare, flows=3)

    def check(run: Run[Any]) -> None:
        tokens = given_to(run.results[1:])
        assert run.results[0] is DeviceState.APPROVED
        assert len(tokens) <= 1

    explored(record_property, meeting, check, kept)


def test_of_a_yes_and_a_no_the_first_counts(record_property: Record, kept: Factory) -> None:
    codes: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        codes.update(begun(site))
        return [allowing(site, codes), denying(site, codes)]

    meeting, won = OfDevices(prepare), set[int]()

    def check(run: Run[Any]) -> None:
        said = [number for number, result in enumerate(run.results) if isinstance(result, DeviceState)]
        assert len(said) == 1
        won.add(said[0])
        is_allowed = said == [0]
        assert (poll(meeting.site, codes["device_code"]).status == 200) is is_allowed
        assert bool(standing(meeting, run)) is is_allowed

    explored(record_property, meeting, check, kept)
    assert won == {0, 1}


def test_of_two_users_who_say_yes_the_device_is_of_one(record_property: Record, kept: Factory) -> None:
    codes: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        codes.update(begun(site))
        return [allowing(site, codes), allowing(site, codes, Login(subject=BOB, auth_time=site.now))]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results.count(DeviceState.APPROVED) == 1
        grants = standing(meeting, run) + standing(meeting, run, BOB)
        assert [grant.subject for grant in grants] == [["alice", BOB][run.results.index(DeviceState.APPROVED)]]

    explored(record_property, meeting, check, kept)


def test_one_user_who_says_yes_twice_has_allowed_one_device(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        return [allowing(site, codes), allowing(site, codes)]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results == (DeviceState.APPROVED, DeviceState.APPROVED)
        assert len(standing(meeting, run)) == 1

    explored(record_property, meeting, check, kept)


def purging(site: Site, device_code: str) -> Flow[bool]:
    """Delete a device authorization, as purging does once it has expired."""
    key = site.server.context().digest("device_code", Secret(device_code))

    def decision() -> Flow[Decision[bool]]:
        found = yield from find(DeviceAuthorization, key)
        return Decision(found is not None, () if found is None else (Delete(found),))

    return commit_with_retry(decision)


def test_a_poll_that_meets_the_purge_gives_tokens_once_or_nothing(record_property: Record, kept: Factory) -> None:
    codes: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        codes.update(begun(site))
        approve(site, codes)
        return [polling(site, codes["device_code"]), purging(site, codes["device_code"])]

    meeting, gave = OfDevices(prepare), set[int]()

    def check(run: Run[Any]) -> None:
        tokens = given_to(run.results[:1])
        gave.add(len(tokens))
        assert poll(meeting.site, codes["device_code"]).status == 400

    explored(record_property, meeting, check, kept)
    assert gave == {0, 1}


def test_a_poll_that_meets_the_withdrawal_leaves_nothing_live(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        approve(site, codes)
        return [polling(site, codes["device_code"]), site.server.applications.withdraw("alice")]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[1] >= 1
        assert standing(meeting, run) == []
        assert live(meeting.site, given_to(run.results[:1])) == []

    explored(record_property, meeting, check, kept)


def test_a_poll_that_meets_the_end_of_this_device_leaves_nothing_live(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        approve(site, codes)
        (grant,) = site.drive(find_of(Grant, "alice"), site.world)
        return [polling(site, codes["device_code"]), site.server.applications.withdraw_grant("alice", grant.key)]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[1] == 1
        assert standing(meeting, run) == []
        assert live(meeting.site, given_to(run.results[:1])) == []

    explored(record_property, meeting, check, kept)


def test_a_yes_that_meets_the_withdrawal_is_withdrawn_or_comes_after_it(record_property: Record, kept: Factory) -> None:
    codes: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        codes.update(begun(site))
        return [allowing(site, codes), site.server.applications.withdraw("alice")]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[0] is DeviceState.APPROVED
        is_standing = bool(standing(meeting, run))
        # Whole in either order: the device gets tokens where the grant stands, and otherwise nothing.
        assert (poll(meeting.site, codes["device_code"]).status == 200) is is_standing
        assert run.results[1] == (0 if is_standing else 1)

    explored(record_property, meeting, check, kept)


def test_a_poll_of_a_client_that_is_being_disabled_leaves_nothing_live(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        approve(site, codes)
        return [polling(site, codes["device_code"]), disable("tv")]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert live(meeting.site, given_to(run.results[:1])) == []

    explored(record_property, meeting, check, kept)


def test_a_yes_in_a_session_that_is_being_ended_comes_before_its_end_or_is_none(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        login = site.drive(site.server.sessions.sign_in("alice"), site.world)
        return [allowing(site, begun(site), login), site.server.sessions.end(login.sid, "alice")]

    meeting, said = OfDevices(prepare), set[bool]()

    def check(run: Run[Any]) -> None:
        said.add(run.results[0] is DeviceState.APPROVED)
        assert bool(standing(meeting, run)) is (run.results[0] is DeviceState.APPROVED)

    explored(record_property, meeting, check, kept)
    assert said == {True, False}


def entering(site: Site, code: str, login: Login | None = None) -> Flow[Any]:
    """Return an entry of a code."""
    return tried(site.server.devices.enter(code, login or site.alice, BROWSER))


@pytest.mark.parametrize("code", ["right", "wrong"])
def test_a_code_that_is_entered_in_a_session_that_is_being_ended_comes_before_its_end_or_is_none(
    code: str, record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        login = site.drive(site.server.sessions.sign_in("alice"), site.world)
        typed = begun(site)["user_code"] if code == "right" else "BBBB-BBBB"
        return [entering(site, typed, login), site.server.sessions.end(login.sid, "alice")]

    meeting, came = OfDevices(prepare), set[bool]()

    def check(run: Run[Any]) -> None:
        is_answered = not isinstance(run.results[0], LoginRequired)
        came.add(is_answered)
        last = {flow: max(place for place, ran in enumerate(run.schedule) if ran == flow) for flow in (0, 1)}
        assert not is_answered or last[0] < last[1]

    explored(record_property, meeting, check, kept)
    assert came == {True, False}


def test_of_two_guesses_that_meet_at_the_limit_one_is_answered(record_property: Record, kept: Factory) -> None:
    """Section 5.1. The right one of them may be first, or the limit is reached before it."""

    def prepare(site: Site) -> list[Flow[Any]]:
        code = begun(site)["user_code"]
        return [entering(site, "BBBB-BBBB"), entering(site, code)]

    meeting, found = OfDevices(prepare, device=DeviceGrant(max_wrong_of_user=1)), set[bool]()

    def check(run: Run[Any]) -> None:
        wrong, right = run.results
        assert wrong is None
        is_found = not isinstance(right, TooManyAttempts)
        found.add(is_found)
        last = {flow: max(place for place, ran in enumerate(run.schedule) if ran == flow) for flow in (0, 1)}
        # The last step of each is its commit. After the wrong one, which reached the limit, nothing is answered.
        assert not is_found or last[1] < last[0]
        assert isinstance(meeting.site.drive(entering(meeting.site, "CCCC-CCCC"), run.world), TooManyAttempts)

    explored(record_property, meeting, check, kept)
    assert found == {True, False}


def test_of_two_wrong_guesses_that_meet_at_the_limit_one_is_answered(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        return [entering(site, "BBBB-BBBB"), entering(site, "CCCC-CCCC")]

    meeting = OfDevices(prepare, device=DeviceGrant(max_wrong_of_user=1))

    def check(run: Run[Any]) -> None:
        assert [isinstance(result, TooManyAttempts) for result in run.results].count(True) == 1

    explored(record_property, meeting, check, kept)


def test_guesses_of_two_users_from_one_address_meet_its_limit(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        bob = Login(subject=BOB, auth_time=site.now)
        return [entering(site, "BBBB-BBBB"), entering(site, "CCCC-CCCC", bob)]

    meeting = OfDevices(prepare, device=DeviceGrant(max_wrong_from_address=1))

    def check(run: Run[Any]) -> None:
        assert [isinstance(result, TooManyAttempts) for result in run.results].count(True) == 1

    explored(record_property, meeting, check, kept)


def test_two_polls_that_come_too_fast_make_the_interval_longer_by_what_they_were_told(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        codes = begun(site)
        poll(site, codes["device_code"])
        return [polling(site, codes["device_code"]) for _ in range(2)]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        assert [members(answer)["error"] for answer in run.results] == ["slow_down"] * 2

    explored(record_property, meeting, check, kept)


def test_two_entries_of_a_code_are_both_counted(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        code = begun(site)["user_code"]
        return [entering(site, code), entering(site, code, Login(subject=BOB, auth_time=site.now))]

    meeting = OfDevices(prepare)

    def check(run: Run[Any]) -> None:
        carried = meeting.site.server.context().handles.read("device", Secret(run.results[0].id))
        assert carried is not None
        record = run.world.storage.find(DeviceAuthorization, carried["authorization"])
        assert record is not None
        assert record.entries == 2

    explored(record_property, meeting, check, kept)
