"""Checks of what a host passes: a mistake is reported by the name of the setting, not by a later failure.

A type checker finds all of these mistakes, but many hosts don't use one, and a string is also a sequence of strings.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import attrs

from oauthcore.errors import ConfigurationError


def check_kind(setting: str, value: object, kind: type | tuple[type, ...], remedy: str) -> None:
    """Raise `ConfigurationError` for a value of the wrong type, with its type only: the value may be a secret."""
    if not isinstance(value, kind):
        raise ConfigurationError(setting, shown(value), remedy)


def check_callable(setting: str, value: object, remedy: str) -> None:
    """Raise `ConfigurationError` for what can't be called."""
    if not callable(value):
        raise ConfigurationError(setting, shown(value), remedy)


def shown(value: object) -> str | None:
    """Return what an error may show of a value of the wrong type: its type."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    return None if value is None else f"a value of type {type(value).__name__}"


def strings(setting: str, values: Iterable[str]) -> tuple[str, ...]:
    """Return a list of strings; raises `ConfigurationError` for one string, and for a list of anything else."""
    check_strings(setting, found := as_strings(values))
    return found


def check_strings(setting: str, values: object) -> None:
    """Raise `ConfigurationError` unless it is a list of strings; a string is not one."""
    if isinstance(values, str | bytes):
        raise ConfigurationError(setting, values, "give a list of strings, not one string")
    for value in values if isinstance(values, tuple | frozenset) else ():
        check_kind(setting, value, str, "give a list of strings")


def as_strings(values: Iterable[str]) -> tuple[str, ...]:
    """Convert a list of strings for a field of attrs; a string is not converted, so that `are_strings` refuses it."""
    return values if isinstance(values, str | bytes) else tuple(values)  # type: ignore[return-value]  # is refused


def as_string_set(values: Iterable[str]) -> frozenset[str]:
    """Convert strings for a field of attrs in which their order says nothing."""
    return values if isinstance(values, str | bytes) else frozenset(values)  # type: ignore[return-value]  # is refused


def are_strings(_: object, field: attrs.Attribute[Any], values: object) -> None:
    """Validate a field of attrs that holds strings, by its name."""
    check_strings(field.name, values)
