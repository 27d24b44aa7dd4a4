"""The approve page."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import pytest

from oauthcore import AnyResource, AuthorizationDetails, DetailType, Resource, Resources
from oauthcore_pages.rendering import destination
from tests.pages.html import Page
from tests.pages.site import APP, FORM, SECRET, Site, location, make_site, path_of


def params(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


def allowed(site: Site, answer: str) -> str:
    """Return the scope of the token that an answer's code is redeemed for."""
    body = urlencode({"grant_type": "authorization_code", "code": params(answer)["code"]}).encode()
    basic = "Basic " + b64encode(f"app:{SECRET}".encode()).decode()
    response = site.request("POST", "/token", body, FORM, ("Authorization", basic))
    members = json.loads(response.body)
    assert isinstance(members["scope"], str)
    return members["scope"]


def test_approve_page_says_who_asks_for_what_and_where_the_answer_goes(site: Site) -> None:
    page = site.approve_page()

    assert page.action == "/approve"
    assert "The App" in page.text
    assert "client.example" in page.text
    assert "alice" in page.text
    assert page.checkboxes == [("scope", "email"), ("scope", "profile"), ("remember", "1")]
    assert page.buttons == [("approval", "0"), ("approval", "1")]
    assert list(page.form) == ["csrf", "interaction", "remember_shown", "scopes_shown"]


def test_client_without_a_name_is_called_by_its_identifier() -> None:
    site = make_site(attrs.evolve(APP, client_id="nameless", name=None))

    assert "Allow <em>nameless</em>" in site.approve_page(client_id="nameless").text


def test_client_with_markup_for_a_name_is_shown_as_text() -> None:
    name = "<script>alert(1)</script>\"'&"
    site = make_site(attrs.evolve(APP, client_id="evil", name=name))

    login = Page.in_(site.get(site.authorize("evil")))
    approve = site.approve_page(client_id="evil")

    for page in (login, approve):
        assert "script" not in {tag for tag, _ in page.tags}
        assert "&lt;script&gt;alert(1)&lt;/script&gt;&#34;&#39;&amp;" in page.text


def test_scope_with_markup_is_shown_as_text() -> None:
    token = "<img/src=x/onerror=alert(1)>'"
    site = make_site(attrs.evolve(APP, client_id="evil", scope=(token,)))

    page = site.approve_page(client_id="evil")

    assert "img" not in {tag for tag, _ in page.tags}
    assert page.checkboxes == [("scope", token), ("remember", "1")]


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("https://client.example/callback", "client.example"),
        ("https://client.example:8443/callback", "client.example:8443"),
        ("http://127.0.0.1:51004/callback", "127.0.0.1:51004"),
        ("com.example.app:/callback", "com.example.app"),
        # What follows the scheme is for the program that is called, and no host of anybody's.
        ("com.evil.app://bank.example/callback", "com.evil.app"),
    ],
)
def test_destination_is_the_host_or_the_scheme_of_an_application(uri: str, shown: str) -> None:
    assert destination(uri) == shown


def test_allowing_leads_to_the_client_with_a_code(site: Site) -> None:
    page = site.approve_page()

    answer = site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))

    assert answer.startswith("https://client.example/callback?")
    assert params(answer).keys() == {"code", "state", "iss"}


def test_denying_leads_to_the_client_with_an_error(site: Site) -> None:
    page = site.approve_page()

    answer = site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "0"))))

    assert params(answer)["error"] == "access_denied"
    assert params(answer)["state"] == "s"


def test_what_is_ticked_is_what_is_allowed(site: Site) -> None:
    page = site.approve_page()

    answer = site.answered(site.post("/approve", page.submission(("scope", "profile"), ("approval", "1"))))

    assert allowed(site, answer) == "profile"


def test_allowing_with_nothing_ticked_is_denying(site: Site) -> None:
    page = site.approve_page()

    answer = site.answered(site.post("/approve", page.submission(("approval", "1"))))

    assert params(answer)["error"] == "access_denied"


def test_form_that_showed_no_scopes_allows_all_that_was_asked(site: Site) -> None:
    """A scripted client posts the approval and what was hidden, and knows of no checkboxes."""
    page = site.approve_page(scope="profile email")

    answer = site.answered(site.post("/approve", page.submission(("approval", "1"), without="scopes_shown")))

    assert allowed(site, answer) == "profile email"


