"""Who answers for a client that registered itself: it is kept on the account of a user, and of no user too many are."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, Login, Request, Response
from oauthcore.clients.dynamic_registration import KEPT_COUNTED_FOR
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.testing import Factory, Run
from tests.core.registering import LOOPBACK, OPEN, change, configure, register, token_request
from tests.core.site import VERIFIER, Counted, Drive, Site, form, handle_of, location, make_site, members, params
from tests.core.test_interleavings import Meeting

DAY = 24 * 3_600
ONE = attrs.evolve(OPEN, max_from_user=1)


def registered(site: Site) -> dict[str, Any]:
    """Register a public client."""
    return members(register(site, redirect_uris=[LOOPBACK]))


def used_by(site: Site, subject: str, client: dict[str, Any]) -> Response:
    """Log a user in at a client and redeem its code."""
    login = Login(subject=subject, auth_time=site.now)
    asked = site.authorize(None, client_id=client["client_id"], redirect_uri=LOOPBACK)
    code = params(site.approve(asked, login))["code"]
    return site.redeem(code, client["client_id"], redirect_uri=LOOPBACK)


def return_of(site: Site, subject: str, client: dict[str, Any]) -> Request:
    """Have a user allow a client something, and return the request by which their browser comes back."""
    asked = site.authorize(None, client_id=client["client_id"], redirect_uri=LOOPBACK)
    login = Login(subject=subject, auth_time=site.now)
    finished = site.drive(site.server.interactions.finish(handle_of(asked), login, ["email"]), site.world)
    assert site.cookie is not None
    return Request("GET", location(finished), (("Cookie", site.cookie),))


def remembered(site: Site, client: dict[str, Any]) -> Client | None:
    """Return what is stored of a client."""
    found: Client | None = site.drive(site.server.clients.find(client["client_id"]), site.world)
    return found


def is_kept(site: Site, client: dict[str, Any]) -> bool:
    """Return whether a client is never forgotten."""
    found = remembered(site, client)
    assert found is not None
    assert found.dynamic is not None
    assert found.dynamic.is_unused is (found.expires_at is not None)
    return found.expires_at is None


def test_a_client_is_kept_on_the_account_of_the_user_who_allowed_it_something_first(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    used_by(site, "alice", client)
    used_by(site, "bob", client)

    found = remembered(site, client)

    assert found is not None
    assert found.dynamic is not None
    assert (found.dynamic.first_user, found.expires_at) == ("alice", None)


def test_a_user_has_a_number_of_clients_kept_and_further_ones_work_until_they_are_forgotten(drive: Drive) -> None:
    """One account could fill every place there is; nobody is refused for it."""
    site = make_site(drive, registration=ONE)
    first, second = registered(site), registered(site)

    assert [used_by(site, "alice", client).status for client in (first, second)] == [200, 200]

    assert (is_kept(site, first), is_kept(site, second)) == (True, False)
    site.clock.advance(DAY)
    assert configure(site, "GET", first).status == 200
    assert configure(site, "GET", second).status == 401


def test_tokens_of_a_client_that_is_forgotten_are_no_good_any_more(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(ONE, unused_lifetime=100))
    used_by(site, "alice", registered(site))
    tokens = members(used_by(site, "alice", registered(site)))
    assert site.is_active(tokens["access_token"])

    site.clock.advance(100)

    assert not site.is_active(tokens["access_token"])


def test_a_client_whose_first_user_has_too_many_is_kept_by_another(drive: Drive) -> None:
    site = make_site(drive, registration=ONE)
    client = registered(site)
    used_by(site, "alice", registered(site))
    used_by(site, "alice", client)

    used_by(site, "bob", client)

    assert is_kept(site, client)


def test_a_user_has_more_clients_kept_after_thirty_days(drive: Drive) -> None:
    site = make_site(drive, registration=ONE)
    used_by(site, "alice", registered(site))
    site.clock.advance(KEPT_COUNTED_FOR - 1)
    early = registered(site)
    used_by(site, "alice", early)
    site.clock.advance(1)
    clients = [registered(site), registered(site)]

    _ = [used_by(site, "alice", client) for client in clients]

    assert [is_kept(site, client) for client in (early, *clients)] == [False, True, False]


def test_a_client_counts_once_however_often_its_user_logs_in_before_it_is_kept(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, max_from_user=2))
    first, second, third = registered(site), registered(site), registered(site)
    for _ in range(3):
        site.approve(site.authorize(None, client_id=first["client_id"], redirect_uri=LOOPBACK))

    used = [used_by(site, "alice", client).status for client in (first, second, third)]

    assert used == [200] * 3
    assert [is_kept(site, client) for client in (first, second, third)] == [True, True, False]


def test_a_client_that_the_operator_vouches_for_is_kept_whoever_uses_it(drive: Drive) -> None:
    site = make_site(drive, registration=ONE)
    used_by(site, "alice", registered(site))
    token = site.drive(site.server.clients.issue_initial_access_token(lifetime=60, note="partner"), site.world)
    by_token = members(register(site, ("Authorization", f"Bearer {token.reveal()}"), redirect_uris=[LOOPBACK]))
    approved = registered(site)
    site.drive(site.server.clients.approve(approved["client_id"]), site.world)

    _ = [used_by(site, "alice", client) for client in (by_token, approved)]

    assert is_kept(site, by_token)
    assert is_kept(site, approved)


def test_without_a_limit_every_client_that_is_used_is_kept(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, max_from_user=None))
    clients = [registered(site) for _ in range(31)]

    _ = [used_by(site, "alice", client) for client in clients]

    assert all(is_kept(site, client) for client in clients)


def test_a_limit_of_none_at_all_is_refused_when_it_is_configured() -> None:
    with pytest.raises(ConfigurationError, match="max_from_user"):
        attrs.evolve(OPEN, max_from_user=0)


def test_a_client_that_is_used_is_still_unverified(drive: Drive) -> None:
    """The consent page goes on to warn of it."""
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    used_by(site, "alice", client)

    found = remembered(site, client)

    assert found is not None
    assert found.is_unverified


def test_a_change_of_a_client_leaves_its_user_as_they_are(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    site.approve(site.authorize(None, client_id=client["client_id"], redirect_uri=LOOPBACK))
    change(site, client, redirect_uris=[LOOPBACK], client_name="x", token_endpoint_auth_method="none")

    used_by(site, "bob", client)

    found = remembered(site, client)
    assert found is not None
    assert found.dynamic is not None
    assert (found.dynamic.first_user, found.expires_at) == ("alice", None)


def test_a_count_costs_one_find_at_the_approval_and_none_at_the_token_request(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    client = registered(site)

    def finds_of(subject: str) -> tuple[int, int]:
        """Return how many finds an approval and the redemption of its code take."""
        login = Login(subject=subject, auth_time=site.now)
        asked = site.authorize(None, client_id=client["client_id"], redirect_uri=LOOPBACK, prompt="consent")
        storage, approving = site.world.storage, Counted(site)
        code = params(site.approve(asked, login))["code"]
        site.world = attrs.evolve(site.world, storage=storage)
        redeeming = Counted(site)
        body = form(
            grant_type="authorization_code",
            code=code,
            client_id=client["client_id"],
            redirect_uri=LOOPBACK,
            code_verifier=VERIFIER,
        )
        assert site.post("/token", body).status == 200
        site.world = attrs.evolve(site.world, storage=storage)
        return approving.finds, redeeming.finds

    first, second = finds_of("alice"), finds_of("bob")

    assert first[0] - second[0] == 1
    assert first[1] == second[1] <= 3


def test_the_last_client_that_a_user_has_kept_is_one_in_every_order(kept: Factory) -> None:
    """Two clients that the user allows something at the same time."""
    clients: list[dict[str, Any]] = []

    def prepare(site: Site) -> list[Flow[Response]]:
        clients[:] = [registered(site), registered(site)]
        return [site.server.handle(return_of(site, "alice", client)) for client in clients]

    meeting = Meeting(prepare, registration=ONE)

    def check(run: Run[Response]) -> None:
        """Both get a code, and one of them is counted."""
        assert all("code" in params(response) for response in run.results), run.results
        site = meeting.site
        found = [site.drive(site.server.clients.find(client["client_id"]), site.world) for client in clients]
        assert sorted(client.dynamic.first_user or "" for client in found) == ["", "alice"]

    meeting.explored(check, kept)


def test_a_use_by_one_user_and_an_approval_by_another_keep_the_client_once_in_every_order(kept: Factory) -> None:
    registered_client: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Response]]:
        registered_client.update(registered(site))
        redeeming = token_request(site, registered_client)
        resuming = return_of(site, "bob", registered_client)
        return [site.server.handle(redeeming), site.server.handle(resuming)]

    meeting = Meeting(prepare, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """It is alice's in every order: she was first."""
        redeemed, resumed = run.results
        assert redeemed.status == 200
        assert "code" in params(resumed)
        site = meeting.site
        found = site.drive(site.server.clients.find(registered_client["client_id"]), site.world)
        assert (found.dynamic.first_user, found.expires_at) == ("alice", None)

    meeting.explored(check, kept)


def test_a_removal_that_meets_an_approval_leaves_no_client_and_no_count_without_one(kept: Factory) -> None:
    registered_client: dict[str, Any] = {}

    def prepare(site: Site) -> list[Flow[Any]]:
        registered_client.update(registered(site))
        resuming = return_of(site, "alice", registered_client)
        return [
            site.server.handle(resuming),
            site.server.clients.forget_unused(registered_client["client_id"]),
        ]

    meeting = Meeting(prepare, registration=ONE)

    def check(run: Run[Any]) -> None:
        """Whether or not a code was issued, the client is gone, and nothing is left that could be redeemed."""
        resumed, removed = run.results
        assert removed
        site = meeting.site
        assert site.drive(site.server.clients.find(registered_client["client_id"]), site.world) is None
        if resumed.status == 303 and "code" in params(resumed):
            redeemed = site.redeem(params(resumed)["code"], registered_client["client_id"], redirect_uri=LOOPBACK)
            assert redeemed.status == 401

    meeting.explored(check, kept)
