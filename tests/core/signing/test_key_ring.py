"""The life of signing keys, by value."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.errors import ConfigurationError
from oauthcore.records.key_ring import KeyRing, RingKey
from oauthcore.records.lifecycle import KeyState
from oauthcore.signing.key_ring import (
    MAX_REMEMBERED,
    KeyPolicy,
    active_of,
    advance_ring,
    missing_algorithms,
    publish,
    succeed,
    supersede,
    waiting_of,
)

POLICY = KeyPolicy(
    algorithms=("ES256", "EdDSA"),
    active_lifetime=1_000,
    published_lifetime=100,
    signed_lifetime=50,
    hint_lifetime=500,
    jwks_lifetime=80,
    cache_lifetime=10,
)


def key(kid: str, now: int = 0, alg: str = "ES256") -> RingKey:
    """Make a key."""
    return RingKey(kid=kid, alg=alg, public=f"public {kid}", private=f"private {kid}", created_at=now)


def states(ring: KeyRing) -> dict[str, str]:
    """Return the state of each key."""
    return {key.kid: key.state.value for key in ring.keys}


EMPTY = KeyRing(issuer="https://as.example")
FIRST = publish(EMPTY, key("a"), 0)


def test_an_empty_ring_wants_a_key_for_each_algorithm() -> None:
    assert missing_algorithms(EMPTY, 0, POLICY) == ("ES256", "EdDSA")
    assert missing_algorithms(FIRST, 0, POLICY) == ("EdDSA",)


def test_the_first_key_of_an_algorithm_signs_at_once() -> None:
    ring = publish(FIRST, key("b", 5, "EdDSA"), 5)

    assert states(ring) == {"a": "active", "b": "active"}
    assert [key.activated_at for key in ring.keys] == [0, 5]


def test_a_successor_is_wanted_before_the_active_key_is_too_old() -> None:
    assert missing_algorithms(FIRST, 899, attrs.evolve(POLICY, algorithms=("ES256",))) == ()
    assert missing_algorithms(FIRST, 900, attrs.evolve(POLICY, algorithms=("ES256",))) == ("ES256",)
    assert (
        missing_algorithms(succeed(FIRST, key("b", 900), 900), 950, attrs.evolve(POLICY, algorithms=("ES256",))) == ()
    )


def test_a_successor_signs_only_once_it_was_published_long_enough() -> None:
    ring = succeed(FIRST, key("b", 900), 900)

    assert states(ring) == {"a": "active", "b": "published"}
    assert advance_ring(ring, 999, POLICY) is None
    turned = advance_ring(ring, 1_000, POLICY)
    assert turned is not None
    assert states(turned) == {"a": "retired", "b": "active"}
    assert (turned.keys[0].retired_at, turned.keys[1].activated_at) == (1_000, 1_000)


def test_a_retired_key_keeps_its_public_half_alone() -> None:
    turned = advance_ring(succeed(FIRST, key("b", 900), 900), 1_000, POLICY)

    assert turned is not None
    assert (turned.keys[0].public, turned.keys[0].private) == ("public a", None)
    assert turned.keys[1].private == "private b"


def test_a_retired_key_is_published_until_the_last_token_it_can_have_signed_has_expired() -> None:
    """A worker that remembers the ring signs with it for 10 seconds more, and that lasts 50."""
    turned = advance_ring(succeed(FIRST, key("b", 900), 900), 1_000, POLICY)

    assert turned is not None
    assert advance_ring(turned, 1_059, POLICY) is None
    later = advance_ring(turned, 1_060, POLICY)
    assert later is not None
    assert states(later) == {"a": "remembered", "b": "active"}


def test_a_key_that_is_published_no_more_is_remembered_for_hints_until_sessions_it_signed_in_are_over() -> None:
    turned = advance_ring(succeed(FIRST, key("b", 900), 900), 1_000, POLICY)
    assert turned is not None
    turned = advance_ring(turned, 1_060, POLICY)

    assert turned is not None
    assert advance_ring(turned, 1_509, POLICY) is None
    later = advance_ring(turned, 1_510, POLICY)
    assert later is not None
    assert states(later) == {"b": "active"}


def test_a_key_is_not_remembered_where_no_hints_are_to_outlive_it() -> None:
    policy = attrs.evolve(POLICY, hint_lifetime=0)
    turned = advance_ring(succeed(FIRST, key("b", 900), 900), 1_000, policy)
    assert turned is not None

    later = advance_ring(turned, 1_060, policy)

    assert later is not None
    assert states(later) == {"b": "active"}


def test_so_many_keys_are_remembered_and_the_oldest_go_first() -> None:
    ring = FIRST
    for number in range(MAX_REMEMBERED + 5):
        ring = supersede(ring, key(str(number), 1), 1 + number)

    turned = advance_ring(ring, 200, POLICY)

    assert turned is not None
    remembered = [kid for kid, state in states(turned).items() if state == "remembered"]
    assert remembered == [str(number) for number in range(4, MAX_REMEMBERED + 4)]


def test_a_second_successor_is_refused() -> None:
    ring = succeed(FIRST, key("b", 10), 10)

    with pytest.raises(ConfigurationError, match="b is published already"):
        succeed(ring, key("c", 11), 11)
    assert states(succeed(ring, key("d", 11, "EdDSA"), 11)) == {"a": "active", "b": "published", "d": "active"}


def test_after_a_theft_a_fresh_key_signs_at_once_and_one_that_waited_is_gone() -> None:
    ring = supersede(succeed(FIRST, key("b", 10), 10), key("c", 20), 20)

    assert states(ring) == {"a": "retired", "c": "active"}
    assert states(supersede(EMPTY, key("c", 20), 20)) == {"c": "active"}


def test_a_kid_that_is_there_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="use another kid"):
        publish(FIRST, key("a", 5, "EdDSA"), 5)


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"algorithms": ["none"]}, "algorithms"),
        ({"algorithms": ["HS256"]}, "algorithms"),
        ({"published_lifetime": 89}, "published_lifetime"),
        ({"active_lifetime": 100}, "active_lifetime"),
        ({"signed_lifetime": -1}, "signed_lifetime"),
        ({"cache_lifetime": -1}, "cache_lifetime"),
        ({"jwks_lifetime": -1}, "jwks_lifetime"),
        ({"hint_lifetime": -1}, "hint_lifetime"),
    ],
)
def test_times_that_do_not_fit_together_are_refused(settings: dict[str, object], named: str) -> None:
    with pytest.raises(ConfigurationError) as refusal:
        attrs.evolve(POLICY, **settings)  # type: ignore[arg-type]  # whatever it is

    assert refusal.value.setting == f"keys.{named}"


def test_the_defaults_fit_together() -> None:
    assert KeyPolicy().algorithms == ("RS256",)


@given(st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["tick", "rotate", "theft"])), max_size=30))
def test_whatever_happens_one_key_signs_and_everything_that_signed_is_published(steps: list[tuple[int, str]]) -> None:
    ring, now, signed_at = EMPTY, 0, dict[str, int]()
    policy = attrs.evolve(POLICY, algorithms=("ES256",))
    for number, (seconds, step) in enumerate(steps):
        now += seconds
        before = ring
        ring = advance_ring(ring, now, policy) or ring
        fresh = key(str(number), now)
        if step == "rotate" and waiting_of(ring, "ES256") is None:
            ring = succeed(ring, fresh, now)
        elif step == "theft":
            ring = supersede(ring, fresh, now)
        elif missing_algorithms(ring, now, policy):
            ring = publish(ring, fresh, now)
        if active_of(ring, "ES256") is None:
            ring = publish(ring, attrs.evolve(fresh, kid=f"{number}'"), now)

        active = [key for key in ring.keys if key.state is KeyState.ACTIVE]
        assert len(active) == 1
        assert sum(key.state is KeyState.PUBLISHED for key in ring.keys) <= 1
        # Whoever remembers the ring from before may be signing with its active key for a while yet.
        for remembered in (before, ring):
            if (signer := active_of(remembered, "ES256")) is not None:
                signed_at[signer.kid] = now
        published = {key.kid for key in ring.keys if key.state is not KeyState.REMEMBERED}
        assert all(kid in published for kid, at in signed_at.items() if now < at + policy.signed_lifetime)
        without_private = {KeyState.RETIRED, KeyState.REMEMBERED}
        assert all((key.private is None) == (key.state in without_private) for key in ring.keys)
