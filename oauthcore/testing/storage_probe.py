"""The storage probe: one fresh storage, blocking or async, called in one way, with every call recorded."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, AsyncExitStack, ExitStack
from functools import partial
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from oauthcore.flow.drivers import World, run
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Insert, R, S
from oauthcore.flow.storage import Storage
from oauthcore.records.record import Record
from oauthcore.testing.call import SEVER, Call, Misfit, Raised, Script
from oauthcore.testing.concurrency import as_tasks, broken_off, finished, on_threads
from oauthcore.testing.loop import Loop
from oauthcore.testing.story import Story
from oauthcore.testing.subjects import METHODS, Factory, Made, StorageUnderTest, is_async, made_by, under_test
from oauthcore.testing.telling import outlined

__all__ = ["SEVER", "Call", "Factory", "Made", "MakeWorld", "Raised", "Script", "StorageProbe", "StorageUnderTest"]

T = TypeVar("T")
MakeWorld: TypeAlias = Callable[[Storage], World]
"""Puts a world around a storage, such as `World` itself: what answers the effects that storage does not."""


class StorageProbe:
    """Hold one fresh storage, and what was asked of it so far."""

    def __init__(self, factory: Factory) -> None:
        self._factory = factory
        self._story = Story()
        self.received: list[Record] = []
        self._races = 0
        self._open()

    def __enter__(self) -> StorageProbe:
        return self

    def __exit__(self, *_: object) -> None:
        self._exits.close()

    def renew(self) -> None:
        """Clear the storage away, and ask the factory for another."""
        self._exits.close()
        self._open()

    @property
    def story(self) -> list[str]:
        """Tell what was asked and answered, line by line."""
        return self._story.lines()

    def forget(self) -> None:
        """Begin the story anew."""
        self._story.clear()

    def find(self, kind: type[R], key: str, *, handle: int = 0) -> R | None:
        """Find a record."""
        return cast("R | None", self.ask(Call("find", (kind, key)), handle))

    def find_of(self, kind: type[Any], subject: str, *, handle: int = 0) -> Sequence[Any]:
        """Find by subject."""
        return cast("Sequence[Any]", self.ask(Call("find_of", (kind, subject)), handle))

    def tried(self, *changes: Change, handle: int = 0) -> bool:
        """Commit, and give the answer."""
        return cast("bool", self.ask(Call("commit", (changes,)), handle))

    def purge(self, expired_before: int, limit: int) -> int:
        """Purge."""
        return cast("int", self.ask(Call("purge", (expired_before, limit))))

    def put(self, *records: Record) -> None:
        """Insert records that are not there."""
        if not self.tried(*map(Insert, records)):
            raise AssertionError("records under keys that are free could not be inserted")

    def ask(self, call: Call, handle: int = 0) -> Any:
        """Make one call and write it down."""
        return self._awaited(self._call("", call, handle))

    def attempt(self, call: Call, handle: int = 0) -> Any:
        """Make one call that may fail: what it raised is then its answer."""
        try:
            return self.ask(call, handle)
        except Misfit:
            raise
        except Exception as error:  # a storage may raise what it likes
            return Raised(error)

    def broken_off(self, call: Call, turns: int) -> Any:
        """Make one call, and cancel it after so many turns of the event loop: None, or its answer where that came."""
        return self._awaited(broken_off(self._call("", call, 0), turns))

    @property
    def is_async(self) -> bool:
        """Return whether calls are awaited."""
        return self._is_async

    @property
    def storage(self) -> Storage:
        """Return the storage as a blocking one that is listened to."""
        return _RecordedStorage(self)

    def drive(self, flow: Flow[T]) -> T:
        """Run a flow of the core over this storage, with nothing else around it."""
        return run(flow, World(self.storage))

    def settle(self, answer: Any) -> Any:
        """Return an answer, awaited if it is to be."""
        return self._awaited(_settled(answer))

    def contents(self) -> list[str]:
        """Return what the engine holds, as text; nothing where it does not show it."""
        if self.subject.contents is None:
            return []
        held = self.settle(self.subject.contents())
        return [piece if isinstance(piece, str) else bytes(piece).decode("latin-1") for piece in held]

    def together(self, *scripts: Script[Any], forgiving: bool = False) -> list[Any]:
        """Play all scripts at once, on threads or as tasks, each on a handle in turn; give their results in order.

        With `forgiving` a call that raises is answered by `Raised`; else it breaks the clause.
        """

        async def play(number: int, script: Script[Any]) -> Any:
            """Run one contender."""
            return await self._played(number, script, forgiving)

        self._races += 1
        if self._is_async:
            results = cast("list[Any]", self._awaited(as_tasks(play, scripts)))
        else:
            results = on_threads(play, scripts, self._rooms, self._races)
        for number, result in enumerate(results):
            if isinstance(result, Raised):
                if isinstance(result.error, AssertionError):
                    raise result.error
                raise AssertionError(f"contender {number} was answered by {result.in_words()}") from result.error
        return results

    def _open(self) -> None:
        self._loop: Loop | None = None
        self._exits = ExitStack()
        try:
            self.subject = under_test(self._entered(made_by(self._factory)))
            self._is_async = any(map(is_async, self.subject.handles))
            if self._is_async:
                self._start_loop()
        except BaseException:  # whatever was opened is closed
            self._exits.close()
            raise

    @property
    def _rooms(self) -> frozenset[str]:
        """Name the modules that the storages are written in."""
        kinds = (kind for handle in self.subject.handles for kind in type(handle).__mro__)
        return frozenset(kind.__module__ for kind in kinds) - {"builtins"}

    def _entered(self, made: Any) -> Any:
        """Return what was made, awaited or entered if it is to be."""
        if inspect.isawaitable(made):
            self._start_loop()
            return self.settle(made)
        if all(hasattr(made, name) for name in METHODS):
            return made  # which may be a context manager as well, and is then not entered
        if isinstance(made, AbstractAsyncContextManager):
            self._start_loop()
            exits = AsyncExitStack()
            entered = self._awaited(exits.enter_async_context(made))
            self._exits.callback(lambda: self._awaited(exits.aclose()))
            return entered
        return self._exits.enter_context(made) if isinstance(made, AbstractContextManager) else made

    def _start_loop(self) -> None:
        if self._loop is None:
            self._loop = self._exits.enter_context(Loop())

    def _awaited(self, coroutine: Any) -> Any:
        return finished(coroutine) if self._loop is None else self._loop.run(coroutine)

    async def _played(self, number: int, script: Script[Any], forgiving: bool) -> Any:
        answer = None
        while True:
            try:
                call = script.send(answer)
            except StopIteration as end:
                return end.value
            try:
                answer = await self._call(f"contender {number}: ", call, number % len(self.subject.handles))
            except Misfit:
                raise
            except Exception as error:  # likewise
                answer = Raised(error)
                if not forgiving:
                    return answer

    async def _call(self, who: str, call: Call, handle: int) -> Any:
        self.received.extend(call.records())
        mark = self._story.begins(who, call.in_words)
        try:
            answer = await _settled(self._method(call, handle)(*call.arguments))
        except Exception as error:  # written down, and raised again
            self._story.ends(mark, who, Raised(error).in_words())
            raise
        self._story.ends(mark, who, partial(outlined, answer))
        call.check(answer)
        return answer

    def _method(self, call: Call, handle: int) -> Callable[..., Any]:
        if call == SEVER:
            assert self.subject.sever is not None
            return self.subject.sever
        return cast("Callable[..., Any]", getattr(self.subject.handles[handle], call.name))


@attrs.frozen
class _RecordedStorage:
    """The storage of a stage, with a pen."""

    _stage: StorageProbe

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


async def _settled(answer: Any) -> Any:
    return await answer if inspect.isawaitable(answer) else answer
