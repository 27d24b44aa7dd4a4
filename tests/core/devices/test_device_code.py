"""The device authorization grant at the token endpoint (RFC 8628 sections 3.4 and 3.5)."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Client, Dpop, Login, Secret
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.grants.polling import KEPT_EVERY, MOST_SLOW_DOWNS
from oauthcore.records.device import DeviceAuthorization
from oauthcore.records.grant import Grant
from tests.core.devices.device_site import (
    approve,
    begun,
    deny,
    device_site,
    entered,
    error,
    poll,
    poll_request,
    tokens_of,
)
from tests.core.dpop.proving import proof
from tests.core.site import Counted, Drive, Site, members, refused


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site where devices may ask."""
    return device_site(drive)


def test_a_device_gets_nothing_before_its_user_has_answered(site: Site) -> None:
    codes = begun(site)

    assert error(poll(site, codes["device_code"])) == "authorization_pending"
    entered(site, codes["user_code"])
    site.clock.advance(5)
    assert error(poll(site, codes["device_code"])) == "authorization_pending"


def test_a_device_that_was_allowed_gets_tokens(site: Site) -> None:
    answer = tokens_of(site)

    assert answer["token_type"] == "Bearer"
    assert answer["scope"] == "email profile"
    assert answer["expires_in"] == 300
    assert site.introspect(answer["access_token"], "resource")["sub"] == "alice"
    assert site.refresh(answer["refresh_token"], "tv").status == 200


def test_a_device_gets_what_was_ticked_and_no_more(site: Site) -> None:
    codes = begun(site)

    approve(site, codes, scope="email")

    assert members(poll(site, codes["device_code"]))["scope"] == "email"


def test_a_device_that_was_denied_is_told_so_each_time(site: Site) -> None:
    codes = begun(site)
    deny(site, codes)

    assert [error(poll(site, codes["device_code"])) for _ in range(2)] == ["access_denied"] * 2


def test_a_device_whose_user_never_came_is_told_that_its_code_has_expired(site: Site) -> None:
    codes = begun(site)
    site.clock.advance(599)
    assert error(poll(site, codes["device_code"])) == "authorization_pending"
    site.clock.advance(1)
    assert error(poll(site, codes["device_code"])) == "expired_token"


