"""Users: whose a password is, told neither too fast nor to whoever tries too often."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    AsyncWorld,
    AuthenticatedUser,
    ConfigurationError,
    Login,
    LoginSession,
    MemoryStorage,
    OutdatedLogin,
    Secret,
    Throttled,
    arun,
)
from oauthcore.flow.outcome import Change, Insert, R, Replace, S
from oauthcore.testing import FixedClock
from oauthcore.wire.network import network_of
from oauthcore_h11.attempts import Attempts, Patience
from oauthcore_h11.passwords import Passwords, TooBusy, parameters_of
from oauthcore_h11.profiles import Profile, profile_of
from oauthcore_h11.spelling import key_of
from oauthcore_h11.users import (
    User,
    Users,
    account_of,
    add_user,
    change_user,
    check_subject,
    check_username,
    find_user,
    remove_user,
)
from tests.core.site import make_site

pytestmark = pytest.mark.anyio

PATIENCE = Patience(free=3, free_per_address=6, longest_wait=60, forget_time=900)
HERE, THERE = "192.0.2.1", "198.51.100.1"
RIGHT, WRONG = Secret("wonderland"), Secret("wrong-one")


class Awaited:
    """Be an async storage over one in memory; refuse the next commits where a test wants it."""

    def __init__(self) -> None:
        self.inner = MemoryStorage()
        self.refusals = 0

    async def find(self, kind: type[R], key: str, /) -> R | None:
        """Find."""
        return self.inner.find(kind, key)

    async def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Find by subject."""
        return list(self.inner.find_of(kind, subject))

    async def commit(self, changes: Sequence[Change], /) -> bool:
        """Commit, or say that somebody else was first."""
        if self.refusals:
            self.refusals -= 1
            return False
        return self.inner.commit(changes)

    async def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge."""
        return self.inner.purge(expired_before, limit)


@attrs.define
class Browser:
    """Be a browser that is known under an identifier for the accounts that it has."""

    known: dict[str, str] = attrs.Factory(dict)

    def device_for(self, account: str) -> str | None:
        """Return the identifier."""
        return self.known.get(account)

    def remember(self, account: str) -> None:
        """Be known from now on."""
        self.known[account] = f"device {len(self.known)}"


@attrs.frozen
class Place:
    """Hold what a test needs."""

    users: Users
    storage: Awaited
    clock: FixedClock
    passwords: Passwords

    async def attempt(
        self,
        password: Secret,
        address: str | None = HERE,
        username: str = "alice",
        browser: Browser | None = None,
    ) -> object:
        """Try to sign in: the subject, if it is right."""
        answer = await self.users.authenticate(username, password, address, browser)
        return answer.subject if isinstance(answer, AuthenticatedUser) else answer

    def known(self) -> User:
        """Return the user as it is stored."""
        user = self.storage.inner.find(User, "alice")
        assert user is not None
        return user


@pytest.fixture
def place() -> Iterator[Place]:
    """Return a place with one user."""
    clock, storage = FixedClock(), Awaited()
    passwords = Passwords(memory=64, passes=1, at_once=1)
    users = Users(storage, passwords, PATIENCE, key=bytes(32), clock=clock)
    user = User(
        key="alice", username="Alice", subject="s-1", password_hash=passwords.hash(RIGHT), created_at=int(clock.now)
    )
    storage.inner.commit((Insert(user),))
    yield Place(users, storage, clock, passwords)
    passwords.close()


async def test_right_password_gives_the_subject_whatever_the_spelling_of_the_name(place: Place) -> None:
    assert await place.attempt(RIGHT) == "s-1"
    assert await place.attempt(RIGHT, username="ALICE") == "s-1"


@pytest.mark.parametrize(
    ("username", "password"),
    [("alice", WRONG), ("bob", RIGHT), ("", RIGHT), ("a" * 257, RIGHT), ("alice", Secret("x" * 1_025))],
)
async def test_anything_else_is_nobodys(place: Place, username: str, password: Secret) -> None:
    assert await place.attempt(password, username=username) is None


async def test_user_who_is_disabled_is_nobody(place: Place) -> None:
    await change_user(place.storage, "alice", enabled=False)

    assert await place.attempt(RIGHT) is None


async def test_after_the_free_attempts_each_is_waited_for_twice_as_long(place: Place) -> None:
    for _ in range(3):
        assert await place.attempt(WRONG) is None

    waits = []
    for _ in range(8):
        slowed = await place.attempt(RIGHT)
        assert isinstance(slowed, Throttled)
        waits.append(slowed.seconds)
        place.clock.now += slowed.seconds
        await place.attempt(WRONG)

    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]
    place.clock.now += 60
    assert await place.attempt(RIGHT) == "s-1"


async def test_attempt_that_is_slowed_down_is_neither_counted_nor_looked_at(place: Place) -> None:
    for _ in range(3):
        await place.attempt(WRONG)

    for _ in range(20):
        assert await place.attempt(WRONG) == Throttled(1)


async def test_guessing_from_one_address_slows_down_nobody_elsewhere(place: Place) -> None:
    for _ in range(5):
        await place.attempt(WRONG)

    assert await place.attempt(RIGHT, THERE) == "s-1"


async def test_guessing_an_account_from_many_addresses_is_slowed_down_too(place: Place) -> None:
    for number in range(6):
        assert await place.attempt(WRONG, f"198.51.100.{number}") is None

    assert await place.attempt(RIGHT, "203.0.113.1") == Throttled(1)


async def test_guessing_many_accounts_from_one_address_is_slowed_down_too(place: Place) -> None:
    for number in range(6):
        assert await place.attempt(WRONG, username=f"user-{number}") is None

    assert await place.attempt(RIGHT) == Throttled(1)
    assert await place.attempt(RIGHT, THERE) == "s-1"


async def test_own_account_does_not_free_whoever_guesses_at_others(place: Place) -> None:
    for number in range(6):
        await place.attempt(WRONG, username=f"user-{number}")
        place.clock.now += 1
        await place.attempt(RIGHT)

    assert isinstance(await place.attempt(WRONG, username="another"), Throttled)


async def test_signing_in_forgives_the_account(place: Place) -> None:
    for _ in range(2):
        await place.attempt(WRONG)
    await place.attempt(RIGHT)

    for _ in range(3):
        assert await place.attempt(WRONG) is None


async def test_after_a_while_all_is_forgotten(place: Place) -> None:
    for _ in range(3):
        await place.attempt(WRONG)

    place.clock.now += 900

    for _ in range(3):
        assert await place.attempt(WRONG) is None


async def test_attempts_at_once_are_counted_one_by_one(place: Place) -> None:
    answers = await asyncio.gather(*(place.attempt(WRONG) for _ in range(20)))

    assert answers.count(None) == 3


async def test_guessing_many_accounts_from_no_known_address_is_slowed_down_too(place: Place) -> None:
    """Behind a proxy that the server was not told of."""
    for number in range(6):
        assert await place.attempt(WRONG, None, username=f"user-{number}") is None

    assert await place.attempt(WRONG, None, username="another") == Throttled(1)
    assert await place.attempt(RIGHT, HERE) == "s-1"


async def test_guessing_an_account_from_no_known_address_is_slowed_down_as_from_one(place: Place) -> None:
    for _ in range(3):
        assert await place.attempt(WRONG, None) is None

    assert await place.attempt(RIGHT, None) == Throttled(1)


async def test_names_that_were_tried_are_stored_unreadably(place: Place) -> None:
    await place.attempt(WRONG, username="my-secret-by-mistake")

    stored = [record for record in place.storage.inner._records.values() if isinstance(record, Attempts)]
    assert len(stored) == 3
    assert "mistake" not in repr(stored)
    assert HERE not in repr(stored)


async def test_too_many_at_once_are_asked_to_come_again_and_not_counted(place: Place) -> None:
    place.passwords._queue._places = 0

    assert [await place.attempt(RIGHT) for _ in range(5)] == [Throttled(1)] * 5


async def test_being_too_busy_forgives_nothing(place: Place) -> None:
    """Else whoever guesses would keep the hashing busy for a moment, and begin to count anew."""
    for _ in range(2):
        assert await place.attempt(WRONG) is None
    most, place.passwords._queue._places = place.passwords._queue._places, 0
    await place.attempt(WRONG)
    place.passwords._queue._places = most

    assert await place.attempt(WRONG) is None
    assert await place.attempt(WRONG) == Throttled(1)


async def test_somebody_else_being_first_is_tried_again(place: Place) -> None:
    place.storage.refusals = 2

    assert await place.attempt(RIGHT) == "s-1"


async def test_taking_back_is_given_up_where_others_are_always_first(place: Place) -> None:
    counted = await place.users._count(PATIENCE.counters("alice", HERE, bytes(32)))
    place.storage.refusals = 3

    await place.users._take_back(PATIENCE.counters("alice", HERE, bytes(32)), is_right=True)

    assert counted == 0
    assert place.storage.refusals == 0


async def test_the_answer_relies_on_the_user_as_they_were_before_the_hashing(place: Place) -> None:
    answer = await place.users.authenticate("alice", RIGHT, HERE)

    assert answer == AuthenticatedUser("s-1", (place.known(),))


async def test_the_answer_relies_on_the_hash_that_was_renewed(place: Place) -> None:
    dearer = Passwords(memory=128, passes=1, at_once=1)
    try:
        users = Users(place.storage, dearer, PATIENCE, key=bytes(32), clock=place.clock)
        before = place.known()

        answer = await users.authenticate("alice", RIGHT, HERE)

        assert place.known() != before
        assert answer == AuthenticatedUser("s-1", (place.known(),))
    finally:
        dearer.close()


@pytest.mark.parametrize("changes", [{"password_hash": "another"}, {"enabled": False}, None])
async def test_who_was_changed_while_their_password_was_hashed_gets_no_session(
    place: Place, changes: dict[str, object] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify = place.passwords.verify

    async def changed_meanwhile(hashed: str | None, password: Secret, **turn: Any) -> bool:
        is_right = await verify(hashed, password)
        await (
            remove_user(place.storage, "alice") if changes is None else change_user(place.storage, "alice", **changes)
        )
        return is_right

    monkeypatch.setattr(place.passwords, "verify", changed_meanwhile)
    answer = await place.users.authenticate("alice", RIGHT, HERE)
    assert isinstance(answer, AuthenticatedUser)
    server = make_site().server

    with pytest.raises(OutdatedLogin):
        await arun(server.sessions.sign_in(answer.subject, relying_on=answer.relying_on), AsyncWorld(place.storage))

    assert place.storage.inner.find_of(LoginSession, "s-1") == []


async def test_hash_of_old_parameters_is_renewed_at_the_next_sign_in(place: Place) -> None:
    old = Passwords(memory=32, passes=1, at_once=1).hash(RIGHT)
    await change_user(place.storage, "alice", password_hash=old)

    await place.attempt(RIGHT)

    renewed = place.known().password_hash
    assert renewed != old
    assert not place.passwords.is_outdated(renewed)
    assert await place.attempt(RIGHT) == "s-1"


async def test_hash_is_not_renewed_where_hashing_is_too_busy(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    old = Passwords(memory=32, passes=1, at_once=1).hash(RIGHT)
    await change_user(place.storage, "alice", password_hash=old)
    verify = place.passwords.verify

    async def verify_and_fill_up(password_hash: str | None, password: Secret, **turn: Any) -> bool:
        is_right = await verify(password_hash, password, **turn)
        place.passwords._queue._places = 0
        return is_right

    monkeypatch.setattr(place.passwords, "verify", verify_and_fill_up)

    assert await place.attempt(RIGHT) == "s-1"
    assert place.known().password_hash == old


async def test_hash_that_is_none_is_nobodys_password(place: Place) -> None:
    await change_user(place.storage, "alice", password_hash="nonsense")

    assert await place.attempt(RIGHT) is None
    assert not place.passwords.is_hash("nonsense")
    assert place.passwords.is_hash(place.passwords.hash(RIGHT))


async def test_sign_in_counts_until_the_password_changes_or_the_user_is_gone(place: Place) -> None:
    before = Login(subject="s-1", auth_time=int(place.clock.now))
    assert await place.users.is_current("ALICE", before)
    assert not await place.users.is_current("alice", attrs.evolve(before, subject="s-2"))
    assert not await place.users.is_current("bob", before)

    await change_user(place.storage, "alice", password_changed_at=int(place.clock.now) + 1)
    assert not await place.users.is_current("alice", before)
    assert await place.users.is_current("alice", attrs.evolve(before, auth_time=before.auth_time + 1))

    await change_user(place.storage, "alice", enabled=False)
    assert not await place.users.is_current("alice", attrs.evolve(before, auth_time=before.auth_time + 1))


async def test_users_are_added_found_changed_and_removed(place: Place) -> None:
    bob = attrs.evolve(place.known(), key="bob", username="Bob", subject="s-2")
    profile = profile_of("s-2", {"name": "Bob"})
    await add_user(place.storage, bob, profile)

    with pytest.raises(ConfigurationError, match="username = 'Bob': it is taken"):
        await add_user(place.storage, bob, profile)
    with pytest.raises(ConfigurationError, match="--subject = 's-2': it is taken"):
        await add_user(place.storage, attrs.evolve(bob, key="robert", username="Robert"), profile)
    place.storage.refusals = 1
    assert (await change_user(place.storage, "BOB", enabled=False)).enabled is False
    place.storage.refusals = 1
    assert (await remove_user(place.storage, "bob")).subject == "s-2"
    assert await place.storage.find(Profile, "s-2") is None
    with pytest.raises(ConfigurationError, match="there is no such user"):
        await find_user(place.storage, "bob")


@pytest.mark.parametrize("username", ["", " alice", "a\nb", "a" * 257])
def test_name_that_can_not_be_is_refused(username: str) -> None:
    with pytest.raises(ConfigurationError, match="username = "):
        check_username(username)


@pytest.mark.parametrize("subject", ["", "s" * 256, "Zo\u00eb", "s\n", "\ud800"])
def test_subject_that_can_not_be_is_refused(subject: str) -> None:
    """OIDC Core section 2: at most 255 ASCII characters."""
    with pytest.raises(ConfigurationError, match=r"--subject = .*OIDC Core section 2"):
        check_subject("--subject", subject)


@pytest.mark.parametrize("subject", ["s", "s" * 255, "248289761001", "auth0|5f7c8ec7c33c6c004bbafe82"])
def test_any_other_subject_is_taken(subject: str) -> None:
    check_subject("--subject", subject)


@pytest.mark.parametrize("typed", ["alice ", " alice", "  ALICE  ", "alice\u3000"])
async def test_space_that_a_keyboard_adds_to_a_name_makes_no_difference(place: Place, typed: str) -> None:
    assert await place.attempt(RIGHT, username=typed) == "s-1"


@pytest.mark.parametrize("typed", ["ali ce", "alice\n", "alice\x1c"])
async def test_anything_else_in_a_name_does(place: Place, typed: str) -> None:
    assert await place.attempt(RIGHT, username=typed) is None


async def test_name_with_a_space_has_no_attempts_of_its_own(place: Place) -> None:
    for number in range(3):
        assert await place.attempt(WRONG, username="alice" + " " * number) is None

    assert isinstance(await place.attempt(RIGHT), Throttled)


@given(st.text(max_size=20))
def test_key_of_a_name_is_stable(username: str) -> None:
    assert key_of(key_of(username)) == key_of(username)


def test_ipv6_is_counted_by_whom_it_belongs_to() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") == "2001:db8::/64"
    assert network_of("192.0.2.1") == "192.0.2.1"


@pytest.fixture
def bob(place: Place) -> User:
    """Create an account for another person, with the same password."""
    user = attrs.evolve(place.known(), key="bob", username="Bob", subject="s-2")
    place.storage.inner.commit((Insert(user),))
    return user


async def flooded(place: Place, monkeypatch: pytest.MonkeyPatch, *attempts: tuple[str, str]) -> object:
    """Try bob's password from here while all of these wait for a thread that is slow; return what bob was told."""
    patience = Patience(free=100, free_per_address=50, longest_wait=60, forget_time=900)
    users = Users(place.storage, place.passwords, patience, key=bytes(32), clock=place.clock)
    gate, look = threading.Event(), place.passwords._is_right
    monkeypatch.setattr(place.passwords, "_is_right", lambda *asked: gate.wait(60) and look(*asked))

    flood = [asyncio.create_task(users.authenticate(name, RIGHT, address)) for name, address in attempts]
    await passed()
    told = asyncio.create_task(attrs.evolve(place, users=users).attempt(RIGHT, HERE, "bob"))
    await passed()
    gate.set()
    await asyncio.gather(*flood)
    return await told


