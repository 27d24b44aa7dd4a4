"""`GrantMachine`: hypothesis walks through lifetimes at random, over an adapter and a storage of yours."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, invariant, multiple, rule

from oauthcore.testing.life import SCOPES, CodeModel, Life, RefreshModel


class GrantMachine(RuleBasedStateMachine):
    """Authorize, redeem, refresh, replay, revoke and wait, and compare every answer with the model in `Life`.

    Override `life` to run it over your own storage and adapter, and name its test case:

        class OverMine(GrantMachine):
            def life(self):
                return Life(storage=factory, adapter=lambda server, world: MyApplication(server, world).handle)

        TestLifetimes = OverMine.TestCase
    """

    codes: Bundle[CodeModel] = Bundle("codes")
    refreshes: Bundle[RefreshModel] = Bundle("refreshes")

    def __init__(self) -> None:
        super().__init__()
        self.lived = self.life()

    def life(self) -> Life:
        """Begin a life: a fresh server over a fresh storage."""
        return Life()

    def teardown(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Clear the storage away."""
        self.lived.close()

    @rule(target=codes, scope=st.sampled_from(SCOPES))
    def authorize(self, scope: str) -> CodeModel:
        """Approve a request."""
        return self.lived.authorize(scope)

    @rule(target=refreshes, code=codes)
    def redeem(self, code: CodeModel) -> Any:
        """Redeem a code, for the first time or again."""
        return _some(self.lived.redeem(code))

    @rule(code=codes)
    def redeem_wrongly(self, code: CodeModel) -> None:
        """Redeem a code with another verifier."""
        self.lived.redeem_wrongly(code)

    @rule(target=refreshes, token=refreshes, scope=st.none() | st.sampled_from(SCOPES))
    def refresh(self, token: RefreshModel, scope: str | None) -> Any:
        """Use a refresh token, whatever has become of it."""
        return _some(self.lived.refresh(token, scope))

    @rule(token=refreshes)
    def revoke_refresh(self, token: RefreshModel) -> None:
        """Revoke a refresh token."""
        self.lived.revoke_refresh(token)

    @rule(token=refreshes)
    def revoke_access(self, token: RefreshModel) -> None:
        """Revoke the newest access token beside it."""
        self.lived.revoke_access(token.grant)

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


def _some(made: RefreshModel | None) -> Any:
    return multiple() if made is None else made
