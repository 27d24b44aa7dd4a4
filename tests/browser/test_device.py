"""The pages of a device in a browser, with the mouse and without scripts (RFC 8628 section 3.3)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from oauthcore.device_grant import DEVICE_CODE
from tests.browser.conftest import CLIENTS, Site, sign_in, site_in

DEVICES = """
[device]

[[clients]]
client_id = "tv"
name = "Television"
token_endpoint_auth_method = "none"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
response_types = []
scope = "email profile"
"""


@pytest.fixture
def device_site(tmp_path: Path) -> Iterator[Site]:
    """Return a site where devices may ask."""
    yield from site_in(tmp_path, 3_600, CLIENTS + DEVICES)


def posted(site: Site, path: str, **form: str) -> dict[str, Any]:
    """Return what the device is answered."""
    answer: dict[str, Any] = httpx.post(site.url(path), data={"client_id": "tv", **form}, trust_env=False).json()
    return answer


def polled(site: Site, codes: dict[str, Any]) -> dict[str, Any]:
    """Return what the device is told."""
    return posted(site, "/token", grant_type=DEVICE_CODE, device_code=codes["device_code"])


def entered(site: Site, page: Page, codes: dict[str, Any]) -> None:
    """Enter a code as a person does who types it, and sign in."""
    page.goto(site.url("/device"))
    page.get_by_role("textbox").fill(codes["user_code"].replace("-", " ").lower())
    page.get_by_role("button").first.click()
    sign_in(page)
    page.wait_for_url(re.compile("device="))


def test_device_is_allowed_with_the_mouse(device_site: Site, page: Page) -> None:
    codes = posted(device_site, "/device_authorization", scope="email profile")
    entered(device_site, page, codes)
    expect(page.get_by_text(codes["user_code"])).to_be_visible()
    expect(page.get_by_role("heading")).to_contain_text("Television")

    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(re.compile("done=allowed"))

    assert polled(device_site, codes)["scope"] == "email profile"


def test_device_is_denied_with_the_mouse(device_site: Site, page: Page) -> None:
    codes = posted(device_site, "/device_authorization", scope="email profile")
    entered(device_site, page, codes)

    page.get_by_role("button", name="Deny", exact=True).click()
    page.wait_for_url(re.compile("done=denied"))

    assert polled(device_site, codes)["error"] == "access_denied"


def test_address_of_the_question_is_of_no_use_in_another_browser(
    device_site: Site, page: Page, browser: Browser
) -> None:
    codes = posted(device_site, "/device_authorization", scope="email profile")
    entered(device_site, page, codes)
    context = browser.new_context(locale="en-GB")
    context.set_default_timeout(20_000)
    elsewhere = context.new_page()
    elsewhere.goto(device_site.url("/login"))
    sign_in(elsewhere)
    elsewhere.wait_for_url(re.compile("/account"))

    elsewhere.goto(page.url)

    expect(elsewhere.get_by_role("heading")).to_be_visible()
    expect(elsewhere.get_by_text(codes["user_code"])).to_have_count(0)
    expect(elsewhere.get_by_role("button", name="Allow", exact=True)).to_have_count(0)
    context.close()


def test_device_is_connected_without_scripts(device_site: Site, browser: Browser) -> None:
    context = browser.new_context(locale="en-GB", java_script_enabled=False)
    context.set_default_timeout(20_000)
    page = context.new_page()
    codes = posted(device_site, "/device_authorization", scope="email")
    page.goto(device_site.url(codes["verification_uri_complete"].partition("8000")[2]))
    expect(page.get_by_role("textbox")).to_have_value(codes["user_code"])
    page.get_by_role("button").first.click()
    sign_in(page)
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url(re.compile("done=allowed"))

    assert polled(device_site, codes)["scope"] == "email"
    context.close()


def test_pages_of_a_device_have_no_violation_of_accessibility(device_site: Site, page: Page) -> None:
    codes = posted(device_site, "/device_authorization", scope="email profile")
    page.goto(device_site.url("/device"))
    assert Axe().run(page).violations_count == 0
    entered(device_site, page, codes)

    assert Axe().run(page).violations_count == 0
