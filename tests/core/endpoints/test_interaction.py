"""The application's side: look, finish, deny."""

from __future__ import annotations

import pytest

from oauthcore import Login, PendingInteraction
from oauthcore.authorization.next_step import Need
from oauthcore.scope import Scope
from tests.core.site import REDIRECT, Site, handle_of, location, members, params, refused_by_page


def look(site: Site, handle: str, login: Login | None = None) -> PendingInteraction | None:
    """Look at an interaction."""
    found = site.drive(site.server.interactions.find(handle, login), site.world)
    assert found is None or isinstance(found, PendingInteraction)
    return found


def test_the_page_learns_who_asks_for_what_and_where_the_answer_goes(site: Site) -> None:
    pending = look(site, handle_of(site.authorize(None, scope="profile email")))

    assert pending is not None
    assert pending.client.client_id == "confidential"
    assert pending.redirect_uri == REDIRECT
    assert pending.scope == Scope(("profile", "email"))
    assert (pending.need, pending.login) == (Need.LOGIN, None)


def test_with_a_login_consent_is_what_is_needed(site: Site) -> None:
    pending = look(site, handle_of(site.authorize()), site.alice)

    assert pending is not None and pending.need is Need.CONSENT


def test_with_a_login_and_consent_nothing_is_needed(site: Site) -> None:
    site.code()

    pending = look(site, handle_of(site.authorize()), site.alice)

    assert pending is not None and pending.need is None


def test_an_unknown_expired_or_answered_interaction_is_none(site: Site) -> None:
    answered, expired = handle_of(site.authorize()), handle_of(site.authorize())
    site.drive(site.server.interactions.finish(answered, site.alice, ["email"]), site.world)

    assert look(site, "unknown") is None
    assert look(site, answered) is None
    site.clock.advance(3_600)
    assert look(site, expired) is None


def test_an_interaction_whose_client_can_not_go_on_is_none(site: Site) -> None:
    from tests.core.endpoints.test_resume import change

    handle = handle_of(site.authorize())
    change(site, enabled=False)

    assert look(site, handle) is None


def test_reporting_a_login_leads_to_the_consent_page_of_the_same_interaction(site: Site) -> None:
    handle = handle_of(site.authorize())

    response = site.drive(site.server.interactions.finish(handle, site.alice), site.world)

    assert location(response) == f"/consent?interaction={handle}"


def test_reporting_a_login_is_enough_where_consent_is_remembered(site: Site) -> None:
    site.code()
    handle = handle_of(site.authorize())

    response = site.drive(site.server.interactions.finish(handle, site.alice), site.world)

    assert "code" in params(site.get(location(response)))


def test_consent_may_be_given_to_a_part(site: Site) -> None:
    """RFC 6749 section 3.3: the answer states the scope that was granted."""
    code = params(site.approve(site.authorize(None, scope="profile email read"), scope="read profile"))["code"]

    answer = members(site.redeem(code))

    assert answer["scope"] == "profile read"
    assert members(site.refresh(answer["refresh_token"]))["scope"] == "profile read"


def test_partial_consent_is_remembered_as_such(site: Site) -> None:
    site.approve(site.authorize(None, scope="profile email"), scope="email")

    assert "code=" in location(site.authorize(site.alice, scope="email"))
    assert location(site.authorize(site.alice, scope="profile")).startswith("/consent?")


def test_consent_to_nothing_is_a_denial(site: Site) -> None:
    response = site.approve(site.authorize(), scope="")

    assert params(response)["error"] == "access_denied"


def test_consent_to_more_than_was_asked_is_refused(site: Site) -> None:
    handle = handle_of(site.authorize(None, scope="email"))

    response = site.drive(site.server.interactions.finish(handle, site.alice, ["email", "profile"]), site.world)

    assert refused_by_page(response, "more than was asked")


def test_consent_that_shall_not_be_remembered_is_asked_for_again(site: Site) -> None:
    handle = handle_of(site.authorize())
    response = site.drive(site.server.interactions.finish(handle, site.alice, ["email"], remember=False), site.world)

    assert "code" in params(site.get(location(response)))
    assert location(site.authorize(site.alice)).startswith("/consent?")


def test_a_double_click_is_answered_as_the_first_click(site: Site) -> None:
    handle = handle_of(site.authorize())
    first = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
    second = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)

    assert location(first) == location(second)
    assert "code" in params(site.get(location(second)))


def test_a_second_answer_by_somebody_else_is_refused(site: Site) -> None:
    handle = handle_of(site.authorize())
    site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)

    response = site.drive(
        site.server.interactions.finish(handle, Login(subject="mallory", auth_time=site.now), ["email"]), site.world
    )

    assert refused_by_page(response, "somebody else")


def test_denying_twice_is_denying_once(site: Site) -> None:
    handle = handle_of(site.authorize())
    first = site.drive(site.server.interactions.deny(handle, site.alice), site.world)
    second = site.drive(site.server.interactions.deny(handle, site.alice), site.world)

    assert location(first) == location(second)


def test_what_was_approved_can_not_be_denied_nor_the_other_way_round(site: Site) -> None:
    approved, denied = handle_of(site.authorize()), handle_of(site.authorize())
    site.drive(site.server.interactions.finish(approved, site.alice, ["email"]), site.world)
    site.drive(site.server.interactions.deny(denied, site.alice), site.world)

    assert refused_by_page(
        site.drive(site.server.interactions.deny(approved, site.alice), site.world), "finished already"
    )
    response = site.drive(site.server.interactions.finish(denied, site.alice, ["email"]), site.world)
    assert refused_by_page(response, "denied already")


@pytest.mark.parametrize("handle", ["", "unknown", "\ud800", "a\0b"])
def test_an_unknown_interaction_is_an_error_page(site: Site, handle: str) -> None:
    assert refused_by_page(site.drive(site.server.interactions.finish(handle, site.alice), site.world), "unknown")
    assert refused_by_page(site.drive(site.server.interactions.deny(handle, site.alice), site.world), "unknown")


def test_prompt_login_wants_a_login_that_is_newer_than_the_request(site: Site) -> None:
    """OIDC Core section 3.1.2.1."""
    stale = site.alice
    site.clock.advance(10)
    handle = handle_of(site.authorize(stale, prompt="login"))

    refused = site.drive(site.server.interactions.finish(handle, stale, ["email"]), site.world)
    fresh = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)

    assert location(refused) == f"/login?interaction={handle}"
    assert "code" in params(site.get(location(fresh)))
