"""What OpenID Connect's requests ask of the pages: an account to choose, claims to agree to, a language, a hint."""

from __future__ import annotations

import json

import attrs
import pytest

from oauthcore import Client
from oauthcore.openid import OpenID
from oauthcore.signing.keys import GivenKeys
from oauthcore_pages import Templates
from tests.core.signing_keys import key_for
from tests.pages.html import Page
from tests.pages.site import APP, Site, location, make_site, path_of

OPEN = attrs.evolve(APP, scope="openid profile email phone")


@pytest.fixture
def site() -> Site:
    """Return a provider with its pages."""
    return make_provider(OPEN)


def make_provider(client: Client) -> Site:
    """Make a provider with one client."""
    return make_site(client=client, openid=OpenID(), keys=GivenKeys([key_for("RS256")]))


def test_who_is_signed_in_chooses_whether_to_go_on_as_that(site: Site) -> None:
    site.answered(
        site.post("/approve", site.approve_page(scope="openid").submission(("approval", "1"), ("remember", "1")))
    )

    page = Page.in_(site.get(site.authorize(scope="openid", prompt="select_account")))
    assert "Continue as alice" in page.text
    chosen = site.post("/login", page.submission(("account", "current")))

    assert "code=" in site.answered(chosen)


def test_who_wants_another_account_signs_in_with_it(site: Site) -> None:
    site.sign_in("/login")

    page = Page.in_(site.get(site.authorize(scope="openid", prompt="select_account")))
    form = Page.in_(site.post("/login", page.submission(("account", "other"))))
    signed_in = site.post("/login", form.submission(("username", "bob"), ("password", " päss word ")))

    approve = Page.in_(site.get(location(signed_in)))
    assert "bob" in approve.text
    assert path_of(location(signed_in)) == "/approve"


def test_who_is_not_signed_in_has_no_account_to_choose(site: Site) -> None:
    page = Page.in_(site.get(site.authorize(scope="openid", prompt="select_account")))

    assert 'name="password"' in page.text


def test_an_account_is_chosen_by_this_page_s_form_alone(site: Site) -> None:
    site.sign_in("/login")
    login = site.authorize(scope="openid", prompt="select_account")
    handle = login.partition("interaction=")[2]

    refused = site.post("/login", f"account=current&interaction={handle}&csrf=guessed".encode())

    assert refused.status in {303, 403}
    assert "proof=" not in (refused.header("location") or "")


def test_openid_can_not_be_taken_out_and_is_no_checkbox(site: Site) -> None:
    page = site.approve_page(scope="openid email")

    assert "Know who you are" in page.text
    assert 'type="hidden" name="scope" value="openid"' in page.text
    assert 'type="checkbox" name="scope" value="openid"' not in page.text
    assert "See your e-mail address" in page.text


def test_claims_that_are_asked_for_by_name_are_shown(site: Site) -> None:
    claims = json.dumps({"userinfo": {"phone_number": None}})

    page = site.approve_page(scope="openid email", claims=claims)

    assert "It also wants to know" in page.text
    assert "<li>See your telephone number</li>" in page.text


def test_a_client_s_policy_and_terms_are_linked_to_and_no_script_is() -> None:
    """OIDC Dynamic Client Registration 1.0 section 2."""
    client = attrs.evolve(OPEN, policy_uri="https://client.example/policy", tos_uri="javascript:alert(1)")

    page = make_provider(client).approve_page(scope="openid")

    assert 'href="https://client.example/policy"' in page.text
    assert "javascript" not in page.text


def test_a_claim_is_shown_once_in_words_that_people_know(site: Site) -> None:
    claims = json.dumps({"userinfo": {"phone_number": None, "birthdate": None}, "id_token": {"phone_number": None}})

    page = site.approve_page(scope="openid email", claims=claims)

    assert page.text.count("<li>See your telephone number</li>") == 1
    assert "<li>birthdate</li>" in page.text
    words = Templates(scopes={"birthdate": {"en": "Your birthday"}})
    assert words.describe_claim("birthdate", "en") == "Your birthday"
    assert words.describe_claim("given_name#de-AT", "en") == "given name (de-AT)"


def test_a_hint_fills_in_the_name_and_is_escaped(site: Site) -> None:
    page = site.get(site.authorize(scope="openid", login_hint='alice"><script>'))

    assert b'value="alice&#34;&gt;&lt;script&gt;"' in page.body


def test_the_client_s_languages_go_before_the_browser_s(site: Site) -> None:
    german = site.get(site.authorize(scope="openid", ui_locales="fr de-AT"))
    other = site.get(site.authorize(scope="openid", ui_locales="fr"))

    assert german.header("content-language") == "de"
    assert other.header("content-language") == "en"
