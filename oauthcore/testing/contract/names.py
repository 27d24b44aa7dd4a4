"""Clauses about what a record is found by: keys within their kind, subjects, each compared character by character."""

from __future__ import annotations

from typing import Any

from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.records.client import Client
from oauthcore.records.kinds import BY_SUBJECT, has_subject
from oauthcore.records.record import Record
from oauthcore.testing.contract.clause import NotOffered, Terms
from oauthcore.testing.samples import sample
from oauthcore.testing.storage_probe import StorageProbe
from oauthcore.testing.telling import unlike

# How long a key or a subject may be; `sub` has at most 255 characters (OIDC Core section 2).
LONGEST = 255
# Each of them is another name than all of the others, though a database may collate, trim, normalise or cut.
ALIKE = (
    "a",
    "A",
    "a ",
    " a",
    "á",  # one character
    "a\u0301",  # two that look the same
    "\uff41",  # a wide one
    "ß",
    "ss",
    "\u0131",  # one without a dot
    "i",
    "I",
    "%",
    "_",
    "*",
    "a*",
    "a:b",
    "a/b",
    "{a}",
    "'a'",
    '"a"',
    "\\",
    "\\\\",
    "0",
    "00",
    "0.0",
    "null",
    "🔑",
    "🔒",
    "x" * (LONGEST - 1),
    "x" * LONGEST,
    "ж" * LONGEST,
    "🔑" * LONGEST,
)
# As much as the core lets anybody send.
TOO_LONG = "x" * 65_000
# What PostgreSQL's text does not hold, and half of a pair, which has no UTF-8.
UNWRITABLE = ("a\0", "\ud800")


def keys_belong_to_their_kind(probe: StorageProbe, terms: Terms) -> None:
    """A record is found by its kind and key: records of different kinds may have the same key."""
    for kind in terms.kinds:
        probe.put(sample(kind, "a", 1))
        for other in terms.kinds:
            expected = terms.kinds.index(other) <= terms.kinds.index(kind)
            if (probe.find(other, "a") is not None) is not expected:
                raise AssertionError(f"{kind.__name__} is found as {other.__name__}")
    first = terms.kinds[0]
    if not probe.tried(Delete(sample(first, "a", 1))):
        raise AssertionError(f"the {first.__name__} could not be deleted")
    for kind in terms.kinds[1:]:
        found = probe.find(kind, "a")
        if found != sample(kind, "a", 1):
            raise AssertionError(f"when the {first.__name__} went, {unlike(found, sample(kind, 'a', 1))}")


def keys_are_exact(probe: StorageProbe, terms: Terms) -> None:
    """Keys are compared character by character: case, accents, spaces and length count, wildcards mean nothing."""
    known: list[str] = []
    for number, key in enumerate(ALIKE):
        if probe.find(Client, key) is not None:
            raise AssertionError(f"{key[:9]!r} is found, of {known!r}")
        if not probe.tried(Insert(sample(Client, key, number))):
            raise AssertionError(f"{key[:9]!r} can't be inserted beside {known!r}")
        known.append(key[:9])
    for number, key in enumerate(ALIKE):
        record = sample(Client, key, number)
        found = probe.find(Client, key)
        if found != record:
            raise AssertionError(f"under {key[:9]!r} {unlike(found, record)}")
        if not probe.tried(Require(record)):
            raise AssertionError(f"under {key[:9]!r} is not required what was inserted")
    for number, key in enumerate(ALIKE):
        if not probe.tried(Delete(sample(Client, key, number))):
            raise AssertionError(f"{key[:9]!r} can't be deleted")
        rest = [probe.find(Client, other) is not None for other in ALIKE]
        if rest != [False] * (number + 1) + [True] * (len(ALIKE) - number - 1):
            raise AssertionError(f"{key[:9]!r} took others along")


