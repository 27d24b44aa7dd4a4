"""Records of every kind, made from the types of their fields, so that a kind added to the core is tested, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum
from types import UnionType
from typing import Any, Literal, NewType, Union, cast, get_args, get_origin, get_type_hints

import attrs

from oauthcore.digest import Digest
from oauthcore.flow.outcome import R
from oauthcore.records import (
    backchannel,
    client,
    device,
    grant,
    initial_access_token,
    interaction,
    key_ring,
    listed_client,
    login,
    pushed_request,
    registration_limits,
    token,
)
from oauthcore.records.record import Record
from oauthcore.scope import Scope

_TELLING: tuple[Any, ...] = (str, int, str | None, int | None, Scope, Scope | None)
# Later than any test will run, so that a storage which forgets by the wall clock keeps it.
FAR = 2**33


def record_kinds() -> tuple[type[Record], ...]:
    """Return every kind of record that the core has, of which there may be many."""
    return tuple(kind for kind in _all_kinds() if "expires_at" in attrs.fields_dict(kind))


def lone_kinds() -> tuple[type[Record], ...]:
    """Return every kind of record that a server has one of."""
    return tuple(kind for kind in _all_kinds() if "expires_at" not in attrs.fields_dict(kind))


_ROOMS = (
    *(client, login, listed_client, grant, token, interaction, key_ring),
    *(initial_access_token, registration_limits, device, backchannel, pushed_request),
)


def _all_kinds() -> Iterable[Any]:
    things = (thing for room in _ROOMS for thing in vars(room).values())
    kinds = dict.fromkeys(thing for thing in things if isinstance(thing, type) and attrs.has(thing))
    return (kind for kind in kinds if hasattr(kind, "key") and hasattr(kind, "expires_at"))


def sample(kind: type[R], key: str, number: int = 0, **fields: object) -> R:
    """Make a record of a kind under a key; another `number` makes another record, `fields` are set as given."""
    hints = get_type_hints(kind)
    values: dict[str, Any] = {
        field.name: example(hints[field.name], field.name)
        for field in attrs.fields(cast("type[attrs.AttrsInstance]", kind))
        if field.default is attrs.NOTHING
    }
    values |= {key_field(kind): key, "expires_at": FAR, **fields}
    name = telling_field(kind)
    values.setdefault(name, None)
    return kind(**{**values, name: example(hints[name], name, number)})


def whole(kind: type[R], key: str, number: int) -> R:
    """Make a record of a kind under a key, with a value in every field; another `number` makes others."""
    hints = get_type_hints(kind)
    names = attrs.fields_dict(cast("type[attrs.AttrsInstance]", kind))
    return kind(**{name: example(hints[name], name, number) for name in names} | {key_field(kind): key})


def key_field(kind: type[Record]) -> str:
    """Return the name of the field that a kind's key is."""
    names = attrs.fields_dict(cast("type[attrs.AttrsInstance]", kind))
    return next(name for name in ("key", "client_id", *names) if name in names)


def telling_field(kind: type[Record]) -> str:
    """Return the name of a field by which records may differ whose key, subject and expiry are the same."""
    hints = get_type_hints(kind)
    taken = {key_field(kind), "subject", "expires_at"}
    names: Iterable[str] = attrs.fields_dict(cast("type[attrs.AttrsInstance]", kind))
    others = [name for name in names if name not in taken]
    # A digest last: the record of a user code has nothing but what it leads to.
    telling = [name for name in others if hints[name] in _TELLING] or [name for name in others if hints[name] == Digest]
    if not telling:
        raise TypeError(f"two of {kind.__name__} differ in no text, number or scope: there is nothing to replace")
    return telling[0]


def example(hint: Any, name: str, number: int = 0) -> Any:
    """Make a value of a type, the plainest there is; raises `TypeError` for a type that no record has had so far."""
    if isinstance(hint, NewType):
        return format(number, "064x")
    if hint is str:
        return f"{name}-{number}"
    if hint is bool:
        return False
    if hint is int:
        return number
    if hint is Scope:
        return Scope((f"{name}-{number}",))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return next(iter(hint))
    if isinstance(hint, type) and attrs.has(hint):
        hints = get_type_hints(hint)
        needed = [field.name for field in attrs.fields(hint) if field.default is attrs.NOTHING]
        return hint(**{field: example(hints[field], field, number) for field in needed})
    return _example_of_generic(hint, name, number)


def _example_of_generic(hint: Any, name: str, number: int) -> Any:
    origin, members = get_origin(hint), get_args(hint)
    if origin is Literal:
        return members[0]
    if origin in {Union, UnionType}:
        return example(next(member for member in members if member is not type(None)), name, number)
    if origin in {tuple, frozenset}:
        return origin()
    if origin in {dict, Mapping}:
        return {}
    raise TypeError(f"{name} is a {hint}, of which no example can be made")
