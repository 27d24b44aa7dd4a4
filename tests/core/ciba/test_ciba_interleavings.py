"""Backchannel authentication, in every order in which polls, answers and the end of what they rely on can meet."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import pytest

from oauthcore import KnownUser, Request, Response, World
from oauthcore import run as run_flow
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.errors import InteractionOver, OAuthError
from oauthcore.flow.effects import Claims, Flow, commit, find, find_of
from oauthcore.flow.outcome import Delete, Insert
from oauthcore.openid import OpenID
from oauthcore.records.backchannel import WAITING, BackchannelPing
from oauthcore.records.grant import Grant
from oauthcore.signing.keys import GivenKeys
from oauthcore.testing import Factory, Run
from tests.core.ciba.till import CLIENTS, PINGED, SECRETS, TOKEN, identify
from tests.core.oidc.provider import POLICY, claims_of_alice, sign_as_json
from tests.core.signing_keys import key_for
from tests.core.site import FORM, Site, basic, form, members
from tests.core.test_interleavings import Meeting, explored
from tests.core.test_user_policy import Member

Record = Callable[[str, object], None]


def around(storage: Any) -> World:
    """Return a world that knows alice."""
    return World(storage, claims=claims_of_alice, sign=sign_as_json, identify=identify, fetch=lambda _: Response(204))


class Waiting:
    """Be a request of the till's that waits for alice, and what can happen to it."""

    def __init__(self, site: Site, claims: Callable[[Claims], Any] = claims_of_alice) -> None:
        site.world = attrs.evolve(site.world, claims=claims, sign=sign_as_json, identify=identify)
        self.site = site
        asked = form(scope="openid email", login_hint="alice@wonderland.example", client_notification_token=TOKEN)
        answer = site.post("/bc-authorize", asked, basic("pinged", SECRETS["pinged"]))
        self.identifier = members(answer)["auth_req_id"]
        (pending,) = site.drive(site.server.backchannel.pending("alice"), site.world)
        self.id = pending.id

    def poll(self) -> Flow[Any]:
        """Ask for the tokens."""
        body = form(grant_type=GRANT_TYPE, auth_req_id=self.identifier)
        return self.site.server.handle(Request("POST", "/token", (FORM, basic("pinged", SECRETS["pinged"])), body))

    def allow(self, login: Any = None) -> Flow[Any]:
        """Allow it, or say that it was too late."""
        return told(self.site.server.backchannel.allow(self.id, login or self.site.alice))

    def deny(self) -> Flow[Any]:
        """Deny it, or say that it was too late."""
        return told(self.site.server.backchannel.deny(self.id, self.site.alice))

    def allowed(self) -> None:
        """Have it allowed before they meet."""
        self.site.drive(self.allow(), self.site.world)


def told(flow: Flow[Any]) -> Flow[Any]:
    """Return what a flow of the application's returns, or its refusal."""
    try:
        return (yield from flow)
    except OAuthError as refusal:
        return refusal


def ask(site: Site, client_id: str = "pinged", hint: str = "alice@wonderland.example") -> Flow[Any]:
    """Ask for something of a user."""
    asked = form(scope="openid", login_hint=hint, client_notification_token=TOKEN)
    headers = (FORM, basic(client_id, SECRETS[client_id]))
    return site.server.handle(Request("POST", "/bc-authorize", headers, asked))


def meeting(prepare: Callable[[Waiting], list[Flow[Any]]], flows: int = 2, ciba: Ciba | None = None) -> Meeting:
    """Let flows meet at a provider."""
    return Meeting(
        lambda site: prepare(Waiting(site)),
        POLICY,
        flows,
        around=around,
        openid=OpenID(),
        ciba=ciba or Ciba(),
        clients=CLIENTS,
        secrets=SECRETS,
        keys=GivenKeys([key_for("RS256")]),
    )


def is_active(site: Site, answer: dict[str, Any]) -> bool:
    """Return whether an access token is live."""
    asked = form(token=answer["access_token"])
    found = site.post("/introspect", asked, basic("api", SECRETS["api"]))
    return bool(members(found)["active"])


def given(run: Run[Any]) -> list[dict[str, Any]]:
    """Return the tokens that were handed out."""
    responses = [result for result in run.results if hasattr(result, "status")]
    return [members(response) for response in responses if response.status == 200]


def test_of_two_polls_for_what_was_allowed_one_gets_the_tokens(record_property: Record, kept: Factory) -> None:
    def prepare(waiting: Waiting) -> list[Flow[Any]]:
        waiting.allowed()
        return [waiting.poll(), waiting.poll()]

    def check(run: Run[Any]) -> None:
        assert sorted(response.status for response in run.results) == [200, 400]

    explored(record_property, meeting(prepare), check, kept)


def test_a_poll_that_meets_the_answer_comes_before_it_or_after_it(record_property: Record, kept: Factory) -> None:
    met = meeting(lambda waiting: [waiting.poll(), waiting.allow()])

    def check(run: Run[Any]) -> None:
        tokens = given(run)
        assert len(tokens) <= 1
        for answer in tokens:
            assert is_active(met.site, answer)

    explored(record_property, met, check, kept)


def test_of_a_yes_and_a_no_at_once_one_counts_and_the_client_is_notified_once(
    record_property: Record, kept: Factory
) -> None:
    met = meeting(lambda waiting: [waiting.allow(), waiting.deny()])

    def check(run: Run[Any]) -> None:
        refused = [result for result in run.results if isinstance(result, InteractionOver)]
        assert len(refused) == 1
        assert len(run.world.storage.find_of(BackchannelPing, WAITING)) == 1

    explored(record_property, met, check, kept)


