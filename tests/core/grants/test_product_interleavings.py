"""Every two uses of grants that share a client, a user or a grant, and each with what ends them, in every order.

What is right follows from two tables and not from each pair: what a use consumes it gives once, and after what ends it
nothing is live that it gave. All pairs of endings are left to `nox -s full`, which runs each pair over one storage.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from itertools import combinations_with_replacement, product
from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, DeviceGrant, ExchangeRule, Request, Response, TokenExchange, World
from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.ciba import Ciba
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.flow.effects import Claims, Flow, find
from oauthcore.flow.outcome import Decision, Delete, Insert
from oauthcore.flow.storage import Storage
from oauthcore.flow.transact import commit_with_retry
from oauthcore.grants.jwt_bearer import GRANT_TYPE as JWT_BEARER
from oauthcore.openid import OpenID
from oauthcore.policy import Policy
from oauthcore.records.login import Login
from oauthcore.signing.keys import GivenKeys
from oauthcore.testing import Factory, Run
from oauthcore.token_exchange import GRANT_TYPE as EXCHANGE
from oauthcore.token_exchange import TOKEN_TYPE
from tests.core.assertions.issuing import assertion
from tests.core.assertions.trusting import ISSUERS
from tests.core.oidc.provider import sign_as_json
from tests.core.signing_keys import key_for
from tests.core.site import FORM, REDIRECT, VERIFIER, Site, basic, form, members, params
from tests.core.test_interleavings import Meeting

# Two hundred pairs, whose outcome is the preconditions' doing: that every storage keeps those, its contract shows.
pytestmark = pytest.mark.shared_out

Record = Callable[[str, object], None]

APP = Client(
    client_id="app",
    redirect_uris=(REDIRECT,),
    grant_types=("authorization_code", "refresh_token", JWT_BEARER, DEVICE_CODE, CIBA),
    scope="openid read",
    backchannel_token_delivery_mode="poll",
)
GATEWAY = Client(client_id="gateway", grant_types=(EXCHANGE,), response_types=(), scope="openid read")
RESOURCE = Client(
    client_id="resource", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)
SECRETS = {client.client_id: f"{client.client_id}-secret" for client in (APP, GATEWAY, RESOURCE)}
RULE = ExchangeRule(client_ids=["gateway"], subject_client_ids=["app"], audience=["https://api.example"])
SETTINGS: dict[str, Any] = {
    "clients": (APP, GATEWAY, RESOURCE),
    "secrets": SECRETS,
    "openid": OpenID(),
    "keys": GivenKeys([key_for("RS256")]),
    "ciba": Ciba(),
    "device": DeviceGrant(),
    "token_exchange": TokenExchange(rules=[RULE]),
    "trusted_issuers": ISSUERS,
}


@attrs.frozen(kw_only=True)
class Account:
    """Be the application's record of a user: who has none does not exist."""

    key: str
    expires_at: int | None = None


def world(storage: Storage) -> World:
    """Return the world of an application whose users are records of the same storage."""

    def claims(asked: Claims) -> Mapping[str, object] | None:
        return None if storage.find(Account, asked.subject) is None else {}

    return World(storage, claims=claims, sign=sign_as_json, identify=lambda asked: "alice")


def remove_user(subject: str) -> Flow[bool]:
    """Remove a user, as an application does."""

    def decision() -> Flow[Decision[bool]]:
        account = yield from find(Account, subject)
        return Decision(account is not None, () if account is None else (Delete(account),))

    return commit_with_retry(decision)


def tried(flow: Flow[Any]) -> Flow[Any]:
    """Return what a call of the operator's returns or raises: a client that is gone is neither disabled nor removed."""
    try:
        return (yield from flow)
    except ConfigurationError as gone:
        return gone


