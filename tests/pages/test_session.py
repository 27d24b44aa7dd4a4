"""Sessions: who is signed in, for how long, and in whose cookie."""

from __future__ import annotations

import pytest

from oauthcore import Response
from tests.pages.site import KEY, Site, location, make_site

SESSION = "__Host-oauthcore-session"


def session_cookie(response: Response) -> str:
    """Return the session cookie that a response sets."""
    (found,) = [v for k, v in response.headers if k == "Set-Cookie" and "oauthcore-session" in v]
    return found


def test_who_signed_in_is_told_to_the_authorization_endpoint(site: Site) -> None:
    site.sign_in(site.authorize())

    login = site.login()
    assert login is not None
    assert (login.subject, login.auth_time, login.amr) == ("subject-of-alice", int(site.clock.now), ("pwd",))
    assert site.authorize().startswith("/approve?")


def test_nobody_is_signed_in_before_he_signed_in(site: Site) -> None:
    site.get(site.authorize())

    assert SESSION in site.cookies
    assert site.login() is None


def test_session_changes_when_somebody_signs_in(site: Site) -> None:
    url = site.authorize()
    site.get(url)
    before = site.cookies[SESSION]

    site.sign_in(url)

    assert site.cookies[SESSION] != before


def test_session_is_kept_from_page_to_page(site: Site) -> None:
    site.get(site.authorize())

    again = site.get(site.authorize())

    assert again.header("set-cookie") is None


def test_cookie_of_an_https_issuer_is_for_this_host_alone(site: Site) -> None:
    name, _, attributes = session_cookie(site.get(site.authorize())).partition("=")

    assert name == "__Host-oauthcore-session"
    assert attributes.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax", "Secure"]


def test_cookie_of_a_loopback_issuer_works_without_https() -> None:
    site = make_site(issuer="http://localhost:8000")

    name, _, attributes = session_cookie(site.get(site.authorize())).partition("=")

    assert name == "oauthcore-session"
    assert attributes.split("; ")[1:] == ["Path=/", "HttpOnly", "SameSite=Lax"]


def test_session_ends_after_its_lifetime_however_much_it_is_used() -> None:
    site = make_site(session_lifetime=60)
    site.sign_in(site.authorize())

    site.clock.advance(59)
    still = site.authorize()
    site.clock.advance(1)
    over = site.authorize()

    assert still.startswith("/approve?")
    assert over.startswith("/login?")


@pytest.mark.parametrize("place", [0, 20, -1])
def test_cookie_that_was_tampered_with_is_nobodys(site: Site, place: int) -> None:
    site.sign_in(site.authorize())
    value = list(site.cookies[SESSION])
    value[place] = "A" if value[place] != "A" else "B"
    site.cookies[SESSION] = "".join(value)

    assert site.login() is None


@pytest.mark.parametrize("value", ["", "x", ".", "a.b.c", "ünïcode", '"'])
def test_cookie_that_is_none_of_ours_is_nobodys(site: Site, value: str) -> None:
    site.cookies[SESSION] = value

    assert site.login() is None
    assert site.get(site.authorize()).status == 200


def test_two_session_cookies_are_nobodys(site: Site) -> None:
    """One of them was planted, and nobody knows which (RFC 6265 section 8.6)."""
    site.sign_in(site.authorize())
    site.cookies[SESSION] += f"; {SESSION}={site.cookies[SESSION]}"

    assert site.login() is None


@pytest.mark.parametrize("other", [make_site(key=KEY[::-1]), make_site(issuer="https://other.example")])
def test_cookie_of_another_key_or_another_issuer_is_nobodys(site: Site, other: Site) -> None:
    site.sign_in(site.authorize())
    other.cookies[SESSION] = site.cookies[SESSION]

    assert other.login() is None


def test_second_person_in_one_browser_takes_the_place_of_the_first(site: Site) -> None:
    site.sign_in(site.authorize())
    site.clock.advance(10)

    response = site.sign_in(site.authorize(prompt="login"), "bob", " päss word ")

    login = site.login()
    assert login is not None
    assert login.subject == "subject-of-bob"
    assert "<strong>bob</strong>" in site.get(location(response)).body.decode()
