"""OpenID Connect in a browser: login, consent, an answer by form, with and without scripts, and logout."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set
from tests.browser.conftest import Site, sign_in
from tests.browser.test_browser import VERIFIER


def asked(site: Site, **more: str) -> str:
    """Return an authentication request of the relying party's."""
    return site.authorize_url("rp", scope="openid email", nonce="n-1", **more)


def posted(site: Site) -> dict[str, str]:
    """Return what the relying party was posted last."""
    return dict(parse_qsl(urlsplit(site.clients.answers[-1]).query))


def claims_in(site: Site, id_token: str) -> dict[str, object]:
    """Verify an ID token by the published keys, and give what it says."""
    keys = parse_set(httpx.get(site.url("/jwks"), trust_env=False).content)
    return dict(crypto.verify(id_token, keys, ["RS256"]).claims)


def tokens(site: Site, code: str) -> dict[str, str]:
    """Redeem a code, as the relying party does."""
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    answer = httpx.post(site.url("/token"), data=form, auth=("rp", "rp-secret"), trust_env=False)
    assert answer.status_code == 200, answer.text
    found: dict[str, str] = answer.json()
    return found


def test_answer_by_form_comes_by_itself_and_its_id_token_is_good(provider_site: Site, page: Page) -> None:
    page.goto(asked(provider_site, response_type="code id_token", response_mode="form_post"))
    sign_in(page)
    expect(page.get_by_text("Know who you are")).to_be_visible()
    expect(page.get_by_label("See your e-mail address")).to_be_checked()

    page.get_by_role("button", name="Allow", exact=True).click()

    expect(page.get_by_role("heading")).to_have_text("Thank you")
    answer = posted(provider_site)
    assert answer["state"] == "state-of-rp"
    front = claims_in(provider_site, answer["id_token"])
    back = claims_in(provider_site, tokens(provider_site, answer["code"])["id_token"])
    assert front["nonce"] == back["nonce"] == "n-1"
    assert front["sub"] == back["sub"]
    assert front["sid"] == back["sid"]


def test_without_scripts_a_button_sends_the_form(provider_site: Site, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(asked(provider_site, response_type="code id_token", response_mode="form_post"))
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    page.get_by_role("button", name="Continue").click()

    page.wait_for_url(re.compile(re.escape(provider_site.clients.url)))
    context.close()

    assert "id_token" in posted(provider_site)


def test_account_can_be_chosen(provider_site: Site, page: Page) -> None:
    page.goto(provider_site.url("/login"))
    sign_in(page)
    page.wait_for_url(re.compile("/account"))
    page.goto(asked(provider_site, prompt="select_account"))

    expect(page.get_by_role("heading")).to_have_text("Choose an account")
    page.get_by_role("button", name="Continue as alice").click()

    expect(page.get_by_role("heading")).to_have_text("Allow The Relying Party to use your account?")


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_sign_out_is_told_to_the_client_in_a_frame_and_leads_back_to_it(
    provider_site: Site, browser: Browser, scripts: bool
) -> None:
    context = browser.new_context(java_script_enabled=scripts)
    context.set_default_timeout(20_000)
    page = context.new_page()
    page.goto(asked(provider_site))
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    expect(page.get_by_role("heading")).to_have_text("Thank you")
    granted = tokens(provider_site, dict(parse_qsl(urlsplit(page.url).query))["code"])
    sid = claims_in(provider_site, granted["id_token"])["sid"]
    query = {
        "id_token_hint": granted["id_token"],
        "post_logout_redirect_uri": f"{provider_site.clients.url}/goodbye",
        "state": "adieu",
    }

    page.goto(f"{provider_site.url('/end-session')}?{urlencode(query)}")
    if page.get_by_role("button", name="Sign out").count():
        page.get_by_role("button", name="Sign out").click()

    page.wait_for_url(re.compile(r"/goodbye\?state=adieu"))
    frames = [answer for answer in provider_site.clients.answers if answer.startswith("/frontchannel")]
    assert [dict(parse_qsl(urlsplit(frame).query)) for frame in frames] == [
        {"iss": "http://localhost:8000", "sid": sid}
    ]
    page.goto(asked(provider_site, prompt="none"))
    assert "error=login_required" in page.url
    context.close()
