"""Polling for the tokens of a backchannel authentication request (CIBA Core sections 10 and 11)."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Dpop, Login, Resource, Secret, World
from oauthcore.ciba import GRANT_TYPE
from oauthcore.errors import AccessDenied, InteractionOver, InvalidScope, LoginRequired
from oauthcore.flow.drivers import answer_to
from oauthcore.flow.effects import Flow
from tests.core.ciba.till import API, PINGED, SECRETS, TILL, Till
from tests.core.dpop.proving import jkt, key, proof
from tests.core.site import DRIVERS, Drive, basic, form, members


@pytest.mark.parametrize("drive", DRIVERS.values(), ids=DRIVERS)
def test_tokens_are_issued_once_the_user_has_allowed_it(drive: Drive) -> None:
    till = Till(drive)
    identifier = till.begin()
    assert till.error(till.poll(identifier)) == "authorization_pending"
    till.allow()
    till.site.clock.advance(5)

    answer = till.poll(identifier)

    assert answer.status == 200
    tokens = members(answer)
    assert tokens["scope"] == "openid email"
    assert {"access_token", "refresh_token", "id_token", "expires_in", "token_type"} <= tokens.keys()
    assert till.is_active(tokens["access_token"])


def test_the_id_token_says_when_and_how_the_user_authenticated() -> None:
    till = Till()
    identifier = till.begin()
    till.site.clock.advance(3)
    till.allow(Login(subject="alice", auth_time=till.site.now, acr="phr", amr=("face",)))

    claims = json.loads(members(till.poll(identifier))["id_token"])

    assert (claims["sub"], claims["aud"]) == ("alice", "till")
    assert (claims["auth_time"], claims["acr"], claims["amr"]) == (till.site.now, "phr", ["face"])
    assert "nonce" not in claims
    assert "sid" not in claims


def test_tokens_are_issued_once() -> None:
    till = Till()
    identifier = till.begin()
    till.allow()
    first = members(till.poll(identifier))

    again = till.poll(identifier)

    assert (again.status, till.error(again)) == (400, "invalid_grant")
    assert till.is_active(first["access_token"])  # the client's own repetition ends nothing


def test_a_client_that_polls_too_often_is_slowed_down_for_good() -> None:
    till = Till()
    identifier = till.begin()
    assert till.error(till.poll(identifier)) == "authorization_pending"
    assert till.error(till.poll(identifier)) == "slow_down"
    till.site.clock.advance(8)
    assert till.error(till.poll(identifier)) == "slow_down"
    till.site.clock.advance(15)
    assert till.error(till.poll(identifier)) == "authorization_pending"
    till.site.clock.advance(14)
    assert till.error(till.poll(identifier)) == "authorization_pending"  # a second is forgiven


def test_who_polls_too_often_gets_the_tokens_all_the_same() -> None:
    till = Till()
    identifier = till.begin()
    till.poll(identifier)
    till.poll(identifier)
    till.allow()

    assert till.poll(identifier).status == 200


def test_a_denied_request_is_told_so() -> None:
    till = Till()
    identifier = till.begin()
    till.deny()

    answer = till.poll(identifier)

    assert (answer.status, till.error(answer)) == (400, "access_denied")


def test_a_request_that_nobody_answered_in_time_is_told_so_and_then_unknown() -> None:
    till = Till()
    identifier = till.begin()
    till.site.clock.advance(120)
    assert till.error(till.poll(identifier)) == "expired_token"
    till.site.clock.advance(301)
    run_purge(till)

    assert till.error(till.poll(identifier)) == "invalid_grant"


def run_purge(till: Till) -> None:
    """Remove what has expired."""
    till.site.world.storage.purge(till.site.now, 1_000)


def test_what_was_allowed_in_time_may_be_fetched_a_little_later() -> None:
    till = Till()
    identifier = till.begin()
    till.site.clock.advance(119)
    till.allow()
    till.site.clock.advance(60)

    assert till.poll(identifier).status == 200


def test_what_was_allowed_is_not_redeemed_for_ever_where_nobody_purges() -> None:
    lasting = attrs.evolve(TILL, access_token_lifetime=3_600)
    till = Till(client=lasting, clients=(lasting,))
    identifier = till.begin()
    till.allow()
    till.site.clock.advance(3_000)

    assert till.error(till.poll(identifier)) == "expired_token"


def test_a_login_that_is_older_than_the_client_takes_allows_nothing() -> None:
    strict = attrs.evolve(TILL, default_max_age=60)
    till = Till(client=strict, clients=(strict,))
    identifier = till.begin()

    with pytest.raises(LoginRequired):
        till.allow(Login(subject="alice", auth_time=till.site.now - 100_000))
    till.allow()
    assert till.poll(identifier).status == 200


def test_a_user_who_may_not_use_the_client_allows_it_nothing() -> None:
    groups = ["staff"]
    staff = attrs.evolve(TILL, require=("group:staff",))
    till = Till(client=staff, clients=(staff,))
    till.site.world = attrs.evolve(till.site.world, claims=lambda _: {"sub": "alice", "groups": groups})
    till.begin()
    groups.clear()

    with pytest.raises(AccessDenied):
        till.allow()


def test_another_client_gets_nothing_by_the_identifier() -> None:
    till = Till()
    identifier = till.begin()
    till.allow()

    answer = till.poll(identifier, client=PINGED)

    assert till.error(answer) == "invalid_grant"
    assert till.poll(identifier).status == 200


def test_what_was_withdrawn_before_it_was_fetched_is_not_issued() -> None:
    till = Till()
    identifier = till.begin()
    till.allow()
    till.drive(till.site.server.applications.withdraw("alice", "till"))

    assert till.error(till.poll(identifier)) == "invalid_grant"


def test_a_client_that_was_removed_and_registered_again_gets_nothing_of_the_one_before() -> None:
    till = Till()
    identifier = till.begin()
    till.allow()
    till.drive(till.site.server.clients.remove("till"))
    till.drive(till.site.server.clients.register(TILL, Secret(SECRETS["till"])))

    assert till.pending() == ()
    assert till.error(till.poll(identifier)) == "invalid_grant"


def test_less_may_be_allowed_and_never_more() -> None:
    till = Till()
    identifier = till.begin()
    with pytest.raises(InvalidScope):
        till.allow(scope="openid profile")
    with pytest.raises(InvalidScope):
        till.allow(scope="email")
    till.allow(scope="openid")

    assert members(till.poll(identifier))["scope"] == "openid"


def test_a_request_is_answered_by_its_own_user_alone() -> None:
    till = Till()
    identifier = till.begin()

    with pytest.raises(InteractionOver):
        till.allow(Login(subject="bob", auth_time=till.site.now))
    assert till.error(till.poll(identifier)) == "authorization_pending"


def test_the_first_answer_counts() -> None:
    till = Till()
    till.begin()
    (waiting,) = till.pending()
    till.allow()

    with pytest.raises(InteractionOver):
        till.drive(till.site.server.backchannel.deny(waiting.id, till.site.alice))
    assert till.pending() == ()


def test_an_answer_that_comes_too_late_is_none() -> None:
    till = Till()
    till.begin()
    (waiting,) = till.pending()
    till.site.clock.advance(120)

    with pytest.raises(InteractionOver):
        till.drive(till.site.server.backchannel.allow(waiting.id, till.site.alice))


def test_who_has_signed_out_answers_nothing_any_more() -> None:
    till = Till()
    till.begin()
    (waiting,) = till.pending()
    login = till.drive(till.site.server.sessions.sign_in("alice"))
    till.drive(till.site.server.sessions.end(login.sid))

    with pytest.raises(InteractionOver):
        till.drive(till.site.server.backchannel.allow(waiting.id, login))


def test_signing_out_of_the_phone_does_not_end_what_the_till_was_given() -> None:
    till = Till()
    identifier = till.begin()
    login = till.drive(till.site.server.sessions.sign_in("alice"))
    till.allow(login)
    tokens = members(till.poll(identifier))

    till.drive(till.site.server.sessions.end(login.sid))

    assert till.is_active(tokens["access_token"])


def test_a_request_of_a_disabled_client_can_not_be_allowed() -> None:
    till = Till()
    till.begin()
    (waiting,) = till.pending()
    till.drive(till.site.server.clients.disable("till"))

    assert till.pending() == ()
    with pytest.raises(InteractionOver):
        till.drive(till.site.server.backchannel.allow(waiting.id, till.site.alice))


def test_tokens_are_for_the_resources_of_the_request() -> None:
    till = Till(resources=[Resource(uri="https://api.example/", scopes=("email",))])
    identifier = till.begin(scope="openid email", resource="https://api.example/")
    till.allow()

    tokens = members(till.poll(identifier))

    found = members(till.post("/introspect", client=API, token=tokens["access_token"]))
    # With openid they are for UserInfo, too.
    assert found["aud"] == ["https://api.example/", "https://as.example"]


def test_a_poll_costs_three_finds_and_one_commit() -> None:
    till = Till()
    identifier = till.begin()
    till.allow()
    effects: list[str] = []

    def counting(flow: Flow[Any], world: World) -> Any:
        answers: list[Any] = [None]
        while True:
            try:
                effect = flow.send(answers.pop())
            except StopIteration as result:
                return result.value
            effects.append(type(effect).__name__)
            answers.append(answer_to(effect, world))

    till.site.drive = counting
    assert till.poll(identifier).status == 200

    assert effects.count("Find") == 3
    assert effects.count("Commit") == 1


def test_what_one_till_was_allowed_is_listed_and_can_be_taken_back_alone() -> None:
    till = Till()
    answers = []
    for _ in range(2):
        identifier = till.begin()
        till.allow()
        answers.append(members(till.poll(identifier)))
    (application,) = till.drive(till.site.server.applications.of("alice"))

    ended = application.requests[0].grant
    taken = [
        till.drive(till.site.server.applications.withdraw_grant(who, ended)) for who in ("mallory", "alice", "alice")
    ]

    assert (len(application.requests), application.devices) == (2, ())
    assert taken == [0, 1, 0]
    assert sorted(till.is_active(answer["access_token"]) for answer in answers) == [False, True]


def test_tokens_are_bound_to_the_key_that_the_poll_proves() -> None:
    """RFC 9449 section 5, which FAPI demands of CIBA, too."""
    till = Till(dpop=Dpop())
    identifier = till.begin()
    till.allow()
    body = form(grant_type=GRANT_TYPE, auth_req_id=identifier)

    answer = till.site.post("/token", body, basic("till", SECRETS["till"]), ("DPoP", proof(till.site.now)))

    assert members(answer)["token_type"] == "DPoP"
    introspected = members(till.post("/introspect", client=API, token=members(answer)["access_token"]))
    assert introspected["cnf"] == {"jkt": jkt(key())}
