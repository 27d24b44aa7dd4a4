"""Signing in, in every order in which it can meet the end of what it relies on: the user, as they were known.

A host reads its user, hashes a password for a while, and begins a session or gives tokens. Meanwhile somebody changes
the user, and then ends what there is of theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import (
    AuthenticatedUser,
    Client,
    LoginSession,
    MemoryStorage,
    OutdatedLogin,
    Policy,
    Request,
    Response,
    Secret,
    World,
    run,
)
from oauthcore.flow.effects import Flow, commit, find, find_of
from oauthcore.flow.outcome import Delete, Insert, Replace
from oauthcore.flow.storage import Storage
from oauthcore.oidc.session import is_active
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import is_standing
from oauthcore.testing import Factory, Run
from tests.core.site import FORM, Site, basic, form
from tests.core.test_interleavings import Meeting, explored

Record = Callable[[str, object], None]
LEGACY = Client(client_id="legacy", grant_types=("password", "refresh_token"), response_types=(), scope="email")


@attrs.frozen
class Person:
    """Be what a host remembers of a user."""

    password: str = "wonderland"
    enabled: bool = True
    key: str = "alice"
    expires_at: int | None = None


ALICE = Person()
CHANGES: dict[str, Person | None] = {
    "password": attrs.evolve(ALICE, password="changed"),
    "disabled": attrs.evolve(ALICE, enabled=False),
    "removed": None,
}
parametrized = pytest.mark.parametrize("change", sorted(CHANGES))


def known(person: Person | None, password: str) -> AuthenticatedUser | None:
    """Return whether that password is right for who was read."""
    is_right = person is not None and person.enabled and person.password == password
    return AuthenticatedUser("alice", [person]) if person is not None and is_right else None


def around(storage: Storage) -> World:
    """Return a world that knows alice by what is stored."""

    def authenticate(username: str, password: Secret) -> AuthenticatedUser | None:
        return known(run(find(Person, username), World(storage)), password.reveal())

    return World(storage, authenticate=authenticate)


def changing(site: Site, change: str) -> Flow[bool]:
    """Change the user, then end what there is of theirs."""

    def flow() -> Flow[bool]:
        person = yield from find(Person, "alice")
        assert person is not None
        new = CHANGES[change]
        assert (yield from commit((Delete(person) if new is None else Replace(person, new),)))
        ended = yield from site.server.sessions.end_all("alice")
        withdrawn = yield from site.server.applications.withdraw("alice")
        return ended >= 0 and withdrawn >= 0

    return flow()


def signing_in(site: Site, *, relying: bool = True) -> Flow[str | None]:
    """Sign in with the password of old, as a host does: None for who is not let in."""

    def flow() -> Flow[str | None]:
        user = known((yield from find(Person, "alice")), "wonderland")
        if user is None:
            return None
        try:
            return (yield from site.server.sessions.sign_in("alice", relying_on=user.relying_on if relying else ())).sid
        except OutdatedLogin:
            return None

    return flow()


def lasting(meeting: Meeting, run: Run[Any]) -> list[LoginSession]:
    """Return alice's sessions that last."""
    found = run.world.storage.find_of(LoginSession, "alice")
    return [session for session in found if is_active(session, meeting.site.now)]


def meeting_of(prepare: Callable[[Site], list[Flow[Any]]]) -> Meeting:
    """Let flows meet where alice is known."""

    def prepared(site: Site) -> list[Flow[Any]]:
        site.drive(commit((Insert(ALICE),)), site.world)
        return prepare(site)

    settings: dict[str, Any] = {"clients": (LEGACY,), "secrets": {"legacy": "l"}}
    return Meeting(prepared, Policy.oauth20(), around=around, **settings)


@parametrized
def test_no_session_outlives_the_user_it_was_begun_for(change: str, record_property: Record, kept: Factory) -> None:
    meeting = meeting_of(lambda site: [changing(site, change), signing_in(site)])

    def check(run: Run[Any]) -> None:
        assert run.results[0]
        assert lasting(meeting, run) == []

    explored(record_property, meeting, check, kept)


@parametrized
def test_no_session_that_went_on_outlives_the_user_it_was_begun_for(
    change: str, record_property: Record, kept: Factory
) -> None:
    """Somebody signs in once more in a browser in which another had signed in."""

    def prepare(site: Site) -> list[Flow[Any]]:
        before = site.drive(site.server.sessions.sign_in("bob"), site.world)

        def flow() -> Flow[str | None]:
            user = known((yield from find(Person, "alice")), "wonderland")
            if user is None:
                return None
            try:
                login = yield from site.server.sessions.sign_in("alice", before=before.sid, relying_on=user.relying_on)
            except OutdatedLogin:
                return None
            return login.sid

        return [changing(site, change), flow()]

    meeting = meeting_of(prepare)

    def check(run: Run[Any]) -> None:
        assert lasting(meeting, run) == []
        bobs = run.world.storage.find_of(LoginSession, "bob")
        # Who was signed in before is signed out only by somebody who really signs in.
        assert any(is_active(session, meeting.site.now) for session in bobs) is (run.results[1] is None)

    explored(record_property, meeting, check, kept)


@parametrized
def test_no_token_for_a_password_outlives_the_user_it_was_given_to(
    change: str, record_property: Record, kept: Factory
) -> None:
    asked = form(grant_type="password", username="alice", password="wonderland")
    request = Request("POST", "/token", (FORM, basic("legacy", "l")), asked)
    meeting = meeting_of(lambda site: [changing(site, change), site.server.handle(request)])

    def check(run: Run[Any]) -> None:
        assert run.results[0]
        assert run.results[1].status in {200, 400}
        grants = run.world.storage.find_of(Grant, "alice")
        assert [grant for grant in grants if is_standing(grant, meeting.site.now)] == []

    explored(record_property, meeting, check, kept)


def test_a_client_that_is_disabled_while_a_password_is_looked_at_gets_no_tokens(
    record_property: Record, kept: Factory
) -> None:
    asked = form(grant_type="password", username="alice", password="wonderland")
    request = Request("POST", "/token", (FORM, basic("legacy", "l")), asked)

    def disabling() -> Flow[bool]:
        client = yield from find(Client, "legacy")
        assert client is not None
        assert (yield from commit((Replace(client, attrs.evolve(client, enabled=False)),)))
        # What was given before it is seen from here on.
        return bool((yield from find_of(Grant, "alice")))

    meeting = meeting_of(lambda site: [disabling(), site.server.handle(request)])

    def check(run: Run[Any]) -> None:
        response = run.results[1]
        assert isinstance(response, Response)
        assert run.results[0] is (response.status == 200)

    explored(record_property, meeting, check, kept)


def test_without_what_it_relies_on_a_session_would_outlive_its_user() -> None:
    """The tests above can fail: this is what happens to a host that does not say what it relies on."""
    meeting = meeting_of(lambda site: [changing(site, "removed"), signing_in(site, relying=False)])
    outlived: list[bool] = []

    meeting.explored(lambda run: outlived.append(lasting(meeting, run) != []), MemoryStorage)

    assert True in outlived
