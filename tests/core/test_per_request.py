"""Values that are made at each request are values: equal, hashable, without room for more, and frozen for mypy."""

from __future__ import annotations

import pickle

import attrs
import pytest

from oauthcore.digest import Digest, Secret
from oauthcore.per_request import per_request
from oauthcore.records.token import AccessToken
from oauthcore.scope import Scope
from oauthcore.wire.http import Request

TOKEN = AccessToken(
    key=Digest("k"),
    client_id="c",
    subject=None,
    grant=None,
    scope=Scope(("read",)),
    audience=(),
    issued_at=1,
    expires_at=2,
)


def lowered(text: str) -> str:
    """Return what is kept."""
    return text.lower()


@per_request
class Letter:
    """Be one of them."""

    text: str = attrs.field(converter=lowered)
    pages: int = 1


def test_equal_values_are_equal_and_hash_alike() -> None:
    assert len({Letter("A"), Letter("a", 1), attrs.evolve(Letter("b"), text="a")}) == 1
    assert Letter("a") != Letter("a", 2)


def test_there_is_no_room_for_what_is_no_field() -> None:
    with pytest.raises(AttributeError):
        Letter("a").colour = "red"  # type: ignore[attr-defined]


def test_a_changed_copy_leaves_the_value_as_it_was() -> None:
    letter = Letter("a")

    assert attrs.evolve(letter, pages=2) == Letter("a", 2)
    assert letter == Letter("a")


@pytest.mark.parametrize("value", [TOKEN, Secret("s"), Request("GET", "/")], ids=lambda value: type(value).__name__)
def test_values_survive_being_pickled(value: object) -> None:
    assert pickle.loads(pickle.dumps(value)) == value
