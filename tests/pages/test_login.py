"""The login page."""

from __future__ import annotations

from itertools import product

import attrs
import pytest

from oauthcore import AuthenticatedUser, LoginSession, Response, Secret
from oauthcore.flow.outcome import Insert, Replace
from tests.pages.html import Page
from tests.pages.site import Site, location, make_site, path_of


def alert(response: Response) -> str | None:
    """Return what a page alerts to, if to anything."""
    text = response.body.decode()
    return text.partition('role="alert">')[2].partition("<")[0] or None


def test_login_page_asks_for_a_username_and_a_password(site: Site) -> None:
    response = site.get(site.authorize())

    page = Page.in_(response)
    assert response.status == 200
    assert page.action == "/login"
    assert list(page.form) == ["csrf", "interaction", "username", "password"]
    assert page.form["username"] == page.form["password"] == ""
    assert "The App" in page.text
    assert alert(response) is None


def test_every_input_has_a_label(site: Site) -> None:
    page = Page.in_(site.get(site.authorize()))

    labelled = {attributes["for"] for tag, attributes in page.tags if tag == "label"}
    visible = {
        attributes["id"] for tag, attributes in page.tags if tag == "input" and attributes.get("type") != "hidden"
    }
    assert labelled == visible == {"username", "password"}


def test_right_password_leads_on_to_the_approve_page(site: Site) -> None:
    response = site.sign_in(site.authorize())

    assert response.status == 303
    assert location(response).startswith("/approve?interaction=")


def test_right_password_leads_to_the_client_where_consent_is_remembered(site: Site) -> None:
    page = site.approve_page()
    site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))
    site.cookies.clear()

    answer = site.answered(site.sign_in(site.authorize()))

    assert answer.startswith("https://client.example/callback?code=")


@pytest.mark.parametrize(
    ("username", "password"), [("alice", "wrong-one"), ("nobody", "wonderland"), ("", ""), ("alice", " wonderland")]
)
def test_wrong_password_shows_the_page_again_with_one_sentence(site: Site, username: str, password: str) -> None:
    response = site.sign_in(site.authorize(), username, password)

    assert response.status == 400
    assert alert(response) == "Wrong username or password."
    assert site.login() is None


def test_wrong_password_is_not_shown_again_but_the_username_is(site: Site) -> None:
    response = site.sign_in(site.authorize(), 'al"ice', "wrong-one")

    page = Page.in_(response)
    assert page.form["username"] == 'al"ice'
    assert page.form["password"] == ""
    assert "wrong-one" not in page.text
    assert all("wrong-one" not in value for _, value in response.headers)


def test_person_may_try_again_after_a_wrong_password(site: Site) -> None:
    page = Page.in_(site.sign_in(site.authorize(), "alice", "wrong-one"))

    response = site.post("/login", page.submission(("username", "alice"), ("password", "wonderland")))

    assert location(response).startswith("/approve?")


def test_password_is_taken_as_typed(site: Site) -> None:
    site.sign_in(site.authorize(), "bob", " päss word ")

    login = site.login()
    assert login is not None
    assert login.subject == "subject-of-bob"


def test_double_click_is_answered_as_the_first_click_was(site: Site) -> None:
    approved = site.approve_page()
    site.answered(site.post("/approve", approved.submission(*approved.checkboxes, ("approval", "1"))))
    site.cookies.pop("__Host-oauthcore-session")
    page = Page.in_(site.get(site.authorize()))
    before = dict(site.cookies)
    body = page.submission(("username", "alice"), ("password", "wonderland"))

    first = site.post("/login", body)
    site.cookies = before
    second = site.post("/login", body)

    assert location(first) == location(second)


def test_who_is_signed_in_already_is_sent_on_to_the_approve_page(site: Site) -> None:
    login_url = site.authorize()
    site.sign_in(login_url)

    response = site.get(login_url)

    assert (response.status, location(response)) == (303, login_url.replace("/login", "/approve"))


