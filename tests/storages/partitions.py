"""Partitions of one storage: what is kept in one is nowhere in another, under whatever key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import attrs

from oauthcore.flow.outcome import Delete, Insert, Replace, Require
from oauthcore.flow.storage import Storage
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken
from oauthcore.testing.samples import sample


def check_apart(one: Storage, other: Storage) -> None:
    """Have the same keys in two partitions, and see that neither shows or changes what is the other's."""
    mine = sample(Grant, "key", subject="alice", expires_at=2_000)
    theirs = attrs.evolve(mine, client_id="theirs")
    token = sample(AccessToken, "key", expires_at=1_000)

    assert one.commit((Insert(mine), Insert(token))) is True
    assert (other.find(Grant, "key"), other.find(AccessToken, "key")) == (None, None)
    assert list(other.find_of(Grant, "alice")) == []
    # What the one has is no precondition that holds in the other, and is not in the way of what comes there.
    assert other.commit((Require(token),)) is False
    assert other.commit((Replace(mine, theirs),)) is False
    assert other.commit((Delete(token),)) is False
    assert other.commit((Insert(theirs),)) is True
    assert (one.find(Grant, "key"), other.find(Grant, "key")) == (mine, theirs)
    assert (list(one.find_of(Grant, "alice")), list(other.find_of(Grant, "alice"))) == ([mine], [theirs])
    assert other.commit((Delete(theirs),)) is True
    assert one.find(Grant, "key") == mine
    assert list(other.find_of(Grant, "alice")) == []


def check_listed_apart(
    one: Storage, other: Storage, every: Callable[[Any, type[AccessToken]], Iterable[object]]
) -> None:
    """See that what is listed for an operator is of one partition, while a purge takes what has expired in any."""
    tokens: Sequence[AccessToken] = [sample(AccessToken, key, expires_at=1_000) for key in ("a", "b")]
    assert one.commit((Insert(tokens[0]),)) is True
    assert other.commit((Insert(tokens[1]),)) is True

    assert list(every(one, AccessToken)) == [tokens[0]]
    assert list(every(other, AccessToken)) == [tokens[1]]
    assert one.purge(2_000, 100) == 2
    assert list(every(other, AccessToken)) == []