def test_a_code_that_was_allowed_and_not_used_expires_as_well(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    site.clock.advance(600)

    assert error(poll(site, codes["device_code"])) == "expired_token"


def test_a_code_that_was_allowed_at_the_first_second_gives_tokens_at_the_last(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    site.clock.advance(599)

    assert poll(site, codes["device_code"]).status == 200


def test_a_second_use_of_a_device_code_revokes_what_the_first_gave(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    answer = members(poll(site, codes["device_code"]))
    site.clock.advance(700)

    second = poll(site, codes["device_code"])

    assert refused(second, "invalid_grant", "redeemed before")
    assert not site.is_active(answer["access_token"])
    assert site.refresh(answer["refresh_token"], "tv").status == 400
    assert [event.name for event in site.events][-1] == "device_code_replayed"


def test_a_device_code_is_good_for_its_own_client_alone(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)

    assert refused(poll(site, codes["device_code"], "other_tv"), "invalid_grant", "another client")
    answer = members(poll(site, codes["device_code"]))
    assert refused(poll(site, codes["device_code"], "other_tv"), "invalid_grant", "another client")
    assert site.refresh(answer["refresh_token"], "tv").status == 200


@pytest.mark.parametrize("code", ["nonsense", "x" * 5_000])
def test_an_unknown_device_code_is_an_invalid_grant(site: Site, code: str) -> None:
    assert refused(poll(site, code), "invalid_grant", "unknown")


def test_a_device_code_is_no_other_kind_of_code(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)

    assert refused(site.redeem(codes["device_code"]), "invalid_grant")
    assert refused(poll(site, codes["user_code"]), "invalid_grant", "unknown")


def test_a_client_that_was_registered_anew_gets_nothing_of_the_one_before(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    tv = site.world.storage.find(Client, "tv")
    assert tv is not None
    site.drive(site.server.clients.remove("tv"), site.world)
    site.drive(site.server.clients.register(attrs.evolve(tv, generation="")), site.world)

    assert refused(poll(site, codes["device_code"]), "invalid_grant", "another client")


def test_a_device_that_polls_too_fast_has_to_wait_five_seconds_longer_from_then_on(site: Site) -> None:
    """Section 3.5."""
    codes = begun(site)
    answers = []

    for wait in (0, 1, 10, 9, 5, 15):
        site.clock.advance(wait)
        answers.append(error(poll(site, codes["device_code"])))

    pending, slow_down = "authorization_pending", "slow_down"
    # At once; after 1 s, so that it is 10 from then on; after these, and a second less; after 5: 15 from then on.
    assert answers == [pending, slow_down, pending, pending, slow_down, pending]


def test_a_device_in_time_is_never_told_to_slow_down(site: Site) -> None:
    codes = begun(site)
    for _ in range(100):
        assert error(poll(site, codes["device_code"])) == "authorization_pending"
        site.clock.advance(5)


def test_the_interval_grows_to_a_bound_beyond_which_nothing_is_written(site: Site) -> None:
    codes = begun(site)
    for _ in range(20):
        poll(site, codes["device_code"])
    counted = Counted(site)

    answers = {error(poll(site, codes["device_code"])) for _ in range(5)}

    assert answers == {"slow_down"}
    assert counted.commits == 0
    key = site.server.context().digest("device_code", Secret(codes["device_code"]))
    record = counted.storage.find(DeviceAuthorization, key)
    assert record is not None
    assert record.slow_downs == MOST_SLOW_DOWNS


def test_an_approval_is_met_by_a_poll_that_comes_too_early(site: Site) -> None:
    codes = begun(site)
    poll(site, codes["device_code"])
    approve(site, codes)

    assert poll(site, codes["device_code"]).status == 200


def test_a_waiting_device_costs_two_finds_and_seldom_a_commit(site: Site) -> None:
    codes = begun(site)
    counted = Counted(site)

    for _ in range(4 * KEPT_EVERY):
        poll(site, codes["device_code"])
        site.clock.advance(5)

    assert counted.finds == 4 * KEPT_EVERY * 2
    assert counted.commits == 4


def test_a_redemption_costs_three_finds_and_one_commit(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    counted = Counted(site)

    poll(site, codes["device_code"])

    assert (counted.finds, counted.commits) == (3, 1)


def test_a_client_that_lost_the_grant_type_polls_in_vain(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    site.drive(site.server.clients.update("tv", grant_types=("refresh_token",)), site.world)

    assert refused(poll(site, codes["device_code"]), "unauthorized_client")


def test_what_was_withdrawn_before_the_device_asked_gives_nothing(site: Site) -> None:
    codes = begun(site)
    approve(site, codes)
    site.drive(site.server.applications.withdraw("alice", "tv"), site.world)

    assert refused(poll(site, codes["device_code"]), "invalid_grant", "revoked")


def test_a_user_who_was_removed_before_the_device_asked_leaves_it_nothing(site: Site) -> None:
    codes = begun(site)
    approve(site, codes, Login(subject="bob", auth_time=site.now))
    site.world = attrs.evolve(site.world, claims=lambda _: None)

    assert refused(poll(site, codes["device_code"]), "invalid_grant", "user is not known")


def test_the_device_goes_on_when_the_user_signs_out_of_their_browser(site: Site) -> None:
    login = site.drive(site.server.sessions.sign_in("alice"), site.world)
    codes = begun(site)
    approve(site, codes, login)
    answer = members(poll(site, codes["device_code"]))

    site.drive(site.server.sessions.end(login.sid, "alice"), site.world)

    assert site.is_active(answer["access_token"])


def test_a_device_is_listed_as_one_and_can_be_taken_back_alone(site: Site) -> None:
    one, two = tokens_of(site), tokens_of(site)
    listed = site.drive(site.server.applications.of("alice"), site.world)

    assert [application.client_id for application in listed] == ["tv"]
    first, second = listed[0].devices
    taken = [
        site.drive(site.server.applications.withdraw_grant(who, second.grant), site.world)
        for who in ("mallory", "alice", "alice")
    ]

    assert taken == [0, 1, 0]
    assert first.grant != second.grant
    assert [site.is_active(tokens["access_token"]) for tokens in (one, two)].count(True) == 1


def test_a_grant_of_a_browser_is_no_device(site: Site) -> None:
    site.tokens()
    (grant,) = site.world.storage.find_of(Grant, "alice")

    listed = site.drive(site.server.applications.of("alice"), site.world)

    assert listed[0].devices == ()
    assert site.drive(site.server.applications.withdraw_grant("alice", grant.key), site.world) == 0


def test_an_access_token_of_a_device_is_introspected_as_any_other(site: Site) -> None:
    claims = site.introspect(tokens_of(site)["access_token"], "resource")

    assert (claims["client_id"], claims["sub"], claims["scope"]) == ("tv", "alice", "email profile")
    assert DEVICE_CODE not in str(claims)


def test_a_poll_before_the_answer_spends_no_proof_and_costs_no_commit(drive: Drive) -> None:
    """Else a device that waits would fill the storage with its proofs (RFC 9449 section 11.1)."""
    site = device_site(drive, dpop=Dpop())
    code = begun(site)["device_code"]
    assert error(poll(site, code)) == "authorization_pending"
    counted = Counted(site)

    for _ in range(2):
        site.clock.advance(5)
        request = poll_request(code)
        waiting = site.handle(attrs.evolve(request, headers=(*request.headers, ("DPoP", proof(site.now)))))
        assert error(waiting) == "authorization_pending"

    assert counted.commits == 0
