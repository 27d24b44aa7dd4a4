"""A life goes as the model says; and servers, storages and adapters that break an invariant are found out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from oauthcore import AuthorizationServer, MemoryStorage, Request, Response, World, run
from oauthcore.lifecycle import GrantState
from oauthcore.outcome import Change, Replace
from oauthcore.records import AuthorizationCode, Grant
from oauthcore.testing import Act, Factory, GrantMachine, Life
from oauthcore.testing import life as lives
from oauthcore.testing.walk import members_of
from tests.core.testing.storages import Sound


class Changing(MemoryStorage):
    """Be a storage that drops what it is told to drop from a commit."""

    def changed(self, change: Change) -> Change | None:
        """Give what is made of a change."""
        return change

    def commit(self, changes: Sequence[Change], /) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Commit what is left."""
        return super().commit([made for made in map(self.changed, changes) if made is not None])


class RedeemsAgain(Changing):
    """Forget that a code was redeemed."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        is_redemption = isinstance(change, Replace) and isinstance(change.new, AuthorizationCode)
        return None if is_redemption else change


class NeverRevokes(Changing):
    """Forget that a grant was revoked."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        new = change.new if isinstance(change, Replace) else None
        return None if isinstance(new, Grant) and new.state is GrantState.REVOKED else change


class NeverRotates(Changing):
    """Forget that a refresh token was used."""

    def changed(self, change: Change) -> Change | None:  # type: ignore[explicit-override]  # none in 3.11
        """Drop it."""
        new = change.new if isinstance(change, Replace) else None
        return None if isinstance(new, Grant) and new.rotation is not None else change


def retold(change: Callable[[dict[str, Any]], object]) -> lives.Adapter:
    """Give an adapter that changes what the token endpoint says."""

    def adapter(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
        def handle(request: Request) -> Response:
            response = run(server.handle(request), world)
            if request.path != "/token" or response.status != 200:
                return response
            members = members_of(response)
            change(members)
            return attrs.evolve(response, body=str(members).replace("'", '"').encode())

        return handle

    return adapter


GROWN = retold(lambda members: members.update(scope="email profile read admin"))
LONGER = retold(lambda members: members.update(expires_in=members["expires_in"] + 1))

THEFT = [Act("authorize"), Act("redeem"), Act("refresh"), Act("refresh", which=1), Act("refresh")]


@pytest.mark.parametrize("storage", [MemoryStorage, Sound])
def test_a_life_goes_as_the_model_says_over_any_storage(storage: Factory) -> None:
    life = Life(storage)

    life.play(
        [
            Act("refresh"),  # there is nothing yet to refresh, and it is passed over
            Act("authorize", scope="email profile read"),
            Act("redeem_wrongly"),
            Act("redeem"),
            Act("refresh", scope="email"),
            Act("refresh"),
            Act("refresh", which=1, scope="email profile"),
            Act("wait", seconds=300),
            Act("revoke_access", which=1),
            Act("authorize"),
            Act("redeem", which=1),
            Act("revoke_refresh", which=3),
            Act("redeem"),
        ]
    )
    life.purge(100)
    life.check()

    assert [grant.ended for grant in life.grants] == [True, True]
    life.close()


def test_a_wider_scope_is_refused_and_ends_nothing() -> None:
    life = Life()
    life.play([Act("authorize", scope="email"), Act("redeem"), Act("refresh", scope="email profile")])

    assert not life.grants[0].ended
    assert len(life.refreshes) == 1


@pytest.mark.parametrize(
    ("storage", "adapter", "acts", "says"),
    [
        (RedeemsAgain, None, [Act("authorize"), Act("redeem"), Act("redeem")], "a code that was redeemed before was"),
        (NeverRevokes, None, [*THEFT[:2], Act("revoke_refresh")], "of an ended grant is live, and should be dead"),
        (NeverRotates, None, THEFT[:3], "is live, and should be dead|is dead, and should be live"),
        (MemoryStorage, GROWN, THEFT[:2], "scope has grown"),
        (MemoryStorage, LONGER, THEFT[:2], "expires_in is not when the token expires"),
    ],
)
def test_what_breaks_an_invariant_is_found_out(
    storage: Factory, adapter: lives.Adapter | None, acts: list[Act], says: str
) -> None:
    life = Life(storage, adapter)

    with pytest.raises(AssertionError, match=says):
        life.play(acts)


def test_a_retry_that_gets_another_pair_is_found_out() -> None:
    life = Life()
    life.play(THEFT[:3])
    answer = life.refreshes[0].answer
    assert answer is not None
    life.refreshes[0].answer = {**answer, "refresh_token": "another"}

    with pytest.raises(AssertionError, match="an honest retry got another refresh_token"):
        life.play([Act("refresh")])


@pytest.mark.slow
@pytest.mark.parametrize("storage", [RedeemsAgain, NeverRevokes, NeverRotates])
def test_the_machine_finds_out_what_breaks_an_invariant(storage: Callable[[], MemoryStorage]) -> None:
    class OverIt(GrantMachine):
        def life(self) -> Life:  # type: ignore[explicit-override]  # none in 3.11
            return Life(storage)

    quick = settings(max_examples=50, stateful_step_count=15, deadline=None, derandomize=True, phases=[Phase.generate])

    with pytest.raises(AssertionError):
        run_state_machine_as_test(OverIt, settings=quick)
