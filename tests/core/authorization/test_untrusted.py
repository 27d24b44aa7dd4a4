"""Errors for redirect URIs of strangers, which wait on a page (RFC 9700 section 4.11.2)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Login, Policy, Registration, Request, Response
from oauthcore.openid import OpenID
from oauthcore.wire.refusals import ErrorPage
from tests.core.clients.publishing import CLAUDE_CODE, ON, WEB, published
from tests.core.registering import LOOPBACK, OPEN, change, register, use
from tests.core.site import REDIRECT, Drive, Site, handle_of, location, make_site, members, params

PHISHING = "https://phishing.example/login?a=b"


def registered(site: Site, uri: str = PHISHING, *headers: tuple[str, str], **metadata: Any) -> dict[str, Any]:
    """Register a public client."""
    more = {"token_endpoint_auth_method": "none", "client_name": "Your Bank", **metadata}
    return members(register(site, *headers, redirect_uris=[uri], **more))


def wrong(site: Site, client: dict[str, Any], **changes: str | None) -> Response:
    """Send a browser with a request that is refused before anybody is asked."""
    asked = {"client_id": client["client_id"], "redirect_uri": client["redirect_uris"][0], "scope": "nonsense"}
    return site.authorize(None, **(asked | changes))


def waits_on_a_page(response: Response, host: str = "phishing.example") -> bool:
    """Return whether the browser is shown where it would go, and sent nowhere."""
    return response.status == 400 and response.header("location") is None and f">{host}<" in response.body.decode()


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"scope": "email", "response_type": "nonsense"},
        {"scope": "email", "prompt": "none"},
        {"scope": "email", "request": "no object"},
        {"scope": "email", "response_mode": "fragment", "code_challenge": None, "code_challenge_method": None},
    ],
)
def test_no_browser_is_sent_to_a_strangers_site_by_a_link_alone(drive: Drive, changes: dict[str, str | None]) -> None:
    site = make_site(drive, registration=OPEN)

    response = wrong(site, registered(site), **changes)

    assert waits_on_a_page(response)


def test_the_page_leads_on_to_the_client_with_the_error_that_it_would_have_had() -> None:
    trusting = make_site(registration=OPEN, policy=Policy.oauth21(allow=[Allowance.UNTRUSTED_REDIRECTS]))
    site = make_site(registration=OPEN)
    pages: list[ErrorPage] = []

    def render(page: ErrorPage) -> Response:
        pages.append(page)
        return Response(page.status)

    client = registered(site)
    target = site.authorize_target(client_id=client["client_id"], redirect_uri=PHISHING, scope="nonsense")
    response = site.drive(site.server.handle(Request("GET", target), error_page=render), site.world)

    assert response.refusal is not None
    assert response.refusal.code == "invalid_scope"
    (way,) = [page.way_on for page in pages]
    assert way is not None
    assert (way.host, way.fields) == ("phishing.example", ())
    assert way.url == location(wrong(trusting, registered(trusting)))


def test_a_client_that_listens_for_a_form_is_sent_one_by_the_person() -> None:
    site = make_site(registration=OPEN)

    response = wrong(site, registered(site), response_mode="form_post")

    text = response.body.decode()
    assert waits_on_a_page(response)
    assert '<form method="post" action="https://phishing.example/login?a=b">' in text
    assert '<input type="hidden" name="error" value="invalid_scope">' in text
    assert "<script" not in text


def test_what_a_person_has_answered_goes_to_the_client_at_once(drive: Drive) -> None:
    """The page where they were asked has named the site."""
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    handle = handle_of(wrong(site, client, scope="email"))

    denied = site.drive(site.server.interactions.deny(handle, site.alice), site.world)

    assert location(site.get(location(denied))).startswith("https://phishing.example/login?a=b&error=access_denied")


def test_who_was_shown_no_consent_page_is_not_led_away_after_signing_in(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    asked = {"scope": "email", "acr_values": "nobody-has-this"}
    handle = handle_of(wrong(site, client, **asked))
    site.clock.advance(20)

    answered = site.drive(
        site.server.interactions.finish(handle, Login(subject="alice", auth_time=site.now, acr="pwd")), site.world
    )
    response = site.get(location(answered))

    assert waits_on_a_page(response)
    # The page leads on by itself; to come back shows it again, and uses nothing up.
    assert waits_on_a_page(site.get(location(answered)))


def test_a_client_that_somebody_has_used_is_still_a_stranger_to_everybody_else(drive: Drive) -> None:
    """One use by an account of the attacker's own would lead everybody to their site."""
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    use(site, client)
    bob = Login(subject="bob", auth_time=site.now)

    assert waits_on_a_page(wrong(site, client))
    asked = {"client_id": client["client_id"], "redirect_uri": PHISHING, "scope": "nonsense"}
    assert waits_on_a_page(site.authorize(bob, **asked))
    assert params(site.authorize(site.alice, **asked))["error"] == "invalid_scope"