async def passed() -> None:
    """Let every task come as far as it can."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_one_account_from_ninety_connections_keeps_nobody_of_the_same_address_out(
    place: Place, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right passwords count as well, for as long as they are looked at."""
    assert await flooded(place, monkeypatch, *[("alice", HERE)] * 90) == bob.subject


async def test_ninety_accounts_from_one_address_keep_nobody_elsewhere_out(
    place: Place, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    flood = [(f"user-{number}", THERE) for number in range(90)]

    assert await flooded(place, monkeypatch, *flood) == bob.subject


async def test_ninety_accounts_from_as_many_addresses_keep_no_known_device_out(
    place: Place, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody can tell such a flood from ninety people; but who signed in before goes first."""
    gate, look = threading.Event(), place.passwords._is_right
    monkeypatch.setattr(place.passwords, "_is_right", lambda *asked: gate.wait(60) and look(*asked))
    browser = Browser({account_of(bob): "device"})

    flood = [asyncio.create_task(place.attempt(WRONG, f"198.51.100.{n}", f"user-{n}")) for n in range(90)]
    await passed()
    stranger = asyncio.create_task(place.attempt(RIGHT, THERE, "bob"))
    known = asyncio.create_task(place.attempt(RIGHT, HERE, "bob", browser))
    await passed()
    gate.set()
    await asyncio.gather(*flood)

    assert (await stranger, await known) == (Throttled(1), bob.subject)


async def test_who_loses_a_place_in_the_queue_is_asked_to_come_again(place: Place) -> None:
    verified = [place.passwords.verify(place.known().password_hash, RIGHT, flows=("alice",)) for _ in range(40)]
    answers = await asyncio.gather(*verified, return_exceptions=True)

    assert [type(answer) for answer in answers] == [bool] * 33 + [TooBusy] * 7
    assert place.passwords._running == 0
    assert len(place.passwords._queue) == 0


async def test_attempt_that_is_given_up_keeps_no_place(place: Place) -> None:
    """As when the connection is closed while a password waits to be checked."""
    waiting = [asyncio.create_task(place.passwords.verify(None, WRONG)) for _ in range(20)]
    await asyncio.sleep(0)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)

    assert (place.passwords._running, len(place.passwords._queue)) == (0, 0)
    assert await place.attempt(RIGHT) == "s-1"


async def signed_in_before(place: Place) -> Browser:
    """Return a browser in which alice has signed in."""
    browser = Browser()
    assert await place.attempt(RIGHT, HERE, "alice", browser) == "s-1"
    return browser


async def locked(place: Place) -> None:
    """Have the account wait for everybody who comes as a stranger."""
    for number in range(6):
        assert await place.attempt(WRONG, f"198.51.100.{number}") is None
    assert isinstance(await place.attempt(RIGHT, "203.0.113.1"), Throttled)


async def test_known_device_is_let_through_an_account_that_strangers_have_locked(place: Place) -> None:
    browser = await signed_in_before(place)
    await locked(place)

    assert await place.attempt(RIGHT, "203.0.113.1", "alice", browser) == "s-1"


async def test_known_device_is_let_through_an_address_that_strangers_have_locked(place: Place) -> None:
    browser = await signed_in_before(place)
    for number in range(6):
        await place.attempt(WRONG, username=f"user-{number}")

    assert isinstance(await place.attempt(RIGHT), Throttled)
    assert await place.attempt(RIGHT, HERE, "alice", browser) == "s-1"


async def test_known_device_opens_no_account_by_itself(place: Place) -> None:
    assert await place.attempt(WRONG, HERE, "alice", await signed_in_before(place)) is None


async def test_stolen_device_has_no_more_attempts_than_one_address_has(place: Place) -> None:
    browser = await signed_in_before(place)
    await locked(place)

    looked_at = 0
    for number in range(60):
        answer = await place.attempt(WRONG, f"203.0.113.{number}", "alice", browser)
        looked_at += answer is None

    assert looked_at == PATIENCE.free


async def test_device_whose_attempts_are_used_up_is_a_stranger(place: Place) -> None:
    browser = await signed_in_before(place)
    for _ in range(PATIENCE.free):
        await place.attempt(WRONG, HERE, "alice", browser)

    assert await place.attempt(RIGHT, THERE, "alice", browser) == "s-1"


async def test_device_is_known_for_its_own_account_alone(place: Place, bob: User) -> None:
    browser = await signed_in_before(place)
    for number in range(6):
        await place.attempt(WRONG, f"198.51.100.{number}", "bob")

    assert isinstance(await place.attempt(RIGHT, "203.0.113.1", "bob", browser), Throttled)


async def test_another_password_makes_strangers_of_all_devices(place: Place) -> None:
    browser = await signed_in_before(place)
    await change_user(place.storage, "alice", password_changed_at=int(place.clock.now))
    await locked(place)

    assert isinstance(await place.attempt(RIGHT, "203.0.113.1", "alice", browser), Throttled)


async def test_another_hash_of_a_declared_user_makes_strangers_of_all_devices(place: Place) -> None:
    """Its password can't change otherwise, and nobody knows when it did."""
    declared = attrs.evolve(place.known(), created_at=0)
    other = attrs.evolve(declared, password_hash=place.passwords.hash(RIGHT))

    assert account_of(declared) != account_of(other)
    assert account_of(declared) == account_of(attrs.evolve(declared, username="ALICE"))


async def test_hash_of_new_parameters_makes_strangers_of_no_devices(place: Place) -> None:
    before = account_of(place.known())
    await change_user(place.storage, "alice", password_hash=Passwords(memory=32, passes=1, at_once=1).hash(RIGHT))

    await place.attempt(RIGHT)

    assert account_of(place.known()) == before


CHEAP, DEAR = Passwords(memory=32, passes=1, at_once=1), Passwords(memory=64, passes=2, at_once=1)


async def work_of(place: Place, monkeypatch: pytest.MonkeyPatch, username: str) -> list[str]:
    """Tell which parameters a wrong password is checked with, by what it costs."""
    work: list[str] = []
    matches = place.passwords._matches

    def counted(password_hash: str, typed: bytes) -> bool | None:
        work.append(str(parameters_of(password_hash)))
        found = matches(password_hash, typed)
        assert found is False
        return found

    monkeypatch.setattr(place.passwords, "_matches", counted)
    assert await place.attempt(WRONG, username=username) is None
    monkeypatch.undo()
    return sorted(work)


async def test_refusal_costs_the_same_whoever_is_asked_about_while_hashes_are_mixed(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the time that it takes tells nobody whether there is such a user."""
    await change_user(place.storage, "alice", password_hash=CHEAP.hash(RIGHT))
    bob = attrs.evolve(place.known(), key="bob", subject="s-2", password_hash=DEAR.hash(RIGHT))
    await add_user(place.storage, bob, profile_of("s-2", {}))
    gone = attrs.evolve(place.known(), key="carol", subject="s-3", password_hash=DEAR.hash(WRONG), enabled=False)
    await add_user(place.storage, gone, profile_of("s-3", {}))

    costs = [await work_of(place, monkeypatch, name) for name in ("alice", "bob", "carol", "nobody")]

    assert costs == [sorted([CHEAP.parameters, DEAR.parameters])] * 4


async def test_refusal_costs_what_stored_hashes_cost_and_not_what_new_ones_would(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a change of the parameters, until somebody signs in."""
    await change_user(place.storage, "alice", password_hash=CHEAP.hash(RIGHT))

    assert await work_of(place, monkeypatch, "nobody") == await work_of(place, monkeypatch, "alice")
    assert await work_of(place, monkeypatch, "nobody") == [CHEAP.parameters]


async def test_hash_from_before_parameters_were_noted_is_noted_at_the_first_attempt(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.storage.inner.commit((Replace(place.known(), attrs.evolve(place.known(), password_hash=CHEAP.hash(RIGHT))),))
    await place.attempt(WRONG)

    assert await work_of(place, monkeypatch, "nobody") == await work_of(place, monkeypatch, "alice")


async def test_refusal_costs_what_declared_hashes_cost(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    users = Users(
        place.storage, place.passwords, PATIENCE, key=bytes(32), clock=place.clock, declared=[DEAR.hash(RIGHT)]
    )

    assert await work_of(attrs.evolve(place, users=users), monkeypatch, "nobody") == [DEAR.parameters]


async def test_hash_that_can_not_be_read_costs_the_same(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    await change_user(place.storage, "alice", password_hash="nonsense")
    bob = attrs.evolve(place.known(), key="bob", subject="s-2", password_hash=DEAR.hash(RIGHT))
    await add_user(place.storage, bob, profile_of("s-2", {}))
    work: list[bool | None] = []
    matches = place.passwords._matches

    def seen(password_hash: str, typed: bytes) -> bool | None:
        work.append(matches(password_hash, typed))
        return work[-1]

    monkeypatch.setattr(place.passwords, "_matches", seen)

    assert await place.attempt(WRONG) is None
    assert work == [None, False]
