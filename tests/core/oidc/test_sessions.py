"""Login sessions: begun, listed, ended, and what ends with them."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Client, ConfigurationError, Login, LoginSession, Policy, Response, Secret
from oauthcore.authorization.approve import session_changes
from oauthcore.flow.outcome import Insert, Require
from oauthcore.oidc.front_channel import frames_for
from oauthcore.oidc.session import ANY_GENERATION, SessionsToEnd, authorized, ending, generations_in
from oauthcore.oidc.sid import sid_for
from oauthcore.records.lifecycle import SessionState
from oauthcore.records.login import LogoutDelivery
from tests.core.oidc.provider import PAIRWISE, RP, SECRETS, context_of, grant_of, provider
from tests.core.oidc.test_requests import authorize, redeem, remembered, told
from tests.core.site import Counted, Drive, Site, basic, form, handle_of, params

TOLD = attrs.evolve(RP, backchannel_logout_uri="https://rp.example/bcl")


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider whose clients hear of logouts, under each driver."""
    return provider(drive, clients=(TOLD, PAIRWISE))


def signed_in(site: Site, subject: str = "alice", **how: Any) -> Login:
    """Sign somebody in."""
    login = site.drive(site.server.sessions.sign_in(subject, **how), site.world)
    assert isinstance(login, Login)
    return login


def sessions(site: Site, subject: str = "alice") -> list[LoginSession]:
    """Return somebody's sessions."""
    return list(site.drive(site.server.sessions.of(subject), site.world))


def ended(site: Site, login: Login, subject: str | None = None) -> bool:
    """End somebody's session; return whether there was one to end."""
    was_there = site.drive(site.server.sessions.end(login.sid or "", subject), site.world)
    assert isinstance(was_there, bool)
    return was_there


def queue(site: Site) -> list[LogoutDelivery]:
    """Return what is to be delivered."""
    return list(site.world.storage.find_of(LogoutDelivery, "due"))


def refreshed(site: Site, token: str) -> Response:
    """Refresh."""
    return site.post("/token", form(grant_type="refresh_token", refresh_token=token), basic("rp", SECRETS["rp"]))


def test_who_signs_in_has_a_session_and_it_is_named_in_his_id_tokens(site: Site) -> None:
    login = signed_in(site, acr="gold", amr=("pwd",))

    answer = redeem(site, remembered(site, login)["code"])

    (session,) = sessions(site)
    assert told(answer["id_token"])["sid"] == sid_for(RP, session.key, site.server.context())
    assert login.sid == session.key
    assert (session.client_ids, session.authorizations) == (("rp",), 1)
    assert session.login == login == Login(subject="alice", auth_time=site.now, acr="gold", amr=("pwd",), sid=login.sid)


def test_who_signs_in_again_goes_on_with_his_session(site: Site) -> None:
    first = signed_in(site)
    site.clock.advance(60)

    second = signed_in(site, before=first.sid, acr="gold")

    (session,) = sessions(site)
    assert second.sid == first.sid
    assert (session.auth_time, session.acr, session.started_at) == (site.now, "gold", site.now - 60)


def test_two_clients_can_not_tell_by_the_session_who_is_the_same_person(site: Site) -> None:
    """OIDC Core section 8.1: pairwise subjects would be for nothing."""
    login = signed_in(site)

    def named(client_id: str, redirect_uri: str) -> str:
        code = remembered(site, login, client_id=client_id, redirect_uri=redirect_uri)["code"]
        return str(told(redeem(site, code, client_id, redirect_uri)["id_token"])["sid"])

    rp, pairwise = named("rp", RP.redirect_uris[0]), named("pairwise", PAIRWISE.redirect_uris[0])
    assert len({rp, pairwise, login.sid}) == 3
    assert named("rp", RP.redirect_uris[0]) == rp


@pytest.mark.parametrize("subject", ["alice", "bob"])
def test_who_signs_in_within_the_same_second_has_done_so_later(site: Site, subject: str) -> None:
    """Else prompt=login and max_age could not tell the new sign-in from the old one."""
    first = signed_in(site)
    second = signed_in(site, subject, before=first.sid)

    assert (first.auth_time, second.auth_time) == (site.now, site.now + 1)
    assert [session.login for session in sessions(site, subject)] == [second]


def test_a_time_that_the_host_names_is_taken_as_it_is(site: Site) -> None:
    first = signed_in(site)

    assert signed_in(site, before=first.sid, auth_time=site.now - 60).auth_time == site.now - 60


