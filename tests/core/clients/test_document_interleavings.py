"""A document that changes, on one worker, while another decides by what it was: in every order that they can meet in.

What is given out is given out before the change is known, or never: each decision requires the client as it was read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import AuthorizationServer, Client, Request, Response, World
from oauthcore.documents import DocumentNeeded, Documents, Turn, is_object
from oauthcore.flow.effects import Flow
from oauthcore.flow.storage import Storage
from oauthcore.jose.jwk import set_of
from oauthcore.testing import Factory, Run
from tests.core.clients.publishing import (
    CALLBACK,
    KEY,
    ON,
    OTHER_CALLBACK,
    WEB,
    Hosts,
    Published,
    assertion,
)
from tests.core.site import FORM, VERIFIER, Site, form, location, members, params
from tests.core.test_interleavings import Meeting, explored

Record = Callable[[str, object], None]
Prepare = Callable[[Published], list[Flow[Any]]]


def meeting(prepare: Prepare) -> tuple[Meeting, Hosts]:
    """Return a meeting at a site where clients may be documents, and the hosts around it."""
    hosts = Hosts()

    def around(storage: Storage) -> World:
        """Have documents fetched."""
        return World(storage, fetch=hosts)

    def begin(site: Site) -> list[Flow[Response]]:
        """Set the scene, with the documents as they were at first."""
        hosts.publish()
        return prepare(Published(site, hosts))

    return Meeting(begin, around=around, client_id_metadata=ON), hosts


def other_worker(site: Site) -> AuthorizationServer:
    """Return the server as another process has it: the two share the storage alone."""
    return site.server.with_instruments(attrs.evolve(site.server.instruments, client_documents=Documents()))


def authorizing(at: Published, redirect_uri: str = CALLBACK) -> Flow[Response]:
    """Return another person's request at another worker, which reads the document as it is now."""
    target = at.site.authorize_target(client_id=WEB, redirect_uri=redirect_uri)
    return other_worker(at.site).handle(Request("GET", target))


def redeeming(at: Published, code: str, redirect_uri: str = CALLBACK, **values: str) -> Flow[Response]:
    """Return the redemption of a code."""
    more = {"code": code, "redirect_uri": redirect_uri, "code_verifier": VERIFIER, **values}
    body = form(client_id=WEB, grant_type="authorization_code", **more)
    return at.site.server.handle(Request("POST", "/token", (FORM,), body))


def keep_busy(at: Published) -> None:
    """Have the first worker go on with what is stored, as if another request of its own were fetching the document."""
    documents = at.site.server.instruments.client_documents
    assert documents.turn(DocumentNeeded(documents, WEB, at.site.now, is_object, 0)) is Turn.FETCH


def wait(at: Published) -> None:
    """Let the document be old enough to be asked for again, at a worker that does not do so."""
    at.site.clock.now += ON.min_fresh


def committed(run: Run[Any], kind: str = "") -> list[int]:
    """Return which steps of the schedule were commits that came about, of records of that kind among others."""
    steps = [(number, step) for number, step in enumerate(run.story) if ": commit " in step]
    return [number for number, step in steps if step.endswith("-> True") and kind in step]


def is_given_out_before(run: Run[Any], kind: str) -> bool:
    """Return whether something was given out; whoever read the new document then did so later."""
    given, everything = committed(run, kind), committed(run)
    read = [number for number in everything if number not in given]
    assert len(given) <= 1
    assert len(read) == 1, run.story
    assert not given or given < read, run.story
    return bool(given)


def test_a_code_whose_redirect_uri_is_taken_out_of_the_document_is_redeemed_before_or_never(
    record_property: Record, kept: Factory
) -> None:
    def prepare(at: Published) -> list[Flow[Response]]:
        at.hosts.publish(redirect_uris=[CALLBACK, OTHER_CALLBACK])
        _ = at.authorize()
        at.site.clock.now += ON.min_fresh - 30
        code = at.code(redirect_uri=OTHER_CALLBACK)
        at.site.clock.now += 30
        at.hosts.publish()
        keep_busy(at)
        return [redeeming(at, code, OTHER_CALLBACK), authorizing(at)]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        redeemed, authorized = run.results
        assert redeemed.status in {200, 400}
        assert authorized.status == 303
        assert (redeemed.status == 200) == is_given_out_before(run, "AccessToken")
        outcomes.add(redeemed.status)

    outcomes: set[int] = set()
    _ = explored(record_property, met, check, kept)
    assert outcomes == {200, 400}


