"""Whole lifetimes of grants, as lists of what happens in them."""

from __future__ import annotations

from hypothesis import strategies as st

from oauthcore.testing.lifetime import PEOPLE, RESOURCES, SCOPES, UNKNOWN, Act
from oauthcore.testing.misuse import MISUSES, REFRESHED_WRONGLY

_requested = st.sampled_from(RESOURCES)
_named = st.sampled_from((*RESOURCES, (UNKNOWN,)))
_TURNS = (1, 30, 60, 90, 300, 900, 3_600)
acts: st.SearchStrategy[Act] = st.one_of(
    st.builds(
        Act,
        st.sampled_from(("authorize", "ask")),
        scope=st.sampled_from(SCOPES),
        subject=st.sampled_from(PEOPLE),
        resources=_requested,
    ),
    st.builds(Act, st.just("ask_wrongly"), resources=_requested),
    st.builds(Act, st.just("approve"), which=st.integers(0, 9)),
    st.builds(Act, st.just("redeem"), which=st.integers(0, 9), resources=_named),
    st.builds(Act, st.just("redeem_wrongly"), which=st.integers(0, 9), how=st.sampled_from(list(MISUSES))),
    st.builds(Act, st.just("refresh_wrongly"), which=st.integers(0, 9), how=st.sampled_from(REFRESHED_WRONGLY)),
    st.builds(
        Act,
        st.just("refresh"),
        which=st.integers(0, 9),
        scope=st.none() | st.sampled_from(SCOPES),
        resources=st.just(()) | _named,
    ),
    st.builds(Act, st.sampled_from(("revoke_refresh", "revoke_access")), which=st.integers(0, 9)),
    st.builds(Act, st.just("withdraw"), subject=st.sampled_from(PEOPLE)),
    st.builds(Act, st.just("wait"), seconds=st.sampled_from(_TURNS)),
)
"""What may happen next in the lifetime of a grant."""


def lifetimes(max_size: int = 20) -> st.SearchStrategy[list[Act]]:
    """Return whole lifetimes, for `Lifetime.play`: each begins with an authorization and its redemption."""
    begin = [Act("authorize"), Act("redeem")]
    return st.lists(acts, max_size=max_size).map(lambda more: [*begin, *more])