class Scene:
    """Be a user who has allowed a client something in each way, as far as a pair of flows needs it."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.drive(commit_with_retry(lambda: _decided(Insert(Account(key="alice")))))

    def drive(self, flow: Flow[Any]) -> Any:
        """Run a flow before the others meet."""
        return self.site.drive(flow, self.site.world)

    def ask(self, client_id: str, path: str = "/token", **values: str) -> Flow[Response]:
        """Return a request of a client."""
        headers = (FORM, basic(client_id, SECRETS[client_id]))
        return self.site.server.handle(Request("POST", path, headers, form(**values)))

    @cached_property
    def login(self) -> Login:
        """Return the login session in which the user has allowed what was asked for in the browser."""
        login: Login = self.drive(self.site.server.sessions.sign_in("alice"))
        return login

    def _code(self) -> str:
        target = {"client_id": "app", "redirect_uri": REDIRECT, "scope": "openid read", "prompt": "consent"}
        return params(self.site.approve(self.site.authorize(self.login, **target), self.login))["code"]

    @cached_property
    def code(self) -> str:
        """Return a code that is not redeemed."""
        return self._code()

    @cached_property
    def redeemed(self) -> str:
        """Return another code, which was redeemed for `tokens`."""
        return self._code()

    @cached_property
    def tokens(self) -> dict[str, Any]:
        """Return tokens of the client."""
        answer = self.drive(self.redemption(self.redeemed))
        assert answer.status == 200, answer
        return members(answer)

    @cached_property
    def device_code(self) -> str:
        """Return the code of a device that is allowed."""
        codes = members(self.drive(self.ask("app", "/device_authorization", scope="openid read")))
        browser = Request("POST", "/device")
        pending = self.drive(self.site.server.devices.enter(codes["user_code"], self.site.alice, browser))
        self.drive(self.site.server.devices.finish(pending.id, self.site.alice, pending.scope))
        return str(codes["device_code"])

    @cached_property
    def auth_req_id(self) -> str:
        """Return the identifier of a backchannel request that is allowed."""
        answer = members(self.drive(self.ask("app", "/bc-authorize", scope="openid read", login_hint="alice")))
        (pending,) = self.drive(self.site.server.backchannel.pending("alice"))
        self.drive(self.site.server.backchannel.allow(pending.id, self.site.alice))
        return str(answer["auth_req_id"])

    def redemption(self, code: str) -> Flow[Response]:
        """Return the redemption of a code."""
        values = {"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT}
        return self.ask("app", code_verifier=VERIFIER, **values)

    def revocation(self, kind: str) -> Flow[Response]:
        """Return the revocation of a token."""
        return self.ask("app", "/revoke", token=self.tokens[kind])

    def replay(self) -> Flow[Response]:
        """Return the redemption of a code that was redeemed before."""
        assert self.tokens
        return self.redemption(self.redeemed)

    def is_live(self, token: str) -> bool:
        """Return whether an access token is live."""
        return bool(members(self.drive(self.ask("resource", "/introspect", token=token)))["active"])


def _decided(*changes: Any) -> Flow[Decision[bool]]:
    yield from ()
    return Decision(True, changes)


Step = Callable[[Scene], Flow[Any]]

# What gives tokens.
USES: Mapping[str, Step] = {
    "redemption": lambda scene: scene.redemption(scene.code),
    "refresh": lambda scene: scene.ask("app", grant_type="refresh_token", refresh_token=scene.tokens["refresh_token"]),
    "exchange": lambda scene: scene.ask(
        "gateway",
        grant_type=EXCHANGE,
        subject_token=scene.tokens["access_token"],
        subject_token_type=TOKEN_TYPE + "access_token",
    ),
    "assertion": lambda scene: scene.ask("app", grant_type=JWT_BEARER, assertion=assertion()),
    "poll of a device": lambda scene: scene.ask("app", grant_type=DEVICE_CODE, device_code=scene.device_code),
    "poll by CIBA": lambda scene: scene.ask("app", grant_type=CIBA, auth_req_id=scene.auth_req_id),
}
# Those that give tokens once. A refresh that comes twice at once is an honest retry, with the same answer.
ONCE = {"redemption", "assertion", "poll of a device", "poll by CIBA"}
IN_SESSION = {"redemption", "refresh", "exchange"}
OF_TOKENS = {"refresh", "exchange"}
# What ends grants, and of which uses.
ENDINGS: Mapping[str, tuple[Step, set[str]]] = {
    "revocation of the refresh token": (lambda scene: scene.revocation("refresh_token"), OF_TOKENS),
    "revocation of the access token": (lambda scene: scene.revocation("access_token"), set()),
    "replay of the code": (lambda scene: scene.replay(), OF_TOKENS),
    "withdrawal": (
        lambda scene: scene.site.server.applications.withdraw("alice", "app"),
        set(USES) - {"assertion"},
    ),
    "end of the session": (
        lambda scene: scene.site.server.sessions.end(str(scene.login.sid), "alice"),
        IN_SESSION,
    ),
    "removal of the user": (lambda scene: remove_user("alice"), set(USES)),
    "disabling of the client": (lambda scene: tried(scene.site.server.clients.disable("app")), set(USES)),
    "removal of the client": (lambda scene: tried(scene.site.server.clients.remove("app")), set(USES)),
    "disabling of the exchanger": (lambda scene: tried(scene.site.server.clients.disable("gateway")), {"exchange"}),
}
# A token that is revoked by itself is exchanged or not, as it comes; and the withdrawal of what was there before says
# nothing about an assertion that comes after it.
EITHER = {("exchange", "revocation of the access token"), ("assertion", "withdrawal")}


def pairs(of: Iterable[tuple[str, str]]) -> list[Any]:
    """Return pairs as parameters of a test, by their names."""
    return [pytest.param(one, other, id=f"{one} and {other}") for one, other in of]


def tokens_in(run: Run[Any]) -> list[str]:
    """Return the access tokens that were handed out; whatever else happened must have been a plain refusal."""
    responses = [result for result in run.results if isinstance(result, Response)]
    assert all(response.status in {200, 204, 400, 401} for response in responses), run.story
    given = [members(response) for response in responses if response.status == 200 and response.body]
    return [str(answer["access_token"]) for answer in given if "access_token" in answer]


class Met:
    """Let two steps meet over one scene, made afresh for each schedule."""

    def __init__(self, *steps: Step, has_tokens: bool = False) -> None:
        self.has_tokens = has_tokens
        self.meeting = Meeting(self._prepare, Policy.openid(), len(steps), around=world, **SETTINGS)
        self.steps = steps

    def _prepare(self, site: Site) -> list[Flow[Any]]:
        self.scene = Scene(site)
        assert self.scene.tokens if self.has_tokens else True
        # All is there before the first flow begins: what one needs is not made while the other is.
        return [step(self.scene) for step in self.steps]

    def explored(self, record: Record, check: Callable[[Run[Any]], None], kept: Factory) -> int:
        """Run them in every order, and return in how many schedules: one if they share no record."""
        result = self.meeting.explored(check, kept)
        record("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
        return result.schedules


@pytest.mark.parametrize(("one", "other"), pairs(combinations_with_replacement(USES, 2)))
def test_two_uses_of_grants_give_each_what_it_gives_once(
    one: str, other: str, record_property: Record, kept: Factory
) -> None:
    met = Met(USES[one], USES[other])

    def check(run: Run[Any]) -> None:
        tokens = tokens_in(run)
        live = [token for token in tokens if met.scene.is_live(token)]
        if one != other:
            assert len(live) == 2, run.story
        elif one in ONCE:
            # Two polls or redemptions at once may be a thief's and the client's: then what was given has ended.
            assert len(tokens) <= 1, run.story
        else:
            assert tokens, run.story
            assert set(live) == set(tokens), run.story

    assert met.explored(record_property, check, kept) > 1


@pytest.mark.parametrize(("use", "ending"), pairs(product(USES, ENDINGS)))
def test_after_what_ends_it_nothing_is_live_that_a_use_has_given(
    use: str, ending: str, record_property: Record, kept: Factory
) -> None:
    step, ended = ENDINGS[ending]
    met, given = Met(USES[use], step), set[int]()

    def check(run: Run[Any]) -> None:
        tokens = tokens_in(run)
        given.add(run.results[0].status)
        live = [token for token in tokens if met.scene.is_live(token)]
        if use in ended:
            assert live == [], run.story
        elif (use, ending) not in EITHER:
            assert len(live) == 1, run.story

    schedules = met.explored(record_property, check, kept)
    assert 200 in given
    assert schedules > 1


@pytest.mark.full
@pytest.mark.parametrize(("one", "other"), pairs(combinations_with_replacement(ENDINGS, 2)))
def test_two_endings_end_what_either_ends(one: str, other: str, record_property: Record, kept: Factory) -> None:
    steps, ended = [ENDINGS[one][0], ENDINGS[other][0]], ENDINGS[one][1] | ENDINGS[other][1]
    met = Met(*steps, has_tokens=True)

    def check(run: Run[Any]) -> None:
        assert tokens_in(run) == []
        is_live = met.scene.is_live(met.scene.tokens["access_token"])
        is_revoked = "revocation of the access token" in {one, other}
        assert is_live is not (is_revoked or "refresh" in ended), run.story

    met.explored(record_property, check, kept)