def test_a_code_is_issued_before_its_redirect_uri_is_taken_out_or_never(record_property: Record, kept: Factory) -> None:
    def prepare(at: Published) -> list[Flow[Response]]:
        at.hosts.publish(redirect_uris=[CALLBACK, OTHER_CALLBACK])
        waiting = at.authorize(redirect_uri=OTHER_CALLBACK)
        finish = at.site.server.interactions.finish(params(waiting)["interaction"], at.site.alice, ["email"])
        finished = at.site.drive(finish, at.site.world)
        assert at.site.cookie is not None
        resumed = Request("GET", location(finished), (("Cookie", at.site.cookie),))
        wait(at)
        at.hosts.publish()
        return [at.site.server.handle(resumed), authorizing(at)]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        resumed, _ = run.results
        is_answered = resumed.status == 303 and "code" in params(resumed)
        assert is_answered == is_given_out_before(run, "AuthorizationCode")
        outcomes.add(is_answered)

    # The answer is on its way for a minute, and the document is good for five; here it waits for longer.
    met.settings["policy"] = attrs.evolve(
        met.site.server.policy,
        lifetimes=attrs.evolve(met.site.server.policy.lifetimes, authorization_code_lifetime=600),
    )
    outcomes: set[bool] = set()
    _ = explored(record_property, met, check, kept)
    assert outcomes == {True, False}


def test_a_client_that_gives_up_its_key_gets_what_it_had_with_it_before_or_never(
    record_property: Record, kept: Factory
) -> None:
    def prepare(at: Published) -> list[Flow[Response]]:
        keyed = {"token_endpoint_auth_method": "private_key_jwt", "jwks": json.loads(set_of([KEY]))}
        at.hosts.publish(**keyed)
        _ = at.authorize()
        at.site.clock.now += ON.min_fresh - 30
        code = at.code()
        at.site.clock.now += 30
        at.hosts.publish()
        keep_busy(at)
        return [redeeming(at, code, **assertion(WEB, now=at.site.now)), authorizing(at)]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        redeemed, _ = run.results
        assert (redeemed.status == 200) == is_given_out_before(run, "AccessToken")
        outcomes.add(redeemed.status)
        if redeemed.status == 200:
            token = str(members(redeemed)["access_token"])
            assert not met.site.introspect(token, "resource")["active"]

    outcomes: set[int] = set()
    _ = explored(record_property, met, check, kept)
    assert outcomes == {200, 401}


def test_two_first_requests_of_a_document_read_one_client(record_property: Record, kept: Factory) -> None:
    def prepare(at: Published) -> list[Flow[Response]]:
        first = at.site.server.handle(Request("GET", at.site.authorize_target(client_id=WEB, redirect_uri=CALLBACK)))
        return [first, authorizing(at)]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert [response.status for response in run.results] == [303, 303]
        # The second one finds it, or is told so by its commit.
        assert len(committed(run)) == 1

    _ = explored(record_property, met, check, kept)


@pytest.mark.parametrize("act", ["register", "disable", "remove"])
def test_what_the_operator_does_stands_whatever_is_fetched_meanwhile(
    record_property: Record, kept: Factory, act: str
) -> None:
    registered = Client(client_id=WEB, token_endpoint_auth_method="none", redirect_uris=(OTHER_CALLBACK,))

    def prepare(at: Published) -> list[Flow[Any]]:
        clients = at.site.server.clients
        if act != "register":
            _ = at.redeem(at.code())
            wait(at)
            at.hosts.publish(client_name="Another name")
        acts: dict[str, Callable[[], Flow[Any]]] = {
            "register": lambda: clients.register(registered, replace=True),
            "disable": lambda: clients.disable(WEB),
            "remove": lambda: clients.remove(WEB),
        }
        return [authorizing(at), acts[act]()]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        client = met.site.drive(met.site.server.clients.find(WEB), met.site.world)
        if act == "register":
            assert client.document is None
            assert client.redirect_uris == (OTHER_CALLBACK,)
        elif act == "disable":
            assert not client.enabled
            assert client.expires_at is None
        # Whoever comes after the removal is a client that nobody has allowed anything.
        elif client is not None:
            assert client.document.is_unused

    _ = explored(record_property, met, check, kept)


def test_two_first_redemptions_keep_the_client_and_are_both_answered(record_property: Record, kept: Factory) -> None:
    def prepare(at: Published) -> list[Flow[Response]]:
        first, second = at.code(), at.code()
        return [redeeming(at, first), redeeming(at, second)]

    met, _ = meeting(prepare)

    def check(run: Run[Response]) -> None:
        assert [response.status for response in run.results] == [200, 200]
        client = met.site.drive(met.site.server.clients.find(WEB), met.site.world)
        assert not client.document.is_unused

    _ = explored(record_property, met, check, kept)
