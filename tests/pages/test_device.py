"""The pages of a device: enter the code, compare it, sign in, allow or deny (RFC 8628 section 3.3)."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from oauthcore import Client, DeviceGrant, Request, Resource, Resources, Response, run
from oauthcore.device_grant import DEVICE_CODE
from tests.pages.html import Page
from tests.pages.site import FORM, Site, location, make_site

TV = Client(
    client_id="tv",
    name="Television <b>",
    token_endpoint_auth_method="none",
    grant_types=(DEVICE_CODE, "refresh_token"),
    response_types=(),
    scope="email profile",
)


@pytest.fixture
def site() -> Site:
    """Return a site where devices may ask."""
    return make_site(TV, device=DeviceGrant())


def api(site: Site, path: str, **form: str) -> dict[str, Any]:
    """Return what the server answers the device."""
    request = Request("POST", path, (FORM,), urlencode({"client_id": "tv", **form}).encode())
    answer: dict[str, Any] = json.loads(run(site.server.handle(request), site.world).body)
    return answer


def begun(site: Site, **form: str) -> dict[str, Any]:
    """Return the codes of a device."""
    return api(site, "/device_authorization", scope="email profile", **form)


def polled(site: Site, codes: dict[str, Any]) -> dict[str, Any]:
    """Return what the device is told."""
    return api(site, "/token", grant_type=DEVICE_CODE, device_code=codes["device_code"])


def submitted(site: Site, code: str, target: str = "/device") -> Response:
    """Open the page, and submit a code."""
    page = Page.in_(site.get(target))
    return site.post("/device", page.submission(("user_code", code)))


def signed_in(site: Site, response: Response) -> Response:
    """Submit the form for signing in that a page is."""
    page = Page.in_(response)
    assert page.action is not None
    return site.post(page.action, page.submission(("username", "alice"), ("password", "wonderland")))


def asked(site: Site, codes: dict[str, Any]) -> Page:
    """Return the page that asks, of who enters the code and signs in."""
    return Page.in_(site.get(location(signed_in(site, submitted(site, codes["user_code"])))))


def test_without_the_grant_there_is_no_page() -> None:
    site = make_site()

    assert not site.pages.owns("/device")


def test_a_code_is_entered_then_its_user_signs_in_and_allows_the_device(site: Site) -> None:
    codes = begun(site)

    page = asked(site, codes)
    done = site.post("/device", page.submission(*page.checkboxes, ("approval", "1")))

    assert location(done) == "/device?done=allowed"
    assert "Your device is connected." in site.get("/device?done=allowed").body.decode()
    assert polled(site, codes)["scope"] == "email profile"


def test_the_page_that_asks_shows_the_code_the_client_what_it_asks_for_and_a_warning(site: Site) -> None:
    codes = begun(site)

    page = asked(site, codes)

    assert codes["user_code"] in page.text
    assert "Television &lt;b&gt;" in page.text
    assert "See your e-mail address" in page.text
    assert "only if you have just started this yourself" in page.text
    assert "remember" not in page.form


def test_a_no_is_told_to_the_device(site: Site) -> None:
    codes = begun(site)
    page = asked(site, codes)

    assert location(site.post("/device", page.submission(("approval", "0")))) == "/device?done=denied"
    assert polled(site, codes)["error"] == "access_denied"
    assert "was not connected" in site.get("/device?done=denied").body.decode()


def test_who_is_signed_in_is_asked_at_once_each_time(site: Site) -> None:
    for _ in range(2):
        codes = begun(site)
        if site.login() is None:
            page = asked(site, codes)
        else:
            page = Page.in_(site.get(location(submitted(site, codes["user_code"].lower()))))
        site.post("/device", page.submission(*page.checkboxes, ("approval", "1")))
        assert "access_token" in polled(site, codes)


def test_a_link_with_the_code_shows_it_to_be_compared_and_enters_nothing(site: Site) -> None:
    """Section 3.3.1."""
    codes = begun(site)
    target = codes["verification_uri_complete"].removeprefix("https://as.example")

    page = Page.in_(site.get(target))

    assert page.form["user_code"] == codes["user_code"]
    assert "compare it with your device" in page.text
    assert polled(site, codes)["error"] == "authorization_pending"


def test_a_wrong_code_is_told_to_who_is_signed_in_and_to_nobody_else(site: Site) -> None:
    stranger = submitted(site, "BBBB-BBBB")
    wrong = signed_in(site, stranger)

    assert 'name="password"' in stranger.body.decode()
    assert wrong.status == 400
    assert "No device waits with this code." in wrong.body.decode()
    assert site.login() is not None


def test_what_is_no_code_is_told_at_once(site: Site) -> None:
    assert submitted(site, "1234").status == 400


def test_after_too_many_wrong_codes_the_page_says_how_long_to_wait(site: Site) -> None:
    signed_in(site, submitted(site, "BBBB-BBBB"))
    for _ in range(9):
        submitted(site, "BBBB-BBBB")

    refused = submitted(site, "BBBB-BBBB")

    assert refused.status == 429
    assert refused.header("retry-after") == "3600"
    assert "Try again in 60 minutes." in refused.body.decode()


@pytest.mark.parametrize("text", ["", "x" * 43])
def test_a_code_that_another_site_has_a_browser_send_is_refused(text: str, site: Site) -> None:
    site.get("/device")

    response = site.post("/device", urlencode({"csrf": text, "user_code": begun(site)["user_code"]}).encode())

    assert response.status == 403


def test_an_answer_that_another_site_has_a_browser_send_is_refused(site: Site) -> None:
    codes = begun(site)
    page = asked(site, codes)
    csrf_of_the_first_page = Page.in_(site.get("/device")).form["csrf"]

    forged = site.post("/device", page.submission(("csrf", csrf_of_the_first_page), ("approval", "1")))

    assert forged.status == 403
    assert polled(site, codes)["error"] == "authorization_pending"


def test_a_link_to_the_sign_in_page_with_a_code_leads_to_the_page_that_compares_it(site: Site) -> None:
    """Else a link that somebody sends would skip the page with the warning."""
    assert location(site.get("/login?user_code=BCDF-GHJK")) == "/device?user_code=BCDF-GHJK"


def test_a_sign_in_form_for_one_code_is_none_for_another(site: Site) -> None:
    page = Page.in_(submitted(site, begun(site)["user_code"]))
    body = page.submission(("username", "alice"), ("password", "wonderland"))

    assert site.post("/login?user_code=BBBB-BBBB", body).status == 403
    assert site.login() is None


def test_the_question_is_not_shown_to_somebody_else(site: Site) -> None:
    target = location(signed_in(site, submitted(site, begun(site)["user_code"])))
    site.cookies.clear()
    assert location(site.get(target)) == "/device"

    page = Page.in_(site.get("/login"))
    site.post("/login", page.submission(("username", "bob"), ("password", " päss word ")))

    assert site.get(target).status == 400


def test_a_wrong_password_keeps_the_code(site: Site) -> None:
    codes = begun(site)
    page = Page.in_(submitted(site, codes["user_code"]))
    again = site.post(page.action or "", page.submission(("username", "alice"), ("password", "wrong")))

    assert again.status == 400
    assert location(signed_in(site, again)).startswith("/device?device=")


def test_the_pages_can_not_be_framed_and_run_nothing(site: Site) -> None:
    responses = [site.get("/device"), signed_in(site, submitted(site, begun(site)["user_code"]))]
    responses.append(site.get(location(responses.pop())))

    for response in responses:
        policy = response.header("content-security-policy") or ""
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "<script" not in response.body.decode()


def test_the_account_shows_each_device_and_disconnects_one(site: Site) -> None:
    codes = [begun(site) for _ in range(2)]
    for each in codes:
        first = submitted(site, each["user_code"])
        page = Page.in_(site.get(location(first if first.header("location") else signed_in(site, first))))
        site.post("/device", page.submission(*page.checkboxes, ("approval", "1")))
    account = Page.in_(site.get("/account"))
    grants = [value for name, value in account.fields if name == "grant"]
    assert account.text.count("Disconnect this device") == 2

    gone = site.post("/account", urlencode({"csrf": account.form["csrf"], "grant": grants[0]}).encode())

    assert location(gone) == "/account?revoked=1"
    assert Page.in_(site.get("/account")).text.count("Disconnect this device") == 1
    assert sorted("access_token" in polled(site, each) for each in codes) == [False, True]


def test_a_request_for_a_fresh_login_has_the_user_sign_in_once_more(site: Site) -> None:
    asked(site, begun(site))
    site.clock.advance(100)
    codes = begun(site, max_age="60")

    again = site.get(location(submitted(site, codes["user_code"])))
    page = Page.in_(site.get(location(signed_in(site, again))))

    assert 'name="password"' in again.body.decode()
    assert codes["user_code"] in page.text


def test_a_code_that_is_entered_after_a_sign_out_elsewhere_has_the_user_sign_in_and_goes_on(site: Site) -> None:
    asked(site, begun(site))
    codes = begun(site)
    login = site.login()
    assert login is not None
    assert run(site.server.sessions.end_all(login.subject), site.world) == 1

    again = submitted(site, codes["user_code"])
    page = Page.in_(site.get(location(signed_in(site, again))))

    assert 'name="password"' in again.body.decode()
    assert codes["user_code"] in page.text


def test_the_pages_speak_german_where_the_browser_does(site: Site) -> None:
    response = site.request("GET", "/device", b"", ("Accept-Language", "de"))

    assert "<h1>Ein Gerät verbinden</h1>" in response.body.decode()


def test_a_client_may_wish_for_a_language(site: Site) -> None:
    assert "auf Ihrem Gerät erlauben" in asked(site, begun(site, ui_locales="de")).text


def test_a_resource_is_named_where_it_is_asked_for() -> None:
    resources = Resources([Resource("https://api.example", name="Films")])
    site = make_site(TV, device=DeviceGrant(), resources=resources)

    page = asked(site, begun(site, resource="https://api.example"))

    assert "Films" in page.text
    assert "https://api.example" in page.text
