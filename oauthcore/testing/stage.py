"""A stage: one fresh storage, blocking or async, asked in one way, and every call written down.

The one room of the kit that knows of threads and of an event loop, since contenders have to be real.
"""

from __future__ import annotations

import asyncio
import inspect
import sys
from collections.abc import Awaitable, Callable, Generator, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, ExitStack
from threading import Barrier, Thread
from time import sleep
from types import FrameType
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from oauthcore.drivers import World, run
from oauthcore.effects import Flow
from oauthcore.outcome import Change, Insert, R, Replace, S
from oauthcore.records import Record
from oauthcore.storage import AsyncStorage, Storage
from oauthcore.testing.telling import outlined, told_commit, worded

T = TypeVar("T")
AnyStorage: TypeAlias = Storage | AsyncStorage


@attrs.frozen
class StorageUnderTest:
    """Hand a fresh storage over, with whatever else of it can be reached.

    `other` is a second handle on the same state, on a connection of its own. `contents` gives all that the engine
    holds, as text or bytes, to be searched for secrets. `sever` cuts every connection that the storage has at that
    moment, and it is for the storage to recover. The last two may be async.
    """

    storage: AnyStorage
    other: AnyStorage | None = None
    contents: Callable[[], Any] | None = None
    sever: Callable[[], Any] | None = None


Made: TypeAlias = AnyStorage | StorageUnderTest
Factory: TypeAlias = Callable[
    [], Made | Awaitable[Made] | AbstractContextManager[Made] | AbstractAsyncContextManager[Made]
]
"""Gives a fresh, empty storage at each call: plainly, awaited, or by a context manager of either colour."""


@attrs.frozen
class Call:
    """Ask for one call of a storage, or for its connections to be cut."""

    name: str
    arguments: tuple[Any, ...] = ()


@attrs.frozen
class Raised:
    """Hold what a call raised, where a clause wants to know it rather than to end."""

    error: Exception


MakeWorld: TypeAlias = Callable[[Storage], World]
"""Puts a world around a storage, such as `World` itself: what answers the effects that storage does not."""

Script: TypeAlias = Generator[Call, Any, T]
"""What one contender does: it yields calls and is resumed with their answers."""

SEVER = Call("sever")
# Longer than anything that goes on; whoever has not come back by then waits for something that never happens.
PATIENCE = 60.0
# Long enough for a thread to start on the busiest machine.
STARTED = 60.0
# So often do threads give way in a race. Python's own interval of 5 ms would let most commits through undisturbed.
SWITCH_INTERVAL = 1e-5


