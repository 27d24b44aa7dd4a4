"""The contract of storage, as tests that anybody can run over a storage of their own, blocking or async."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.records.record import Record
from oauthcore.testing.contract import (
    cancellation,
    connection,
    contents,
    expiry,
    names,
    preconditions,
    races,
    seeing,
)
from oauthcore.testing.contract.clause import LINES, Clause, ClauseBroken, NotOffered, Terms
from oauthcore.testing.storage_probe import Factory, StorageUnderTest

__all__ = [
    "Checked",
    "Clause",
    "ClauseBroken",
    "ContractBroken",
    "Factory",
    "NotOffered",
    "StorageUnderTest",
    "Terms",
    "check_storage",
    "clauses",
]

# Of each story, where there are several: one cause often breaks many clauses.
FEW = 20

_ROOMS = (preconditions, names, contents, expiry, races, seeing, cancellation, connection)
clauses: tuple[Clause, ...] = tuple(Clause.of(play) for room in _ROOMS for play in room.CLAUSES)
"""Every clause, for `pytest.mark.parametrize("clause", clauses, ids=str)`; `clause.check(factory)` checks it."""


@attrs.frozen
class Checked:
    """Tell which clauses hold, and which could not be told, by name, since the storage offers no hook for them."""

    held: tuple[str, ...]
    skipped: tuple[str, ...]


class ContractBroken(AssertionError):
    """Tell every clause that a storage breaks; `broken` are the failures one by one, with their whole stories."""

    def __init__(self, broken: tuple[ClauseBroken, ...]) -> None:
        names = "".join(f"\n  {each.clause}" for each in broken)
        what = "clause is" if len(broken) == 1 else "clauses are"
        stories = (each.in_words(FEW if len(broken) > 1 else LINES) for each in broken)
        super().__init__("\n\n".join((f"{len(broken)} of {len(clauses)} {what} broken:{names}", *stories)))
        self.broken = broken


def check_storage(factory: Factory, terms: Terms | None = None, *, kinds: Sequence[type[Record]] = ()) -> Checked:
    """Check every clause, each over a fresh storage; raises `ContractBroken` with all that do not hold.

    `factory` gives a fresh and empty storage at each call: a `Storage`, an `AsyncStorage`, or a `StorageUnderTest` that
    offers more; returned, awaited, or by a context manager of either kind. What it raises is raised as it
    is, and `TypeError` where it gives no storage. `kinds` are records of a host's own, to be kept beside the core's.
    """
    terms = terms or Terms()
    terms = attrs.evolve(terms, kinds=(*terms.kinds, *kinds))
    held, skipped, broken = list[str](), list[str](), list[ClauseBroken]()
    for clause in clauses:
        try:
            clause.check(factory, terms)
        except NotOffered:
            skipped.append(clause.name)
        except ClauseBroken as failure:
            broken.append(failure)
        else:
            held.append(clause.name)
    if broken:
        raise ContractBroken(tuple(broken))
    return Checked(tuple(held), tuple(skipped))