def test_who_signs_in_over_somebody_else_ends_that_session(site: Site) -> None:
    alice = signed_in(site)
    remembered(site, alice)

    bob = signed_in(site, "bob", before=alice.sid)

    assert sessions(site) == []
    assert [session.key for session in sessions(site, "bob")] == [bob.sid] != [alice.sid]
    assert [delivery.person for delivery in queue(site)] == ["alice"]


def test_an_ended_session_is_not_gone_on_with(site: Site) -> None:
    first = signed_in(site)
    ended(site, first)

    assert signed_in(site, before=first.sid).sid != first.sid


def test_a_lifetime_is_at_least_a_second(site: Site) -> None:
    with pytest.raises(ConfigurationError, match="lifetime = 0"):
        signed_in(site, lifetime=0)


def test_sessions_are_listed_while_they_last_the_newest_first(site: Site) -> None:
    old = signed_in(site, lifetime=100)
    site.clock.advance(60)
    new = signed_in(site)

    assert [session.key for session in sessions(site)] == [new.sid, old.sid]
    site.clock.advance(40)
    assert [session.key for session in sessions(site)] == [new.sid]


@pytest.mark.parametrize("why", ["ended", "expired", "unknown", "another's"])
def test_a_login_without_a_session_that_lasts_is_none(site: Site, why: str) -> None:
    login = signed_in(site)
    remembered(site, login)
    match why:
        case "ended":
            ended(site, login)
        case "expired":
            site.clock.advance(8 * 3_600)
        case "unknown":
            login = attrs.evolve(login, sid="made-up")
        case _:
            login = attrs.evolve(login, sid=signed_in(site, "bob").sid)

    assert params(authorize(site, login, prompt="none"))["error"] == "login_required"


def test_a_login_of_a_host_that_has_no_sessions_counts_as_before(site: Site) -> None:
    remembered(site, site.alice)

    assert "code" in params(authorize(site, site.alice, prompt="none"))


def test_a_session_that_ends_while_the_person_answers_is_asked_for_again(site: Site) -> None:
    login = signed_in(site)
    asked = authorize(site, login)
    pending = site.drive(site.server.interactions.find(handle_of(asked)), site.world)
    assert pending is not None
    finished = site.drive(site.server.interactions.finish(handle_of(asked), login, pending.scope), site.world)

    ended(site, login)
    again = site.get(finished.header("location"))

    assert (again.header("location") or "").startswith("/login?interaction=")
    assert "code" in params(site.approve(again, signed_in(site)))


def test_the_end_of_a_session_ends_what_was_given_in_it(site: Site) -> None:
    login = signed_in(site)
    tokens = redeem(site, remembered(site, login)["code"])
    unredeemed = remembered(site, login)["code"]

    assert ended(site, login)

    assert "error" in redeem(site, unredeemed)
    assert refreshed(site, tokens["refresh_token"]).status == 400
    assert sessions(site) == []
    names = [event.name for event in site.events]
    assert (names.count("session_ended"), names.count("grant_revoked")) == (1, 2)


def test_offline_access_outlives_the_session(site: Site) -> None:
    """OIDC Back-Channel Logout section 2.7."""
    login = signed_in(site)
    asked = authorize(site, login, scope="openid offline_access", prompt="consent")
    tokens = redeem(site, params(site.approve(asked, login))["code"])

    ended(site, login)

    assert refreshed(site, tokens["refresh_token"]).status == 200


def test_grants_of_other_sessions_stay(site: Site) -> None:
    here, there = signed_in(site), signed_in(site)
    tokens = redeem(site, remembered(site, there)["code"])
    remembered(site, here)

    ended(site, here)

    assert refreshed(site, tokens["refresh_token"]).status == 200


@pytest.mark.parametrize("whose", ["server", "client"])
def test_grants_outlive_their_session_where_that_is_allowed_by_name(drive: Drive, whose: str) -> None:
    opened = {Allowance.GRANTS_OUTLIVE_SESSION}
    policy = Policy.openid(allow={Allowance.IMPLICIT, *(opened if whose == "server" else ())})
    client = attrs.evolve(TOLD, allow=TOLD.allow | (opened if whose == "client" else set()))
    site = provider(drive, policy=policy, clients=(client,))
    login = signed_in(site)
    tokens = redeem(site, remembered(site, login)["code"])

    ended(site, login)

    assert refreshed(site, tokens["refresh_token"]).status == 200
    assert len(queue(site)) == 1


def test_only_who_owns_a_session_ends_it(site: Site) -> None:
    login = signed_in(site)

    assert not ended(site, login, "mallory")
    assert not ended(site, attrs.evolve(login, sid="guessed"))
    assert len(sessions(site)) == 1

    ended(site, login, "alice")
    assert sessions(site) == []