def test_who_is_signed_in_but_is_to_sign_in_again_is_asked_to(site: Site) -> None:
    """OIDC Core section 3.1.2.1: prompt=login."""
    site.sign_in(site.authorize())
    site.clock.advance(10)

    url = site.authorize(prompt="login")
    asked = site.get(url)
    signed_in = site.sign_in(url)

    assert path_of(url) == "/login"
    assert Page.in_(asked).form["password"] == ""
    assert location(signed_in).startswith("/approve?")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        *product(["/login", "/approve"], ["?interaction=unknown", "?interaction=a&interaction=b", "?%FF"]),
        ("/approve", ""),
        ("/approve", "?interaction="),
    ],
)
def test_page_without_a_pending_interaction_is_an_error_page(site: Site, path: str, query: str) -> None:
    site.sign_in(site.authorize())

    response = site.get(path + query)

    assert response.status == 400
    assert "The request was refused." in response.body.decode()
    assert response.refusal is not None
    assert response.refusal.code == "invalid_request"


def test_interaction_that_has_expired_is_an_error_page(site: Site) -> None:
    url = site.authorize()
    site.clock.advance(3_601)

    assert site.get(url).status == 400


def test_wrong_password_for_an_interaction_that_has_expired_is_an_error_page(site: Site) -> None:
    page = Page.in_(site.get(site.authorize()))
    site.clock.advance(3_601)

    response = site.post("/login", page.submission(("username", "alice"), ("password", "wrong-one")))

    assert "The request was refused." in response.body.decode()


def test_other_methods_are_refused(site: Site) -> None:
    response = site.request("PUT", "/login")

    assert (response.status, response.header("allow")) == (405, "GET, HEAD, POST")


def test_head_is_answered_as_get_is(site: Site) -> None:
    url = site.authorize()

    head, got = site.request("HEAD", url), site.get(url)

    assert (head.status, head.body) == (got.status, got.body)


def test_pages_are_below_the_path_of_the_issuer() -> None:
    site = make_site(issuer="https://as.example/tenant")
    url = location(site.get("/tenant/authorize?client_id=app&response_type=code"))

    response = site.sign_in(url)

    assert path_of(url) == "/tenant/login"
    assert location(response).startswith("/tenant/approve?")
    assert Page.in_(site.get(location(response))).action == "/tenant/approve"


@attrs.frozen
class Password:
    """Be what a host remembers of a user."""

    value: str
    version: int = 0
    key: str = "alice"
    expires_at: int | None = None


class Changing:
    """Know alice by a record, in whose place another one is put each time right after it was read."""

    def __init__(self, site: Site, *others: Password) -> None:
        self.storage, self.others, self.asked = site.world.storage, list(others), 0
        self.storage.commit((Insert(Password("wonderland")),))
        site.world = attrs.evolve(site.world, authenticate=self.authenticate)

    def authenticate(self, username: str, password: Secret) -> AuthenticatedUser | None:
        """Compare, and be too slow."""
        read = self.storage.find(Password, username)
        assert read is not None
        self.asked += 1
        if self.others:
            self.storage.commit((Replace(read, self.others.pop(0)),))
        return AuthenticatedUser("subject-of-alice", [read]) if password.reveal() == read.value else None


def sessions(site: Site) -> int:
    """Return how many sessions alice has."""
    return len(site.world.storage.find_of(LoginSession, "subject-of-alice"))


def test_a_password_that_was_changed_while_it_was_hashed_opens_no_session(site: Site) -> None:
    changing = Changing(site, Password("changed"))

    response = site.sign_in(site.authorize())

    assert (response.status, changing.asked, sessions(site)) == (400, 2, 0)
    assert "Wrong" in (alert(response) or "")


def test_who_has_the_same_password_still_is_signed_in_at_the_second_look(site: Site) -> None:
    changing = Changing(site, Password("wonderland", 1))

    response = site.sign_in(site.authorize())

    assert location(response).startswith("/approve?")
    assert (changing.asked, sessions(site)) == (2, 1)


def test_who_is_changed_again_and_again_is_asked_to_wait(site: Site) -> None:
    changing = Changing(site, *(Password("wonderland", version) for version in range(1, 9)))

    response = site.sign_in(site.authorize())

    assert (response.status, changing.asked, sessions(site)) == (429, 3, 0)
