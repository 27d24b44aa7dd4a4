"""The page on which a person says who they are, filled in as a browser does."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from oauthcore import Request, Response
from oauthcore_mock import Issuer, Provider
from tests.plugin.relying_party import REDIRECT, authorization_url, claims_of, members, redeem


class Person:
    """Be a browser with a person before it: it keeps cookies, and follows redirects within the provider."""

    def __init__(self, issuer: Issuer) -> None:
        self.issuer = issuer
        self.cookies: dict[str, str] = {}

    def send(self, method: str, target: str, **form: str) -> Response:
        """Send a request, and follow where the provider sends the browser on within itself."""
        headers = [("Cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items()))]
        if form:
            headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        response = self.issuer.handle(Request(method, target, tuple(headers), urlencode(form).encode())).response
        for name, value in response.headers:
            if name == "Set-Cookie":
                key, _, kept = value.partition(";")[0].partition("=")
                self.cookies[key] = kept
        location = response.header("location") or ""
        if location.startswith("/"):
            self.at = location
            return self.send("GET", location)
        return response


@pytest.fixture
def manual(provider: Provider, issuer: Issuer) -> Issuer:
    """Return an issuer that shows its form."""
    made = provider.issuer(clock=issuer.clock, shows_form=True)
    made.client(redirect_uris=[REDIRECT], post_logout_redirect_uris=["http://testserver/bye"])
    return made


def asked(manual: Issuer, **changes: str | None) -> tuple[Person, Response, str]:
    """Send a person to the provider; return what they see, and the handle in it."""
    person = Person(manual)
    shown = person.send("GET", authorization_url(manual, **changes).removeprefix("http://127.0.0.1:9400"))
    return person, shown, person.at.partition("interaction=")[2]


def test_a_person_says_who_they_are_and_what_is_known_of_them(manual: Issuer) -> None:
    person, shown, handle = asked(manual)
    assert "test-client" in shown.body.decode()

    back = person.send(
        "POST",
        f"{manual.base}/login",
        interaction=handle,
        sub="bob",
        claims='{"email": "b@example.com", "roles": ["a"]}',
    )

    code = (back.header("location") or "").partition("code=")[2].partition("&")[0]
    said = claims_of(members(redeem(manual, manual.client(redirect_uris=[REDIRECT]), code))["id_token"])
    assert (said["sub"], said["email"], said["roles"]) == ("bob", "b@example.com", ["a"])


def test_a_person_denies(manual: Issuer) -> None:
    person, _, handle = asked(manual)

    back = person.send("POST", f"{manual.base}/login", interaction=handle, sub="alice", deny="1")

    assert "error=access_denied" in (back.header("location") or "")


@pytest.mark.parametrize(
    ("claims", "says"), [("[", "The claims are no JSON object"), ("[]", "The claims are no JSON object")]
)
def test_what_is_wrong_with_the_form_is_said_on_it(claims: str, says: str, manual: Issuer) -> None:
    person, _, handle = asked(manual)

    again = person.send("POST", f"{manual.base}/login", interaction=handle, sub="bob", claims=claims)

    assert again.status == 400
    assert says in again.body.decode()
    assert "Say who signs in" in person.send("POST", f"{manual.base}/login", interaction=handle).body.decode()


def test_nothing_of_a_request_is_markup(manual: Issuer) -> None:
    manual.user('<b>"bob"</b>')
    _, shown, _ = asked(manual)

    assert "<b>" not in shown.body.decode()
    assert "&lt;b&gt;" in shown.body.decode()


def test_a_login_that_nobody_has_begun_is_said_to_be_over(manual: Issuer) -> None:
    shown = Person(manual).send("GET", f"{manual.base}/login?interaction=nothing")

    assert shown.status == 400
    assert "Nothing waits here" in shown.body.decode()


def test_whoever_is_next_signs_in_without_the_form(manual: Issuer) -> None:
    manual.next_login("carol")

    back = Person(manual).send("GET", authorization_url(manual).removeprefix("http://127.0.0.1:9400"))

    assert "code=" in (back.header("location") or "")


def test_a_person_is_asked_before_they_sign_out(manual: Issuer) -> None:
    person, _, handle = asked(manual)
    person.send("POST", f"{manual.base}/login", interaction=handle, sub="bob")
    leaving = urlencode({"client_id": "test-client", "post_logout_redirect_uri": "http://testserver/bye"})

    shown = person.send("GET", f"{manual.base}/end-session?{leaving}")
    page = shown.body.decode()
    logout = page.partition('name="logout" value="')[2].partition('"')[0]
    back = person.send("POST", f"{manual.base}/logout", logout=logout)

    assert "Sign out" in page
    assert back.header("location") == "http://testserver/bye"
