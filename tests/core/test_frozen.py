"""Values that are made quickly are what attrs would have made, and as frozen."""

from __future__ import annotations

import copy
import inspect
import pickle

import attrs
import pytest

from oauthcore.digest import Digest
from oauthcore.frozen import evolve, made_quickly, maker
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken, AuthorizationCode
from oauthcore.scope import Scope


def _tuple(values: str) -> tuple[str, ...]:
    return tuple(values)


@attrs.frozen
class Slow:
    """Be as attrs makes it."""

    first: int
    _second: str = attrs.field(repr=False)
    third: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    fourth: int | None = attrs.field(default=None, kw_only=True)


@made_quickly
@attrs.frozen
class Quick:
    """Be the same, made quickly."""

    first: int
    _second: str = attrs.field(repr=False)
    third: tuple[str, ...] = attrs.field(default=(), converter=_tuple)
    fourth: int | None = attrs.field(default=None, kw_only=True)


ARGUMENTS = [((1, "s"), {}), ((1,), {"second": "s", "third": "ab"}), ((1, "s", "ab"), {"fourth": 4})]


@pytest.mark.parametrize(("positional", "named"), ARGUMENTS)
def test_it_is_made_as_attrs_makes_it(positional: tuple[int, str], named: dict[str, int]) -> None:
    slow = Slow(*positional, **named)  # type: ignore[arg-type]  # all sorts

    for make in (Quick, maker(Quick)):
        quick = make(*positional, **named)  # type: ignore[arg-type]  # all sorts
        assert attrs.asdict(quick) == attrs.asdict(slow)
        assert repr(quick) == repr(slow).replace("Slow", "Quick")


def test_a_subclass_is_made_as_attrs_makes_it() -> None:
    class Roomy(Quick):
        pass

    class Narrow(Quick):
        __slots__ = ()

    @attrs.frozen
    class More(Quick):
        fifth: int = 5

    made = [kind(1, "s", fourth=4) for kind in (Roomy, Narrow, More)]

    assert [type(one) for one in made] == [Roomy, Narrow, More]
    assert [(one.first, one._second, one.third, one.fourth) for one in made] == [(1, "s", (), 4)] * 3
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        made[0].first = 2  # type: ignore[misc]  # that is the point


def test_it_takes_what_the_class_took() -> None:
    slow, quick = inspect.signature(Slow), inspect.signature(Quick)

    assert [(p.name, p.kind, p.default) for p in quick.parameters.values()] == [
        (p.name, p.kind, p.default) for p in slow.parameters.values()
    ]


@pytest.mark.parametrize(("positional", "named"), [((), {}), ((1,), {}), ((1, "s", (), 4), {}), ((1, "s"), {"x": 1})])
def test_it_refuses_what_the_class_refused(positional: tuple[int, ...], named: dict[str, int]) -> None:
    for make in (Slow, Quick, maker(Quick)):
        with pytest.raises(TypeError):
            make(*positional, **named)  # type: ignore[arg-type]  # none of them fits


@pytest.mark.parametrize(
    "quick", [Quick(1, "s"), maker(Quick)(1, "s"), evolve(Quick(1, "s"), first=2), copy.copy(Quick(1, "s"))]
)
def test_nothing_can_be_changed(quick: Quick) -> None:
    assert type(quick) is Quick
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        quick.first = 3  # type: ignore[misc]  # that is what is tried
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        del quick.first
    with pytest.raises(AttributeError):
        quick.fifth = 5  # type: ignore[attr-defined]  # and this


@made_quickly
@attrs.frozen
class Small:
    """Be of one field, which is filled in another way."""

    only: tuple[str, ...] = attrs.field(default=(), converter=_tuple)


@pytest.mark.parametrize("small", [Small("ab"), maker(Small)("ab"), evolve(Small("c"), only=("a", "b"))])
def test_a_small_one_is_as_frozen(small: Small) -> None:
    assert small == Small("ab")
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        small.only = ()  # type: ignore[misc]  # that is what is tried


def test_a_change_makes_another_value() -> None:
    old = Quick(1, "s", "ab", fourth=4)

    new = evolve(old, third=(), fourth=None)

    assert new == Quick(1, "s")
    assert old == Quick(1, "s", "ab", fourth=4)
    with pytest.raises(AttributeError):
        evolve(old, fifth=5)


def test_equal_values_are_equal_and_hash_alike_however_they_were_made() -> None:
    made = [Quick(1, "s", "ab"), evolve(Quick(2, "s", "ab"), first=1), attrs.evolve(Quick(2, "s", "ab"), first=1)]

    assert len(set(made)) == 1
    assert Quick(1, "s") != made[0]


def test_records_survive_being_pickled() -> None:
    scope = Scope(("read",))
    key = Digest("k")
    token = AccessToken(
        key=key, client_id="c", subject=None, grant=None, scope=scope, audience=(), issued_at=1, expires_at=2
    )

    assert pickle.loads(pickle.dumps(token)) == token


@pytest.mark.parametrize("record", [AccessToken, AuthorizationCode, Grant])
def test_the_records_of_the_path_are_made_quickly(record: type) -> None:
    assert "frozen" in vars(record)["__init__"].__globals__


def test_a_class_with_more_to_do_is_not_taken() -> None:
    with pytest.raises(AssertionError):

        @made_quickly
        @attrs.frozen
        class _Checked:
            first: int

            def __attrs_post_init__(self) -> None:
                assert self.first