def whatever_is_asked_for_is_missing_rather_than_an_error(probe: StorageProbe, terms: Terms) -> None:
    """Any text can be looked up and is not found, however long it is, and even if it can't be encoded."""
    for kind in terms.kinds:
        for key in (*ALIKE, "", TOO_LONG, "ж" * 30_000, *UNWRITABLE):
            if probe.find(kind, key) is not None:
                raise AssertionError(f"there is a {kind.__name__} under {key[:9]!r}")
    for kind in BY_SUBJECT:
        for subject in ("", TOO_LONG, *UNWRITABLE):
            if probe.find_of(kind, subject):
                raise AssertionError(f"there is a {kind.__name__} of {subject[:9]!r}")


def find_of_gives_all_of_a_subject(probe: StorageProbe, terms: Terms) -> None:
    """`find_of` returns every record of the kind with the subject, be it none or a hundred, and nothing else."""
    for kind in _by_subject(terms):
        mine = [_owned(kind, f"m{number}", "alice") for number in range(100)]
        probe.put(*mine, _owned(kind, "other", "bob"))
        _holds(probe, kind, "alice", mine)
        _holds(probe, kind, "bob", [_owned(kind, "other", "bob")])
        _holds(probe, kind, "carol", [])


def find_of_follows_every_change(probe: StorageProbe, terms: Terms) -> None:
    """`find_of` follows each commit: what was replaced, moved or deleted, and what was not since the commit failed."""
    for kind in _by_subject(terms):
        one, changed, moved = (
            _owned(kind, "1", "alice", 1),
            _owned(kind, "1", "alice", 2),
            _owned(kind, "1", "bob", 3),
        )
        two = _owned(kind, "2", "alice", 1)
        probe.put(one)
        if probe.tried(Insert(two), Insert(one)):
            raise AssertionError("a record was inserted that is there")
        _holds(probe, kind, "alice", [one])
        _made(probe, Replace(one, changed), Insert(two))
        _holds(probe, kind, "alice", [changed, two])
        _made(probe, Replace(changed, moved))
        _holds(probe, kind, "alice", [two])
        _holds(probe, kind, "bob", [moved])
        _made(probe, Delete(moved), Delete(two))
        _holds(probe, kind, "alice", [])
        _holds(probe, kind, "bob", [])


def subjects_are_exact(probe: StorageProbe, terms: Terms) -> None:
    """Subjects are compared character by character, as keys are."""
    for kind in _by_subject(terms):
        owned = {subject: _owned(kind, f"{number}", subject) for number, subject in enumerate(ALIKE)}
        probe.put(*owned.values())
        for subject, record in owned.items():
            _holds(probe, kind, subject, [record])


def _by_subject(terms: Terms) -> list[type[Any]]:
    kinds = [kind for kind in terms.kinds if has_subject(kind)]
    if not kinds:
        raise NotOffered("none of these kinds is found by subject")
    return kinds


def _owned(kind: type[Any], key: str, subject: str, number: int = 0) -> Any:
    return sample(kind, key, number, subject=subject)


def _made(probe: StorageProbe, *changes: Change) -> None:
    if not probe.tried(*changes):
        raise AssertionError("a commit failed whose preconditions hold")


def _holds(probe: StorageProbe, kind: type[Any], subject: str, expected: list[Record]) -> None:
    found = sorted(probe.find_of(kind, subject), key=lambda record: record.key)
    wanted = sorted(expected, key=lambda record: record.key)
    them = f"{kind.__name__}s of {subject[:9]!r}"
    if len(found) != len(wanted):
        raise AssertionError(f"there are {len(wanted)} {them}, and find_of gave {len(found)}")
    for one, other in zip(found, wanted, strict=True):
        if one != other:
            raise AssertionError(f"of the {them}, {unlike(one, other)}")


CLAUSES = (
    keys_belong_to_their_kind,
    keys_are_exact,
    whatever_is_asked_for_is_missing_rather_than_an_error,
    find_of_gives_all_of_a_subject,
    find_of_follows_every_change,
    subjects_are_exact,
)
