"""Storage that fails at any step: 503, and nothing half done (every call, before and after it was carried out)."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from oauthcore import Response
from oauthcore.flow.effects import Flow
from oauthcore.testing import Outage
from tests.core.site import Site, handle_of, location, make_site, members
from tests.core.test_interleavings import redemption, refresh, revocation

Prepare = Callable[[Site], Callable[[], Flow[Response]]]


def to_redeem(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to redeem a code."""
    request = redemption(site.code())
    return lambda: site.server.handle(request)


def to_refresh(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to refresh."""
    request = refresh(site.tokens()["refresh_token"])
    return lambda: site.server.handle(request)


def to_reuse(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to use a spent refresh token."""
    first = site.tokens()["refresh_token"]
    second = members(site.refresh(first))["refresh_token"]
    site.refresh(second)
    return lambda: site.server.handle(refresh(first))


def to_revoke(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to revoke a grant."""
    request = revocation(site.tokens()["refresh_token"])
    return lambda: site.server.handle(request)


def to_finish(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to report an approval."""
    handle = handle_of(site.authorize())
    return lambda: site.server.interactions.finish(handle, site.alice, ["email"])


def to_deny(site: Site) -> Callable[[], Flow[Response]]:
    """Make ready to report a denial."""
    handle = handle_of(site.authorize())
    return lambda: site.server.interactions.deny(handle, site.alice)


FLOWS: dict[str, Prepare] = {
    "redeem": to_redeem,
    "refresh": to_refresh,
    "reuse": to_reuse,
    "revoke": to_revoke,
    "finish": to_finish,
    "deny": to_deny,
}


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize("name", sorted(FLOWS))
def test_a_failure_at_any_step_is_a_503_and_leaves_all_or_nothing(name: str, at: int, after: bool) -> None:
    reference = make_site()
    before = dict(reference.world.storage._records)  # type: ignore[attr-defined]  # the whole state is what is compared
    begin = FLOWS[name](reference)
    before = dict(reference.world.storage._records)  # type: ignore[attr-defined]
    expected = reference.drive(begin(), reference.world)
    done = dict(reference.world.storage._records)  # type: ignore[attr-defined]
    site = make_site()
    begin = FLOWS[name](site)
    outage = Outage(site.world.storage, at, after)

    response = site.drive(begin(), attrs.evolve(site.world, storage=outage))

    state = dict(site.world.storage._records)  # type: ignore[attr-defined]
    if not outage.happened:
        assert response.status == expected.status
        return
    assert response.status == 503
    assert response.header("location") is None
    assert response.refusal is not None
    assert response.refusal.code == "temporarily_unavailable"
    assert "Down" in response.refusal.reason
    assert state in (before, done)
    # Only a commit that was carried out, and whose answer was lost, may have changed anything.
    assert state == before or after


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("at", range(4))
def test_a_client_that_retries_a_refresh_after_any_failure_gets_its_tokens(at: int, after: bool) -> None:
    site = make_site()
    begin = to_refresh(site)
    site.drive(begin(), attrs.evolve(site.world, storage=Outage(site.world.storage, at, after)))

    retried = site.drive(begin(), site.world)

    assert retried.status == 200
    assert site.is_active(members(retried)["access_token"])
    assert site.is_active(members(retried)["refresh_token"])


def test_a_browser_that_meets_a_failure_is_shown_a_page_and_may_try_again() -> None:
    site = make_site()
    finished = site.drive(
        site.server.interactions.finish(handle_of(site.authorize()), site.alice, ["email"]), site.world
    )
    whole = site.world
    site.world = attrs.evolve(whole, storage=Outage(whole.storage, at=3))

    failed = site.get(location(finished))
    site.world = whole
    answered = site.get(location(finished))

    assert failed.status == 503
    assert failed.header("content-type") == "text/html; charset=utf-8"
    assert "code=" in location(answered)
