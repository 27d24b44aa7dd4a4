"""The page for users who may not use a client."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit

import attrs

from oauthcore.flow.effects import Claims
from tests.pages.html import Page
from tests.pages.site import APP, Site, location, make_site, path_of

GUARDED = attrs.evolve(APP, client_id="guarded", name="The <Wiki>", require=("group:staff",))


def guarded_site() -> tuple[Site, dict[str, object]]:
    """Make a site with a client for the staff, to which bob belongs; and what is known of alice, who does not."""
    alice: dict[str, object] = {}
    site = make_site(GUARDED)
    known = {"subject-of-alice": alice, "subject-of-bob": {"groups": ["staff"]}}

    def claims(asked: Claims) -> dict[str, object] | None:
        return known.get(asked.subject)  # type: ignore[return-value]  # each is one

    site.world = attrs.evolve(site.world, claims=claims)
    return site, alice


def test_a_user_who_may_not_use_the_client_is_told_so_and_led_back_to_it() -> None:
    site, _ = guarded_site()

    response = site.get(location(site.sign_in(site.authorize("guarded"))))
    page = Page.in_(response)
    answer = site.answered(site.post("/approve", page.submission(("approval", "0"))))

    assert response.status == 403
    assert "You may not use <em>The &lt;Wiki&gt;</em>" in page.text
    assert "alice" in page.text and "client.example" in page.text
    assert page.buttons == [("approval", "0")] and page.checkboxes == []
    assert dict(parse_qsl(urlsplit(answer).query))["error"] == "access_denied"


def test_an_allow_that_is_made_up_leads_back_to_the_page() -> None:
    site, _ = guarded_site()
    target = location(site.sign_in(site.authorize("guarded")))
    page = Page.in_(site.get(target))

    assert location(site.post("/approve", page.submission(("approval", "1"), ("scope", "email")))) == target


def test_another_account_goes_on_with_the_same_request() -> None:
    site, _ = guarded_site()
    page = Page.in_(site.get(location(site.sign_in(site.authorize("guarded")))))
    (logout,) = [dict(attributes)["href"] for tag, attributes in page.tags if tag == "a"]
    assert logout is not None

    leave = Page.in_(site.get(logout))
    login = location(site.post(path_of(logout), leave.submission()))
    allow = Page.in_(site.get(location(site.sign_in(login, "bob", " päss word "))))

    assert ("approval", "1") in allow.buttons


def test_the_page_is_gone_once_the_user_has_permission() -> None:
    site, alice = guarded_site()
    target = location(site.sign_in(site.authorize("guarded")))
    assert site.get(target).status == 403

    alice["groups"] = ["staff"]

    assert ("approval", "1") in Page.in_(site.get(target)).buttons


def test_the_account_page_says_what_may_not_be_used_at_present() -> None:
    site, alice = guarded_site()
    alice["groups"] = ["staff"]
    page = Page.in_(site.get(location(site.sign_in(site.authorize("guarded")))))
    site.answered(site.post("/approve", page.submission(("approval", "1"), ("scope", "email"))))
    before = site.get("/account").body.decode()

    del alice["groups"]

    assert "At present you may not use it" in site.get("/account").body.decode()
    assert "At present you may not use it" not in before
