"""What is handed over: a factory that is none, or that gives no storage, is told so at once and in one sentence."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import pytest

from oauthcore import Client, MemoryStorage
from oauthcore.flow.effects import find
from oauthcore.flow.outcome import Change, R
from oauthcore.testing import Lifetime, StorageUnderTest, check_storage, clauses, crash_points, interleave


class Three:
    """Be a storage that nobody can look through for what is a person's."""

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return True

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        return 0


class AsyncByHalf(MemoryStorage):
    """Be async where it was thought of."""

    async def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[override, explicit-override]  # it is broken
        """Find."""


class NeedsUrl(MemoryStorage):
    """Be a storage that is made with something."""

    def __init__(self, url: str) -> None:
        super().__init__()


async def coroutine_of_none() -> None:
    return None


def generator() -> Iterator[MemoryStorage]:
    yield MemoryStorage()


async def async_generator() -> AsyncIterator[MemoryStorage]:
    yield MemoryStorage()


@contextmanager
def context_of_none() -> Iterator[None]:
    yield


WRONG: dict[str, tuple[Any, str]] = {
    "an instance": (
        MemoryStorage(),
        "a function that gives .*, and this is a MemoryStorage itself: hand over the class",
    ),
    "a number": (5, "this is an int itself"),
    "what is to be tested": (StorageUnderTest(MemoryStorage()), "this is a StorageUnderTest itself"),
    "gives nothing": (lambda: None, r"gave None, which has no `find`, .* `purge` \(does it return the storage\?\)"),
    "awaited, gives nothing": (coroutine_of_none, "gave None"),
    "opened, gives nothing": (context_of_none, "gave None"),
    "gives the class": (lambda: MemoryStorage, "gave the class MemoryStorage and not one of its instances"),
    "forgot contextmanager": (generator, r"gave a generator, .* \(is `@contextmanager` missing\?\)"),
    "forgot asynccontextmanager": (async_generator, r"\(is `@asynccontextmanager` missing\?\)"),
    "misses one": (Three, "gave a Three, which has no `find_of`: it is no storage"),
    "second handle misses one": (lambda: StorageUnderTest(MemoryStorage(), Three()), "gave a Three"),  # type: ignore[arg-type]  # it is none
    "async by half": (
        AsyncByHalf,
        "`find` is `async def` and `find_of`, `commit` and `purge` is not: it has",
    ),
    "needs something": (NeedsUrl, "missing 1 required positional argument: 'url'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_factory_of_storages_is_told_once_and_breaks_no_clause(name: str) -> None:
    factory, says = WRONG[name]

    with pytest.raises(TypeError, match=says):
        check_storage(factory)
    with pytest.raises(TypeError, match=says):
        clauses[0].check(factory)


def test_a_factory_that_raises_is_heard_and_not_asked_again() -> None:
    asked: list[int] = []

    def unreachable() -> MemoryStorage:
        asked.append(1)
        raise ConnectionRefusedError("refused here")

    with pytest.raises(ConnectionRefusedError, match="refused here"):
        check_storage(unreachable)

    assert asked == [1]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (find(Client, "a"), "wanted, and this is a generator itself, which runs but once"),
        (lambda _: MemoryStorage().find(Client, "a"), "this one gave None: return the flow, unrun"),
    ],
)
def test_what_makes_no_flow_is_told_as_that(make: Any, says: str) -> None:
    with pytest.raises(TypeError, match=says):
        interleave(make, prepare=lambda drive: None, check=lambda run: None)
    with pytest.raises(TypeError, match=says):
        crash_points(make, prepare=lambda drive: None, check=lambda crash: None)


def test_no_flows_at_all_are_told_rather_than_passed() -> None:
    with pytest.raises(TypeError, match="there are no flows to run"):
        interleave(prepare=lambda drive: None, check=lambda run: None)


@pytest.mark.parametrize(
    ("adapter", "says"),
    [
        (lambda server, world: None, "the adapter gave None: it has to give a function from a Request to a Response"),
        (
            lambda server, world: lambda request: (200, [], b""),
            "the adapter answered with a builtins.tuple: make a Response",
        ),
    ],
)
def test_an_adapter_that_can_not_be_asked_is_told_rather_than_passed_by(adapter: Any, says: str) -> None:
    closed: list[bool] = []

    @contextmanager
    def storage() -> Iterator[MemoryStorage]:
        yield MemoryStorage()
        closed.append(True)

    with pytest.raises(TypeError, match=says), closing(Lifetime(storage, adapter)) as lifetime:
        lifetime.authorize()

    assert closed == [True]


def answering(name: str, answer: object) -> Callable[[], MemoryStorage]:
    """Return a storage that answers one call so."""
    kind = type("Answering", (MemoryStorage,), {name: lambda *_: answer})
    return lambda: kind()


@pytest.mark.parametrize(
    ("name", "answer", "clause", "says"),
    [
        ("commit", None, "commit_of_nothing_succeeds", "commit gave None: it has to be True or False"),
        ("commit", 1, "commit_of_nothing_succeeds", "commit gave 1: it has to be True or False"),
        ("find", (None,), "fresh_storage_is_empty", "find gave a tuple: it has to be a Client, or None"),
        ("find", {"client_id": "a"}, "fresh_storage_is_empty", "find gave a dict: it has to be a Client"),
        ("find_of", None, "find_of_gives_all_of_a_subject", "find_of gave None: it has to be a list of records"),
        ("find_of", iter(()), "find_of_gives_all_of_a_subject", "find_of gave a tuple_iterator: it has to be a list"),
        ("purge", None, "fresh_storage_is_empty", "purge gave None: it has to be how many records it removed"),
        ("purge", True, "fresh_storage_is_empty", "purge gave True: it has to be how many"),
        ("purge", [Client(client_id="a")], "fresh_storage_is_empty", "purge gave .*: it has to be how many"),
    ],
)
def test_an_answer_of_the_wrong_sort_is_told_as_that(name: str, answer: object, clause: str, says: str) -> None:
    (checked,) = (each for each in clauses if each.name == clause)

    with pytest.raises(AssertionError, match=f"  But: {says}"):
        checked.check(answering(name, answer))


@pytest.mark.parametrize(
    "clause",
    [
        "storage_recovers_between_calls",
        "commits_are_whole_though_connections_die_inside",
        "one_wins_though_connections_die_inside",
    ],
)
def test_an_answer_of_the_wrong_sort_is_not_taken_for_a_connection_that_died(clause: str) -> None:
    (checked,) = (each for each in clauses if each.name == clause)
    severed: list[bool] = []

    class Late(MemoryStorage):
        def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
            done = super().commit(changes)
            return done if not severed else None  # type: ignore[return-value]  # it is broken

    with pytest.raises(AssertionError, match="commit gave None"):
        checked.check(lambda: StorageUnderTest(Late(), sever=lambda: severed.append(True)))
