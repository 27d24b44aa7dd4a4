"""The pages in a browser, with the mouse: what people do, and what they do by mistake."""

from __future__ import annotations

import re

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import SCREENSHOTS, SIZES, Site, answer, answer_of, heard, sign_in

VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"


def redeemed(site: Site, answer: dict[str, str], client_id: str = "app") -> httpx.Response:
    """Redeem a code, as the client does."""
    form = {"grant_type": "authorization_code", "code": answer["code"], "code_verifier": VERIFIER}
    return httpx.post(site.url("/token"), data=form, auth=(client_id, f"{client_id}-secret"), trust_env=False)


def test_quick_start_with_the_mouse(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    expect(page.get_by_role("heading")).to_have_text("Allow The App to use your account?")
    expect(page.get_by_text("It is run by Firm & Sons.")).to_be_visible()
    expect(page.locator(".destination")).to_have_text(site.clients.url.removeprefix("http://"))

    answer = answer_of(page, "Allow")
    tokens = redeemed(site, answer).json()

    assert answer["state"] == "state-of-app"
    assert answer["iss"] == "http://localhost:8000"
    assert tokens["scope"] == "email profile"
    assert "refresh_token" in tokens


def test_keyboard_alone_is_enough(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    expect(page.get_by_label("Username")).to_be_focused()
    page.keyboard.type("alice")
    page.keyboard.press("Tab")
    page.keyboard.type("wonderland")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/approve"))

    allow = page.get_by_role("button", name="Allow", exact=True)
    for _ in range(10):
        page.keyboard.press("Tab")
        if allow.evaluate("button => button === document.activeElement"):
            break
    page.keyboard.press("Enter")

    assert "code" in answer(page)


def test_wrong_password_asks_again_and_keeps_the_name(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page, password="wrong-one")

    expect(page.get_by_role("alert")).to_have_text("Wrong username or password.")
    expect(page.get_by_label("Username")).to_have_value("alice")
    expect(page.get_by_label("Password")).to_be_focused()
    sign_in(page)
    page.wait_for_url(re.compile("/approve"))


def test_too_many_wrong_passwords_are_slowed_down(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    # Each wait is twice as long as the one before: sooner or later this is too fast, however slow the machine.
    for _ in range(12):
        with page.expect_navigation():
            sign_in(page, password="wrong-one")
        if "Too many" in (page.get_by_role("alert").text_content() or ""):
            break

    expect(page.get_by_role("alert")).to_have_text(re.compile(r"Too many attempts\. Try again in \d+ seconds?\."))


def test_denying_tells_the_client(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)

    assert answer_of(page, "Deny")["error"] == "access_denied"


def test_what_is_not_ticked_is_not_granted(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    page.get_by_label("See your name and picture").uncheck()

    assert redeemed(site, answer_of(page, "Allow")).json()["scope"] == "email"


def test_remembered_consent_is_not_asked_for_again(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    answer_of(page, "Allow")

    page.goto(site.authorize_url())

    assert "code" in answer(page)


def test_double_click_on_allow_is_one_answer(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)

    last = answer_of(page, "Allow", clicks=2)

    assert redeemed(site, last).status_code == 200
    assert len({heard(url)["code"] for url in site.clients.answers}) == 1


def test_back_button_after_the_answer_says_that_it_was_given(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    page.wait_for_url(re.compile("/approve"))
    approve_url = page.url
    answer_of(page, "Allow")

    page.goto(approve_url)

    expect(page.get_by_role("heading")).to_have_text("The request was refused.")
    expect(page.get_by_text("This was answered already")).to_be_visible()


def test_back_button_from_approving_to_signing_in_goes_on(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    page.wait_for_url(re.compile("/approve"))

    page.go_back()

    page.wait_for_url(re.compile("/approve"))
    assert "code" in answer_of(page, "Allow")


def test_two_tabs_with_two_clients_get_an_answer_each(site: Site, page: Page) -> None:
    other = page.context.new_page()
    page.goto(site.authorize_url("app"))
    other.goto(site.authorize_url("other"))
    sign_in(other)
    sign_in(page)

    first, second = answer_of(page, "Allow"), answer_of(other, "Allow")

    assert (first["state"], second["state"]) == ("state-of-app", "state-of-other")
    assert redeemed(site, first).status_code == redeemed(site, second, "other").status_code == 200


def test_session_that_has_expired_asks_who_it_is_and_goes_on(forgetful_site: Site, page: Page) -> None:
    page.goto(forgetful_site.authorize_url())
    sign_in(page)
    page.wait_for_url(re.compile("/approve"))
    while "/approve" in page.url:
        page.reload()

    # On a busy machine the second may be over once more before the button is clicked.
    heading = page.get_by_role("heading")
    while heading.inner_text() != "Thank you":
        sign_in(page)
        page.wait_for_url(re.compile("/approve"))
        page.get_by_role("button", name="Allow", exact=True).click()
        page.wait_for_load_state()

    assert "code" in answer(page)


def test_revoking_in_the_account_ends_the_tokens(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    tokens = redeemed(site, answer_of(page, "Allow")).json()

    page.goto(site.url("/"))
    expect(page.get_by_role("heading", name="The App")).to_be_visible()
    page.get_by_role("button", name="Revoke").click()

    expect(page.get_by_role("status")).to_have_text("The access was revoked.")
    expect(page.get_by_text("No application may use your account.")).to_be_visible()
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    refreshed = httpx.post(site.url("/token"), data=form, auth=("app", "app-secret"), trust_env=False)
    assert refreshed.json()["error"] == "invalid_grant"


def test_signing_out_and_in_as_somebody_else_for_the_same_client(site: Site, page: Page) -> None:
    page.goto(site.authorize_url())
    sign_in(page)
    page.get_by_role("link", name="Not you?").click()
    page.get_by_role("button", name="Sign out").click()

    sign_in(page)

    assert "code" in answer_of(page, "Allow")


def test_signed_out_says_so(site: Site, page: Page) -> None:
    page.goto(site.url("/account"))
    sign_in(page)
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page.get_by_role("heading")).to_have_text("You are signed out.")
    page.goto(site.url("/account"))
    expect(page.get_by_role("heading")).to_have_text("Sign in")


def test_pages_work_without_javascript(site: Site, page: Page) -> None:
    assert page.context.browser is not None
    context = page.context.browser.new_context(java_script_enabled=False, locale="de-DE")
    tab = context.new_page()
    tab.goto(site.authorize_url())
    tab.get_by_label("Benutzername").fill("alice")
    tab.get_by_label("Passwort").fill("wonderland")
    tab.get_by_role("button", name="Anmelden").click()

    assert "code" in answer_of(tab, "Erlauben")
    context.close()


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_page_is_accessible_and_fits(site: Site, page: Page, size: str, scheme: str) -> None:
    page.set_viewport_size(SIZES[size])  # type: ignore[arg-type]  # two numbers
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two

    def look(name: str) -> None:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=SCREENSHOTS / f"{name}-{size}-{scheme}.png", full_page=True)
        found = Axe().run(page).response["violations"]
        assert [violation["id"] for violation in found if violation["impact"] in {"serious", "critical"}] == [], name
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), name
        assert page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches") is (scheme == "dark")

    page.goto(site.authorize_url())
    look("login")
    sign_in(page, password="wrong-one")
    expect(page.get_by_role("alert")).to_be_visible()
    look("login-again")
    sign_in(page)
    page.wait_for_url(re.compile("/approve"))
    look("approve")
    answer_of(page, "Allow")
    page.goto(site.url("/account"))
    look("account")
    page.goto(site.url("/logout"))
    look("logout")
    page.get_by_role("button", name="Sign out").click()
    look("signed-out")
    page.goto(site.url("/login?interaction=unknown"))
    look("error")
