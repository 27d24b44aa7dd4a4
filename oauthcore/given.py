"""What a host hands over, looked over at once: a mistake is told by the name of the setting, not by a later failure.

Types say all of this to whoever checks them. Many hosts don't, and to Python a string is a list of its letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from oauthcore.errors import ConfigurationError


def check_kind(setting: str, value: object, kind: type | tuple[type, ...], remedy: str) -> None:
    """Raise `ConfigurationError` for a value of another kind, naming its type alone: it may be a secret."""
    if not isinstance(value, kind):
        raise ConfigurationError(setting, shown(value), remedy)


def check_callable(setting: str, value: object, remedy: str) -> None:
    """Raise `ConfigurationError` for what can't be called."""
    if not callable(value):
        raise ConfigurationError(setting, shown(value), remedy)


def shown(value: object) -> str | None:
    """Return what may be said of a value that is none of those meant: its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return None if value is None else f"a value of type {type(value).__name__}"


def strings(setting: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return a list of strings; raises `ConfigurationError` for one string, and for a list of anything else."""
    check_strings(setting, found := as_strings(values))
    return found


def check_strings(setting: str, values: object) -> None:
    """Raise `ConfigurationError` for what is no list of strings, as one string is none."""
    if isinstance(values, str | bytes):
        raise ConfigurationError(setting, values, "give a list of strings, not one string")
    for value in values if isinstance(values, tuple | frozenset) else ():
        check_kind(setting, value, str, "give a list of strings")


def as_strings(values: Iterable[str]) -> tuple[str, ...]:
    """Convert a list of strings for a field of attrs; one string stays as it is, for `are_strings` to refuse."""
    return values if isinstance(values, str | bytes) else tuple(values)  # type: ignore[return-value]  # is refused


def as_string_set(values: Iterable[str]) -> frozenset[str]:
    """Convert strings for a field of attrs in which their order says nothing."""
    return values if isinstance(values, str | bytes) else frozenset(values)  # type: ignore[return-value]  # is refused


def are_strings(_: object, field: attrs.Attribute[Any], values: object) -> None:
    """Validate a field of attrs that holds strings, by its name."""
    check_strings(field.name, values)
