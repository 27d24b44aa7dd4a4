"""The client configuration endpoint (RFC 7592): a client reads, changes and removes its own registration."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Request, Response
from oauthcore.flow.effects import Flow
from oauthcore.testing import Factory, Run
from tests.core.registering import JSON, LOOPBACK, OPEN, change, change_request, configure, register, token_request, use
from tests.core.site import REDIRECT, Drive, Site, form, handle_of, location, make_site, members
from tests.core.test_interleavings import Meeting

OTHER = "https://client.example/other"
MANY = {
    "client_name": "The app",
    "client_name#de": "Die Anwendung",
    "tos_uri#ja-Jpan-JP": "https://client.example/tos/ja",
    "redirect_uris": [LOOPBACK],
    "grant_types": ["authorization_code", "refresh_token"],
    "contacts": ["admin@client.example"],
    "logo_uri": "https://client.example/logo.png",
    "initiate_login_uri": "https://client.example/login",
    "software_id": "4NRB1-0XZABZI9E6-5SM3R",
    "scope": "email profile",
}


@pytest.fixture
def opened(drive: Drive) -> Site:
    """Return a site where anybody may register."""
    return make_site(drive, registration=OPEN)


@pytest.fixture
def registered(opened: Site) -> dict[str, Any]:
    """Return what a public client was answered."""
    return members(register(opened, **MANY))


def found(site: Site, registered: dict[str, Any]) -> Client:
    """Return the client as it is stored."""
    client = site.drive(site.server.clients.find(registered["client_id"]), site.world)
    assert isinstance(client, Client)
    return client


def test_a_client_reads_back_all_that_it_registered(opened: Site, registered: dict[str, Any]) -> None:
    """E6; RFC 7592 section 2.1."""
    response = configure(opened, "GET", registered)

    assert response.status == 200
    assert response.header("cache-control") == "no-store"
    assert members(response) == registered
    assert {name: registered[name] for name in MANY} == MANY


def test_a_change_replaces_all_of_the_metadata(opened: Site, registered: dict[str, Any]) -> None:
    """RFC 7592 section 2.2: what is left out is taken away."""
    changed = members(change(opened, registered, redirect_uris=[OTHER], client_name="Other"))

    assert changed["redirect_uris"] == [OTHER]
    assert changed["client_name"] == "Other"
    assert changed["client_id"] == registered["client_id"]
    assert changed["client_id_issued_at"] == registered["client_id_issued_at"]
    assert changed["grant_types"] == ["authorization_code"]
    assert not {"client_name#de", "tos_uri#ja-Jpan-JP", "contacts", "logo_uri", "software_id"} & changed.keys()
    assert members(configure(opened, "GET", changed)) == {n: v for n, v in changed.items() if "secret" not in n}


def test_a_client_may_send_back_all_that_it_read(opened: Site, registered: dict[str, Any]) -> None:
    changed = members(change(opened, registered, **registered))

    assert {n: v for n, v in changed.items() if n != "registration_access_token"} == {
        n: v for n, v in registered.items() if n != "registration_access_token"
    }


def test_null_takes_a_value_away(opened: Site, registered: dict[str, Any]) -> None:
    """RFC 7592 section 2.2."""
    assert "client_name" not in members(change(opened, registered, **(MANY | {"client_name": None})))


@pytest.mark.parametrize("client_id", ["other", "public", None, 1, ["x"]])
def test_a_client_changes_itself_alone(opened: Site, registered: dict[str, Any], client_id: object) -> None:
    """RFC 7592 section 2.2."""
    response = change(opened, registered, **(MANY | {"client_id": client_id}))

    assert members(response)["error"] == "invalid_client_metadata"
    assert found(opened, registered).name == "The app"


def test_a_client_chooses_no_secret(opened: Site) -> None:
    """RFC 7592 section 2.2."""
    confidential = members(register(opened, redirect_uris=[REDIRECT]))

    for chosen in ("chosen", "", 1, ["x"]):
        refused = change(opened, confidential, redirect_uris=[OTHER], client_secret=chosen)
        assert members(refused)["error"] == "invalid_client_metadata"
    kept = change(opened, confidential, redirect_uris=[OTHER], client_secret=confidential["client_secret"])

    assert kept.status == 200
    assert "client_secret" not in members(kept)
    assert found(opened, confidential).redirect_uris == (OTHER,)


def test_a_change_of_method_gives_a_secret_that_works(opened: Site, registered: dict[str, Any]) -> None:
    changed = members(change(opened, registered, **(MANY | {"token_endpoint_auth_method": "client_secret_post"})))

    body = form(
        grant_type="refresh_token",
        refresh_token="x",
        client_id=changed["client_id"],
        client_secret=changed["client_secret"],
    )
    assert members(opened.post("/token", body))["error"] == "invalid_grant"


def test_a_change_sets_nothing_that_is_the_operators(opened: Site, registered: dict[str, Any]) -> None:
    hostile = {"introspects_any": True, "allow": ["PLAIN_PKCE"], "enabled": True, "dynamic": {}, "generation": "x"}
    hostile |= {"require": []}

    response = change(opened, registered, **(MANY | hostile | {"scope": "email read", "expires_at": None}))

    assert response.status == 200
    client = found(opened, registered)
    assert (client.introspects_any, client.allow, client.scope.text) == (False, frozenset(), "email profile")
    assert client.expires_at is not None


def test_what_was_issued_lives_on_within_the_changed_registration(opened: Site, registered: dict[str, Any]) -> None:
    tokens = members(use(opened, registered))

    changed = members(change(opened, registered, **(MANY | {"redirect_uris": [OTHER]})))

    assert opened.is_active(tokens["access_token"])
    assert opened.refresh(tokens["refresh_token"], changed["client_id"]).status == 200
    narrowed = change(opened, changed, redirect_uris=[OTHER], grant_types=["authorization_code"], scope="email")
    assert narrowed.status == 200
    assert not opened.is_active(tokens["refresh_token"])


@pytest.mark.parametrize(
    "metadata",
    [
        {"redirect_uris": ["javascript:x"]},
        {"redirect_uris": []},
        {"redirect_uris": [REDIRECT], "jwks_uri": "http://x.example/"},
        {"redirect_uris": [REDIRECT], "grant_types": ["client_credentials"]},
    ],
)
def test_a_change_is_held_to_the_rules_of_a_registration(
    opened: Site, registered: dict[str, Any], metadata: dict[str, Any]
) -> None:
    assert change(opened, registered, **metadata).status == 400

    assert members(configure(opened, "GET", registered)) == registered


def test_a_changed_client_has_another_token_and_the_old_one_is_good_for_nothing(
    opened: Site, registered: dict[str, Any]
) -> None:
    """RFC 7592 section 5 lets the token be rotated."""
    changed = members(change(opened, registered, **MANY))
    opened.clock.advance(90)

    assert changed["registration_access_token"] != registered["registration_access_token"]
    assert configure(opened, "GET", changed).status == 200
    for method in ("GET", "DELETE"):
        assert configure(opened, method, registered).status == 401
    assert change(opened, registered, **MANY).status == 401


def test_a_client_whose_answer_was_lost_makes_the_same_change_once_more(
    opened: Site, registered: dict[str, Any]
) -> None:
    first = change(opened, registered, **MANY)

    again = change(opened, registered, **MANY)

    assert members(again) == members(first)
    assert members(configure(opened, "GET", registered)) == members(first)
    assert configure(opened, "DELETE", registered).status == 401
    assert configure(opened, "DELETE", members(again)).status == 204


def test_a_change_that_was_sent_twice_gets_one_token_in_every_order(kept: Factory) -> None:
    def twice(site: Site) -> list[Flow[Response]]:
        registered = members(register(site, **MANY))
        return [change_flow(site, registered, client_name=name) for name in ("One", "Two")]

    meeting = Meeting(twice, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """Look at both answers."""
        one, two = map(members, run.results)
        assert one["registration_access_token"] == two["registration_access_token"]
        stored = configure(meeting.site, "GET", one)
        assert members(stored)["client_name"] in {"One", "Two"}

    meeting.explored(check, kept)


def change_flow(site: Site, registered: dict[str, Any], **changes: Any) -> Flow[Response]:
    """Return the flow of a change."""
    return site.server.handle(change_request(registered, **(MANY | changes)))


def test_a_first_use_and_a_change_both_hold_in_every_order(kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        registered = members(register(site, **MANY))
        return [
            site.server.handle(token_request(site, registered)),
            change_flow(site, registered, client_name="Other"),
        ]

    meeting = Meeting(prepare, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """Look for what was lost."""
        redeemed, changed = run.results
        assert (redeemed.status, changed.status) == (200, 200)
        client = found(meeting.site, members(changed))
        assert (client.name, client.expires_at) == ("Other", None)
        assert meeting.site.is_active(members(redeemed)["access_token"])
        meeting.site.clock.advance(24 * 3_600)
        meeting.site.world.storage.purge(meeting.site.now, 1_000)
        assert configure(meeting.site, "DELETE", members(changed)).status == 204

    meeting.explored(check, kept)


def test_a_use_that_takes_the_redirect_uri_away_leaves_no_token_in_every_order(kept: Factory) -> None:
    """RFC 9700 section 2.1: what was unregistered is no place to have sent a code to."""

    def prepare(site: Site) -> list[Flow[Response]]:
        registered = members(register(site, **MANY))
        return [
            site.server.handle(token_request(site, registered)),
            change_flow(site, registered, redirect_uris=[OTHER]),
        ]

    meeting = Meeting(prepare, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """Either it was redeemed before, or not at all."""
        redeemed, changed = run.results
        assert changed.status == 200
        assert redeemed.status in {200, 400}

    meeting.explored(check, kept)


def test_a_removal_and_a_change_end_with_nothing_left_in_every_order(kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Response]]:
        registered = members(register(site, **MANY))
        bearer = ("Authorization", f"Bearer {registered['registration_access_token']}")
        target = registered["registration_client_uri"].removeprefix("https://as.example")
        return [
            site.server.handle(Request("DELETE", target, (bearer,))),
            change_flow(site, registered, client_name="Other"),
        ]

    meeting = Meeting(prepare, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """Whoever is second finds the token replaced, or the client gone."""
        deleted, changed = run.results
        assert (deleted.status, changed.status) in {(204, 401), (401, 200)}

    meeting.explored(check, kept)


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
@pytest.mark.parametrize("client_id", ["public", "nobody", "", "%C3%A9", "x" * 5_000])
def test_who_is_unknown_and_who_is_another_get_the_same_answer(opened: Site, method: str, client_id: str) -> None:
    """RFC 7592 section 2: 401, so that nobody learns which clients there are."""
    registered = members(register(opened, **MANY))
    headers, body = (JSON, ("Authorization", "Bearer x")), b"{}" if method == "PUT" else b""
    answers = {
        (r.status, r.body, r.headers)
        for name in (registered["client_id"], client_id)
        for r in [opened.handle(Request(method, f"/register?client_id={name}", headers, body))]
    }

    assert len(answers) == 1
    assert {status for status, _, _ in answers} == {401}


def test_a_forgotten_client_changes_nothing(opened: Site, registered: dict[str, Any]) -> None:
    opened.clock.advance(24 * 3_600)

    assert change(opened, registered, **MANY).status == 401


def test_what_the_operator_changed_the_client_can_not_take_back(opened: Site, registered: dict[str, Any]) -> None:
    opened.drive(opened.server.clients.update(registered["client_id"], scope="profile"), opened.world)

    refused = change(opened, registered, **MANY)

    assert (refused.status, members(refused)["error"]) == (403, "access_denied")
    assert members(configure(opened, "GET", registered))["scope"] == "profile"
    assert configure(opened, "DELETE", registered).status == 204


def test_an_operator_is_told_of_a_default_scope_that_is_not_within_the_scope(
    opened: Site, registered: dict[str, Any]
) -> None:
    settings = {"scope": "profile", "default_scope": "email"}

    with pytest.raises(ConfigurationError, match="default_scope"):
        opened.drive(opened.server.clients.update(registered["client_id"], **settings), opened.world)


def test_a_clients_registration_of_itself_is_no_setting(opened: Site, registered: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match="dynamic"):
        opened.drive(opened.server.clients.update(registered["client_id"], dynamic=None), opened.world)


@pytest.fixture
def approving(drive: Drive) -> Site:
    """Return a site where a client has to be approved."""
    return make_site(drive, registration=attrs.evolve(OPEN, needs_approval=True))


def test_a_client_that_has_to_be_approved_is_of_no_use_before(approving: Site) -> None:
    registered = members(register(approving, **MANY))
    assert approving.authorize(None, client_id=registered["client_id"], redirect_uri=LOOPBACK).status == 400
    assert configure(approving, "GET", registered).status == 200

    approving.drive(approving.server.clients.approve(registered["client_id"]), approving.world)

    assert use(approving, registered).status == 200
    assert [event.name for event in approving.events[:2]] == ["client_registered", "client_approved"]


@pytest.mark.parametrize("changes", [{"client_name": "Your Bank"}, {"logo_uri": "https://bank.example/logo.png"}])
def test_a_client_that_has_changed_since_it_was_looked_at_is_not_approved(
    approving: Site, changes: dict[str, Any]
) -> None:
    """RFC 7592 section 2.2: it may do so between the operator's look and their word."""
    registered = members(register(approving, **MANY))
    seen = found(approving, registered)
    changed = members(change(approving, registered, **(MANY | changes)))

    with pytest.raises(ConfigurationError, match="look at it again"):
        approving.drive(approving.server.clients.approve(seen), approving.world)
    assert found(approving, changed).is_unverified

    approving.drive(approving.server.clients.approve(found(approving, changed)), approving.world)
    assert not found(approving, changed).is_unverified


