"""Form tokens: a form counts only in the session, and for the interaction, that it was shown for."""

from __future__ import annotations

import pytest

from oauthcore import Response
from tests.pages.html import Page
from tests.pages.site import KEY, Site, location, make_site

SESSION = "__Host-oauthcore-session"


def is_forged(response: Response) -> bool:
    """Return whether a form was refused as forged, with one clear sentence."""
    text = response.body.decode()
    return response.status == 403 and "The form was not sent from this page, or is out of date" in text


def login_body(page: Page, **changes: str) -> bytes:
    fields = {"username": "alice", "password": "wonderland", **changes}
    return page.submission(*fields.items())


@pytest.mark.parametrize("token", ["", "x", "ünïcode", "A" * 43])
def test_form_with_another_token_is_refused(site: Site, token: str) -> None:
    page = Page.in_(site.get(site.authorize()))

    response = site.post("/login", login_body(page, csrf=token))

    assert is_forged(response)
    assert site.login() is None


def test_form_without_a_token_is_refused(site: Site) -> None:
    page = site.approve_page()

    assert is_forged(site.post("/approve", page.submission(("approval", "1"), without="csrf")))
    assert is_forged(site.post("/approve", page.submission(("approval", "0"), without="csrf")))


def test_form_without_the_session_it_was_shown_in_is_refused(site: Site) -> None:
    """What a foreign site can send: everything but the cookie."""
    page = Page.in_(site.get(site.authorize()))
    site.cookies.clear()

    assert is_forged(site.post("/login", login_body(page)))


def test_form_of_another_session_is_refused(site: Site) -> None:
    """What an attacker can plant: a form, and a token of their own session for it."""
    url = site.authorize()
    attackers = Page.in_(site.get(url))
    site.cookies.pop(SESSION)
    site.get(url)

    assert is_forged(site.post("/login", login_body(attackers)))


def test_form_of_another_interaction_is_refused(site: Site) -> None:
    one, other = Page.in_(site.get(site.authorize())), Page.in_(site.get(site.authorize()))

    response = site.post("/login", login_body(one, interaction=other.form["interaction"]))

    assert one.form["csrf"] != other.form["csrf"]
    assert is_forged(response)


def test_form_shown_before_somebody_signed_in_elsewhere_is_not_looked_at_but_goes_on(site: Site) -> None:
    url, other = site.authorize(), site.authorize()
    before = Page.in_(site.get(url))
    site.sign_in(other)
    signed_in = site.login()

    going_on = location(site.post("/login", before.submission(("username", "bob"), ("password", " päss word "))))

    assert going_on == url
    assert location(site.get(going_on)).startswith("/approve?")
    assert site.login() == signed_in


def test_form_that_is_out_of_date_is_refused_with_a_way_back(site: Site) -> None:
    page = site.approve_page()
    site.clock.now += 1
    site.sign_in(site.authorize(prompt="login"))

    refused = site.post("/approve", page.submission(("approval", "1")))

    assert is_forged(refused)
    (back,) = [tag["href"] for name, tag in Page.in_(refused).tags if name == "a"]
    assert back == f"/approve?interaction={page.form['interaction']}"


def test_forms_of_two_tabs_both_count(site: Site) -> None:
    one, other = Page.in_(site.get(site.authorize())), Page.in_(site.get(site.authorize()))
    waiting = dict(site.cookies)

    first = site.post("/login", login_body(one))
    site.cookies = waiting
    second = site.post("/login", login_body(other))

    assert location(first).startswith("/approve?")
    assert location(second).startswith("/approve?")


def test_token_made_with_another_key_is_refused(site: Site) -> None:
    other = make_site(key=KEY[::-1])
    page = Page.in_(site.get(site.authorize()))
    other.get(other.authorize())
    other.cookies[SESSION] = site.cookies[SESSION]

    assert is_forged(other.post("/login", login_body(page)))


def test_refusal_tells_the_log_why(site: Site) -> None:
    page = Page.in_(site.get(site.authorize()))

    response = site.post("/login", login_body(page, csrf="x"))

    assert response.refusal is not None
    assert (response.refusal.code, response.refusal.reason) == (
        "access_denied",
        "a form came without the token of its session",
    )
