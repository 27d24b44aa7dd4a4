"""Back-Channel Logout 1.0: what clients are told, how often, and when that is given up."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs

import attrs
import pytest

from oauthcore import Outgoing, Response
from oauthcore.digest import Digest
from oauthcore.endpoints.delivery import shares
from oauthcore.endpoints.logout_delivery import LOGOUTS, MAX_TRIES, decide_claim, decide_settle
from oauthcore.flow.drivers import answer_to
from oauthcore.flow.effects import Fetch
from oauthcore.flow.outcome import Delete, Insert
from oauthcore.jose.crypto import verify
from oauthcore.oidc.id_token_hint import UnverifiedHint, hint_in
from oauthcore.oidc.logout_token import EVENT, queued
from oauthcore.oidc.sid import sid_for
from oauthcore.records.client import Client
from oauthcore.records.login import LogoutDelivery
from tests.core.oidc.provider import PAIRWISE, RP, context_of, provider
from tests.core.oidc.test_requests import remembered, signing, told
from tests.core.oidc.test_sessions import ended, queue, session_of, signed_in
from tests.core.signing_keys import key_for
from tests.core.site import Drive, Site

TOLD = attrs.evolve(RP, backchannel_logout_uri="https://rp.example/bcl?x=1")
ALSO = attrs.evolve(PAIRWISE, backchannel_logout_uri="https://pairwise.example/bcl")
PAIRWISE_CALLBACK = "https://pairwise.example/cb"


class Clients:
    """Be the clients' servers: keep what they are sent, and answer as told."""

    def __init__(self, status: int | None = 200) -> None:
        self.status = status
        self.heard: list[Outgoing] = []

    def __call__(self, request: Outgoing) -> Response:
        """Answer a request."""
        self.heard.append(request)
        if self.status is None:
            raise TimeoutError("nobody answers")
        return Response(self.status)

    @property
    def tokens(self) -> list[str]:
        """Return the logout tokens that were heard."""
        return [parse_qs(request.body.decode())["logout_token"][0] for request in self.heard]


@pytest.fixture
def clients() -> Clients:
    """Return servers that say yes."""
    return Clients()


@pytest.fixture
def site(drive: Drive, clients: Clients) -> Site:
    """Return a provider whose clients can be reached, under each driver."""
    site = provider(drive, clients=(TOLD, ALSO))
    site.world = attrs.evolve(site.world, fetch=clients)
    return site


def left(site: Site) -> str:
    """Sign in, authorize both clients, and sign out; give the sid."""
    login = signed_in(site)
    remembered(site, login)
    remembered(site, login, client_id="pairwise", redirect_uri=PAIRWISE_CALLBACK)
    site.events.clear()
    ended(site, login)
    return login.sid or ""


def delivered(site: Site) -> int:
    """Deliver what is due."""
    tried = site.drive(site.server.sessions.deliver_logouts(), site.world)
    assert isinstance(tried, int)
    return tried


def names(site: Site) -> list[str]:
    """Return what the audit log has heard of deliveries."""
    return [event.name for event in site.events if event.name.startswith("logout_")]


def test_each_client_is_told_once_by_a_form(site: Site, clients: Clients) -> None:
    sid = left(site)

    assert (delivered(site), delivered(site)) == (2, 0)

    assert {(r.method, r.url) for r in clients.heard} == {
        ("POST", "https://rp.example/bcl?x=1"),
        ("POST", "https://pairwise.example/bcl"),
    }
    assert all(("Content-Type", "application/x-www-form-urlencoded") in r.headers for r in clients.heard)
    context = site.server.context()
    assert {claims["aud"]: claims["sid"] for claims in map(told, clients.tokens)} == {
        client.client_id: sid_for(client, sid, context) for client in (TOLD, ALSO)
    }
    assert names(site) == ["logout_delivered"] * 2
    assert queue(site) == []


def test_a_logout_token_says_who_where_and_why(site: Site, clients: Clients) -> None:
    """OIDC Back-Channel Logout section 2.4."""
    sid = left(site)
    delivered(site)

    claims = {token["aud"]: token for token in map(told, clients.tokens)}
    jti = claims["rp"].pop("jti")
    assert claims["rp"] == {
        "iss": "https://as.example",
        "sub": "alice",
        "aud": "rp",
        "iat": site.now,
        "exp": site.now + 120,
        "events": {EVENT: {}},
        "sid": sid_for(TOLD, sid, site.server.context()),
        "typ": "logout+jwt",
        "alg": "RS256",
    }
    assert jti != claims["pairwise"]["jti"]
    assert claims["pairwise"]["sub"] != "alice"


def test_a_logout_token_is_no_id_token_hint(site: Site, clients: Clients) -> None:
    signing(site)
    left(site)
    delivered(site)

    assert hint_in(clients.tokens[0], (key_for("RS256").public,), "https://as.example", verify) == UnverifiedHint()


@pytest.mark.parametrize("status", [204, 200])
def test_a_client_that_took_it_is_not_told_again(site: Site, clients: Clients, status: int) -> None:
    clients.status = status
    left(site)

    delivered(site)

    assert queue(site) == []


