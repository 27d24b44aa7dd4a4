"""What a person says of a client, in every order in which it can meet what the client asks for just then."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oauthcore import Request, Response
from oauthcore.flow.effects import Flow
from oauthcore.records.grant import Consent
from oauthcore.testing import Factory, Run
from tests.core.site import Site, handle_of, location, params
from tests.core.test_interleavings import Meeting, explored

Record = Callable[[str, object], None]
ALL = "email profile read"


def answering(site: Site, allowed: str | None) -> Flow[Response]:
    """Return the way back of a browser in which alice was asked anew, and has allowed a part of it, or said no."""
    handle = handle_of(site.authorize(site.alice, scope=ALL, prompt="consent"))
    server = site.server
    answer = (
        server.interactions.deny(handle, site.alice)
        if allowed is None
        else server.interactions.finish(handle, site.alice, allowed.split())
    )
    back = location(site.drive(answer, site.world))
    return server.handle(Request("GET", back, (("Cookie", str(site.cookie)),)))


def silently(site: Site, scope: str = ALL) -> Flow[Response]:
    """Return a request that asks nobody."""
    return site.server.handle(Request("GET", site.authorize_target(scope=scope, prompt="none")), site.alice)


def twice(site: Site) -> Flow[tuple[str, str]]:
    """Return two such requests, one after the other: what each is answered with."""

    def both() -> Flow[tuple[str, str]]:
        first = yield from silently(site)
        second = yield from silently(site)
        return params(first).get("error", "code"), params(second).get("error", "code")

    return both()


def consented(run: Run[Any]) -> list[str]:
    """Return what is remembered in the end."""
    return [consent.scope.text for consent in run.world.storage.find_of(Consent, "alice")]


def allowed_all(site: Site) -> None:
    """Have alice allow everything."""
    site.drive(answering(site, ALL), site.world)


def test_what_is_unticked_is_given_out_before_or_never(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        allowed_all(site)
        return [answering(site, "email"), twice(site)]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert "code" in params(run.results[0])
        assert run.results[1] != ("consent_required", "code")
        assert consented(run) == ["email"]

    explored(record_property, meeting, check, kept)


def test_what_is_denied_is_given_out_before_or_never(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        allowed_all(site)
        return [answering(site, None), twice(site)]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert params(run.results[0])["error"] == "access_denied"
        assert run.results[1] != ("consent_required", "code")
        assert consented(run) == []

    explored(record_property, meeting, check, kept)


def test_of_two_answers_the_last_is_remembered_and_not_a_mixture(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        allowed_all(site)
        return [answering(site, "email"), answering(site, "profile")]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert all("code" in params(response) for response in run.results)
        assert consented(run) in (["email"], ["profile"])

    explored(record_property, meeting, check, kept)


def test_a_yes_and_a_no_leave_what_was_said_last(record_property: Record, kept: Factory) -> None:
    meeting = Meeting(lambda site: [answering(site, "email"), answering(site, None)])

    def check(run: Run[Any]) -> None:
        assert consented(run) in (["email"], [])

    explored(record_property, meeting, check, kept)


def test_expired_consent_is_not_revived_by_whatever_meets_a_new_one(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        allowed_all(site)
        site.clock.now += 365 * 86_400
        return [answering(site, "email"), twice(site)]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[1] == ("consent_required", "consent_required")
        assert consented(run) == ["email"]

    explored(record_property, meeting, check, kept)


def test_an_answer_and_a_withdrawal_leave_nothing_of_what_was_allowed(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        allowed_all(site)
        return [site.server.applications.withdraw("alice"), answering(site, "email")]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[0] >= 1
        assert consented(run) == []

    explored(record_property, meeting, check, kept)