def test_form_that_names_scopes_though_it_showed_none_allows_all_that_was_asked(site: Site) -> None:
    page = site.approve_page(scope="email")
    body = page.submission(("approval", "1"), ("scope", "email"), without="scopes_shown")

    assert allowed(site, site.answered(site.post("/approve", body))) == "email"


def test_more_than_was_asked_can_not_be_allowed(site: Site) -> None:
    page = site.approve_page(scope="email")

    response = site.post("/approve", page.submission(("scope", "email"), ("scope", "profile"), ("approval", "1")))

    assert response.status == 400
    assert "The request was refused." in response.body.decode()


def test_client_that_asks_for_no_scope_is_allowed_without_checkboxes() -> None:
    site = make_site(attrs.evolve(APP, client_id="modest", scope=()))
    page = site.approve_page(client_id="modest")

    answer = site.answered(site.post("/approve", page.submission(("approval", "1"))))

    assert page.checkboxes == [("remember", "1")]
    assert "scopes_shown" not in page.form
    assert "code" in params(answer)


@pytest.mark.parametrize("approval", ["", "2", "yes"])
def test_answer_that_is_neither_yes_nor_no_is_refused(site: Site, approval: str) -> None:
    page = site.approve_page()

    assert site.post("/approve", page.submission(("approval", approval))).status == 400


@pytest.mark.parametrize("approval", ["0", "1"])
def test_double_click_is_answered_as_the_first_click_was(site: Site, approval: str) -> None:
    page = site.approve_page()
    body = page.submission(*page.checkboxes, ("approval", approval))

    assert location(site.post("/approve", body)) == location(site.post("/approve", body))


def test_double_click_of_a_scripted_client_is_answered_as_the_first_click_was(site: Site) -> None:
    body = site.approve_page().submission(("approval", "1"), without="scopes_shown")

    assert location(site.post("/approve", body)) == location(site.post("/approve", body))


def test_answer_to_an_interaction_that_is_over_is_refused(site: Site) -> None:
    page = site.approve_page()
    body = page.submission(*page.checkboxes, ("approval", "1"))
    site.answered(site.post("/approve", body))

    assert site.post("/approve", body).status == 400


def test_who_is_not_signed_in_is_sent_to_the_login_page(site: Site) -> None:
    url = site.authorize()

    response = site.get(url.replace("/login", "/approve"))

    assert (response.status, location(response)) == (303, url)


def test_who_is_to_sign_in_again_is_sent_to_the_login_page(site: Site) -> None:
    site.approve_page()
    site.clock.advance(10)
    url = site.authorize(prompt="login")

    response = site.get(url.replace("/login", "/approve"))

    assert location(response) == url


def test_who_is_not_signed_in_any_more_when_he_answers_is_sent_to_the_login_page() -> None:
    site = make_site(session_lifetime=60)
    page = site.approve_page()
    site.clock.advance(60)

    response = site.post("/approve", page.submission(*page.checkboxes, ("approval", "1")))

    assert path_of(location(response)) == "/login"


def test_who_has_allowed_in_another_tab_is_still_asked_and_not_sent_on_by_a_get(site: Site) -> None:
    first, second = site.authorize(), site.authorize()
    page = Page.in_(site.get(location(site.sign_in(first))))
    site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))

    response = site.get(second.replace("/login", "/approve"))

    assert response.status == 200
    assert Page.in_(response).buttons == [("approval", "0"), ("approval", "1")]


def test_who_has_allowed_in_another_tab_and_denies_in_this_one_is_asked_again(site: Site) -> None:
    first, second = site.authorize(), site.authorize()
    page = Page.in_(site.get(location(site.sign_in(first))))
    site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))
    page = Page.in_(site.get(second.replace("/login", "/approve")))

    denied = site.answered(site.post("/approve", page.submission(("approval", "0"))))

    assert "error=access_denied" in denied
    assert path_of(site.authorize()) == "/approve"


