"""Folding: the changes of a commit, in order, become one demand for each place.

Each change of a place sees what those before it did, and all of them are known here. So whether they fit together is
computed without the server, and what is left to ask is: is there at first what the first one wants?
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from oauthcore.flow.outcome import Change, precondition_and_result
from oauthcore.records.record import Record
from oauthcore_redis.key_names import RecordKey, place_of


@attrs.frozen
class Demand:
    """Say what has to be at a place before a commit, and what is there afterwards; None is nothing."""

    before: Record | None
    after: Record | None


def merge_changes(changes: Sequence[Change]) -> Mapping[RecordKey, Demand] | None:
    """Return the demand for each place, or None if one change precludes another, so that they can't all be made."""
    demands: dict[RecordKey, Demand] = {}
    for change in changes:
        before, after = precondition_and_result(change)
        record = after or before
        assert record is not None
        place = place_of(record)
        earlier = demands.get(place)
        if earlier is None:
            demands[place] = Demand(before, after)
        elif earlier.after != before:
            return None
        else:
            demands[place] = Demand(earlier.before, after)
    return demands
