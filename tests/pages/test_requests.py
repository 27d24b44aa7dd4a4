"""The page of what clients ask in the background: looked at, compared, allowed or denied (CIBA Core section 8)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import attrs
import pytest

from oauthcore import Client, ConfigurationError, DeviceGrant, Request, Resource, Resources, Response, run
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.flow.effects import Identify
from oauthcore.openid import OpenID
from tests.pages.html import Page
from tests.pages.site import FORM, SECRET, Site, location, make_site

ALICE = "subject-of-alice"
TILL = Client(
    client_id="till",
    name="Till <b>",
    organization_name="Tea & Co",
    client_uri="https://tea.example",
    grant_types=(GRANT_TYPE,),
    response_types=(),
    scope="openid profile email",
    backchannel_token_delivery_mode="poll",
)


def subject_of(effect: Identify) -> str:
    """Return whom a hint means."""
    return f"subject-of-{effect.login_hint}"


def requests_site(client: Client = TILL, **settings: Any) -> Site:
    """Return a site where a till asks users in the background."""
    site = make_site(client, openid=OpenID(), ciba=Ciba(), **settings)
    site.world = attrs.evolve(
        site.world, identify=lambda effect: f"subject-of-{effect.login_hint}", claims=lambda wanted: {}
    )
    return site


@pytest.fixture
def site() -> Site:
    """Return such a site."""
    return requests_site()


def api(site: Site, path: str, **form: str) -> dict[str, Any]:
    """Return what the server answers the till."""
    body = urlencode({"client_id": "till", "client_secret": SECRET, **form}).encode()
    answer: dict[str, Any] = json.loads(run(site.server.handle(Request("POST", path, (FORM,), body)), site.world).body)
    return answer


def asked(site: Site, user: str = "alice", **form: str) -> str:
    """Have the till ask a user; return the identifier of its request."""
    values = {"scope": "openid email profile", "login_hint": user, **form}
    return str(api(site, "/bc-authorize", **values)["auth_req_id"])


def polled(site: Site, identifier: str) -> dict[str, Any]:
    """Return what the till is told."""
    return api(site, "/token", grant_type=GRANT_TYPE, auth_req_id=identifier)


def signed_in(site: Site) -> None:
    """Sign alice in."""
    site.sign_in("/login")


def shown(site: Site) -> Page:
    """Return the page."""
    return Page.in_(site.get("/requests"))


def answered(site: Site, approval: str, *more: tuple[str, str]) -> Response:
    """Answer the first request."""
    return site.post("/requests", shown(site).submission(*more, ("approval", approval)))


def test_without_ciba_there_is_no_page_and_the_account_page_says_nothing_of_it() -> None:
    site = make_site()
    signed_in(site)

    assert not site.pages.owns("/requests")
    assert "/requests" not in site.get("/account").body.decode()


def test_who_is_not_signed_in_is_asked_who_they_are(site: Site) -> None:
    assert location(site.get("/requests")) == "/login"


def test_who_signs_in_is_sent_to_what_waits_for_them(site: Site) -> None:
    assert location(site.sign_in("/login")) == "/account"
    asked(site)
    again = requests_site()
    asked(again)

    assert location(again.sign_in("/login")) == "/requests"


def test_the_account_page_says_how_many_requests_wait(site: Site) -> None:
    signed_in(site)
    assert "No request waits for you." in site.get("/account").body.decode()
    asked(site)

    assert '<a href="/requests">1 request waits for you.</a>' in site.get("/account").body.decode()
    asked(site)
    assert "2 requests wait for you." in site.get("/account").body.decode()


def test_the_page_shows_who_asks_for_what_and_the_message_to_compare(site: Site) -> None:
    signed_in(site)
    asked(site, binding_message="W4SCT<i>")

    page = shown(site)

    assert "Allow Till &lt;b&gt; to use your account?" in page.text
    assert "Tea &amp; Co" in page.text
    assert 'href="https://tea.example"' in page.text
    assert "W4SCT&lt;i&gt;" in page.text
    assert "See your e-mail address" in page.text
    assert "only what you have just started yourself" in page.text
    assert "<script" not in page.text


def test_what_is_allowed_is_told_to_the_client(site: Site) -> None:
    signed_in(site)
    identifier = asked(site)
    assert polled(site, identifier)["error"] == "authorization_pending"

    done = answered(site, "1", ("scope", "openid"), ("scope", "email"))

    assert location(done) == "/requests?done=allowed"
    assert "You have allowed it." in site.get("/requests?done=allowed").body.decode()
    assert "No request waits for you." in site.get("/requests").body.decode()
    tokens = polled(site, identifier)
    assert tokens["scope"] == "openid email"
    assert {"access_token", "id_token"} <= tokens.keys()


def test_a_no_is_told_to_the_client(site: Site) -> None:
    signed_in(site)
    identifier = asked(site)

    assert location(answered(site, "0")) == "/requests?done=denied"
    assert "You have denied it." in site.get("/requests?done=denied").body.decode()
    assert polled(site, identifier)["error"] == "access_denied"


def test_an_answer_without_the_form_s_token_counts_for_nothing(site: Site) -> None:
    signed_in(site)
    identifier = asked(site)
    (pending,) = run(site.server.backchannel.pending(ALICE), site.world)

    forged = site.post("/requests", urlencode({"request": pending.id, "approval": "1", "scope": "openid"}).encode())

    assert forged.status == 403
    assert polled(site, identifier)["error"] == "authorization_pending"


def test_the_token_of_another_page_s_form_is_not_taken() -> None:
    site = requests_site(device=DeviceGrant())
    signed_in(site)
    asked(site)
    (pending,) = run(site.server.backchannel.pending(ALICE), site.world)
    csrf = Page.in_(site.get("/device")).form["csrf"]
    body = {"csrf": csrf, "request": pending.id, "approval": "1", "scope": "openid"}

    assert site.post("/requests", urlencode(body).encode()).status == 403


def test_another_user_s_request_is_neither_shown_nor_answered(site: Site) -> None:
    signed_in(site)
    identifier = asked(site, "bob")
    (pending,) = run(site.server.backchannel.pending("subject-of-bob"), site.world)
    asked(site)
    page = shown(site)

    stolen = page.submission(("approval", "1")).replace(
        run(site.server.backchannel.pending(ALICE), site.world)[0].id.encode(), pending.id.encode()
    )

    assert pending.id not in page.text
    assert site.post("/requests", stolen).status == 400
    assert polled(site, identifier)["error"] == "authorization_pending"


def test_what_was_answered_before_or_is_over_is_an_error_page(site: Site) -> None:
    signed_in(site)
    asked(site)
    body = shown(site).submission(("scope", "openid"), ("approval", "1"))
    assert site.post("/requests", body).status == 303

    assert site.post("/requests", body).status == 400


@pytest.mark.parametrize("approval", ["", "2", "yes"])
def test_what_is_neither_yes_nor_no_is_refused(site: Site, approval: str) -> None:
    signed_in(site)
    asked(site)

    assert answered(site, approval, ("scope", "openid")).status == 400
    assert len(run(site.server.backchannel.pending(ALICE), site.world)) == 1


def test_more_than_was_asked_for_is_not_allowed_by_a_changed_form(site: Site) -> None:
    signed_in(site)
    asked(site, scope="openid")

    assert answered(site, "1", ("scope", "openid"), ("scope", "email")).status == 400


def test_a_client_that_wants_a_newer_login_has_the_user_sign_in_again() -> None:
    site = requests_site(attrs.evolve(TILL, default_max_age=60))
    signed_in(site)
    site.clock.advance(61)
    identifier = asked(site)

    page = answered(site, "1", ("scope", "openid"))

    assert page.status == 200
    assert 'name="password"' in page.body.decode()
    signed_in_again = Page.in_(page)
    assert signed_in_again.action == "/login"
    again = site.post("/login", signed_in_again.submission(("username", "alice"), ("password", "wonderland")))
    assert location(again) == "/requests"
    assert location(answered(site, "1", ("scope", "openid"))) == "/requests?done=allowed"
    assert "access_token" in polled(site, identifier)


def test_the_page_names_the_apis_that_it_is_for() -> None:
    site = requests_site(resources=Resources([Resource("https://api.example", name="Orders", scopes=("email",))]))
    signed_in(site)
    asked(site, scope="openid email", resource="https://api.example")

    text = shown(site).text

    assert "Orders" in text
    assert "https://api.example" in text


def test_the_page_speaks_german(site: Site) -> None:
    signed_in(site)
    asked(site, binding_message="W4SCT")

    text = site.request("GET", "/requests", b"", ("Accept-Language", "de")).body.decode()

    assert "Anfragen, die auf Sie warten" in text
    assert "Vergleichen Sie:" in text


def test_its_path_is_one_of_its_own() -> None:
    with pytest.raises(ConfigurationError, match=r"paths\.requests"):
        requests_site(requests="requests")