def test_what_a_person_allowed_at_another_redirect_uri_makes_the_new_one_no_less_a_strangers(drive: Drive) -> None:
    """RFC 7592 section 2.2: a client changes itself whenever it likes."""
    site = make_site(drive, registration=OPEN)
    client = registered(site, "https://honest.example/callback")
    use(site, client)
    site.clock.advance(1)
    changed = members(change(site, client, redirect_uris=[PHISHING], token_endpoint_auth_method="none"))

    asked = {"client_id": client["client_id"], "redirect_uri": changed["redirect_uris"][0], "scope": "nonsense"}

    assert waits_on_a_page(site.authorize(site.alice, **asked))


def test_a_client_that_this_person_has_allowed_something_is_told_at_once(drive: Drive) -> None:
    site = make_site(drive, registration=OPEN)
    client = registered(site)
    asked = {"client_id": client["client_id"], "redirect_uri": PHISHING, "scope": "email"}
    site.approve(site.authorize(None, **asked))

    mine = site.authorize(site.alice, **asked, prompt="none", max_age="0")
    anybodys = site.authorize(None, **asked, prompt="none")

    assert params(mine)["error"] == "login_required"
    assert waits_on_a_page(anybodys)


def test_a_client_on_the_persons_own_device_is_told_at_once() -> None:
    """No site can be at its redirect URI; so are most MCP clients."""
    site = make_site(registration=OPEN)

    assert params(wrong(site, registered(site, LOOPBACK)))["error"] == "invalid_scope"


def test_a_client_that_the_operator_has_approved_is_told_at_once() -> None:
    site = make_site(registration=OPEN)
    client = registered(site)
    site.drive(site.server.clients.approve(client["client_id"]), site.world)

    assert params(wrong(site, client))["error"] == "invalid_scope"


def test_a_client_that_came_with_an_initial_access_token_is_told_at_once() -> None:
    site = make_site(registration=Registration(scope="email"))
    token = site.drive(site.server.clients.issue_initial_access_token(lifetime=60, note="partner"), site.world)
    client = registered(site, PHISHING, ("Authorization", f"Bearer {token.reveal()}"))

    assert params(wrong(site, client))["error"] == "invalid_scope"


def test_clients_that_the_operator_has_registered_are_told_at_once_with_registration_open_to_others() -> None:
    site = make_site(registration=OPEN)

    assert location(site.authorize(scope="nonsense")).startswith(f"{REDIRECT}?error=invalid_scope")


def test_an_operator_may_want_redirects_all_the_same_as_openids_conformance_suite_does() -> None:
    site = make_site(registration=OPEN, openid=OpenID(), policy=Policy.oauth21(allow=[Allowance.UNTRUSTED_REDIRECTS]))

    assert params(wrong(site, registered(site), scope="email", prompt="none"))["error"] == "login_required"


def test_a_document_is_a_strangers_however_often_others_have_used_it(drive: Drive) -> None:
    at = published(drive)

    assert waits_on_a_page(at.authorize(scope="nonsense"), "app.example")
    assert params(at.authorize(CLAUDE_CODE, scope="nonsense"))["error"] == "invalid_scope"
    at.redeem(at.code())
    assert waits_on_a_page(at.authorize(scope="nonsense"), "app.example")


def test_a_document_of_a_host_that_the_operator_has_named_is_no_strangers() -> None:
    at = published(metadata=attrs.evolve(ON, allowed_hosts=("app.example",)))

    assert params(at.authorize(WEB, scope="nonsense"))["error"] == "invalid_scope"
