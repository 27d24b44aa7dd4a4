"""The only commit."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from oauthcore import MemoryStorage, Response, World, run
from oauthcore.errors import EffectFailed, InvalidGrant, OAuthError, ServerError, TemporarilyUnavailable
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Replace, Require
from oauthcore.flow.transact import ATTEMPTS, commit_until_unchanged, commit_with_retry, transact
from oauthcore.testing import Outage


@attrs.frozen
class Counter:
    """Count."""

    value: int = 0
    key: str = "c"
    expires_at: int | None = None


class Refusals:
    """Remember what was refused."""

    def __init__(self) -> None:
        self.errors: list[OAuthError] = []
        self.causes: list[BaseException | None] = []

    def __call__(self, error: OAuthError, cause: BaseException | None) -> Response:
        """Refuse."""
        self.errors.append(error)
        self.causes.append(cause)
        return Response(error.status)


def increment(meanwhile: Callable[[], None] = lambda: None) -> Flow[Outcome]:
    """Count one up; `meanwhile` happens between the look and the leap."""
    counter = yield from find(Counter, "c")
    assert counter is not None
    meanwhile()
    return Decision(Response(200), (Replace(counter, Counter(counter.value + 1)),))


def test_what_was_decided_is_committed_and_answered() -> None:
    storage = MemoryStorage([Counter()])

    assert run(transact(increment, Refusals()), World(storage)) == Response(200)

    assert storage.find(Counter, "c") == Counter(1)


def test_a_lost_race_is_decided_again_on_fresh_facts() -> None:
    storage = MemoryStorage([Counter()])
    others = iter([10, 20])

    def meanwhile() -> None:
        if (value := next(others, None)) is not None:
            storage._records[Counter, "c"] = Counter(value)

    assert run(transact(lambda: increment(meanwhile), Refusals()), World(storage)).status == 200

    assert storage.find(Counter, "c") == Counter(21)


def test_who_loses_every_race_is_asked_to_try_again() -> None:
    storage, refusals, tries = MemoryStorage([Counter()]), Refusals(), list[int]()

    def meanwhile() -> None:
        tries.append(1)
        storage._records[Counter, "c"] = Counter(100 + len(tries))

    response = run(transact(lambda: increment(meanwhile), refusals), World(storage))

    assert response.status == 503
    assert len(tries) == ATTEMPTS
    assert isinstance(refusals.errors[0], TemporarilyUnavailable)


def test_a_host_whose_call_was_always_beaten_by_others_is_told_so_as_of_a_storage_that_failed() -> None:
    storage = MemoryStorage([Counter()])

    def decision() -> Flow[Decision[int]]:
        counter = yield from find(Counter, "c")
        assert counter is not None
        storage._records[Counter, "c"] = Counter(counter.value + 1)
        return Decision(counter.value, (Replace(counter, Counter(-1)),))

    with pytest.raises(EffectFailed):
        run(commit_with_retry(decision), World(storage))


def test_what_is_added_while_all_is_ended_is_found_by_the_next_look() -> None:
    storage = MemoryStorage([Counter(1, "a")])
    late = iter([Counter(1, "b"), Counter(1, "c")])
    told: list[bool] = []

    def decision(committed: bool) -> Flow[Decision[int]]:
        told.append(committed)
        a, b, c = (yield from find(Counter, "a")), (yield from find(Counter, "b")), (yield from find(Counter, "c"))
        if (added := next(late, None)) is not None:
            storage._records[Counter, added.key] = added
        positive = [one for one in (a, b, c) if one is not None and one.value]
        return Decision(len(positive), tuple(Replace(one, Counter(0, one.key)) for one in positive))

    assert run(commit_until_unchanged(decision), World(storage)) == (1, 1, 1)

    assert [storage.find(Counter, key) for key in "abc"] == [Counter(0, key) for key in "abc"]
    assert told == [False, True, True, True]


def test_what_is_added_to_again_and_again_is_given_up() -> None:
    storage = MemoryStorage()
    tries: list[int] = []

    def decision(committed: bool) -> Flow[Outcome]:
        yield from ()
        tries.append(1)
        return Decision(Response(200), (Insert(Counter(1, str(len(tries)))),))

    with pytest.raises(TemporarilyUnavailable, match="more to end"):
        run(commit_until_unchanged(decision), World(storage))

    assert len(tries) == 2 * ATTEMPTS


def test_an_outcome_without_changes_and_events_costs_no_commit() -> None:
    def decision() -> Flow[Outcome]:
        yield from ()
        return Decision(Response(204))

    assert run(transact(decision, Refusals()), World(Outage(MemoryStorage(), at=0))).status == 204


def test_events_alone_are_heard() -> None:
    heard: list[Event] = []

    def decision() -> Flow[Outcome]:
        yield from ()
        return Decision(Response(204), (), (Event("token_issued", "c"),))

    run(transact(decision, Refusals()), World(MemoryStorage(), audit=heard.append))

    assert len(heard) == 1


@pytest.mark.parametrize("at", [0, 1])
def test_storage_that_fails_is_a_503_whose_cause_is_kept(at: int) -> None:
    refusals = Refusals()

    response = run(transact(increment, refusals), World(Outage(MemoryStorage([Counter()]), at=at)))

    assert response.status == 503
    assert isinstance(refusals.errors[0], TemporarilyUnavailable)
    assert type(refusals.causes[0]).__name__ == "EffectFailed"


def test_a_refusal_is_given_its_form_and_commits_nothing() -> None:
    refusals = Refusals()

    def decision() -> Flow[Outcome]:
        counter = yield from find(Counter, "c")
        assert counter is not None
        raise InvalidGrant("no")

    response = run(transact(decision, refusals), World(Outage(MemoryStorage([Counter()]), at=1)))

    assert response.status == 400
    assert (refusals.errors[0].reason, refusals.causes) == ("no", [None])


def test_a_bug_is_a_500_whose_cause_is_kept() -> None:
    refusals = Refusals()

    def decision() -> Flow[Outcome]:
        yield from ()
        raise KeyError("a bug")

    assert run(transact(decision, refusals), World(MemoryStorage())).status == 500

    assert isinstance(refusals.errors[0], ServerError)
    assert isinstance(refusals.causes[0], KeyError)


def test_a_requirement_that_no_longer_holds_is_a_lost_race() -> None:
    storage, refusals = MemoryStorage([Counter()]), Refusals()

    def decision() -> Flow[Outcome]:
        yield from ()
        return Decision(Response(200), (Require(Counter(1)),))

    assert run(transact(decision, refusals), World(storage)).status == 503
