"""Pushed requests, in every order in which uses of one, other tabs, purges and operators can meet (RFC 9126)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from oauthcore import PushedRequests, Request, Response, Secret
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Delete
from oauthcore.flow.transact import commit_with_retry
from oauthcore.records.pushed_request import PushedRequest
from oauthcore.testing import Factory, Run
from tests.core.pushed.pushing import REQUEST_URI, push_request, pushed, target, use
from tests.core.site import PUBLIC, Site, handle_of, location, members, params, refused, refused_by_page
from tests.core.test_interleavings import Meeting, Prepare, disable, explored

Record = Callable[[str, object], None]


class OfPushed(Meeting):
    """Let flows meet at a site where clients may push."""

    def __init__(self, prepare: Prepare, flows: int = 2, settings: PushedRequests | None = None) -> None:
        super().__init__(prepare, flows=flows, pushed_requests=settings or PushedRequests())


def remembered(site: Site) -> str:
    """Have the user's consent remembered, and return a request_uri that takes no page."""
    _ = site.approve(site.authorize())
    return pushed(site)


def using(site: Site, request_uri: str) -> Flow[Response]:
    """Return what a browser is answered that brings a request_uri, where its user is signed in."""
    return site.server.handle(Request("GET", target(request_uri)), site.alice)


def answered(site: Site, page: Response) -> Flow[Response]:
    """Return what a browser is answered that comes back from the pages, where its user has just allowed everything."""
    finished = site.drive(site.server.interactions.finish(handle_of(page), site.alice, ["email"]), site.world)
    return site.server.handle(Request("GET", location(finished), (("Cookie", site.cookie or ""),)))


def codes_of(responses: Sequence[Response]) -> list[str]:
    """Return the codes that were issued; whoever got none was shown a page, and sent nowhere."""
    assert all(response.status == 303 or response.refusal is not None for response in responses), responses
    return [params(response)["code"] for response in responses if response.status == 303]


def purge(site: Site, request_uri: str) -> Flow[Response]:
    """Remove a pushed request, as a purge does once it has expired; one that is remembered as spent stays."""
    key = site.server.context().digest("pushed_request", Secret(request_uri.removeprefix(REQUEST_URI)))

    def decision() -> Flow[Decision[Response]]:
        found = yield from find(PushedRequest, key)
        is_over = found is not None and found.expires_at <= site.now
        return Decision(Response(204), (Delete(found),) if found is not None and is_over else ())

    return commit_with_retry(decision)


def test_of_two_uses_at_once_one_gets_a_code(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        request_uri = remembered(site)
        return [using(site, request_uri), using(site, request_uri)]

    def check(run: Run[Response]) -> None:
        assert len(codes_of(run.results)) == 1

    explored(record_property, OfPushed(prepare), check, kept)


def test_of_two_tabs_that_are_answered_at_once_one_gets_a_code(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        request_uri = pushed(site)
        pages = [use(site, request_uri), use(site, request_uri)]
        return [answered(site, page) for page in pages]

    def check(run: Run[Response]) -> None:
        assert len(codes_of(run.results)) == 1

    explored(record_property, OfPushed(prepare), check, kept)


@pytest.mark.slow
@pytest.mark.memory_alone
def test_of_two_tabs_one_gets_a_code_whenever_the_record_is_purged(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        request_uri = pushed(site)
        pages = [use(site, request_uri), use(site, request_uri)]
        site.clock.advance(600)
        return [*(answered(site, page) for page in pages), purge(site, request_uri)]

    def check(run: Run[Response]) -> None:
        assert len(codes_of(run.results[:2])) == 1

    explored(record_property, OfPushed(prepare, flows=3), check, kept)


def test_a_tab_and_a_new_use_at_once_give_one_code(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        request_uri = remembered(site)
        page = use(site, request_uri)
        return [answered(site, page), using(site, request_uri)]

    def check(run: Run[Response]) -> None:
        assert len(codes_of(run.results)) == 1

    explored(record_property, OfPushed(prepare), check, kept)


def test_a_use_that_meets_the_end_of_its_client_leaves_nothing_live(record_property: Record, kept: Factory) -> None:
    meeting = OfPushed(lambda site: [using(site, remembered(site)), disable("confidential")])

    def check(run: Run[Response]) -> None:
        # Either the code came first, and dies with its client, or a page says that the client may not be used.
        for code in codes_of(run.results[:1]):
            assert refused(meeting.site.redeem(code), "invalid_client")

    explored(record_property, meeting, check, kept)


def test_a_push_that_meets_the_end_of_its_client_is_of_no_use(record_property: Record, kept: Factory) -> None:
    meeting = OfPushed(lambda site: [site.server.handle(push_request()), disable("confidential")])

    def check(run: Run[Response]) -> None:
        response = run.results[0]
        assert response.status == 201 or refused(response, "invalid_client")
        if response.status == 201:
            assert refused_by_page(use(meeting.site, members(response)["request_uri"]), "disabled")

    explored(record_property, meeting, check, kept)


def test_of_two_pushes_at_the_limit_one_is_refused(record_property: Record, kept: Factory) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        return [site.server.handle(push_request(PUBLIC.client_id)) for _ in range(2)]

    def check(run: Run[Response]) -> None:
        assert sorted(response.status for response in run.results) == [201, 429]

    explored(record_property, OfPushed(prepare, settings=PushedRequests(max_from_address=1)), check, kept)
