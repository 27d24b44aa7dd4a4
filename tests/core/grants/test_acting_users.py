"""A user who acts for another, by an actor token: their token ends with either of them (RFC 8693 section 1.1)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import pytest

from oauthcore import Client, ExchangeRule, Login, Request, ResourceServer, Response, World, run
from oauthcore.flow.effects import Claims, Commit, Effect, Flow
from oauthcore.flow.outcome import Require
from oauthcore.flow.storage import Storage
from oauthcore.records.grant import Grant
from oauthcore.testing import Factory, Run, interleave
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from oauthcore.trace.recording_inputs import record_flow
from tests.core.grants.exchanging import (
    API,
    APP,
    BACK,
    BACK_API,
    RESOURCE,
    ask,
    exchange,
    exchange_site,
    exchanged,
    introspected,
    record_of,
    signed_in,
)
from tests.core.scene import SetInMemory
from tests.core.site import FORM, ISSUER, VERIFIER, Counted, Drive, Site, basic, form, members, refused

Record = Callable[[str, object], None]

DESK = Client(
    client_id="desk",
    redirect_uris=("https://desk.example/cb",),
    grant_types=("authorization_code", "refresh_token", GRANT_TYPE),
    scope="openid read write",
)
BY_DESK = ExchangeRule(
    client_ids=["desk"],
    subject_token_types=["access_token", "id_token"],
    subject_client_ids=["app"],
    audience=[API, ISSUER],
)
BY_BACK = ExchangeRule(client_ids=["back"], subject_client_ids=["desk"], audience=[BACK_API])


class Staff:
    """Know alice, whom bob may act for, until one of them is disabled."""

    def __init__(self) -> None:
        self.subjects = {"alice", "bob"}

    def __call__(self, asked: Claims) -> Mapping[str, object] | None:
        """Answer."""
        return {} if asked.subject in self.subjects else None


def desk_site(drive: Drive = run, staff: Staff | None = None, desk: Client = DESK, **settings: Any) -> Site:
    """Make a site with a help desk at which bob signs in, and acts for alice at the app's API."""
    defaults: dict[str, Any] = {"rules": [BY_DESK, BY_BACK], "clients": (APP, desk, BACK, RESOURCE)}
    site = exchange_site(drive, **(defaults | settings))
    site.world = attrs.evolve(site.world, claims=staff or Staff())
    return site


def of_bob(site: Site) -> dict[str, Any]:
    """Return the tokens that the desk gets for bob."""
    begun = site.authorize(None, client_id="desk", redirect_uri=None, scope="openid read", nonce="n", prompt="consent")
    answer = site.approve(begun, Login(subject="bob", auth_time=site.now))
    code = str(answer.header("location")).partition("code=")[2].partition("&")[0]
    return members(ask(site, "desk", grant_type="authorization_code", code=code, code_verifier=VERIFIER))


def delegated(site: Site, actor: Mapping[str, Any], kind: str = "access_token", **changes: Any) -> dict[str, Any]:
    """Return what the desk gets for alice's token, with bob as its actor."""
    token = signed_in(site, "openid read")["access_token"]
    return exchanged(site, "desk", token, actor_token=actor[kind], actor_token_type=kind, **changes)


@pytest.mark.parametrize("kind", ["access_token", "id_token"])
def test_user_acts_for_another_by_a_token_of_the_client(drive: Drive, kind: str) -> None:
    site = desk_site(drive)

    token = delegated(site, of_bob(site), kind, resource=API)["access_token"]

    told = introspected(site, token)
    assert (told["sub"], told["act"], told["client_id"]) == ("alice", {"sub": "bob"}, "desk")


