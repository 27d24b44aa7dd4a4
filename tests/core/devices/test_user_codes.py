"""User codes: how they are spelled and read, and how many may be guessed (RFC 8628 sections 5.1 and 6.1)."""

from __future__ import annotations

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import DeviceGrant, Login, Peer, Request
from oauthcore.digest import encoded
from oauthcore.endpoints.device import MAX_ENTRIES
from oauthcore.errors import TooManyAttempts
from oauthcore.user_code import LETTERS, NUMBER_OF_CODES, read_user_code, spell_user_code
from tests.core.devices.device_site import BROWSER, begun, device_site, enter
from tests.core.site import Counted, Drive, Site

WRONG = "BBBB-BBBB"


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site where devices may ask."""
    return device_site(drive)


@given(st.binary(min_size=32, max_size=32))
def test_whatever_is_drawn_is_spelled_as_a_code_and_read_back(drawn: bytes) -> None:
    code = spell_user_code(encoded(drawn))

    assert len(code) == 9
    assert read_user_code(code) == code.replace("-", "")


def test_every_letter_is_as_likely_as_any_other_at_every_place() -> None:
    # The smallest numbers, which differ in their last places alone, come to every letter of the first place in turn.
    codes = [spell_user_code(encoded(number.to_bytes(32, "big"))) for number in range(20 * 20)]

    assert len(set(codes)) == 400
    assert sorted({code[0] for code in codes}) == sorted({code[1] for code in codes}) == list(LETTERS)
    assert NUMBER_OF_CODES == 25_600_000_000


@pytest.mark.parametrize(
    "typed",
    [
        "BCDF-GHJK",
        "bcdf-ghjk",
        "BCDFGHJK",
        " bcdf ghjk ",
        "b c d f g h j k",
        "BCDF\u2013GHJK",
        "BCDF.GHJK",
        "bcdf-ghjk\n",
    ],
)
def test_case_dashes_and_spaces_make_no_difference(typed: str) -> None:
    assert read_user_code(typed) == "BCDFGHJK"


@pytest.mark.parametrize("typed", ["", "BCDF-GHJ", "BCDF-GHJKL", "1234-5678", "\uff22CDF-GHJK", "B" * 100_000])
def test_what_is_no_code_is_read_as_none(typed: str) -> None:
    assert read_user_code(typed) is None


@given(st.text(max_size=40))
def test_any_text_is_read_as_a_code_or_as_none(typed: str) -> None:
    letters = read_user_code(typed)

    assert letters is None or (len(letters) == 8 and set(letters) <= set(LETTERS))


def test_what_is_no_code_is_no_guess(site: Site) -> None:
    counted = Counted(site)

    assert enter(site, "BCDF") is None
    assert (counted.finds, counted.commits) == (0, 0)


def test_a_user_who_entered_ten_wrong_codes_waits_for_the_rest_of_the_hour(site: Site) -> None:
    codes = begun(site)
    assert [enter(site, WRONG) for _ in range(10)] == [None] * 10
    site.clock.advance(100)

    with pytest.raises(TooManyAttempts) as refused:
        enter(site, codes["user_code"])

    assert refused.value.retry_after == 3_500
    assert enter(site, codes["user_code"], Login(subject="bob", auth_time=site.now)) is not None
    site.clock.advance(3_500)
    assert enter(site, begun(site)["user_code"]) is not None


def test_a_user_who_signs_in_once_more_has_no_more_guesses(site: Site) -> None:
    for number in range(10):
        login = Login(subject="alice", auth_time=site.now, sid=None, acr=str(number))
        enter(site, WRONG, login, attrs.evolve(BROWSER, peer=Peer(f"198.51.100.{number}", is_secure=True)))

    with pytest.raises(TooManyAttempts):
        enter(site, WRONG)


def test_right_codes_between_them_give_no_more_guesses(site: Site) -> None:
    """Anybody can have right codes: by beginning with a device of their own."""
    for _ in range(10):
        assert enter(site, begun(site)["user_code"]) is not None
        assert enter(site, WRONG) is None

    with pytest.raises(TooManyAttempts):
        enter(site, begun(site)["user_code"])


def test_an_address_from_which_a_hundred_were_wrong_waits_whoever_is_there(site: Site) -> None:
    for number in range(100):
        enter(site, WRONG, Login(subject=f"user{number}", auth_time=site.now))

    with pytest.raises(TooManyAttempts):
        enter(site, WRONG, Login(subject="somebody", auth_time=site.now))
    elsewhere = attrs.evolve(BROWSER, peer=Peer("198.51.100.1", is_secure=True))
    assert enter(site, WRONG, Login(subject="somebody", auth_time=site.now), elsewhere) is None


def test_one_network_of_ipv6_is_one_address(drive: Drive) -> None:
    site = device_site(drive, device=DeviceGrant(max_wrong_from_address=1))
    one, two, other = (
        Request("POST", "/device", peer=Peer(address, is_secure=True))
        for address in ("2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
    )
    logins = [Login(subject=name, auth_time=site.now) for name in ("a", "b", "c")]
    enter(site, WRONG, logins[0], one)

    with pytest.raises(TooManyAttempts):
        enter(site, WRONG, logins[1], two)
    assert enter(site, WRONG, logins[2], other) is None


def test_without_limits_nothing_is_counted(drive: Drive) -> None:
    site = device_site(drive, device=DeviceGrant(max_wrong_of_user=None, max_wrong_from_address=None))
    counted = Counted(site)

    assert [enter(site, WRONG) for _ in range(20)] == [None] * 20
    assert counted.finds == 20


def test_a_code_that_is_sent_to_many_works_for_few(site: Site) -> None:
    code = begun(site)["user_code"]
    people = [Login(subject=f"user{number}", auth_time=site.now) for number in range(MAX_ENTRIES + 1)]

    found = [enter(site, code, login) is not None for login in people]

    assert found == [True] * MAX_ENTRIES + [False]


def test_a_wrong_code_is_told_to_the_audit_log(site: Site) -> None:
    enter(site, WRONG)

    assert [(event.name, event.subject) for event in site.events] == [("user_code_refused", "alice")]