class Stage:
    """Hold one fresh storage, and what was asked of it so far."""

    def __init__(self, factory: Factory) -> None:
        self.story: list[str] = []
        self.received: list[Record] = []
        self._races = 0
        self._runner: asyncio.Runner | None = None
        self._exits = ExitStack()
        try:
            self.subject = self._opened(factory())
            self._handles = [h for h in (self.subject.storage, self.subject.other) if h is not None]
            if self.is_async:
                self._start_loop()
        except BaseException:
            self._exits.close()
            raise

    def __enter__(self) -> Stage:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def find(self, kind: type[R], key: str, *, handle: int = 0) -> R | None:
        """Find a record."""
        return cast("R | None", self.ask(Call("find", (kind, key)), handle))

    def find_of(self, kind: type[Any], subject: str) -> Sequence[Any]:
        """Find by subject."""
        return cast("Sequence[Any]", self.ask(Call("find_of", (kind, subject))))

    def tried(self, *changes: Change, handle: int = 0) -> bool:
        """Commit, and give the answer, which has to be a plain True or False."""
        answer = self.ask(Call("commit", (changes,)), handle)
        assert answer is True or answer is False, f"commit gave {answer!r}: it has to be True or False"
        return answer

    def purge(self, expired_before: int, limit: int) -> int:
        """Purge."""
        return cast("int", self.ask(Call("purge", (expired_before, limit))))

    def put(self, *records: Record) -> None:
        """Insert records that are not there."""
        assert self.tried(*map(Insert, records)), "records under keys that are free could not be inserted"

    def ask(self, call: Call, handle: int = 0) -> Any:
        """Make one call and write it down."""
        return self._awaited(self._asked("", call, handle))

    def attempt(self, call: Call, handle: int = 0) -> Any:
        """Make one call that may fail: what it raised is then its answer."""
        try:
            return self.ask(call, handle)
        except Exception as error:
            return Raised(error)

    @property
    def storage(self) -> Storage:
        """Give the storage as a blocking one that is listened to."""
        return _Told(self)

    def drive(self, flow: Flow[T]) -> T:
        """Run a flow of the core over this storage, with nothing else around it."""
        return run(flow, World(self.storage))

    def settle(self, answer: Any) -> Any:
        """Give an answer, awaited if it is to be."""
        return self._awaited(_settled(answer))

    def contents(self) -> list[str]:
        """Give what the engine holds, as text; nothing where it does not show it."""
        if self.subject.contents is None:
            return []
        held = self.settle(self.subject.contents())
        return [piece if isinstance(piece, str) else bytes(piece).decode("latin-1") for piece in held]

    def together(self, *scripts: Script[Any], forgiving: bool = False) -> list[Any]:
        """Play all scripts at once, on threads or as tasks, each on a handle in turn; give their results in order.

        With `forgiving` a call that raises is answered by `Raised`; else it breaks the clause.
        """
        play = self._as_tasks if self.is_async else self._on_threads
        results = play(scripts, forgiving)
        for number, result in enumerate(results):
            if isinstance(result, Raised):
                if isinstance(result.error, AssertionError):
                    raise result.error
                raise AssertionError(f"contender {number} was answered by {_named(result.error)}") from result.error
        return results

    @property
    def is_async(self) -> bool:
        """Tell whether the storage's answers are awaited."""
        return any(inspect.iscoroutinefunction(getattr(handle, "commit", None)) for handle in self._handles)

    @property
    def _rooms(self) -> frozenset[str]:
        """Name the modules that the storages are written in."""
        return frozenset(kind.__module__ for handle in self._handles for kind in type(handle).__mro__) - {"builtins"}

    def _opened(self, made: Any) -> StorageUnderTest:
        is_context = not hasattr(made, "find")
        if inspect.isawaitable(made):
            self._start_loop()
            made = self.settle(made)
        elif isinstance(made, AbstractAsyncContextManager) and is_context:
            self._start_loop()
            exits = AsyncExitStack()
            made = self._awaited(exits.enter_async_context(made))
            self._exits.callback(lambda: self._awaited(exits.aclose()))
        elif isinstance(made, AbstractContextManager) and is_context:
            made = self._exits.enter_context(made)
        return made if isinstance(made, StorageUnderTest) else StorageUnderTest(made)

    def _start_loop(self) -> None:
        if self._runner is None:
            self._runner = self._exits.enter_context(asyncio.Runner())

    def _awaited(self, coroutine: Any) -> Any:
        return _finished(coroutine) if self._runner is None else self._runner.run(coroutine)

    def _on_threads(self, scripts: Sequence[Script[Any]], forgiving: bool) -> list[Any]:
        results: list[Any] = [_MISSING] * len(scripts)
        self._races += 1
        start = Barrier(len(scripts))

        def play(number: int, script: Script[Any]) -> None:
            """Be one thread."""
            giving_way = _GivingWay(self._rooms, self._races * len(scripts) + number)
            try:
                start.wait(STARTED)
                sys.setprofile(giving_way)
                results[number] = _finished(self._played(number, script, forgiving))
            except Exception as error:  # what the script itself asserts, above all
                results[number] = Raised(error)
            finally:
                sys.setprofile(None)

        threads = [Thread(target=play, args=pair, daemon=True) for pair in enumerate(scripts)]
        interval = sys.getswitchinterval()
        sys.setswitchinterval(SWITCH_INTERVAL)
        try:
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join(PATIENCE)
        finally:
            sys.setswitchinterval(interval)
        stuck = [number for number, result in enumerate(results) if result is _MISSING]
        assert not stuck, f"contenders {stuck} did not come back within {PATIENCE:.0f} s: a deadlock"
        return results

    def _as_tasks(self, scripts: Sequence[Script[Any]], forgiving: bool) -> list[Any]:
        async def play() -> list[Any]:
            played = (self._played(number, script, forgiving) for number, script in enumerate(scripts))
            try:
                return await asyncio.wait_for(asyncio.gather(*played), PATIENCE)
            except TimeoutError:
                raise AssertionError(f"not all contenders came back within {PATIENCE:.0f} s: a deadlock") from None

        return cast("list[Any]", self._awaited(play()))

    async def _played(self, number: int, script: Script[Any], forgiving: bool) -> Any:
        answer = None
        while True:
            try:
                call = script.send(answer)
            except StopIteration as end:
                return end.value
            try:
                answer = await self._asked(f"contender {number}: ", call, number % len(self._handles))
            except Exception as error:
                answer = Raised(error)
                if not forgiving:
                    return answer

    async def _asked(self, who: str, call: Call, handle: int) -> Any:
        told = who + _told(call)
        if call.name == "commit":
            self.received.extend(record for change in call.arguments[0] for record in _records(change))
        try:
            answer = await _settled(self._method(call, handle)(*call.arguments))
        except Exception as error:
            self.story.append(f"{told} -> {_named(error)}")
            raise
        self.story.append(f"{told} -> {outlined(answer)}")
        return answer

    def _method(self, call: Call, handle: int) -> Callable[..., Any]:
        if call == SEVER:
            assert self.subject.sever is not None
            return self.subject.sever
        return cast("Callable[..., Any]", getattr(self._handles[handle], call.name))


