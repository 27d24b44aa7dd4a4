"""Steps: what a commit comes to, place by place, in the order in which every commit goes.

A commit may change one record several times, each change seeing what those before it did. What the database has to
know of them is the first precondition and the last result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypeAlias

import attrs

from oauthcore.flow.outcome import Change, precondition_and_result
from oauthcore.records.kinds import is_found_by_subject, kind_name
from oauthcore.records.record import Record
from oauthcore.storage.codec import dump, load
from oauthcore_sqlalchemy.table import indexed

RecordKey: TypeAlias = tuple[str, str]
"""Where a record is kept: its kind and its key, as they stand in the table."""

LATEST = 2**63 - 1

Act: TypeAlias = Literal["insert", "require", "replace", "delete", "touch"]


@attrs.frozen
class Step:
    """Hold what has to be at a place, and what is there afterwards; None for nothing."""

    place: RecordKey
    expected: Record | None
    expected_body: str | None
    after: Record | None
    after_body: str | None

    @property
    def act(self) -> Act:
        """Tell what is to be done; to touch is to insert and to delete again."""
        if self.expected_body is None:
            return "touch" if self.after is None else "insert"
        if self.after is None:
            return "delete"
        return "require" if self.after_body == self.expected_body else "replace"

    @property
    def row(self) -> dict[str, str | int | None]:
        """Return the row that is there afterwards."""
        kept = self.after
        return {
            "kind": self.place[0],
            "key": self.place[1],
            "subject": None if kept is None else subject_of(kept),
            "expires_at": None if kept is None else expiry_of(kept),
            "body": self.after_body if kept is not None else "",
        }


def steps_of(changes: Iterable[Change], partition: str) -> tuple[Step, ...] | None:
    """Sum changes up, in the order of their places; None if one contradicts those before it.

    Raises `ValueError` for what no database can hold.
    """
    steps: dict[RecordKey, Step] = {}
    for change in changes:
        expected, after = precondition_and_result(change)
        record = expected or after
        assert record is not None
        place = place_of(type(record), record.key, partition)
        earlier = steps.get(place)
        if earlier is None:
            steps[place] = Step(place, expected, spelled(expected), after, spelled(after))
        elif earlier.after != expected:
            return None
        else:
            steps[place] = attrs.evolve(earlier, after=after, after_body=spelled(after))
    # One order for all is what keeps two commits from waiting for each other.
    return tuple(steps[place] for place in sorted(steps))


def respelled(steps: Sequence[Step], stored: Mapping[RecordKey, str]) -> tuple[Step, ...] | None:
    """Return the steps with the texts that are stored, where those are other texts of the expected records; else None.

    An older version wrote a record, before a field was added: comparing texts would report a false conflict.
    """
    updated: list[Step] = []
    for step in steps:
        text = stored.get(step.place)
        if step.expected is None:
            updated.append(step)
        elif text is None or (text != step.expected_body and load(type(step.expected), text) != step.expected):
            return None
        else:
            # What is only required keeps its old text.
            after_body = text if step.act == "require" else step.after_body
            updated.append(attrs.evolve(step, expected_body=text, after_body=after_body))
    return None if updated == list(steps) else tuple(updated)


def place_of(kind: type[Record], key: str, partition: str) -> RecordKey:
    """Return where a record is kept."""
    return kind_name(kind, partition), indexed(key)


def spelled(record: Record | None) -> str | None:
    """Return a record's text; raises `ValueError` for characters that no database can hold (lone surrogates)."""
    if record is None:
        return None
    body = dump(record)
    body.encode()
    return body


def expiry_of(record: Record) -> int | None:
    """Return when a record expires, as far as a column of 64 bits goes: it is for purges, and the text has it all."""
    return None if record.expires_at is None else min(record.expires_at, LATEST)


def subject_of(record: Record) -> str | None:
    """Return the subject that a record is found by, if it is of a kind that is."""
    subject = record.subject if is_found_by_subject(record) else None
    return None if subject is None else indexed(subject)
