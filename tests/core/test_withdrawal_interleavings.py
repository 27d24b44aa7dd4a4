"""The end of all that a person authorized, in every order in which it can meet what they authorize just then.

What was allowed before a withdrawal ends with it, however far it had come by then. What is allowed while it runs comes
before it or after it, as a whole: who says yes after a withdrawal has authorized something new.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from oauthcore import Client, Login, LoginSession, Policy, Request, Resource, Response, World
from oauthcore.context import Context
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Decision, Insert, Outcome, Require
from oauthcore.grants.issuance import issue_first_tokens, new_grant, token_response
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.session import is_active
from oauthcore.records.grant import Consent, Grant
from oauthcore.records.liveness import is_standing
from oauthcore.testing import Factory, Run
from tests.core.site import FORM, Site, authenticate, basic, form, handle_of, location
from tests.core.test_interleavings import Meeting, explored

Record = Callable[[str, object], None]
RESOURCES = (Resource("https://one.example"), Resource("https://two.example"))
OTHERS: dict[str, str | None] = {"client_id": "other", "redirect_uri": "https://other.example/cb"}


def alive(meeting: Meeting, run: Run[Any]) -> list[Grant]:
    """Return what lives of alice's."""
    grants = run.world.storage.find_of(Grant, "alice")
    return [grant for grant in grants if is_standing(grant, meeting.site.now)]


def nothing_stands(meeting: Meeting, run: Run[Any]) -> None:
    """Demand that the withdrawal returned, and that nothing is left of what it was for."""
    assert run.results[0] >= 0
    assert alive(meeting, run) == []
    assert list(run.world.storage.find_of(Consent, "alice")) == []


def authorizing(site: Site, **changes: str | None) -> Flow[Response]:
    """Return an authorization request of who is signed in."""
    return site.server.handle(Request("GET", site.authorize_target(**changes)), site.alice)


def resuming(site: Site, **changes: str | None) -> Flow[Response]:
    """Return the way back of a browser in which everything asked for has just been allowed."""
    handle = handle_of(site.authorize(None, **changes))
    scope = (changes.get("scope") or "email").split()
    finished = site.drive(site.server.interactions.finish(handle, site.alice, scope), site.world)
    return site.server.handle(Request("GET", location(finished), (("Cookie", str(site.cookie)),)))


def allowing(site: Site, **changes: str | None) -> Flow[Response]:
    """Return a person's yes, and the way back right after it."""
    handle = handle_of(site.authorize(None, **changes))
    cookie = str(site.cookie)

    def both() -> Flow[Response]:
        finished = yield from site.server.interactions.finish(handle, site.alice, ["email"])
        return (yield from site.server.handle(Request("GET", location(finished), (("Cookie", cookie),))))

    return both()