@attrs.frozen
class _Told:
    """Be the storage of a stage, with a pen."""

    _stage: Stage

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        return self._stage.find(kind, key)

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Find by subject."""
        return self._stage.find_of(kind, subject)

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit."""
        return self._stage.tried(*changes)

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        return self._stage.purge(expired_before, limit)


class _GivingWay:
    """Let other threads go first, now and then, between two steps of a storage's own code.

    Python switches threads so seldom that a storage which looks and then leaps would mostly get away with it. This is
    called at every call and return on its thread, whatever the tests are traced by.
    """

    __slots__ = ("_chance", "_rooms")

    def __init__(self, rooms: frozenset[str], seed: int) -> None:
        self._rooms = rooms
        self._chance = seed

    def __call__(self, frame: FrameType, event: str, value: object) -> None:
        """Give way, one time in four."""
        if frame.f_globals.get("__name__") in self._rooms:
            # Any sequence does that differs from thread to thread and is the same in every run (Numerical Recipes).
            self._chance = (self._chance * 1_664_525 + 1_013_904_223) % 2**32
            if self._chance >> 30 == 0:
                sleep(0)


_MISSING = object()


def _finished(coroutine: Any) -> Any:
    """Give what a coroutine comes to that waits for nothing, as those over a blocking storage do."""
    try:
        coroutine.send(None)
    except StopIteration as end:
        return end.value
    coroutine.close()
    raise AssertionError("the storage gave something to await, though its commit is no `async def`")


async def _settled(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer


def _records(change: Change) -> Iterable[Record]:
    return (change.old, change.new) if isinstance(change, Replace) else (change.record,)


def _told(call: Call) -> str:
    """Say in a line what is asked."""
    if call.name == "commit":
        return told_commit(call.arguments[0])
    words = (part.__name__ if isinstance(part, type) else worded(part) for part in call.arguments)
    return " ".join((call.name, *words))


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
