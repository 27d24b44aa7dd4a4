"""The resume path: the same browser must have asked and answered."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Client, Login, MemoryStorage, Request, Secret
from oauthcore.flow.outcome import Replace
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import Interaction
from tests.core.site import Site, handle_of, location, params, refused_by_page


def finished(site: Site, **changes: str | None) -> str:
    """Ask and approve; give where the browser is sent then."""
    handle = handle_of(site.authorize(None, **changes))
    return location(site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world))


def change(site: Site, **changes: object) -> None:
    """Change the confidential client meanwhile."""
    client = site.world.storage.find(Client, "confidential")
    assert client is not None
    assert site.world.storage.commit((Replace(client, attrs.evolve(client, **changes)),))  # type: ignore[arg-type]


def test_the_browser_that_asked_and_answered_gets_the_code(site: Site) -> None:
    assert set(params(site.get(finished(site)))) == {"code", "state", "iss"}


def test_an_attacker_who_had_somebody_else_answer_gets_nothing(site: Site) -> None:
    """The attacker has the cookie, and knows the handle, but the proof was handed to the other browser."""
    back = finished(site)
    guess = back.partition("&proof=")[0] + "&proof=" + "A" * 43

    assert refused_by_page(site.get(guess), "not answered in this browser")


def test_the_browser_that_answered_for_an_attacker_delivers_nothing(site: Site) -> None:
    """It has the proof, and not the cookie of the browser that asked."""
    back = finished(site)

    assert refused_by_page(site.get(back, cookie=False), "another browser")


def test_the_proof_of_an_answer_is_none_of_somebody_elses(site: Site) -> None:
    """An attacker answers, keeps their proof, has themselves asked again, and gets somebody else to answer that."""
    mallory = Login(subject="mallory", auth_time=site.now)
    site.approve(site.authorize(), mallory)
    handle = handle_of(site.authorize())
    back = location(site.drive(site.server.interactions.finish(handle, mallory), site.world))
    site.drive(site.server.applications.withdraw("mallory"), site.world)
    assert location(site.get(back)) == f"/consent?interaction={handle}"

    # The first time, the page was one shown to mallory, and its consent is not taken for alice's.
    site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
    answered = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)

    assert location(answered).startswith("/authorize/resume?")
    assert refused_by_page(site.get(back), "not answered in this browser")


def test_another_browsers_cookie_is_not_enough(site: Site) -> None:
    back = finished(site)
    site.cookie = "__Host-oauthcore-browser=" + "B" * 43

    assert refused_by_page(site.get(back), "another browser")


@pytest.mark.parametrize("second", ["C" * 43, "x", ""])
def test_two_cookies_of_the_name_are_none(site: Site, second: str) -> None:
    """Somebody who can plant a second cookie must not be able to choose which one counts."""
    back = finished(site)
    cookies = f"{site.cookie}; __Host-oauthcore-browser={second}"

    assert refused_by_page(site.handle(Request("GET", back, (("Cookie", cookies),))), "another browser")


def test_a_second_return_gets_no_second_code(site: Site) -> None:
    back = finished(site)
    site.get(back)

    assert refused_by_page(site.get(back), "nothing to resume")


def test_an_unanswered_interaction_can_not_be_resumed(site: Site) -> None:
    asked = site.authorize()
    other = finished(site)
    forged = other.replace(handle_of_target(other), handle_of(asked))

    assert refused_by_page(site.get(forged), "not answered in this browser")


def handle_of_target(target: str) -> str:
    """Return the handle in a resume target."""
    return target.partition("interaction=")[2].partition("&")[0]


@pytest.mark.parametrize(
    "query", ["", "?interaction=x", "?proof=x", "?interaction=x&proof=y", "?interaction=%ff&proof=y"]
)
def test_junk_is_an_error_page(site: Site, query: str) -> None:
    assert refused_by_page(site.get("/authorize/resume" + query))


def test_an_answer_is_good_for_as_long_as_a_code(site: Site) -> None:
    """What was allowed is revoked with the grants there are, and by then it is none yet."""
    back, late = finished(site), finished(site)
    site.clock.advance(59)
    assert "code" in params(site.get(back))

    site.clock.advance(1)

    assert refused_by_page(site.get(late), "expired")


def test_who_answers_late_has_no_more_time_than_the_interaction(site: Site) -> None:
    handle = handle_of(site.authorize())
    site.clock.advance(3_599)
    back = location(site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world))
    site.clock.advance(1)

    assert refused_by_page(site.get(back), "expired")


def test_who_is_asked_again_has_the_time_of_the_interaction(site: Site) -> None:
    site.code()
    handle = handle_of(site.authorize())
    back = location(site.drive(site.server.interactions.finish(handle, site.alice), site.world))
    forget_consents(site)
    again = site.get(back)
    site.clock.advance(3_599)

    assert "code" in params(site.approve(again))


def test_a_client_that_was_disabled_meanwhile_gets_nothing(site: Site) -> None:
    back = finished(site)
    change(site, enabled=False)

    assert refused_by_page(site.get(back), "disabled")


def test_a_redirect_uri_that_was_unregistered_meanwhile_gets_nothing(site: Site) -> None:
    back = finished(site)
    change(site, redirect_uris=("https://client.example/new",))

    assert refused_by_page(site.get(back), "not registered")


def test_a_scope_that_was_taken_from_the_client_meanwhile_is_refused_at_the_client(site: Site) -> None:
    back = finished(site)
    change(site, scope="profile")

    assert params(site.get(back))["error"] == "invalid_scope"
    assert refused_by_page(site.get(back), "completed")


def test_a_denial_reaches_the_client_as_access_denied(site: Site) -> None:
    """RFC 6749 section 4.1.2.1."""
    handle = handle_of(site.authorize())
    back = site.drive(site.server.interactions.deny(handle, site.alice), site.world)

    answer = params(site.get(location(back)))

    assert (answer["error"], answer["state"], answer["iss"]) == ("access_denied", "s", "https://as.example")
    assert [event.name for event in site.events] == ["consent_denied"]


def test_consent_that_was_withdrawn_meanwhile_is_asked_for_again(site: Site) -> None:
    site.code()
    handle = handle_of(site.authorize())
    back = location(site.drive(site.server.interactions.finish(handle, site.alice), site.world))
    forget_consents(site)

    again = site.get(back)

    assert location(again) == f"/consent?interaction={handle}"
    assert "code" in params(site.approve(again))


def forget_consents(site: Site) -> None:
    """Forget every consent, as the person could on some account page."""
    storage = site.world.storage
    assert isinstance(storage, MemoryStorage)
    for place in [place for place in storage._records if place[0] is Consent]:
        del storage._records[place]


def test_the_code_is_for_whom_the_application_reported(site: Site) -> None:
    handle = handle_of(site.authorize(site.alice))
    bob = Login(subject="bob", auth_time=site.now)
    asked_again = site.drive(site.server.interactions.finish(handle, bob, ["email"]), site.world)

    assert location(asked_again).startswith("/consent?")
    record = site.world.storage.find(Interaction, site.server.context().digest("interaction", Secret(handle)))
    assert record is not None and record.login == bob