@pytest.mark.parametrize("hidden", [None, "remember_shown"])
def test_what_is_allowed_is_remembered_only_where_somebody_wants_that(hidden: str | None) -> None:
    """As in the demo, for forms with the box and for scripted clients that know of none."""
    site = make_site(remember=False)
    page = site.approve_page(scope="email")
    site.answered(site.post("/approve", page.submission(("scope", "email"), ("approval", "1"), without=hidden)))
    again = Page.in_(site.get(site.authorize(scope="email")))
    ticked = again.submission(("scope", "email"), ("approval", "1"), ("remember", "1"))

    assert again.checkboxes == [("scope", "email")]
    assert 'name="remember"' in again.text
    assert "code" in params(site.answered(site.post("/approve", ticked)))
    assert "code=" in site.authorize(scope="email")


def test_nobody_who_is_not_signed_in_denies_a_request(site: Site) -> None:
    """To deny is to store it, and anybody may come by."""
    login = Page.in_(site.get(site.authorize()))

    answer = site.post("/approve", login.submission(("approval", "0")))

    assert path_of(location(answer)) == "/login"
    assert Page.in_(site.get(location(answer))).form["interaction"] == login.form["interaction"]


def test_the_approve_page_says_at_which_apis_it_is_to_be_used() -> None:
    site = make_site(resources=Resources([Resource("https://api.example/mcp", name="<Files>")]))

    page = site.approve_page(resource="https://API.example:443/mcp")

    assert "<strong>&lt;Files&gt;</strong>" in page.text
    assert ">https://api.example/mcp<" in page.text


def test_the_approve_page_says_of_an_api_that_it_was_allowed_before() -> None:
    site = make_site(resources=Resources([Resource("https://one.example"), Resource("https://two.example")]))
    page = site.approve_page(scope="email", resource="https://one.example")
    site.answered(site.post("/approve", page.submission(("scope", "email"), ("remember", "1"), ("approval", "1"))))

    both = "/authorize?client_id=app&response_type=code&scope=email&resource=https://one.example"
    page = Page.in_(site.get(location(site.get(f"{both}&resource=https://two.example"))))

    assert ">https://one.example</span> (you allowed this before)</li>" in page.text
    assert ">https://two.example</span></li>" in page.text


def test_an_api_that_nobody_has_registered_is_shown_by_its_uri_alone() -> None:
    site = make_site(resources=Resources(unregistered=AnyResource()))

    page = site.approve_page(resource="https://api.example/'mcp'&x")

    assert '<li><span class="destination">https://api.example/&#39;mcp&#39;&amp;x</span></li>' in page.text


def test_nothing_is_said_of_apis_where_none_is_asked_for() -> None:
    site = make_site(resources=Resources([Resource("https://api.example/mcp")]))

    assert "use this at" not in site.approve_page().text


def payment(detail: Mapping[str, object]) -> str:
    return f"Pay {detail['amount']} euros"


def paying(site: Site, *amounts: int) -> Page:
    details = [{"type": "payment", "amount": amount} for amount in amounts]
    return site.approve_page(scope="email", authorization_details=json.dumps(details))


@pytest.fixture
def shop() -> Site:
    """Return a site that knows one type of authorization details, with one client for it."""
    types = AuthorizationDetails([DetailType(name="payment", check=lambda _: None, describe=payment)])
    client = attrs.evolve(APP, authorization_details_types=["payment"])
    return make_site(client=client, authorization_details=types)


def test_each_detail_is_shown_with_a_box(shop: Site) -> None:
    page = paying(shop, 10, 20)

    assert "Pay 10 euros" in page.text
    assert page.checkboxes == [("scope", "email"), ("detail", "0"), ("detail", "1"), ("remember", "1")]


@pytest.mark.parametrize(("ticked", "amounts"), [(["0", "1"], [10, 20]), (["1"], [20]), ([], None), (["7"], None)])
def test_what_is_ticked_is_allowed(shop: Site, ticked: list[str], amounts: list[int] | None) -> None:
    page = paying(shop, 10, 20)
    fields = [*page.form.items(), ("scope", "email"), ("approval", "1"), *(("detail", one) for one in ticked)]

    answer = shop.answered(shop.post("/approve", urlencode(fields).encode()))

    body = urlencode({"grant_type": "authorization_code", "code": params(answer)["code"]}).encode()
    basic = "Basic " + b64encode(f"app:{SECRET}".encode()).decode()
    members = json.loads(shop.request("POST", "/token", body, FORM, ("Authorization", basic)).body)
    said = members.get("authorization_details")
    assert (None if said is None else [detail["amount"] for detail in said]) == amounts