@pytest.mark.parametrize("status", [None, 400, 500, 302])
def test_a_client_that_did_not_is_told_later_and_ever_later_and_then_no_more(
    site: Site, clients: Clients, status: int | None
) -> None:
    clients.status = status
    left(site)
    waits = []
    for _ in range(MAX_TRIES):
        assert delivered(site) == 2
        assert delivered(site) == 0
        if queue(site):
            waits.append(queue(site)[0].next_try_at - site.now)
            site.clock.advance(waits[-1])

    assert waits == [30 * 2**number for number in range(MAX_TRIES - 1)]
    assert names(site) == ["logout_undelivered"] * 2
    assert queue(site) == []
    jtis = [told(token)["jti"] for token in clients.tokens]
    assert len(set(jtis)) == len(jtis) == 2 * MAX_TRIES


def test_a_try_nobody_heard_the_end_of_is_made_again(site: Site, clients: Clients) -> None:
    left(site)
    flow = site.server.sessions.deliver_logouts()
    answer: Any = None
    while not isinstance(effect := flow.send(answer), Fetch):
        answer = answer_to(effect, site.world)
    flow.close()  # the worker is killed while it waits

    assert delivered(site) == 1
    site.clock.advance(30)
    assert delivered(site) == 1
    assert queue(site) == []


def test_no_more_are_tried_than_asked_for(site: Site) -> None:
    left(site)

    assert site.drive(site.server.sessions.deliver_logouts(1), site.world) == 1
    assert len(queue(site)) == 1


def many_for_one(site: Site) -> None:
    """Queue ten deliveries for a client, and one for another."""
    for number in range(11):
        client = site.world.storage.find(Client, "rp" if number < 10 else "pairwise")
        assert client is not None
        delivery = queued(client, session_of(client.client_id), site.server.context())
        assert site.world.storage.commit([Insert(attrs.evolve(delivery, key=Digest(f"{number:064}")))])


def test_a_client_that_does_not_answer_is_asked_once_and_the_others_are_told(site: Site) -> None:
    heard: list[str] = []

    def network(request: Outgoing) -> Response:
        heard.append(request.url)
        if "//rp.example" in request.url:
            raise TimeoutError("nobody answers")
        return Response(200)

    many_for_one(site)
    site.world = attrs.evolve(site.world, fetch=network)

    assert delivered(site) == 2
    assert heard == ["https://rp.example/bcl?x=1", "https://pairwise.example/bcl"]
    assert {delivery.client_id for delivery in queue(site)} == {"rp"}
    assert sorted(delivery.tries for delivery in queue(site)) == [0] * 9 + [1]


def test_a_client_that_answers_slowly_has_a_round_s_time_and_goes_on_in_the_next(site: Site) -> None:
    def network(request: Outgoing) -> Response:
        site.clock.advance(2)
        return Response(200)

    many_for_one(site)
    site.world = attrs.evolve(site.world, fetch=network)

    assert (delivered(site), delivered(site), delivered(site)) == (4, 3, 3)


def test_each_client_has_its_share_of_the_limit_and_who_was_tried_least_goes_first() -> None:
    def of(client_id: str, number: int, tries: int = 0) -> LogoutDelivery:
        key = Digest(f"{client_id}-{number}".rjust(64, "0"))
        return delivery_of(client_id=client_id, key=key, tries=tries)

    many, few = [of("a", number, tries=1) for number in range(5)], [of("b", 0)]

    assert shares([*many, *few], 3) == ((few[0],), (many[0], many[1]))
    assert shares([*many, *few], 1) == ((few[0],),)
    assert shares([], 3) == ()


def test_one_that_can_not_be_signed_does_not_hold_up_the_others(site: Site, clients: Clients) -> None:
    def sign(asked: Any) -> tuple[str, ...]:
        if any(jwt.claims["aud"] == "rp" for jwt, _ in asked.jwts):
            raise RuntimeError("no hand to sign with")
        return tuple(json.dumps(dict(jwt.claims)) for jwt, _ in asked.jwts)

    left(site)
    site.world = attrs.evolve(site.world, sign=sign)

    assert delivered(site) == 1
    assert [delivery.client_id for delivery in queue(site)] == ["rp"]


def delivery_of(**changes: Any) -> LogoutDelivery:
    """Return a delivery."""
    return attrs.evolve(queued(TOLD, session_of("rp"), context_of()), **changes)


ENCRYPTED = attrs.evolve(TOLD, id_token_encrypted_response_alg="RSA-OAEP", jwks={"keys": []})
GONE = attrs.evolve(TOLD, backchannel_logout_uri=None)


@pytest.mark.parametrize(("client", "tries"), [(None, 0), (GONE, 0), (ENCRYPTED, 0), (TOLD, MAX_TRIES)])
def test_what_can_not_be_delivered_is_dropped_and_told_to_the_audit_log(client: Client | None, tries: int) -> None:
    delivery = delivery_of(tries=tries)

    outcome = decide_claim(delivery, delivery, client, context_of())

    assert outcome.changes == (Delete(delivery),)
    assert [event.name for event in outcome.events] == ["logout_undelivered"]


def test_what_another_has_taken_is_left_to_him() -> None:
    mine, now = delivery_of(), delivery_of(tries=1)

    for stored in (None, now):
        assert decide_claim(mine, stored, TOLD, context_of()).changes == ()
        assert decide_settle(mine, stored, Response(200)).changes == ()


def test_the_longest_overdue_goes_first_and_what_is_too_old_not_at_all() -> None:
    now = context_of().now
    late, later = delivery_of(next_try_at=now - 2), delivery_of(next_try_at=now - 1)
    old, early = delivery_of(expires_at=now), delivery_of(next_try_at=now + 1)
    flow = LOGOUTS.due(now)
    next(flow)

    with pytest.raises(StopIteration) as result:
        flow.send([early, later, old, late])

    assert result.value.value == [late, later]