Ending = Callable[[Site, Staff, dict[str, Any]], object]
ENDINGS: dict[str, Ending] = {
    "is disabled": lambda _, staff, __: staff.subjects.discard("bob"),
    "withdraws the client": lambda site, _, __: site.drive(
        site.server.applications.withdraw("bob", "desk"), site.world
    ),
    "has their grant revoked": lambda site, _, bob: site.post(
        "/revoke", form(token=bob["refresh_token"]), basic("desk", "desk-secret")
    ),
}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("kind", ["access_token", "jwt"])
def test_delegated_token_ends_once_its_actor(ending: str, kind: str) -> None:
    staff = Staff()
    site = desk_site(staff=staff)
    bob = of_bob(site)
    token = delegated(site, bob, resource=API, requested_token_type=kind)["access_token"]
    at_userinfo = delegated(site, bob, resource=ISSUER, requested_token_type=kind)["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    userinfo = Request("GET", "/userinfo", (("Authorization", f"Bearer {at_userinfo}"),))
    assert (introspected(site, token)["active"], site.handle(userinfo).status) == (True, 200)

    ENDINGS[ending](site, staff, bob)

    assert introspected(site, token) == {"active": False}
    answer = run(ResourceServer(site.server.tokens, audience=API).verify(request), site.world)
    assert isinstance(answer, Response) and answer.status == 401
    assert site.handle(userinfo).status == 401
    # Nor does it live on in what it would be exchanged for.
    assert refused(exchange(site, "back", token), "invalid_request")


@pytest.mark.parametrize("ending", ENDINGS)
def test_actor_in_the_middle_of_a_chain_ends_it_as_well(ending: str) -> None:
    staff = Staff()
    site = desk_site(staff=staff)
    bob = of_bob(site)
    token = exchanged(site, "back", delegated(site, bob, resource=API)["access_token"])["access_token"]
    assert introspected(site, token)["act"] == {"sub": "back@clients", "act": {"sub": "bob"}}

    ENDINGS[ending](site, staff, bob)

    assert introspected(site, token) == {"active": False}


def test_delegated_token_needs_the_grant_of_its_actor_to_be_there() -> None:
    site = desk_site()
    token = delegated(site, of_bob(site), resource=API)["access_token"]
    key = record_of(site, token).actor_grants[0]
    del site.world.storage._records[Grant, key]  # type: ignore[attr-defined]  # as a purge does

    assert introspected(site, token) == {"active": False}


def test_exchange_of_a_delegated_token_requires_the_records_of_its_actor() -> None:
    site = desk_site()
    token = delegated(site, of_bob(site), resource=API)["access_token"]
    body = form(
        grant_type=GRANT_TYPE, subject_token=token, subject_token_type=TOKEN_TYPE + "access_token", audience=BACK_API
    )
    request = Request("POST", "/token", (FORM, basic("back", "back-secret")), body)
    required: list[object] = []

    def note(effect: Effect, answer: object) -> None:
        if isinstance(effect, Commit):
            required.extend(change.record for change in effect.changes if isinstance(change, Require))

    assert run(record_flow(site.server.handle(request), note), site.world).status == 200

    assert {record.subject for record in required if isinstance(record, Grant)} == {"alice", "bob"}


def test_client_that_acts_costs_nothing_at_introspection_and_a_user_one_find() -> None:
    site = desk_site()
    by_client = exchanged(site, "desk", signed_in(site, "openid read")["access_token"], resource=API)["access_token"]
    by_user = delegated(site, of_bob(site), resource=API)["access_token"]
    finds = []
    for token in (by_client, by_user):
        counted = Counted(site)
        assert introspected(site, token)["active"] is True
        finds.append(counted.finds)

    assert finds[1] == finds[0] + 1


@pytest.mark.parametrize("ending", ["withdraws the client", "has their grant revoked"])
def test_delegation_leaves_nothing_that_outlives_its_actor(ending: str, record_property: Record, kept: Factory) -> None:
    staff, statuses = Staff(), set[int]()
    site = desk_site()

    def world(storage: Storage) -> World:
        return World(storage, claims=staff)

    def begin(drive: Callable[[Flow[Any]], Any]) -> list[Flow[Any]]:
        nonlocal site
        scene = SetInMemory(world)
        site = desk_site(scene.drive, staff)
        bob, alice = of_bob(site), signed_in(site, "openid read")
        body = form(
            grant_type=GRANT_TYPE,
            subject_token=alice["access_token"],
            subject_token_type=TOKEN_TYPE + "access_token",
            actor_token=bob["access_token"],
            actor_token_type=TOKEN_TYPE + "access_token",
            resource=API,
        )
        desk = (FORM, basic("desk", "desk-secret"))
        revoking = site.server.handle(Request("POST", "/revoke", desk, form(token=bob["refresh_token"])))
        flows = [
            site.server.handle(Request("POST", "/token", desk, body)),
            site.server.applications.withdraw("bob", "desk") if ending == "withdraws the client" else revoking,
        ]
        scene.move(drive)
        return flows

    def check(run: Run[Any]) -> None:
        response = run.results[0]
        statuses.add(response.status)
        if response.status == 200:
            site.world = run.world
            assert introspected(site, members(response)["access_token"]) == {"active": False}
        else:
            assert members(response)["error"] == "invalid_request"

    result = interleave(
        lambda flows: flows[0], lambda flows: flows[1], prepare=begin, check=check, storage=kept, world=world
    )
    record_property("schedules", f"{result.schedules} schedules, standing for {result.orders} orders of steps")
    assert 200 in statuses