def test_an_approved_client_is_not_forgotten(approving: Site) -> None:
    registered = members(register(approving, **MANY))
    approving.drive(approving.server.clients.approve(registered["client_id"]), approving.world)
    approving.clock.advance(48 * 3_600)
    approving.world.storage.purge(approving.now, 100)

    assert use(approving, registered).status == 200


def test_an_approved_client_that_becomes_another_has_to_be_approved_anew(approving: Site) -> None:
    registered = members(register(approving, **MANY))
    approving.drive(approving.server.clients.approve(registered["client_id"]), approving.world)
    same = members(change(approving, registered, **MANY))
    assert not found(approving, registered).is_unverified

    changed = members(change(approving, same, **(MANY | {"client_name": "Your Bank"})))

    assert found(approving, registered).is_unverified
    assert approving.authorize(None, client_id=changed["client_id"], redirect_uri=LOOPBACK).status == 400


def test_a_name_that_was_approved_is_unverified_once_it_is_another(opened: Site, registered: dict[str, Any]) -> None:
    assert found(opened, registered).is_unverified
    opened.drive(opened.server.clients.approve(registered["client_id"]), opened.world)
    assert not found(opened, registered).is_unverified

    change(opened, registered, **(MANY | {"client_name": "Your Bank"}))

    assert found(opened, registered).is_unverified
    assert use(opened, registered).status == 200