def test_two_yeses_give_one_grant(record_property: Record, kept: Factory) -> None:
    met = meeting(lambda waiting: [waiting.allow(), waiting.allow()])

    def check(run: Run[Any]) -> None:
        assert len([result for result in run.results if isinstance(result, InteractionOver)]) == 1

    explored(record_property, met, check, kept)


@pytest.mark.parametrize("end", ["withdraw", "disable", "remove"])
def test_tokens_that_meet_the_end_of_what_they_rely_on_are_never_live_after_it(
    end: str, record_property: Record, kept: Factory
) -> None:
    def ending(site: Site) -> Flow[Any]:
        if end == "withdraw":
            return site.server.applications.withdraw("alice", PINGED.client_id)
        return getattr(site.server.clients, end)(PINGED.client_id)  # type: ignore[no-any-return]  # a flow

    def prepare(waiting: Waiting) -> list[Flow[Any]]:
        waiting.allowed()
        return [waiting.poll(), ending(waiting.site)]

    met = meeting(prepare)

    def check(run: Run[Any]) -> None:
        for answer in given(run):
            assert not is_active(met.site, answer)

    explored(record_property, met, check, kept)


def test_a_yes_that_meets_a_logout_comes_before_it_or_not_at_all(record_property: Record, kept: Factory) -> None:
    def prepare(waiting: Waiting) -> list[Flow[Any]]:
        site = waiting.site
        login = site.drive(site.server.sessions.sign_in("alice"), site.world)
        return [waiting.allow(login), site.server.sessions.end(login.sid)]

    def check(run: Run[Any]) -> None:
        assert run.results[1] is True

    explored(record_property, meeting(prepare), check, kept)


def test_one_notification_is_sent_once_by_two_workers(record_property: Record, kept: Factory) -> None:
    def prepare(waiting: Waiting) -> list[Flow[Any]]:
        waiting.allowed()
        return [waiting.site.server.backchannel.notify(), waiting.site.server.backchannel.notify()]

    def check(run: Run[Any]) -> None:
        assert sum(run.results) == 1

    explored(record_property, meeting(prepare), check, kept)


@pytest.mark.parametrize("limits", [Ciba(max_pending=2), Ciba(max_pending_of_user=2)])
def test_two_requests_at_once_are_no_more_than_one_after_the_other(
    limits: Ciba, record_property: Record, kept: Factory
) -> None:
    # One waits before.
    met = meeting(lambda waiting: [ask(waiting.site), ask(waiting.site)], ciba=limits)

    def check(run: Run[Any]) -> None:
        assert sorted(response.status for response in run.results) == [200, 403]

    explored(record_property, met, check, kept)


def test_requests_of_two_clients_at_once_count_together(record_property: Record, kept: Factory) -> None:
    met = meeting(lambda waiting: [ask(waiting.site), ask(waiting.site, "till")], ciba=Ciba(max_pending_of_user=2))

    def check(run: Run[Any]) -> None:
        assert sorted(response.status for response in run.results) == [200, 403]

    explored(record_property, met, check, kept)


@pytest.mark.parametrize("hint", ["carol@wonderland.example", "alice@wonderland.example"])
def test_no_more_guesses_are_answered_at_once_than_one_after_the_other(
    hint: str, record_property: Record, kept: Factory
) -> None:
    def prepare(waiting: Waiting) -> list[Flow[Any]]:
        return [ask(waiting.site, hint="bob@wonderland.example"), ask(waiting.site, hint=hint)]

    met = meeting(prepare, ciba=Ciba(max_unknown=1))

    def check(run: Run[Any]) -> None:
        statuses = [response.status for response in run.results]
        # The right one may come before the guess.
        assert statuses in ([400, 429], [400, 200]) if hint.startswith("alice") else sorted(statuses) == [400, 429]

    explored(record_property, met, check, kept)


STAFF_ONLY = attrs.evolve(PINGED, require=("group:staff",))


def knowing_staff(storage: Any) -> World:
    """Return a world that knows users by what is stored, and says what it relied on."""

    def claims(asked: Claims) -> KnownUser | None:
        member = run_flow(find(Member, asked.subject), World(storage))
        return None if member is None else KnownUser({"groups": list(member.groups)}, (member,))

    return attrs.evolve(around(storage), claims=claims)


def disabling() -> Flow[Sequence[Grant]]:
    """Disable alice at the host, which knows her no more; return what she had allowed by then."""
    member = yield from find(Member, "alice")
    assert member is not None
    assert (yield from commit((Delete(member),)))
    return (yield from find_of(Grant, "alice"))


@pytest.mark.parametrize("what", ["poll", "allow"])
def test_nothing_is_issued_to_a_user_who_was_disabled_meanwhile(
    what: str, record_property: Record, kept: Factory
) -> None:
    def prepare(site: Site) -> list[Flow[Any]]:
        site.drive(commit((Insert(Member(("staff",))),)), site.world)
        waiting = Waiting(site, knowing_staff(site.world.storage).claims)
        if what == "poll":
            waiting.allowed()
        return [waiting.poll() if what == "poll" else waiting.allow(), disabling()]

    met = Meeting(
        prepare,
        POLICY,
        around=knowing_staff,
        openid=OpenID(),
        ciba=Ciba(),
        clients=(STAFF_ONLY, *(client for client in CLIENTS if client is not PINGED)),
        secrets=SECRETS,
        keys=GivenKeys([key_for("RS256")]),
    )

    def check(run: Run[Any]) -> None:
        # A grant is changed by the tokens that are issued on it.
        assert tuple(run.world.storage.find_of(Grant, "alice")) == tuple(run.results[1])

    explored(record_property, met, check, kept)