def test_all_sessions_of_a_person_end_at_once(site: Site) -> None:
    for login in (signed_in(site), signed_in(site)):
        remembered(site, login)
    bob = signed_in(site, "bob")

    site.drive(site.server.sessions.end_all("alice"), site.world)

    assert sessions(site) == []
    assert [session.key for session in sessions(site, "bob")] == [bob.sid]
    assert len(queue(site)) == 2


def test_ending_twice_tells_nobody_twice(site: Site) -> None:
    login = signed_in(site)
    remembered(site, login)

    ended(site, login)
    ended(site, login)

    assert len(queue(site)) == 1


def test_an_authorization_costs_three_finds_and_a_commit_with_a_session_too(site: Site) -> None:
    login = signed_in(site)
    remembered(site, login)
    counted = Counted(site)

    answer = authorize(site, login)

    assert "code" in params(answer)
    assert (counted.finds, counted.commits) == (3, 1)


def test_plain_oauth_notes_no_client_but_demands_that_the_session_lasts(site: Site) -> None:
    login = signed_in(site)

    remembered(site, login, scope="email")
    remembered(site, login, response_type="none")

    (session,) = sessions(site)
    assert session.client_ids == ()


def session_of(*client_ids: str, state: SessionState = SessionState.ACTIVE) -> LoginSession:
    """Return a session of alice's."""
    return LoginSession(
        key="s-1",
        subject="alice",
        auth_time=1_799_999_000,
        started_at=1_799_999_000,
        expires_at=1_900_000_000,
        client_ids=client_ids,
        state=state,
    )


@pytest.mark.parametrize(
    ("session", "grant", "changes"),
    [
        (session_of(), grant_of(sid="s-1"), 2),
        (session_of(), grant_of(sid="s-2"), 1),
        (session_of(), grant_of(), 1),
        (session_of("rp"), grant_of("openid offline_access", sid="s-1"), 3),
        (session_of("rp"), grant_of(sid="s-1"), 3),
        (session_of("gone"), grant_of(sid="s-1"), 2),
        (session_of("rp", state=SessionState.ENDED), grant_of(sid="s-1"), 0),
    ],
)
def test_what_an_end_comes_to(session: LoginSession, grant: Any, changes: int) -> None:
    context = context_of()

    assert len(ending(SessionsToEnd([session], [grant], {"rp": TOLD, "gone": None}), context).changes) == changes


def test_a_delivery_is_queued_in_the_very_commit_for_each_client_that_wants_one() -> None:
    other = Client(client_id="other")

    ends = ending(SessionsToEnd([session_of("rp", "other")], [], {"rp": TOLD, "other": other}), context_of())

    queued = [change.record for change in ends.changes if isinstance(change, Insert)]
    assert [(q.client_id, q.sid, q.person) for q in queued if isinstance(q, LogoutDelivery)] == [("rp", "s-1", "alice")]


@pytest.mark.parametrize(("generations", "told"), [(("g-1",), 0), (("g-2",), 1), ((), 1)])
def test_only_the_client_that_got_the_id_token_is_told_of_the_end(generations: tuple[str, ...], told: int) -> None:
    """Of a session that an earlier version remembered it is not known which registration that was."""
    session = attrs.evolve(session_of("rp"), client_generations=generations)
    clients = {"rp": attrs.evolve(TOLD, generation="g-2", frontchannel_logout_uri="https://rp.example/out")}

    changes = ending(SessionsToEnd([session], [], clients), context_of()).changes

    assert sum(isinstance(change, Insert) for change in changes) == told
    assert len(frames_for(session, clients, context_of())) == told


def test_a_session_remembers_which_registration_of_a_client_got_an_id_token() -> None:
    before = attrs.evolve(session_of("old", "rp"), client_generations=())

    first = authorized(before, attrs.evolve(grant_of(), client_id="rp", client_generation="g-1"))
    second = authorized(first, attrs.evolve(grant_of(), client_id="rp", client_generation="g-2"))
    last = authorized(second, attrs.evolve(grant_of("email"), client_id="other", client_generation="g-3"))

    assert generations_in(last) == {"old": ANY_GENERATION, "rp": "g-2"}


def test_a_later_client_of_that_name_hears_of_no_session_of_the_one_before(site: Site) -> None:
    login = signed_in(site)
    remembered(site, login)
    site.drive(site.server.clients.remove("rp"), site.world)
    site.drive(site.server.clients.register(TOLD, Secret(SECRETS["rp"])), site.world)

    site.drive(site.server.sessions.end_all("alice"), site.world)

    assert queue(site) == []


def test_a_grant_without_the_session_in_it_still_demands_that_the_session_lasts() -> None:
    session = session_of()

    assert session_changes(grant_of("email"), session) == (Require(session),)