@pytest.mark.parametrize(
    ("changes", "asks_again"),
    [
        ({"client_name": "Your Bank"}, True),
        ({"client_name#de": "Ihre Bank"}, True),
        ({"redirect_uris": [REDIRECT, "https://evil.example/cb"]}, True),
        ({"contacts": ["other@client.example"]}, False),
        ({}, False),
    ],
)
def test_who_allowed_a_client_for_good_is_asked_again_once_it_is_another(
    opened: Site, changes: dict[str, Any], asks_again: bool
) -> None:
    """Else a client is allowed under one name, and sent codes at a host that nobody has seen."""
    metadata = {"redirect_uris": [REDIRECT], "client_name": "The app", "token_endpoint_auth_method": "none"}
    registered = members(register(opened, **metadata))
    client_id = registered["client_id"]
    allow = opened.server.interactions.finish
    handle = handle_of(opened.authorize(opened.alice, client_id=client_id))
    opened.get(
        location(opened.drive(allow(handle, opened.alice, ["email"], remember=True), opened.world)), opened.alice
    )
    assert "code=" in location(opened.authorize(opened.alice, client_id=client_id))
    opened.clock.advance(1)

    assert change(opened, registered, **(metadata | changes)).status == 200

    assert ("code=" not in location(opened.authorize(opened.alice, client_id=client_id))) is asks_again


def test_a_server_without_keys_registers_nobody_for_signed_introspection(opened: Site) -> None:
    """Else a stranger would have it fail at each introspection."""
    refused = register(opened, redirect_uris=[REDIRECT], introspection_signed_response_alg="RS256")

    assert members(refused)["error"] == "invalid_client_metadata"


@pytest.mark.parametrize("client_id", ["public", "nobody"])
def test_only_a_client_that_registered_itself_is_approved(opened: Site, client_id: str) -> None:
    with pytest.raises(ConfigurationError, match="client_id"):
        opened.drive(opened.server.clients.approve(client_id), opened.world)


def test_a_preflight_lets_pages_of_other_origins_change_their_registration(opened: Site) -> None:
    """A6."""
    headers = (("Origin", "https://app.example"), ("Access-Control-Request-Headers", "authorization"))

    response = opened.handle(Request("OPTIONS", "/register?client_id=x", headers))

    assert "PUT" in str(response.header("access-control-allow-methods"))
