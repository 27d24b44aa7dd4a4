"""The account page and signing out: what is authorized, how to take it back, how to leave."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import AnyResource, ConfigurationError, Resource, Resources, Throttled, World
from oauthcore.flow.outcome import Delete
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.testing import Outage
from tests.pages.html import Page
from tests.pages.site import APP, FORM, Site, authenticate, location, make_site


def authorized(site: Site, client_id: str = "app", **more: str) -> None:
    """Sign in and allow a client all of what it asks for."""
    asked = site.get(site.authorize(client_id, **more))
    if "password" in Page.in_(asked).form:
        asked = site.get(location(site.sign_in(site.authorize(client_id, **more))))
    page = Page.in_(asked)
    site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))


def sign_in_to_account(site: Site) -> None:
    page = Page.in_(site.get("/login"))
    site.post("/login", page.submission(("username", "alice"), ("password", "wonderland")))


def test_nobody_is_sent_to_sign_in_and_then_back_to_his_account(site: Site) -> None:
    sent = location(site.get("/account"))
    page = Page.in_(site.get(sent))

    signed_in = site.post("/login", page.submission(("username", "alice"), ("password", "wonderland")))

    assert (sent, location(signed_in)) == ("/login", "/account")
    assert "to continue to" not in page.text
    assert location(site.get("/login")) == "/account"


def test_a_wrong_password_asks_again(site: Site) -> None:
    page = Page.in_(site.get("/login"))

    again = site.post("/login", page.submission(("username", "alice"), ("password", "wrong-one")))

    assert again.status == 400
    assert "Wrong username or password." in again.body.decode()


def test_too_many_attempts_ask_to_wait_and_keep_the_username(site: Site) -> None:
    site.world = attrs.evolve(site.world, authenticate=lambda username, password: Throttled(30))

    again = site.sign_in(site.authorize(), "alice<")

    assert again.status == 429
    assert again.header("retry-after") == "30"
    text = again.body.decode()
    assert "Too many attempts. Try again in 30 seconds." in text
    assert Page.in_(again).form["username"] == "alice<"


def test_account_without_applications_says_so(site: Site) -> None:
    sign_in_to_account(site)

    assert "No application may use your account." in site.get("/account").body.decode()


def test_account_shows_each_application_with_who_runs_it_since_when_and_what_it_may() -> None:
    run_by = attrs.evolve(
        APP, client_id="run", organization_name="Firm & Sons", client_uri="https://firm.example/", scope="email"
    )
    site = make_site(run_by)
    authorized(site, "run")

    text = site.get("/account").body.decode()

    assert '<h2 id="application-1">The App</h2>' in text
    assert "It is run by <strong>Firm &amp; Sons</strong>." in text
    assert '<a href="https://firm.example/" rel="noopener noreferrer nofollow"' in text
    assert f'datetime="{site.clock_date}T' in text
    assert "<li>See your e-mail address</li>" in text


def test_account_shows_at_which_apis_an_application_uses_what_it_was_allowed() -> None:
    site = make_site(
        resources=Resources([Resource("https://api.example/mcp", name="<Files>")], unregistered=AnyResource())
    )
    for uri in ("https://api.example/mcp", "https://new.example/?'x'"):
        authorized(site, scope="email", resource=uri)

    text = site.get("/account").body.decode()

    assert "<p>It uses this at</p>" in text
    assert '<strong>&lt;Files&gt;</strong> <span class="destination">https://api.example/mcp</span>' in text
    assert '<li><span class="destination">https://new.example/?&#39;x&#39;</span></li>' in text


@pytest.mark.parametrize("uri", ["javascript:alert(1)", "http://firm.example/"])
def test_site_of_a_client_is_a_link_only_if_it_is_https(uri: str) -> None:
    site = make_site(attrs.evolve(APP, client_id="evil", client_uri=uri))
    authorized(site, "evil")

    assert uri not in site.get("/account").body.decode()


def test_revoking_takes_back_what_that_client_was_allowed_and_says_so() -> None:
    site = make_site(attrs.evolve(APP, client_id="other", name="Other"))
    authorized(site)
    authorized(site, "other")
    page = Page.in_(site.get("/account"))
    csrf = page.form["csrf"]

    gone = location(site.post("/account", f"csrf={csrf}&client_id=app".encode()))

    text = site.get(gone).body.decode()
    assert 'role="status">The access was revoked.' in text
    assert "Other</h2>" in text
    assert "The App</h2>" not in text
    assert site.world.storage.find_of(Consent, "subject-of-alice")[0].client_id == "other"


def test_a_client_that_is_gone_can_be_revoked_still(site: Site) -> None:
    authorized(site)
    client = site.world.storage.find(Client, "app")
    assert client is not None
    site.world.storage.commit((Delete(client),))

    page = Page.in_(site.get("/account"))

    assert ">app</h2>" in page.text
    assert location(site.post("/account", page.submission())) == "/account?revoked=1"


def test_a_form_from_elsewhere_revokes_nothing(site: Site) -> None:
    authorized(site)
    csrf = Page.in_(site.get("/logout")).form["csrf"]

    for body in (b"client_id=app", f"client_id=app&csrf={csrf}".encode()):
        assert site.post("/account", body).status == 403
    assert site.world.storage.find_of(Consent, "subject-of-alice")


def test_revoking_after_the_session_has_expired_asks_who_it_is(site: Site) -> None:
    authorized(site)
    page = Page.in_(site.get("/account"))
    site.clock.now += 9 * 3_600

    assert location(site.post("/account", page.submission())) == "/login"


def test_storage_that_fails_is_a_503_and_nothing_is_revoked(site: Site) -> None:
    authorized(site)
    page, storage = Page.in_(site.get("/account")), site.world.storage

    for at in (0, 1, 2):
        site.world = World(Outage(storage, at), authenticate)
        failed = site.request("POST", "/account", page.submission(), FORM)
        assert failed.status == 503
        assert failed.refusal is not None
    assert storage.find_of(Consent, "subject-of-alice")


def test_signing_out_asks_first_and_then_forgets_the_session(site: Site) -> None:
    sign_in_to_account(site)

    asked = site.get("/logout")
    left = site.post("/logout", Page.in_(asked).submission())

    assert "<h1>Sign out?</h1>" in asked.body.decode()
    assert left.status == 200
    assert "<h1>You are signed out.</h1>" in left.body.decode()
    assert "Max-Age=0" in (left.header("set-cookie") or "")
    assert site.login() is None


def test_who_is_not_signed_in_is_told_so(site: Site) -> None:
    assert "<h1>You are signed out.</h1>" in site.get("/logout").body.decode()


def test_a_form_from_elsewhere_signs_nobody_out(site: Site) -> None:
    sign_in_to_account(site)

    assert site.post("/logout", b"").status == 403
    assert site.login() is not None


def test_who_is_not_the_one_signed_in_may_sign_in_for_the_same_application(site: Site) -> None:
    approve = site.approve_page()
    (link,) = [tag["href"] for name, tag in approve.tags if name == "a" and (tag["href"] or "").startswith("/logout")]
    assert link is not None

    sent = location(site.post("/logout", Page.in_(site.get(link)).submission()))
    bobs = location(site.sign_in(sent, "bob", " päss word "))

    assert sent.startswith("/login?interaction=")
    assert "<strong>bob</strong>" in site.get(bobs).body.decode()


def test_what_is_not_to_be_remembered_is_asked_again(site: Site) -> None:
    page = site.approve_page()
    scopes = [pair for pair in page.checkboxes if pair[0] == "scope"]

    site.answered(site.post("/approve", page.submission(*scopes, ("approval", "1"))))

    assert site.authorize().startswith("/approve?")
    assert not site.world.storage.find_of(Consent, "subject-of-alice")


def test_a_page_from_the_history_says_that_it_was_answered(site: Site) -> None:
    page = site.approve_page()
    site.answered(site.post("/approve", page.submission(*page.checkboxes, ("approval", "1"))))

    again = site.get(f"/approve?interaction={page.form['interaction']}")

    assert again.status == 400
    assert "This was answered already, or has waited for too long" in again.body.decode()


@pytest.mark.parametrize(
    "settings",
    [
        {"account": "account"},
        {"account": "/a?b"},
        {"account": "/login"},
        {"logout": "/token"},
        {"logout": "/account"},
        {"logout": "/a b"},
    ],
)
def test_path_that_can_not_be_is_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"paths\.(account|logout) = "):
        make_site(**settings)


def test_paths_are_below_the_issuer() -> None:
    site = make_site(issuer="https://as.example/tenant", account="/me")

    assert site.pages.home == "/tenant/"
    assert site.pages.paths.account == "/tenant/me"
    assert location(site.get("/tenant/me")) == "/tenant/login"


def test_other_methods_are_refused(site: Site) -> None:
    refused = site.request("PUT", "/account")

    assert (refused.status, refused.header("allow")) == (405, "GET, HEAD, POST")
