"""Where records are: the names of the keys, all of one installation in one hash slot.

A commit touches a client, a grant, a code and tokens, whose keys have nothing in common, and it has to be atomic; and a
cluster is atomic within a slot only. So the prefix is the hash tag (Redis cluster specification, "Hash tags"): one
installation is in one slot, and several, each with a prefix of its own, spread over the cluster.
"""

from __future__ import annotations

import re
from typing import TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.records.kinds import is_found_by_subject, kind_name
from oauthcore.records.record import Record

RecordKey: TypeAlias = tuple[type[Record], str]
"""A kind and a key: what a record is found by."""

_PREFIX = re.compile(r"[A-Za-z0-9_.:/-]{1,100}")


@attrs.frozen
class KeyNames:
    """Name the keys of one installation; no kind's name has a dot or a colon in it, so that no two names meet."""

    prefix: str

    def __attrs_post_init__(self) -> None:
        if _PREFIX.fullmatch(self.prefix) is None:
            raise ConfigurationError("prefix", self.prefix, "use letters, digits and _.:/- alone, 100 at most")

    def of(self, kind: type[Record], key: str) -> bytes:
        """Name the key of a record; raises `ValueError` for what has no UTF-8 (lone surrogates)."""
        return self.of_kind(kind) + key.encode()

    def of_kind(self, kind: type[Record]) -> bytes:
        """Return what the names of all records of a kind begin with."""
        return f"{{{self.prefix}}}:{kind_name(kind)}:".encode()

    def of_subject(self, kind: type[Record], subject: str) -> bytes:
        """Name the key of the index of a person's records of a kind; raises `ValueError` as `of` does."""
        return f"{{{self.prefix}}}:{kind_name(kind)}.subject:{subject}".encode()

    @property
    def all(self) -> bytes:
        """Return what the names of all keys begin with."""
        return f"{{{self.prefix}}}:".encode()


def place_of(record: Record) -> RecordKey:
    """Return what a record is found by."""
    return type(record), record.key


def subject_of(record: Record | None) -> str | None:
    """Return the subject that a record is found by, if it is of a kind that is."""
    return record.subject if record is not None and is_found_by_subject(record) else None
