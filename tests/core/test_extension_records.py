"""Records of an extension: kept, found by their subject, used once, and called by a name that the core has not.

Run over every storage, as the interleavings are: what an extension stores is kept as the core's own records are.
"""

from __future__ import annotations

import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar

import attrs
import pytest

import oauthcore
from oauthcore import ConfigurationError, MemoryStorage
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Delete, Insert, Replace
from oauthcore.records.kinds import kind_name
from oauthcore.testing import Factory, interleave

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "extending.md").read_text(encoding="utf-8")


@attrs.frozen(kw_only=True)
class Membership:
    """Be found by whose it is, as consents are."""

    found_by_subject: ClassVar[bool] = True

    key: Digest
    subject: str
    team: str | None = None
    expires_at: int | None = None


@attrs.frozen(kw_only=True)
class Client:
    """Be called like a record of the core's."""

    key: str
    subject: str = "alice"
    expires_at: int | None = None


@attrs.frozen(kw_only=True)
class Unindexed:
    """Have a subject, and not say that it is found by it."""

    key: str
    subject: str = "alice"
    expires_at: int | None = None


def on_the_page() -> dict[str, Any]:
    """Return what the code on the page about extensions defines, once all of it has run."""
    names: dict[str, Any] = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS / "examples")
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[1:]:
            exec(compile(block, "extending.md", "exec", dont_inherit=True), names)
    return names


@pytest.mark.slow
def test_what_an_extension_lets_be_used_once_is_used_once_in_every_order(kept: Factory) -> None:
    names = on_the_page()
    redeem_once = names["redeem_once"]

    explored = interleave(
        redeem_once, redeem_once, prepare=names["prepare"], check=names["one_is_answered"], storage=kept
    )

    assert explored.schedules > 1


def test_records_of_an_extension_are_found_by_their_subject_if_their_class_says_so(kept: Factory) -> None:
    storage: Any = kept()
    one, two = (Membership(key=Digest(f"{n:064x}"), subject="alice") for n in (1, 2))
    moved = attrs.evolve(two, subject="bob", team="b")

    assert storage.commit((Insert(one), Insert(two)))
    both = storage.find_of(Membership, "alice")
    assert storage.commit((Replace(two, moved), Delete(one)))

    assert sorted(both, key=lambda record: record.key) == [one, two]
    assert (list(storage.find_of(Membership, "alice")), list(storage.find_of(Membership, "bob"))) == ([], [moved])
    assert storage.find(Membership, two.key) == moved


def test_a_record_that_is_called_like_one_of_the_core_s_is_never_taken_for_it(kept: Factory) -> None:
    storage: Any = kept()

    # Storages that keep kinds by their names refuse it; memory keeps them by their classes.
    refused = pytest.raises(ConfigurationError, match="give the class another name; the core has one")
    with nullcontext() if isinstance(storage, MemoryStorage) else refused:
        storage.commit((Insert(Client(key="app")),))

    assert storage.find(oauthcore.Client, "app") is None


def another_extensions(kind: type, module: str) -> Any:
    """Return a class of the same name and fields, as another package defines it."""
    return type(kind.__name__, (kind,), {"__module__": module, "__qualname__": kind.__name__})


def test_a_record_that_is_called_like_another_extensions_is_never_taken_for_it(kept: Factory) -> None:
    storage: Any = kept()
    ours, theirs = Membership(key=Digest("1" * 64), subject="alice"), another_extensions(Membership, "other_extension")
    assert storage.commit((Insert(ours),))

    # As with the core's: memory keeps kinds by their classes.
    refused = pytest.raises(ConfigurationError, match=r"other_extension\.Membership.*: give the class another name")
    with nullcontext() if isinstance(storage, MemoryStorage) else refused:
        assert storage.find(theirs, ours.key) is None

    assert storage.find(Membership, ours.key) == ours


def test_the_second_of_two_kinds_of_one_name_is_refused_and_the_first_is_named() -> None:
    ours, theirs = (another_extensions(Membership, module) for module in ("ours", "theirs"))
    for kind in (ours, theirs):
        kind.__name__ = kind.__qualname__ = "Invited"
    assert kind_name(ours) == "Invited"

    with pytest.raises(ConfigurationError, match=r"theirs\.Invited.*: give the class another name; ours\.Invited is"):
        kind_name(theirs)

    assert kind_name(theirs, "elsewhere") == "elsewhere/Invited"


def test_a_class_that_is_defined_once_more_where_it_was_is_the_same_extensions(kept: Factory) -> None:
    storage: Any = kept()
    before, again = (another_extensions(Membership, "notebook.reloaded") for _ in range(2))
    before.__qualname__ = again.__qualname__ = before.__name__ = again.__name__ = "Reloaded"
    assert storage.commit((Insert(before(key=Digest("1" * 64), subject="alice")),))

    found = storage.find(again, Digest("1" * 64))

    assert isinstance(storage, MemoryStorage) or type(found) is again


def test_a_record_that_does_not_say_that_it_is_found_by_its_subject_is_found_so_in_no_storage(kept: Factory) -> None:
    storage: Any = kept()
    record = Unindexed(key="one")
    assert storage.commit([Insert(record)])

    assert list(storage.find_of(Unindexed, "alice")) == []
    assert storage.find(Unindexed, "one") == record
