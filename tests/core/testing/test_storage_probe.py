"""The stage: one storage of either colour, asked in one way; whatever fails on it is heard."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum
from threading import current_thread
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Client, MemoryStorage, Secret
from oauthcore.flow.effects import Authenticate, FindOf
from oauthcore.flow.outcome import Change, R
from oauthcore.policy import Allowance
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken
from oauthcore.testing import Clause, ClientSession, NotOffered, Terms, clauses
from oauthcore.testing.client_session import CLIENT, members_of
from oauthcore.testing.samples import example, sample
from oauthcore.testing.storage_probe import Call, Raised, StorageProbe
from oauthcore.testing.strategies import of_type, records
from oauthcore.testing.telling import effect_in_words, outlined, unlike, worded
from tests.core.site import make_site
from tests.core.testing.storages import Sound


@pytest.mark.parametrize("factory", [MemoryStorage, Sound])
def test_either_colour_is_asked_in_one_way_and_everything_is_written_down(factory: Any) -> None:
    with StorageProbe(factory) as probe:
        grant = sample(Grant, "a" * 64, subject="alice")
        probe.put(grant)

        assert probe.storage.find(Grant, "a" * 64) == grant
        assert list(probe.storage.find_of(Grant, "alice")) == [grant]
        assert probe.storage.purge(1, 1) == 0
        assert probe.storage.commit(()) is True
        assert probe.contents() == []
        assert probe.story[1] == probe.story[1].replace("a" * 64, "aaaa")
        assert [line.partition(" ")[0] for line in probe.story] == ["commit", "find", "find_of", "purge", "commit"]


def test_what_was_opened_is_closed_though_the_rest_could_not_be() -> None:
    closed: list[bool] = []

    @contextmanager
    def broken() -> Iterator[object]:
        try:
            yield 5
        finally:
            closed.append(True)

    with pytest.raises(TypeError, match="the factory gave an int"):
        StorageProbe(broken)  # type: ignore[arg-type]  # it gives no storage

    assert closed == [True]


def test_a_factory_that_raises_is_heard() -> None:
    def nothing() -> MemoryStorage:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        StorageProbe(nothing)


def test_what_a_script_asserts_on_a_thread_is_heard() -> None:
    def script() -> Generator[Call, Any, None]:
        found = yield Call("find", (Client, "a"))
        assert found is not None, "there should be a client"

    with StorageProbe(MemoryStorage) as probe, pytest.raises(AssertionError, match="there should be a client"):
        probe.together(script(), script())


def test_a_call_that_raises_is_an_answer_where_that_is_asked_for() -> None:
    class Raising(MemoryStorage):
        def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
            raise ConnectionResetError("gone")

    with StorageProbe(Raising) as probe:
        answer = probe.attempt(Call("commit", ((),)))

    assert isinstance(answer, Raised)
    assert probe.story == ["commit nothing -> ConnectionResetError: gone"]


def test_a_storage_that_is_awaited_though_no_method_of_it_is_async_is_told() -> None:
    async def waiting() -> None:
        await SUSPENDED

    class Wrapped(MemoryStorage):
        def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[explicit-override]  # none in 3.11
            return waiting()  # type: ignore[return-value]  # it is broken

    with StorageProbe(Wrapped) as probe, pytest.raises(AssertionError, match="none of its methods is an `async def`"):
        probe.find(Client, "a")


@pytest.mark.parametrize("factory", [MemoryStorage, Sound])
def test_a_stage_may_be_asked_within_an_event_loop(factory: Any) -> None:
    async def within() -> Client | None:
        with StorageProbe(factory) as probe:
            probe.put(Client(client_id="a"))
            return probe.find(Client, "a")

    assert asyncio.run(within()) == Client(client_id="a")


def test_what_is_under_way_when_a_stage_ends_is_cancelled() -> None:
    ended: list[str] = []

    async def factory() -> Sound:
        async def forever() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                ended.append("cancelled")

        kept.append(asyncio.create_task(forever()))
        await asyncio.sleep(0)
        return Sound()

    kept: list[asyncio.Task[None]] = []
    with StorageProbe(factory):
        assert ended == []

    assert ended == ["cancelled"]


def test_an_async_factory_may_give_a_blocking_storage_whose_contenders_are_threads() -> None:
    async def factory() -> MemoryStorage:
        return MemoryStorage()

    def script() -> Generator[Call, Any, str]:
        yield Call("find", (Client, "a"))
        return current_thread().name

    with StorageProbe(factory) as probe:
        names = probe.together(script(), script())

    assert len({*names, current_thread().name}) == 3


def test_a_stage_that_is_renewed_has_another_storage() -> None:
    with StorageProbe(MemoryStorage) as probe:
        probe.put(Client(client_id="a"))

        probe.renew()

        assert probe.find(Client, "a") is None


class Suspended:
    """Be awaited, once."""

    def __await__(self) -> Generator[None, None, None]:
        yield


SUSPENDED = Suspended()


@pytest.mark.parametrize("name", ["subjects_are_exact", "find_of_sees_commits_whole"])
def test_clauses_about_subjects_are_left_out_where_no_kind_has_one(name: str) -> None:
    (clause,) = (clause for clause in clauses if clause.name == name)
    assert isinstance(clause, Clause)

    with pytest.raises(NotOffered):
        clause.check(MemoryStorage, Terms(kinds=(AccessToken,)))


class Colour(Enum):
    """Be one of two."""

    RED = 1
    BLUE = 2


@attrs.frozen(kw_only=True)
class Odd:
    """Be a record with a field of every sort that the core may yet have."""

    key: str
    colour: Colour
    nested: Mapping[str, tuple[int, str]]
    members: frozenset[Colour]
    note: str | None
    expires_at: int | None = None


def test_records_of_ones_own_are_made_from_the_types_of_their_fields() -> None:
    made = sample(Odd, "a", 3)

    assert made == Odd(
        key="a", colour=Colour.RED, nested={}, members=frozenset(), note="note-3", expires_at=made.expires_at
    )
    with pytest.raises(TypeError, match="no example can be made"):
        example(complex, "x")
    with pytest.raises(TypeError, match="no values of"):
        of_type(complex)


@given(record=records(Odd))
def test_records_of_ones_own_are_drawn_from_the_types_of_their_fields(record: Odd) -> None:
    assert record.colour in Colour
    assert all(text.isprintable() or number >= 0 for number, text in record.nested.values())


@given(value=of_type(Allowance | None))
def test_a_choice_of_types_is_drawn_from_all_of_them(value: Allowance | None) -> None:
    assert value is None or value in Allowance


@given(text=st.text())
def test_nothing_of_a_secret_is_told(text: str) -> None:
    assert effect_in_words(Authenticate("alice", Secret(f"secret {text}"))) == "authenticate alice a secret"


def test_what_is_told_is_short() -> None:
    assert effect_in_words(FindOf(Grant, "alice")) == "find Grant of alice"
    assert worded("x" * 100) == "x" * 40 + "…"
    assert worded(b"secret") == "bytes"
    assert outlined([1, 2]) == "2 records"
    assert outlined(True) == "True"


def test_records_that_differ_are_told_by_the_fields_in_which_they_do() -> None:
    one, other = Client(client_id="a", name="x" * 1_000), Client(client_id="a", name="y")

    assert unlike(None, other).startswith("there is nothing, and should be Client a #")
    assert unlike(sample(Grant, "g"), other).startswith("there is Grant g active #")
    told = unlike(one, other)
    assert re.fullmatch(r"the Client a #.... is there with name 'x+…x+' \(1002 characters\) and not 'y'", told)


def test_a_public_client_walks_without_a_secret() -> None:
    site = make_site(clients=())
    public = attrs.evolve(CLIENT, token_endpoint_auth_method="none")
    session = ClientSession.begin(
        site.server, lambda flow: site.drive(flow, site.world), site.server.instruments.entropy, client=public
    )

    tokens = members_of(session.redeem(*session.code()))

    assert session.refresh(tokens["refresh_token"]).status == 200
