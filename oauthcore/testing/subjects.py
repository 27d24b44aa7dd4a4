"""What the kit tests: factories of storages and makers of flows, and the errors for other values."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from typing import Any, TypeAlias, TypeVar, cast

import attrs

from oauthcore.flow.effects import Flow
from oauthcore.flow.storage import AsyncStorage, Storage

T = TypeVar("T")
P = TypeVar("P")
AnyStorage: TypeAlias = Storage | AsyncStorage
METHODS = ("find", "find_of", "commit", "purge")


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

    @property
    def handles(self) -> list[AnyStorage]:
        """Return one handle or two."""
        return [handle for handle in (self.storage, self.other) if handle is not None]


Made: TypeAlias = AnyStorage | StorageUnderTest
Factory: TypeAlias = Callable[
    [], Made | Awaitable[Made] | AbstractContextManager[Made] | AbstractAsyncContextManager[Made]
]
"""Returns a fresh, empty storage at each call: plainly, awaited, or by a context manager of either colour."""


def made_by(factory: Factory) -> Any:
    """Call a factory; raises `TypeError` for what is none."""
    if not callable(factory):
        raise TypeError(
            f"a function that gives a fresh storage at each call is wanted, and this is {_named(factory)} itself: "
            f"hand over the class, or `lambda: ...`"
        )
    return factory()


def under_test(made: Any) -> StorageUnderTest:
    """Return what a factory gave as what can be tested; raises `TypeError` for what is no storage."""
    subject = made if isinstance(made, StorageUnderTest) else StorageUnderTest(made)
    for handle in (subject.storage, *([] if subject.other is None else [subject.other])):
        _check(handle)
    return subject


def flow_of(make: Callable[[P], Flow[T]], prepared: P) -> Flow[T]:
    """Have a flow made of what is prepared; raises `TypeError` for what makes none."""
    if not callable(make):
        raise TypeError(
            f"a function that makes a flow is wanted, and this is {_named(make)} itself, which runs but once"
        )
    flow: Any = make(prepared)
    if not hasattr(flow, "send"):
        raise TypeError(
            f"a function that makes a flow is wanted, and this one gave {_named(flow)}: return the flow, unrun"
        )
    return cast("Flow[T]", flow)


def is_async(storage: AnyStorage) -> bool:
    """Return whether a storage's answers are awaited."""
    return inspect.iscoroutinefunction(storage.commit)


def _check(storage: Any) -> None:
    if isinstance(storage, type):
        raise TypeError(f"the factory gave the class {storage.__name__} and not one of its instances")
    missing = [name for name in METHODS if not callable(getattr(storage, name, None))]
    if missing:
        hint = _HINTS.get(type(storage).__name__, "")
        raise TypeError(f"the factory gave {_named(storage)}, which has no {_listed(missing)}{hint}: it is no storage")
    awaited = [name for name in METHODS if inspect.iscoroutinefunction(getattr(storage, name))]
    if awaited and len(awaited) < len(METHODS):
        others = [name for name in METHODS if name not in awaited]
        raise TypeError(
            f"of {_named(storage)}, {_listed(awaited)} is `async def` and {_listed(others)} is not: "
            "it has to be all four or none"
        )


# What a factory gives that has forgotten a word.
_HINTS = {
    "generator": " (is `@contextmanager` missing?)",
    "async_generator": " (is `@asynccontextmanager` missing?)",
    "NoneType": " (does it return the storage?)",
}


def _named(value: Any) -> str:
    name = type(value).__name__
    return "None" if value is None else f"{'an' if name[0] in 'AEIOUaeiou' else 'a'} {name}"


def _listed(names: list[str]) -> str:
    *most, last = (f"`{name}`" for name in names)
    return f"{', '.join(most)} and {last}" if most else last