@pytest.mark.parametrize("client_id", [None, "confidential"])
def test_an_authorization_on_remembered_consent_leaves_nothing_that_outlives_the_withdrawal(
    client_id: str | None, record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        site.code()
        return [site.server.applications.withdraw("alice", client_id), authorizing(site)]

    meeting = Meeting(prepare)

    explored(record_property, meeting, lambda run: nothing_stands(meeting, run), kept)


def test_an_authorization_on_consents_for_several_resources_leaves_nothing_that_outlives_the_withdrawal(
    record_property: Record, kept: Factory
) -> None:
    """RFC 8707: each of the consents is required as it was found."""

    def prepare(site: Site) -> list[Flow[Any]]:
        for resource in RESOURCES:
            site.drive(resuming(site, resource=resource.uri), site.world)
        target = "&".join((site.authorize_target(prompt="none"), *(f"resource={one.uri}" for one in RESOURCES)))
        return [site.server.applications.withdraw("alice"), site.server.handle(Request("GET", target), site.alice)]

    meeting, answers = Meeting(prepare, resources=RESOURCES), set[bool]()

    def check(run: Run[Any]) -> None:
        nothing_stands(meeting, run)
        answers.add("code=" in location(run.results[1]))

    explored(record_property, meeting, check, kept)
    assert answers == {True, False}


def test_a_yes_for_several_resources_that_meets_a_withdrawal_is_remembered_at_all_or_at_none(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        target = "&".join((site.authorize_target(), *(f"resource={one.uri}" for one in RESOURCES)))
        handle = handle_of(site.get(target))
        finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
        back = Request("GET", location(finished), (("Cookie", str(site.cookie)),))
        return [site.server.applications.withdraw("alice"), site.server.handle(back)]

    meeting = Meeting(prepare, resources=RESOURCES)

    explored(record_property, meeting, lambda run: nothing_stands(meeting, run), kept)


@pytest.mark.parametrize("client_id", [None, "other"])
def test_the_first_consent_for_a_client_is_found_by_the_withdrawal_that_it_meets(
    client_id: str | None, record_property: Record, kept: Factory
) -> None:
    """What was allowed before the withdrawal began ends with it, though none of it was in storage yet."""

    def prepare(site: Site) -> list[Flow[Any]]:
        return [site.server.applications.withdraw("alice", client_id), resuming(site, **OTHERS)]

    meeting = Meeting(prepare)

    explored(record_property, meeting, lambda run: nothing_stands(meeting, run), kept)


def test_consent_that_is_not_to_be_remembered_ends_with_the_withdrawal_too(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        handle = handle_of(site.authorize())
        finished = site.drive(
            site.server.interactions.finish(handle, site.alice, ["email"], remember=False), site.world
        )
        back = Request("GET", location(finished), (("Cookie", str(site.cookie)),))
        return [site.server.applications.withdraw("alice"), site.server.handle(back)]

    meeting = Meeting(prepare)

    explored(record_property, meeting, lambda run: nothing_stands(meeting, run), kept)


def test_a_yes_that_meets_a_withdrawal_comes_before_it_or_after_it_as_a_whole(
    record_property: Record, kept: Factory
) -> None:
    meeting = Meeting(lambda site: [site.server.applications.withdraw("alice"), allowing(site)])

    def check(run: Run[Any]) -> None:
        assert run.results[0] >= 0
        assert len(alive(meeting, run)) == len(run.world.storage.find_of(Consent, "alice"))

    explored(record_property, meeting, check, kept)


@pytest.mark.slow
def test_two_authorizations_leave_nothing_that_outlives_the_withdrawal(record_property: Record, kept: Factory) -> None:
    """The second relies on the consent that the first has just had remembered."""

    def prepare(site: Site) -> list[Flow[Any]]:
        return [site.server.applications.withdraw("alice"), resuming(site), authorizing(site, prompt="none")]

    meeting = Meeting(prepare, flows=3)

    explored(record_property, meeting, lambda run: nothing_stands(meeting, run), kept)


def test_two_withdrawals_are_both_answered_and_leave_nothing(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        site.code()
        return [site.server.applications.withdraw("alice"), site.server.applications.withdraw("alice", "confidential")]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        nothing_stands(meeting, run)
        assert run.results[1] >= 0

    explored(record_property, meeting, check, kept)


LEGACY = Client(client_id="legacy", grant_types=("password", "urn:example:ticket"), response_types=(), scope="email")


def ticket(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Be a grant that knows nothing of withdrawals."""
    grant = new_grant(request.client, request.parameters.need("subject"), request.client.scope, None, context)
    first = issue_first_tokens(request, grant, context)
    changes = (Require(request.client), Insert(first.grant), *first.changes)
    return Decision((yield from token_response(first.tokens, context)), changes)


@pytest.mark.parametrize(
    "asked",
    [
        {"grant_type": "password", "username": "alice", "password": "wonderland"},
        {"grant_type": "urn:example:ticket", "subject": "alice"},
    ],
    ids=["password", "custom"],
)
def test_no_grant_outlives_the_withdrawal_of_one_that_lived_when_it_was_given(
    asked: dict[str, str], record_property: Record, kept: Factory
) -> None:
    """However the grant came to be, and though whoever wrote its grant type has thought of nothing."""
    request = Request("POST", "/token", (FORM, basic("legacy", "l")), form(**asked))

    def prepare(site: Site) -> list[Flow[Any]]:
        site.handle(request)
        (before,) = site.drive(find_of(Grant, "alice"), site.world)

        def later() -> Flow[bool]:
            response = yield from site.server.handle(request)
            assert response.status == 200
            return is_standing((yield from find(Grant, before.key)), site.now)

        return [site.server.applications.withdraw("alice"), later()]

    meeting = Meeting(
        prepare,
        Policy.oauth20(),
        around=lambda storage: World(storage, authenticate=authenticate),
        clients=(LEGACY,),
        secrets={"legacy": "l"},
        grants={"urn:example:ticket": ticket},
    )

    def check(run: Run[Any]) -> None:
        assert run.results[0] >= 1
        assert not (run.results[1] and alive(meeting, run))

    explored(record_property, meeting, check, kept)


def test_no_session_outlives_the_end_of_all_that_ends_one_that_lasted_when_it_began(
    record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        before: Login = site.drive(site.server.sessions.sign_in("alice"), site.world)

        def later() -> Flow[bool]:
            login = yield from site.server.sessions.sign_in("alice")
            assert login.sid != before.sid
            return is_active((yield from find(LoginSession, str(before.sid))), site.now)

        return [site.server.sessions.end_all("alice"), later()]

    meeting = Meeting(prepare)

    def check(run: Run[Any]) -> None:
        assert run.results[0] >= 1
        found = run.world.storage.find_of(LoginSession, "alice")
        lasting = [session for session in found if is_active(session, meeting.site.now)]
        assert not (run.results[1] and lasting)

    explored(record_property, meeting, check, kept)
