"""Names of a closed set, which can be looked up by without cost."""

from __future__ import annotations

from enum import Enum


class Named(Enum):
    """A closed set of names, hashed by identity, since `Enum` hashes its name in Python at every look-up."""

    __hash__ = object.__hash__
