"""What pages say of clients that have registered themselves, whose names nobody has checked."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ClientIdMetadata
from oauthcore.records.client import DynamicRegistration, MetadataDocument
from tests.pages.html import Page
from tests.pages.site import APP, Site, make_site
from tests.pages.test_account import authorized

STRANGER = attrs.evolve(
    APP,
    client_id="stranger",
    name="Your Bank",
    organization_name="Bank plc",
    client_uri="https://bank.example/",
    policy_uri="https://bank.example/privacy",
    tos_uri="https://client.example/terms",
    dynamic=DynamicRegistration(registered_at=0),
)


def site_of(**changes: Any) -> Site:
    """Return a site with that client."""
    return make_site(attrs.evolve(STRANGER, **changes))


def page_of(client: Client) -> Page:
    """Return what is asked on a client's behalf."""
    return make_site(client).approve_page(client_id="stranger")


def test_the_approve_page_says_that_nobody_has_checked_the_name_and_where_the_answer_goes() -> None:
    page = page_of(STRANGER)

    assert "nobody has checked its name" in page.text
    assert "Allow it only if you know <strong>client.example</strong>" in page.text
    assert "It is run by" not in page.text


def test_pages_link_to_what_is_on_a_host_that_the_client_redirects_to() -> None:
    """RFC 7591 section 5."""
    page = page_of(STRANGER)

    assert "bank.example" not in page.text
    assert "https://client.example/terms" in page.text


@pytest.mark.parametrize("own", ["https://evil.example/cb", "com.evil.app:/cb", "http://localhost/cb"])
def test_no_page_is_linked_to_on_a_host_that_is_redirected_to_beside_the_one_that_is_answered(own: str) -> None:
    """RFC 7591 section 5: else a stranger registers a bank's redirect URI beside their own, to have its pages shown."""
    both = make_site(attrs.evolve(STRANGER, redirect_uris=(own, "https://bank.example/callback")))

    page = both.approve_page(client_id="stranger", redirect_uri=own)

    assert "https://bank.example/privacy" not in page.text
    assert "https://bank.example/" not in page.text


def test_a_page_is_linked_to_on_the_host_that_is_answered_whatever_else_is_redirected_to() -> None:
    uris = ("https://client.example/callback", "cursor://client.example/callback", "http://localhost:8787/callback")

    site = make_site(attrs.evolve(STRANGER, redirect_uris=uris))

    page = site.approve_page(client_id="stranger", redirect_uri=uris[0])

    assert "https://client.example/terms" in page.text


@pytest.mark.parametrize("uri", ["https://client.example.evil.example/", "https://client.example@evil.example/"])
def test_a_host_that_looks_alike_is_another(uri: str) -> None:
    assert uri not in page_of(attrs.evolve(STRANGER, client_uri=uri)).text


def test_a_client_that_is_approved_is_shown_as_any_other() -> None:
    approved = DynamicRegistration(registered_at=0, is_approved=True)

    page = page_of(attrs.evolve(STRANGER, dynamic=approved))

    assert "nobody has checked" not in page.text
    assert "It is run by <strong>Bank plc</strong>" in page.text
    assert "https://bank.example/privacy" in page.text


@pytest.mark.parametrize("uri", ["http://127.0.0.1/cb", "http://localhost/cb", "com.example.app:/cb"])
def test_who_is_asked_for_a_program_on_the_device_is_told_so(uri: str) -> None:
    """B11."""
    site = make_site(attrs.evolve(STRANGER, redirect_uris=(uri,)))

    page = site.approve_page(client_id="stranger", redirect_uri=uri)

    assert "It runs on this device" in page.text


def test_the_login_page_shows_no_unverified_name_without_its_host() -> None:
    login = Page.in_((site := site_of()).get(site.authorize("stranger")))

    assert "Your Bank (client.example)" in login.text


def test_the_account_page_says_so_of_each_application() -> None:
    site = site_of()
    authorized(site, "stranger")

    account = Page.in_(site.get("/account"))

    assert "nobody has checked its name" in account.text
    assert "Its answers go to <strong>client.example</strong>" in account.text
    assert "bank.example" not in account.text


def test_a_name_is_shown_in_the_language_of_the_page() -> None:
    """RFC 7591 section 2.2."""
    site = site_of(localized=(("client_name#de", "Ihre Bank"),))

    german = Page.in_(site.request("GET", site.authorize("stranger"), b"", ("Accept-Language", "de")))

    assert "Ihre Bank (client.example)" in german.text


PUBLISHED = attrs.evolve(
    STRANGER,
    client_id="https://publisher.example/client.json",
    dynamic=None,
    logo_uri="https://publisher.example/logo.png",
    document=MetadataDocument(registered_at=0, fetched_at=0, fresh_until=2**40, check_at=2**40, is_unused=False),
)


def published_site(**changes: Any) -> Site:
    """Return a site that takes a client which says at a URL what it is."""
    return make_site(attrs.evolve(PUBLISHED, **changes), client_id_metadata=ClientIdMetadata(scope="email profile"))


def test_b11_the_approve_page_says_at_which_host_a_client_says_what_it_is() -> None:
    page = published_site().approve_page(client_id=PUBLISHED.client_id)

    assert "It says what it is at <strong>publisher.example</strong>, and nobody here has checked its name" in page.text
    assert '<strong class="destination">client.example</strong>' in page.text
    assert "this device" not in page.text
    assert "It is run by" not in page.text
    assert "It has registered itself" not in page.text


def test_b11_the_approve_page_warns_of_answers_that_go_to_this_device() -> None:
    uri = "http://localhost:5000/cb"

    page = published_site(redirect_uris=("http://localhost/cb",)).approve_page(
        client_id=PUBLISHED.client_id, redirect_uri=uri
    )

    assert "The answer goes to this device" in page.text
    assert '<strong class="destination">localhost:5000</strong>' in page.text


def test_no_page_shows_a_logo_of_a_client() -> None:
    """Its host would learn who is asked, and when."""
    assert "logo.png" not in published_site().approve_page(client_id=PUBLISHED.client_id).text


def test_the_account_page_says_at_which_host_a_client_says_what_it_is() -> None:
    site = published_site()
    authorized(site, PUBLISHED.client_id)

    page = Page.in_(site.get("/account"))

    assert (
        "It says what it is at <strong>publisher.example</strong>, and nobody here has checked its name." in page.text
    )
