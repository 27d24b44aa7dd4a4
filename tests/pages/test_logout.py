"""Signing out for a client, and the login sessions on the account page."""

from __future__ import annotations

from urllib.parse import urlencode

import attrs
import pytest

from oauthcore import ConfigurationError, LoginSession, Paths, run
from oauthcore.oidc.sid import sid_for
from oauthcore.openid import OpenID
from oauthcore.records.login import LogoutDelivery
from oauthcore.signing.keys import GivenKeys
from tests.core.signing_keys import key_for
from tests.pages.html import Page
from tests.pages.site import APP, Site, location, make_site

BYE = "https://client.example/bye"
RP = attrs.evolve(
    APP,
    scope="openid email",
    post_logout_redirect_uris=(BYE,),
    backchannel_logout_uri="https://client.example/bcl",
    frontchannel_logout_uri="https://client.example/front",
)


@pytest.fixture
def site() -> Site:
    """Return a provider with pages, at which alice has signed in for the app."""
    site = make_site(client=RP, openid=OpenID(), keys=GivenKeys([key_for("RS256")]))
    page = Page.in_(site.get(location(site.sign_in(site.authorize(scope="openid email")))))
    said = page.submission(("scope", "openid"), *page.checkboxes, ("approval", "1"))
    assert "code=" in site.answered(site.post("/approve", said))
    return site


def sessions(site: Site) -> list[LoginSession]:
    """Return alice's sessions."""
    return list(run(site.server.sessions.of("subject-of-alice"), site.world))


def left(site: Site, **parameters: str) -> str:
    """Be sent by the app to sign out; give where the page is."""
    return location(site.get("/end-session?" + urlencode({"client_id": "app", **parameters})))


def test_a_person_is_asked_and_his_client_told_and_then_he_is_sent_back(site: Site) -> None:
    (session,) = sessions(site)
    url = left(site, post_logout_redirect_uri=BYE, state="s")
    asked = Page.in_(site.get(url))

    done = site.post(asked.action or "", asked.submission())

    assert "<strong>The App</strong> asks you to sign out here, too." in asked.text
    page = Page.in_(done)
    (frame,) = [found for tag, found in page.tags if tag == "iframe"]
    sid = sid_for(RP, session.key, site.server.context())
    assert frame["src"] == f"https://client.example/front?iss=https%3A%2F%2Fas.example&sid={sid}"
    assert ("meta", {"http-equiv": "refresh", "content": f"4;url={BYE}?state=s"}) in page.tags
    assert "frame-src https://client.example" in (done.header("content-security-policy") or "").split("; ")
    assert sessions(site) == []
    assert len(site.world.storage.find_of(LogoutDelivery, "due")) == 1
    assert site.login() is None


def test_a_form_from_elsewhere_signs_nobody_out(site: Site) -> None:
    url = left(site)

    for body in (b"", b"csrf=guessed&interaction="):
        assert site.post(url, body).status == 403

    assert len(sessions(site)) == 1


def test_who_says_nothing_stays_signed_in(site: Site) -> None:
    site.get(left(site, post_logout_redirect_uri=BYE))

    assert len(sessions(site)) == 1
    assert site.get("/account").status == 200


def test_where_nobody_is_signed_in_there_is_nothing_to_ask(site: Site) -> None:
    site.cookies.clear()

    sent = site.get(left(site, post_logout_redirect_uri=BYE, state="x"))

    assert location(sent) == f"{BYE}?state=x"


def test_the_account_shows_where_somebody_is_signed_in_and_ends_it(site: Site) -> None:
    elsewhere = attrs.evolve(site, cookies={})
    elsewhere.sign_in("/login")
    page = Page.in_(site.get("/account"))
    mine, other = sorted(sessions(site), key=lambda session: session.authorizations, reverse=True)

    ended = site.post("/account", urlencode({"csrf": page.form["csrf"], "sid": other.key}).encode())

    assert page.text.count("End this session") == 2
    assert page.text.count("(this browser)") == 1
    assert "<li>The App</li>" in page.text
    assert location(ended) == "/account?ended=1"
    assert "The session was ended." in site.get("/account?ended=1").body.decode()
    assert sessions(site) == [mine]
    assert location(elsewhere.get("/account")) == "/login"


def test_nobody_ends_the_session_of_another_by_its_sid(site: Site) -> None:
    (session,) = sessions(site)
    other = attrs.evolve(site, cookies={})
    page = Page.in_(other.get("/login"))
    other.post("/login", page.submission(("username", "bob"), ("password", " päss word ")))
    csrf = Page.in_(other.get("/account")).form["csrf"]

    other.post("/account", urlencode({"csrf": csrf, "sid": session.key}).encode())

    assert sessions(site) == [session]


def test_a_cookie_of_an_ended_session_is_nobody_s(site: Site) -> None:
    (session,) = sessions(site)
    run(site.server.sessions.end(session.key), site.world)

    assert location(site.get("/account")) == "/login"
    assert site.authorize(scope="openid email").startswith("/login?")


def test_who_signs_in_again_in_one_browser_stays_in_his_session(site: Site) -> None:
    (before,) = sessions(site)
    site.clock.advance(10)
    site.sign_in(site.authorize(scope="openid email", prompt="login"))

    (after,) = sessions(site)

    assert (after.key, after.auth_time) == (before.key, before.auth_time + 10)


def test_the_page_is_where_the_server_sends_people() -> None:
    with pytest.raises(ConfigurationError, match="logout"):
        make_site(client=RP, openid=OpenID(), keys=GivenKeys([key_for("RS256")]), logout="/elsewhere")

    assert Paths().logout == "/logout"
