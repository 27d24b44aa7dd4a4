"""The application's side of a device: look at it, allow or deny it (RFC 8628 section 3.3)."""

from __future__ import annotations

import json

import attrs
import pytest

from oauthcore import AnyoneMayRegister, Client, DeviceState, Login, Need, Policy, Registration, Request
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.errors import (
    AnsweredByAnother,
    InteractionOver,
    InvalidRequest,
    LoginRequired,
    UnmetAuthenticationRequirements,
)
from oauthcore.records.grant import Consent, Grant
from tests.core.devices.device_site import TV, approve, begin, begun, deny, device_site, enter, entered, error, poll
from tests.core.site import Counted, Drive, Site, members


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site where devices may ask."""
    return device_site(drive)


def finish(site: Site, id: str, login: Login, scope: str = "email") -> DeviceState:
    """Allow."""
    state: DeviceState = site.drive(site.server.devices.finish(id, login, scope.split()), site.world)
    return state


def test_whoever_enters_a_code_sees_what_asks_for_what(site: Site) -> None:
    codes = begun(site, ui_locales="de en")

    pending = entered(site, codes["user_code"].lower())

    assert pending.client.name == "Television"
    assert pending.scope.text == "email profile"
    assert pending.user_code == codes["user_code"]
    assert pending.need is Need.CONSENT
    assert pending.ui_locales == ("de", "en")
    assert pending.requested_at == site.now
    assert site.drive(site.server.devices.find(pending.id, site.alice), site.world) == pending


def test_to_look_once_more_costs_finds_alone(site: Site) -> None:
    pending = entered(site, begun(site)["user_code"])
    counted = Counted(site)

    site.drive(site.server.devices.find(pending.id, site.alice), site.world)

    assert (counted.finds, counted.commits) == (2, 0)


def test_consent_is_asked_for_however_much_was_allowed_before(site: Site) -> None:
    approve(site, begun(site))

    assert entered(site, begun(site)["user_code"]).need is Need.CONSENT


def test_consent_to_a_device_is_not_remembered(site: Site) -> None:
    approve(site, begun(site))

    assert list(site.world.storage.find_of(Consent, "alice")) == []


def test_consent_that_a_browser_has_remembered_stays_as_it_is(site: Site) -> None:
    site.tokens()
    before = list(site.world.storage.find_of(Consent, "alice"))

    deny(site, begun(site))

    assert list(site.world.storage.find_of(Consent, "alice")) == before != []


def test_a_handle_is_of_the_user_who_entered_the_code(site: Site) -> None:
    pending, bob = entered(site, begun(site)["user_code"]), Login(subject="bob", auth_time=site.now)

    assert site.drive(site.server.devices.find(pending.id, bob), site.world) is None
    assert site.drive(site.server.devices.find(pending.id, None), site.world) is None
    assert site.drive(site.server.devices.find("x" * 200, site.alice), site.world) is None
    with pytest.raises(InteractionOver):
        finish(site, pending.id, bob)


def test_a_handle_of_an_interaction_is_none_of_a_device(site: Site) -> None:
    interaction = site.authorize(None).header("location") or ""

    assert site.drive(site.server.devices.find(interaction.rpartition("=")[2], site.alice), site.world) is None


def test_the_same_answer_twice_is_a_double_click(site: Site) -> None:
    pending = entered(site, begun(site)["user_code"])

    states = [finish(site, pending.id, site.alice) for _ in range(2)]

    assert states == [DeviceState.APPROVED] * 2
    assert len(list(site.world.storage.find_of(Grant, "alice"))) == 1


def test_a_double_click_that_comes_after_the_tokens_changes_nothing(site: Site) -> None:
    codes = begun(site)
    pending = entered(site, codes["user_code"])
    finish(site, pending.id, site.alice)
    assert poll(site, codes["device_code"]).status == 200

    assert finish(site, pending.id, site.alice) is DeviceState.APPROVED


def test_a_second_user_can_not_answer_what_the_first_has_answered(site: Site) -> None:
    codes, bob = begun(site), Login(subject="bob", auth_time=site.now)
    mine, theirs = entered(site, codes["user_code"]), entered(site, codes["user_code"], bob)
    finish(site, mine.id, site.alice)

    with pytest.raises(AnsweredByAnother):
        finish(site, theirs.id, bob)
    with pytest.raises(AnsweredByAnother):
        site.drive(site.server.devices.deny(theirs.id, bob), site.world)
    assert site.introspect(members(poll(site, codes["device_code"]))["access_token"], "resource")["sub"] == "alice"


@pytest.mark.parametrize("first", ["approve", "deny"])
def test_what_was_said_can_not_be_changed(first: str, site: Site) -> None:
    pending = entered(site, begun(site)["user_code"])
    yes = site.server.devices.finish(pending.id, site.alice, ["email"])
    no = site.server.devices.deny(pending.id, site.alice)
    one, other = (yes, no) if first == "approve" else (no, yes)
    site.drive(one, site.world)

    with pytest.raises(InteractionOver):
        site.drive(other, site.world)


def test_a_code_that_was_answered_or_has_expired_is_found_no_more(site: Site) -> None:
    answered, old = begun(site), begun(site)
    pending = entered(site, old["user_code"])
    approve(site, answered)
    assert enter(site, answered["user_code"]) is None
    site.clock.advance(600)

    assert enter(site, old["user_code"]) is None
    assert site.drive(site.server.devices.find(pending.id, site.alice), site.world) is None
    with pytest.raises(InteractionOver):
        finish(site, pending.id, site.alice)


def test_nothing_ticked_is_a_no(site: Site) -> None:
    codes = begun(site)

    assert finish(site, entered(site, codes["user_code"]).id, site.alice, "") is DeviceState.DENIED
    assert error(poll(site, codes["device_code"])) == "access_denied"


def test_more_than_was_asked_for_can_not_be_allowed(site: Site) -> None:
    pending = entered(site, begun(site, scope="email")["user_code"])

    with pytest.raises(InvalidRequest):
        finish(site, pending.id, site.alice, "email profile")


def test_a_part_may_be_allowed_that_the_whole_implies(drive: Drive) -> None:
    tv = attrs.evolve(TV, client_id="files_tv", scope="files")
    site = device_site(drive, clients=(tv,), policy=Policy(implies={"files": ["files:read"]}))
    codes = begun(site, client_id="files_tv", scope="files")

    approve(site, codes, scope="files:read")

    assert members(poll(site, codes["device_code"], "files_tv"))["scope"] == "files:read"


def test_a_request_for_a_fresh_login_is_answered_after_one(site: Site) -> None:
    code = begun(site, max_age="60")["user_code"]
    old = Login(subject="alice", auth_time=site.now - 61)
    pending = entered(site, code, old)

    assert pending.need is Need.LOGIN
    with pytest.raises(LoginRequired):
        finish(site, pending.id, old)
    assert finish(site, entered(site, code).id, site.alice) is DeviceState.APPROVED


def test_a_request_for_a_stronger_login_is_answered_by_nobody_who_has_none(site: Site) -> None:
    """RFC 9470 section 5: acr_values of a request without an ID token are essential."""
    code = begun(site, acr_values="gold")["user_code"]
    weak = Login(subject="alice", auth_time=site.now - 5, acr="pwd")
    pending = entered(site, code, weak)
    assert (pending.need, pending.acr_values) == (Need.LOGIN, ("gold",))
    again = entered(site, code, attrs.evolve(weak, auth_time=site.now))

    with pytest.raises(UnmetAuthenticationRequirements):
        finish(site, again.id, attrs.evolve(weak, auth_time=site.now))
    gold = attrs.evolve(weak, acr="gold")
    assert finish(site, entered(site, code, gold).id, gold) is DeviceState.APPROVED


def test_a_session_that_has_ended_allows_nothing(site: Site) -> None:
    login = site.drive(site.server.sessions.sign_in("alice"), site.world)
    pending = entered(site, begun(site)["user_code"], login)
    site.drive(site.server.sessions.end(login.sid, "alice"), site.world)

    with pytest.raises(LoginRequired):
        finish(site, pending.id, login)


def test_a_session_that_has_ended_enters_no_code(site: Site) -> None:
    """Who took over the browser of a user who has signed out elsewhere learns of no device, by whatever code."""
    codes = begun(site)
    login = site.drive(site.server.sessions.sign_in("alice"), site.world)
    other = site.drive(site.server.sessions.sign_in("bob"), site.world)
    site.drive(site.server.sessions.end(login.sid, "alice"), site.world)

    for code in (codes["user_code"], "BBBB-BBBB"):
        with pytest.raises(LoginRequired):
            enter(site, code, login)
    with pytest.raises(LoginRequired):
        enter(site, codes["user_code"], attrs.evolve(other, subject="alice"))
    assert [event.name for event in site.events].count("user_code_refused") == 0


def test_a_session_that_has_ended_is_shown_no_device(site: Site) -> None:
    login = site.drive(site.server.sessions.sign_in("alice"), site.world)
    pending = entered(site, begun(site)["user_code"], login)
    assert site.drive(site.server.devices.find(pending.id, login), site.world) == pending
    site.drive(site.server.sessions.end(login.sid, "alice"), site.world)

    assert site.drive(site.server.devices.find(pending.id, login), site.world) is None


def test_a_handle_is_of_no_use_in_another_browser_of_the_same_user(site: Site) -> None:
    """It stands in a URL, which is written into logs, and maybe sent along by a Referer."""
    first, second = (site.drive(site.server.sessions.sign_in("alice"), site.world) for _ in range(2))
    pending = entered(site, begun(site)["user_code"], first)

    for elsewhere in (second, site.alice):
        assert site.drive(site.server.devices.find(pending.id, elsewhere), site.world) is None
        with pytest.raises(InteractionOver):
            finish(site, pending.id, elsewhere)
        with pytest.raises(InteractionOver):
            site.drive(site.server.devices.deny(pending.id, elsewhere), site.world)
    assert finish(site, pending.id, first) is DeviceState.APPROVED


def test_a_handle_lasts_through_a_fresh_login_in_the_same_browser(site: Site) -> None:
    first = site.drive(site.server.sessions.sign_in("alice"), site.world)
    pending = entered(site, begun(site)["user_code"], first)
    again = site.drive(site.server.sessions.sign_in("alice", before=first.sid), site.world)

    assert finish(site, pending.id, again) is DeviceState.APPROVED


def test_a_client_that_is_disabled_is_found_no_more(site: Site) -> None:
    codes = begun(site)
    pending = entered(site, codes["user_code"])
    site.drive(site.server.clients.disable("tv"), site.world)

    assert enter(site, codes["user_code"]) is None
    assert site.drive(site.server.devices.find(pending.id, site.alice), site.world) is None
    assert begin(site).status == 401


def test_what_was_said_is_told_to_the_audit_log(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    poll(site, codes["device_code"])
    deny(site, begun(site))

    assert [event.name for event in site.events] == [
        "device_authorization_started",
        "user_code_entered",
        "consent_given",
        "token_issued",
        "device_authorization_started",
        "user_code_entered",
        "consent_denied",
    ]


def test_a_client_that_lost_the_grant_type_is_found_no_more(site: Site) -> None:
    codes = begun(site)
    site.drive(site.server.clients.update("tv", grant_types=("refresh_token",)), site.world)

    assert site.world.storage.find(Client, "tv") is not None
    assert enter(site, codes["user_code"]) is None


def test_a_client_that_registered_itself_is_kept_on_the_account_of_who_allowed_it_something_at_a_device() -> None:
    registration = Registration(access=AnyoneMayRegister(), grant_types=("authorization_code", DEVICE_CODE))
    site = device_site(registration=registration, scopes=("email",))
    metadata = {"client_name": "TV", "token_endpoint_auth_method": "none", "grant_types": [DEVICE_CODE]}
    body = json.dumps({**metadata, "response_types": [], "scope": "email"}).encode()
    answer = site.handle(Request("POST", "/register", (("Content-Type", "application/json"),), body))
    client_id = members(answer)["client_id"]
    codes = begun(site, client_id, scope="email")
    approve(site, codes)

    assert poll(site, codes["device_code"], client_id).status == 200

    client = site.world.storage.find(Client, client_id)
    assert client is not None and client.dynamic is not None
    assert (client.dynamic.first_user, client.dynamic.is_unused, client.expires_at) == ("alice", False, None)
