"""How much of a server's storage strangers can take by registering: never more than the operator allows."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Client, MemoryStorage, Peer, Policy, Request, Response, Secret
from oauthcore.flow.effects import Flow
from oauthcore.records.record import Record
from oauthcore.records.registration_limits import RegistrationSlot
from oauthcore.testing import Factory, Run
from tests.core.oidc.provider import provider
from tests.core.registering import JSON, LOOPBACK, OPEN, change, configure, register, token_request, use
from tests.core.site import REDIRECT, Counted, Drive, Site, basic, form, make_site, members, params
from tests.core.test_interleavings import Meeting

DAY = 24 * 3_600
SHARED = attrs.evolve(OPEN, idempotent=True)


def register_from(site: Site, address: str | None, **metadata: Any) -> Response:
    """Register from an address."""
    body = json.dumps({"redirect_uris": [LOOPBACK]} | metadata).encode()
    peer = None if address is None else Peer(address)
    return site.handle(Request("POST", "/register", (JSON,), body, peer))


def stored(site: Site) -> list[Record]:
    """Return everything that is stored."""
    assert isinstance(site.world.storage, MemoryStorage)
    return list(site.world.storage._records.values())


def test_one_address_registers_a_number_of_clients_an_hour_and_then_waits(drive: Drive) -> None:
    """E5; RFC 6585 section 4."""
    site = make_site(drive, registration=attrs.evolve(OPEN, max_from_address=3))
    assert [register_from(site, "192.0.2.1").status for _ in range(3)] == [201] * 3
    before = stored(site)
    site.clock.advance(600)

    refused = register_from(site, "192.0.2.1")

    assert (refused.status, refused.header("retry-after")) == (429, "3000")
    assert members(refused)["error"] == "temporarily_unavailable"
    assert stored(site) == before
    assert register_from(site, "192.0.2.2").status == 201
    site.clock.advance(3_000)
    assert register_from(site, "192.0.2.1").status == 201


@pytest.mark.parametrize(
    ("one", "other", "is_one"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        (None, "testclient", True),
        (None, "192.0.2.1", False),
    ],
)
def test_a_host_is_counted_by_its_network_and_all_that_are_unknown_together(
    one: str | None, other: str, is_one: bool
) -> None:
    site = make_site(registration=attrs.evolve(OPEN, max_from_address=1))

    assert register_from(site, one).status == 201

    assert (register_from(site, other).status == 429) is is_one


def test_an_initial_access_token_is_counted_by_itself_alone(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, max_from_address=1))
    register(site, redirect_uris=[LOOPBACK])
    token = drive(site.server.clients.issue_initial_access_token(lifetime=60, uses=2), site.world)

    registered = register(site, ("Authorization", f"Bearer {token.reveal()}"), redirect_uris=[LOOPBACK])

    assert registered.status == 201
    assert register(site, redirect_uris=[LOOPBACK]).status == 429


def test_a_thousand_registrations_from_one_address_store_no_more_than_a_hundred() -> None:
    """E5: bounded growth. Beside the count there are three records for each client that was registered."""
    site = make_site(registration=OPEN)
    before = len(stored(site))

    statuses = [register_from(site, "192.0.2.1").status for _ in range(1_000)]

    assert (statuses.count(201), statuses.count(429)) == (100, 900)
    assert len(stored(site)) - before == 3 * 100 + 1


def test_a_thousand_registrations_a_second_from_one_address_cost_a_find_each_and_store_nothing_more() -> None:
    """E5: what is offered does not count, but what is let in; the clock is given, so that it is the offered rate."""
    site = make_site(registration=OPEN)
    _ = [register_from(site, "192.0.2.1") for _ in range(100)]
    before, counted = len(stored(site)), Counted(site)

    statuses = set()
    for _ in range(2_000):
        site.clock.now += 0.001
        statuses.add(register_from(site, "192.0.2.1").status)

    assert statuses == {429}
    assert (counted.finds, counted.commits) == (2_000, 0)
    site.world = attrs.evolve(site.world, storage=counted.storage)
    assert len(stored(site)) == before


def test_registrations_from_everywhere_store_no_more_clients_than_there_are_places() -> None:
    site = make_site(registration=attrs.evolve(OPEN, max_clients=20, max_from_address=None))
    before = len(stored(site))

    statuses = [register(site, redirect_uris=[LOOPBACK]).status for _ in range(200)]

    assert set(statuses) == {201, 429}
    assert statuses.count(201) <= 20
    assert len(stored(site)) - before == 3 * statuses.count(201)


def test_the_first_half_of_the_places_is_found_by_all_but_one_in_a_hundred() -> None:
    site = make_site(registration=attrs.evolve(OPEN, max_clients=400, max_from_address=None))

    statuses = [register(site, redirect_uris=[LOOPBACK]).status for _ in range(200)]

    assert statuses.count(201) >= 198


def full(drive: Drive, **settings: Any) -> tuple[Site, dict[str, Any]]:
    """Return a site of one place, and the client that has it."""
    site = make_site(drive, registration=attrs.evolve(OPEN, max_clients=1, **settings))
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    assert register(site, redirect_uris=[LOOPBACK]).status == 429
    return site, registered


def test_a_place_is_free_when_its_client_is_forgotten(drive: Drive) -> None:
    site, _ = full(drive)
    site.clock.advance(DAY)

    assert register(site, redirect_uris=[LOOPBACK]).status == 201


def test_a_place_is_free_when_its_client_is_removed(drive: Drive) -> None:
    site, registered = full(drive)

    assert configure(site, "DELETE", registered).status == 204

    assert register(site, redirect_uris=[LOOPBACK]).status == 201


def test_a_client_that_is_used_keeps_its_place(drive: Drive) -> None:
    site, registered = full(drive)
    assert use(site, registered).status == 200
    site.clock.advance(2 * DAY)
    site.world.storage.purge(site.now, 100)

    assert register(site, redirect_uris=[LOOPBACK]).status == 429


def test_a_client_that_the_operator_takes_over_gives_its_place_up(drive: Drive) -> None:
    site, registered = full(drive)
    own = Client(client_id=registered["client_id"], redirect_uris=(REDIRECT,))

    drive(site.server.clients.register(own, replace=True), site.world)

    assert register(site, redirect_uris=[LOOPBACK]).status == 201


def test_a_client_that_the_operator_keeps_or_approves_keeps_its_place(drive: Drive) -> None:
    for keep in ("update", "approve"):
        site, registered = full(drive)
        clients, client_id = site.server.clients, registered["client_id"]
        drive(
            clients.approve(client_id) if keep == "approve" else clients.update(client_id, expires_at=None), site.world
        )
        site.clock.advance(2 * DAY)
        site.world.storage.purge(site.now, 100)

        assert register(site, redirect_uris=[LOOPBACK]).status == 429
        assert use(site, registered).status == 200


def test_the_last_place_is_taken_once_in_every_order(kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        request = Request("POST", "/register", (JSON,), b'{"redirect_uris": ["http://127.0.0.1/callback"]}')
        return [site.server.handle(request), site.server.handle(request)]

    meeting = Meeting(prepare, registration=attrs.evolve(OPEN, max_clients=1))

    def check(run: Run[Response]) -> None:
        """Look at both answers."""
        assert sorted(response.status for response in run.results) == [201, 429]

    meeting.explored(check, kept)


def test_the_last_registration_of_an_address_is_one_in_every_order(kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        request = Request("POST", "/register", (JSON,), b'{"redirect_uris": ["http://127.0.0.1/callback"]}')
        return [site.server.handle(request), site.server.handle(request)]

    meeting = Meeting(prepare, registration=attrs.evolve(OPEN, max_from_address=1))

    def check(run: Run[Response]) -> None:
        """Look at both answers."""
        assert sorted(response.status for response in run.results) == [201, 429]

    meeting.explored(check, kept)


def test_public_clients_of_the_same_metadata_are_one_where_that_is_said(drive: Drive) -> None:
    """E5, idempotent."""
    site = make_site(drive, registration=SHARED)

    one, other = (members(register(site, redirect_uris=[LOOPBACK], client_name="x")) for _ in range(2))

    assert one == other
    assert not {"registration_access_token", "registration_client_uri", "client_secret"} & one.keys()
    assert use(site, one).status == 200
    for different in ({"client_name": "y"}, {"client_name": "x", "scope": "email"}):
        assert members(register(site, redirect_uris=[LOOPBACK], **different))["client_id"] != one["client_id"]


def test_who_registers_again_and_again_stores_nothing_and_is_not_refused(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(SHARED, max_from_address=1, max_clients=1))
    register(site, redirect_uris=[LOOPBACK])
    before = stored(site)

    assert {register(site, redirect_uris=[LOOPBACK]).status for _ in range(5)} == {201}

    assert stored(site) == before
    assert register(site, redirect_uris=[LOOPBACK], client_name="y").status == 429


@pytest.mark.slow
def test_a_registration_a_first_use_and_a_removal_of_a_shared_client_leave_a_whole_client_or_none_in_every_order(
    kept: Factory,
) -> None:
    """Who registers the same once more gets a client that lives, or is told to register again; no token outlives it."""

    def prepare(site: Site) -> list[Flow[Any]]:
        body = json.dumps({"redirect_uris": [LOOPBACK]}).encode()
        request = Request("POST", "/register", (JSON,), body)
        registered = members(site.handle(request))
        return [
            site.server.handle(request),
            site.server.handle(token_request(site, registered)),
            site.server.clients.forget_unused(registered["client_id"]),
        ]

    meeting = Meeting(prepare, flows=3, registration=SHARED)

    def check(run: Run[Any]) -> None:
        """Look for a token without its client, and for a client that was removed though it was used."""
        again, redeemed, removed = run.results
        client = meeting.site.drive(meeting.site.server.clients.find(members(again)["client_id"]), meeting.site.world)
        assert again.status == 201
        assert redeemed.status in {200, 400, 401}
        if redeemed.status == 200:
            is_active = meeting.site.is_active(members(redeemed)["access_token"])
            assert (removed, client is not None, is_active) == (False, True, True)
        else:
            assert removed

    meeting.explored(check, kept)


def test_confidential_clients_are_never_one(drive: Drive) -> None:
    site = make_site(drive, registration=SHARED)

    one, other = (members(register(site, redirect_uris=[REDIRECT])) for _ in range(2))

    assert one["client_id"] != other["client_id"]
    assert one["client_secret"] != other["client_secret"]


def test_a_shared_client_is_changed_and_removed_by_nobody(drive: Drive) -> None:
    site = make_site(drive, registration=SHARED)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    uri = f"https://as.example/register?client_id={registered['client_id']}"
    forged = {**registered, "registration_client_uri": uri, "registration_access_token": "x"}

    assert configure(site, "DELETE", forged).status == 401
    assert change(site, forged, redirect_uris=[LOOPBACK]).status == 401


def test_a_shared_client_that_the_operator_disabled_does_not_come_back_by_registering(drive: Drive) -> None:
    site = make_site(drive, registration=SHARED)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    drive(site.server.clients.disable(registered["client_id"]), site.world)

    assert register(site, redirect_uris=[LOOPBACK]).status == 403


def test_a_shared_client_is_remembered_from_its_last_registration_on(drive: Drive) -> None:
    site = make_site(drive, registration=SHARED)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    site.clock.advance(DAY - 1)
    assert members(register(site, redirect_uris=[LOOPBACK])) == registered
    site.clock.advance(DAY - 1)
    site.world.storage.purge(site.now, 100)

    assert use(site, registered).status == 200
    site.clock.advance(2 * DAY)
    site.world.storage.purge(site.now, 100)
    assert use(site, registered).status == 200


@pytest.mark.parametrize("purged", [False, True])
def test_a_shared_client_that_was_forgotten_is_another_by_the_same_name(drive: Drive, purged: bool) -> None:
    site = make_site(drive, registration=SHARED)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    before = drive(site.server.clients.find(registered["client_id"]), site.world)
    site.clock.advance(DAY)
    if purged:
        site.world.storage.purge(site.now + 1, 100)

    again = members(register(site, redirect_uris=[LOOPBACK]))

    assert again["client_id"] == registered["client_id"]
    assert drive(site.server.clients.find(again["client_id"]), site.world).generation != before.generation
    assert use(site, again).status == 200
    slots = [record for record in stored(site) if isinstance(record, RegistrationSlot)]
    assert [slot.expires_at for slot in slots if slot.client_id == again["client_id"]] == [None]


def test_two_of_the_same_metadata_are_one_client_in_every_order(kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        request = Request("POST", "/register", (JSON,), b'{"redirect_uris": ["http://127.0.0.1/callback"]}')
        return [site.server.handle(request), site.server.handle(request)]

    meeting = Meeting(prepare, registration=SHARED)

    def check(run: Run[Response]) -> None:
        """Look at both answers."""
        one, other = map(members, run.results)
        assert one["client_id"] == other["client_id"]
        assert use(meeting.site, one).status == 200

    meeting.explored(check, kept)


def test_a_client_that_is_issued_tokens_by_the_front_channel_alone_is_used() -> None:
    """OIDC Core section 3.2: it never comes to the token endpoint."""
    site = provider(registration=attrs.evolve(OPEN, scope="openid"))
    registered = members(
        register(site, redirect_uris=[REDIRECT], grant_types=["implicit"], response_types=["id_token"])
    )
    answer = site.approve(
        site.authorize(
            None,
            client_id=registered["client_id"],
            response_type="id_token",
            scope="openid",
            nonce="n",
            code_challenge=None,
            code_challenge_method=None,
        )
    )
    assert "id_token=" in str(answer.header("location"))
    site.clock.advance(2 * DAY)
    site.world.storage.purge(site.now, 100)

    assert site.drive(site.server.clients.find(registered["client_id"]), site.world).expires_at is None


def test_a_client_with_credentials_of_its_own_is_used_by_its_first_token(drive: Drive) -> None:
    settings = attrs.evolve(OPEN, grant_types=("client_credentials",))
    site = make_site(drive, registration=settings)
    registered = members(register(site, grant_types=["client_credentials"], response_types=[]))
    secret = basic(registered["client_id"], registered["client_secret"])

    assert site.post("/token", form(grant_type="client_credentials"), secret).status == 200
    site.clock.advance(2 * DAY)
    site.world.storage.purge(site.now, 100)

    assert site.post("/token", form(grant_type="client_credentials"), secret).status == 200


def test_a_code_that_nobody_redeems_is_no_use_of_a_client(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    params(site.approve(site.authorize(None, client_id=registered["client_id"], redirect_uri=LOOPBACK)))
    site.clock.advance(DAY)

    assert configure(site, "GET", registered).status == 401


def test_a_refused_token_request_is_no_use_of_a_client(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    assert site.redeem("x", registered["client_id"]).status == 400
    site.clock.advance(DAY)

    assert configure(site, "GET", registered).status == 401


def test_a_client_is_kept_for_ever_where_nothing_is_forgotten(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, unused_lifetime=None))
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    site.clock.advance(365 * DAY)
    site.world.storage.purge(site.now, 100)

    assert configure(site, "GET", registered).status == 200


def test_a_token_request_of_another_client_costs_nothing_more(drive: Drive) -> None:
    """What is off costs nothing, and what is on costs those that registered themselves, once."""
    site = make_site(drive, policy=Policy.oauth21(), registration=OPEN)

    response = site.token("confidential", grant_type="client_credentials")

    assert response.status == 200
    assert not [record for record in stored(site) if isinstance(record, RegistrationSlot)]


def test_a_revoked_initial_access_token_registers_nobody(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, access=None))
    clients = site.server.clients
    token = drive(clients.issue_initial_access_token(lifetime=60, uses=2, note="ci"), site.world)
    bearer = ("Authorization", f"Bearer {token.reveal()}")
    registered = members(register(site, bearer, redirect_uris=[LOOPBACK]))
    assert drive(clients.find(registered["client_id"]), site.world).dynamic.by == "ci"

    assert drive(clients.revoke_initial_access_token(token), site.world)

    assert register(site, bearer, redirect_uris=[LOOPBACK]).status == 401
    assert not drive(clients.revoke_initial_access_token(Secret("x")), site.world)
