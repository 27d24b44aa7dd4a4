"""`GrantMachine`: hypothesis walks through lifetimes at random, over an adapter and a storage of yours."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from oauthcore.testing.client_session import CLIENT
from oauthcore.testing.lifetime import FILES, MAIL, PEOPLE, RESOURCES, SCOPES, STRANGER, UNKNOWN, Lifetime
from oauthcore.testing.misuse import MISUSES, REFRESHED_WRONGLY, How
from oauthcore.testing.model import CodeModel, RefreshModel, WaitingModel

REQUESTED = st.sampled_from(RESOURCES)
# Mostly none: what is refused for its resource brings a life no further.
NAMED = st.sampled_from(((), (), (), (), (FILES,), (MAIL,), (UNKNOWN,)))


class GrantMachine(RuleBasedStateMachine):
    """Authorize, redeem, refresh, replay, steal, revoke, withdraw, wait; hold every answer against `Lifetime`'s model.

    What is authorized is for resources, or for the server itself, and tokens are asked for of some of them (RFC 8707).

    Two people authorize one client, at the same time if it comes so; another client has seen their codes and tokens.

    Override `lifetime` to run it over your own storage and adapter, and name its test case:

        class OverMine(GrantMachine):
            def lifetime(self):
                return Lifetime(storage=factory, adapter=lambda server, world: MyApplication(server, world).handle)

        TestLifetimes = OverMine.TestCase
    """

    waiting: Bundle[WaitingModel] = Bundle("waiting")
    codes: Bundle[CodeModel] = Bundle("codes")
    refreshes: Bundle[RefreshModel] = Bundle("refreshes")

    def __init__(self) -> None:
        super().__init__()
        self.lived = self.lifetime()

    def lifetime(self) -> Lifetime:
        """Begin a life: a fresh server over a fresh storage."""
        return Lifetime()

    def teardown(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Clear the storage away."""
        self.lived.close()

    @initialize(target=refreshes, subject=st.sampled_from(PEOPLE), resources=REQUESTED)
    def begin(self, subject: str, resources: tuple[str, ...]) -> Any:
        """Begin with tokens, since without them little happens."""
        return self.lived.redeem(self.lived.authorize(SCOPES[-1], subject, resources))

    @rule(target=codes, scope=st.sampled_from(SCOPES), subject=st.sampled_from(PEOPLE), resources=REQUESTED)
    def authorize(self, scope: str, subject: str, resources: tuple[str, ...]) -> CodeModel:
        """Send a request, and have it approved."""
        return self.lived.authorize(scope, subject, resources)

    @rule(target=waiting, scope=st.sampled_from(SCOPES), subject=st.sampled_from(PEOPLE), resources=REQUESTED)
    def ask(self, scope: str, subject: str, resources: tuple[str, ...]) -> WaitingModel:
        """Send a request, and leave it waiting for its person."""
        return self.lived.ask(scope, subject, resources)

    @rule(resources=REQUESTED)
    def ask_wrongly(self, resources: tuple[str, ...]) -> None:
        """Send a request for a resource that there is not."""
        self.lived.ask_wrongly(resources)

    @rule(target=codes, waiting=consumes(waiting))
    def approve(self, waiting: WaitingModel) -> Any:
        """Have the person approve what waits for her."""
        return _some(self.lived.approve(waiting))

    @rule(target=refreshes, code=codes, resources=NAMED)
    def redeem(self, code: CodeModel, resources: tuple[str, ...]) -> Any:
        """Redeem a code, for the first time or again, for all resources or for some."""
        return _some(self.lived.redeem(code, resources))

    @rule(code=codes, how=st.sampled_from(list(MISUSES)))
    def redeem_wrongly(self, code: CodeModel, how: How) -> None:
        """Redeem a code as an attacker who has only seen it, or wrongly."""
        self.lived.redeem_wrongly(code, how)

    @rule(target=refreshes, token=refreshes, scope=st.none() | st.sampled_from(SCOPES), resources=NAMED)
    def refresh(self, token: RefreshModel, scope: str | None, resources: tuple[str, ...]) -> Any:
        """Use a refresh token, whatever has become of it."""
        return _some(self.lived.refresh(token, scope, resources))

    @rule(token=refreshes, how=st.sampled_from(REFRESHED_WRONGLY))
    def refresh_wrongly(self, token: RefreshModel, how: How) -> None:
        """Use a refresh token as an attacker who has only seen it, or wrongly."""
        self.lived.refresh_wrongly(token, how)

    @rule(token=refreshes)
    def revoke_refresh(self, token: RefreshModel) -> None:
        """Revoke a refresh token."""
        self.lived.revoke_refresh(token)

    @rule(token=refreshes)
    def revoke_access(self, token: RefreshModel) -> None:
        """Revoke the newest access token beside it."""
        self.lived.revoke_access(token.grant)

    @rule(
        subject=st.sampled_from(PEOPLE),
        client_id=st.sampled_from((None, CLIENT.client_id, STRANGER.client_id)),
    )
    def withdraw(self, subject: str, client_id: str | None) -> None:
        """Have a person take back what they authorized."""
        self.lived.withdraw(subject, client_id)

    @rule(data=st.data())
    def time_passes(self, data: st.DataObject) -> None:
        """Let time pass, as far as something happens then."""
        lifetimes = self.lived.lifetimes
        turns = (
            lifetimes.authorization_code_lifetime,
            lifetimes.refresh_retry_lifetime,
            lifetimes.access_token_lifetime,
            lifetimes.refresh_token_lifetime,
            lifetimes.grant_lifetime,
        )
        self.lived.wait(data.draw(st.sampled_from((1, *turns)), label="seconds"))

    @rule(limit=st.integers(0, 5))
    def purge(self, limit: int) -> None:
        """Purge."""
        self.lived.purge(limit)

    @invariant()
    def exactly_what_the_model_says_is_live(self) -> None:
        """Ask about every token there was."""
        self.lived.check()


def _some(made: CodeModel | RefreshModel | None) -> Any:
    return multiple() if made is None else made
