"""The end of a session, in every order in which it can meet what is given in that session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import attrs
from typing_extensions import override

from oauthcore import Login, Request, Response, World
from oauthcore.flow.effects import Flow
from oauthcore.flow.storage import Storage
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import is_standing
from oauthcore.records.login import LogoutDelivery
from oauthcore.testing import Factory, Run, interleave
from tests.core.oidc.provider import CALLBACK, RP, SECRETS, provider, sign_as_json
from tests.core.oidc.test_requests import redeem, remembered
from tests.core.scene import SetInMemory
from tests.core.site import FORM, Site, basic, form

TOLD = attrs.evolve(RP, backchannel_logout_uri="https://rp.example/bcl")
Prepared = list[Flow[Any]]


class Meeting:
    """Let the end of a session meet one more flow, over a site that is made afresh for each schedule."""

    def __init__(self, other: Callable[[Site, Login], Flow[Any]]) -> None:
        self.other = other
        self.site = provider()

    def begin(self, drive: Callable[[Flow[Any]], Any]) -> Prepared:
        """Set the scene: somebody signed in, and allowed the client something before."""
        scene = SetInMemory(self.world)
        self.site = provider(scene.drive, clients=(TOLD,))
        login = scene.drive(self.site.server.sessions.sign_in("alice"))
        remembered(self.site, login)
        flows = [self.site.server.sessions.end(login.sid or ""), self.other(self.site, login)]
        scene.move(drive)
        return flows

    def world(self, storage: Storage) -> World:
        """Leave the signatures out."""
        return World(storage, sign=sign_as_json, fetch=lambda _: Response(200))

    def explored(self, check: Callable[[Run[Any]], None], kept: Factory) -> None:
        """Let the two meet in every order."""
        flows = [partial(_numbered, number) for number in range(2)]
        result = interleave(*flows, prepare=self.begin, check=check, storage=kept, world=self.world)
        assert result.schedules > 1


def _numbered(number: int, prepared: Prepared) -> Flow[Any]:
    return prepared[number]


def token_request(**values: str) -> Request:
    """Return a token request of the client."""
    return Request("POST", "/token", (FORM, basic("rp", SECRETS["rp"])), form(**values))


def nothing_lives(meeting: Meeting, run: Run[Any]) -> None:
    """Demand that the session has ended and nothing that was given in it lives."""
    assert isinstance(run.results[0], bool)
    grants = run.world.storage.find_of(Grant, "alice")
    assert grants
    assert [grant for grant in grants if is_standing(grant, meeting.site.now)] == []
    assert len(run.world.storage.find_of(LogoutDelivery, "due")) == 1


def test_a_refresh_leaves_nothing_that_outlives_the_session(kept: Factory) -> None:
    def refreshing(site: Site, login: Login) -> Flow[Response]:
        tokens = redeem(site, remembered(site, login)["code"])
        return site.server.handle(token_request(grant_type="refresh_token", refresh_token=tokens["refresh_token"]))

    meeting = Meeting(refreshing)

    meeting.explored(lambda run: nothing_lives(meeting, run), kept)


def test_a_code_exchange_leaves_nothing_that_outlives_the_session(kept: Factory) -> None:
    def exchanging(site: Site, login: Login) -> Flow[Response]:
        code = remembered(site, login)["code"]
        return site.server.handle(token_request(grant_type="authorization_code", code=code, redirect_uri=CALLBACK))

    meeting = Meeting(exchanging)

    meeting.explored(lambda run: nothing_lives(meeting, run), kept)


def test_an_authorization_leaves_nothing_that_outlives_the_session(kept: Factory) -> None:
    """The client is known to the session already, and the grant is new: that alone must make the end look again."""

    def authorizing(site: Site, login: Login) -> Flow[Response]:
        target = (
            "/authorize?"
            + form(client_id="rp", redirect_uri=CALLBACK, response_type="code", scope="openid", nonce="n").decode()
        )
        return site.server.handle(Request("GET", target), login)

    meeting = Meeting(authorizing)

    meeting.explored(lambda run: nothing_lives(meeting, run), kept)


def test_two_ends_of_one_session_queue_one_delivery(kept: Factory) -> None:
    meeting = Meeting(lambda site, login: site.server.sessions.end_all("alice"))

    meeting.explored(lambda run: nothing_lives(meeting, run), kept)


def test_two_workers_deliver_once(kept: Factory) -> None:
    posted: list[str] = []

    class Delivering(Meeting):
        @override
        def begin(self, drive: Callable[[Flow[Any]], Any]) -> Prepared:
            ending, _ = super().begin(drive)
            drive(ending)
            posted.clear()
            return [self.site.server.sessions.deliver_logouts(), self.site.server.sessions.deliver_logouts()]

        @override
        def world(self, storage: Storage) -> World:
            def fetch(request: Any) -> Response:
                posted.append(request.url)
                return Response(200)

            return World(storage, sign=sign_as_json, fetch=fetch)

    meeting = Delivering(lambda site, login: site.server.sessions.deliver_logouts())

    def check(run: Run[Any]) -> None:
        assert sorted(run.results) == [0, 1]
        assert posted == ["https://rp.example/bcl"]
        assert list(run.world.storage.find_of(LogoutDelivery, "due")) == []

    meeting.explored(check, kept)
