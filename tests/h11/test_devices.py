"""Known devices: a cookie from signing in, good for one account, for a time, and for nothing else."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Request
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_h11.devices import MOST_ACCOUNTS, Browser, Devices

DAY = 86_400
CLOCK = FixedClock()
DEVICES = Devices("https://as.example", CLOCK, SeededEntropy(), DAY, bytes(32))


def carrying(*cookies: str) -> Request:
    """Return a request with these cookies."""
    return Request("POST", "/login", tuple(("Cookie", cookie) for cookie in cookies))


def signed_in(devices: Devices, account: str, request: Request | None = None) -> str:
    """Sign in to an account; return the cookie that the browser then has."""
    return devices.cookie(request or carrying(), account)[1].partition(";")[0]


def test_browser_is_known_for_the_account_that_was_signed_in_to() -> None:
    browser = Browser(DEVICES, carrying(signed_in(DEVICES, "alice 0")))

    assert browser.device_for("alice 0") is not None
    assert browser.device_for("bob 0") is None


def test_browser_without_a_cookie_is_a_stranger() -> None:
    assert Browser(DEVICES, carrying()).device_for("alice 0") is None


def test_another_password_is_another_account() -> None:
    browser = Browser(DEVICES, carrying(signed_in(DEVICES, "alice 0")))

    assert browser.device_for("alice 1800000000") is None


def test_cookie_expires() -> None:
    clock = FixedClock()
    devices = attrs.evolve(DEVICES, clock=clock)
    request = carrying(signed_in(devices, "alice"))
    clock.advance(DAY - 1)
    assert Browser(devices, request).device_for("alice") is not None
    clock.advance(1)

    assert Browser(devices, request).device_for("alice") is None


@pytest.mark.parametrize(
    "other",
    [
        attrs.evolve(DEVICES, key=bytes(31) + b"x"),
        attrs.evolve(DEVICES, issuer="https://other.example"),
        attrs.evolve(DEVICES, lifetime=0),
    ],
)
def test_cookie_of_another_server_or_of_one_that_knows_none_counts_for_nothing(other: Devices) -> None:
    cookie = signed_in(other, "alice")

    assert Browser(DEVICES if other.lifetime else other, carrying(cookie)).device_for("alice") is None


def test_cookie_that_was_changed_counts_for_nothing() -> None:
    cookie = signed_in(DEVICES, "alice")
    name, _, value = cookie.partition("=")

    for place in range(0, len(value), 7):
        changed = value[:place] + ("A" if value[place] != "A" else "B") + value[place + 1 :]
        assert DEVICES.known(carrying(f"{name}={changed}")) == {}


def test_two_cookies_of_the_name_count_for_nothing() -> None:
    cookie = signed_in(DEVICES, "alice")

    assert DEVICES.known(carrying(f"{cookie}; {cookie}")) == DEVICES.known(carrying(cookie, cookie)) == {}


def test_people_of_one_household_are_known_side_by_side() -> None:
    cookie = signed_in(DEVICES, "alice")
    before = DEVICES.known(carrying(cookie))
    cookie = signed_in(DEVICES, "bob", carrying(cookie))

    known = Browser(DEVICES, carrying(cookie))
    assert known.device_for("alice") == before[DEVICES.name_of("alice")][0]
    assert known.device_for("bob") is not None


def test_of_more_than_a_household_who_came_first_is_a_stranger_again() -> None:
    cookie = ""
    for number in range(MOST_ACCOUNTS + 1):
        cookie = signed_in(DEVICES, f"user {number}", carrying(cookie))

    known = Browser(DEVICES, carrying(cookie))
    assert [number for number in range(MOST_ACCOUNTS + 1) if known.device_for(f"user {number}") is None] == [0]


def test_each_sign_in_gives_another_identifier() -> None:
    """So whoever copied the cookie before uses up none of its attempts."""
    first = signed_in(DEVICES, "alice")
    second = signed_in(DEVICES, "alice", carrying(first))

    assert Browser(DEVICES, carrying(first)).device_for("alice") != Browser(DEVICES, carrying(second)).device_for(
        "alice"
    )
    assert len(DEVICES.known(carrying(second))) == 1


def test_nothing_in_it_tells_who_signed_in() -> None:
    assert "alice" not in repr(DEVICES.known(carrying(signed_in(DEVICES, "alice"))))


def test_it_is_kept_from_scripts_from_other_sites_and_from_other_hosts() -> None:
    name, value = DEVICES.cookie(carrying(), "alice")

    assert name == "Set-Cookie"
    assert value.startswith("__Host-oauthcore-device=")
    assert value.endswith("; Path=/; HttpOnly; SameSite=Strict; Max-Age=86400; Secure")
    plain = attrs.evolve(DEVICES, issuer="http://localhost:8000").cookie(carrying(), "alice")[1]
    assert plain.startswith("oauthcore-device=") and "Secure" not in plain


def test_browser_is_told_nothing_where_nobody_signed_in_or_none_is_to_be_known() -> None:
    unknown = Browser(attrs.evolve(DEVICES, lifetime=0), carrying())
    unknown.remember("alice")

    assert Browser(DEVICES, carrying()).headers == unknown.headers == ()
