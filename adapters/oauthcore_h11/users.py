"""Users: who can sign in here, by a username and a password."""

from __future__ import annotations

import logging
from collections import Counter as Counted
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import attrs

from oauthcore import AuthenticatedUser, ConfigurationError, Login, Secret, Throttled
from oauthcore.clock import Clock
from oauthcore.flow.outcome import Change, Delete, Insert, Replace, Require
from oauthcore.flow.storage import AsyncStorage
from oauthcore.wire.network import network_of
from oauthcore_h11.attempts import Attempts, Counter, Patience
from oauthcore_h11.email_addresses import address_changes
from oauthcore_h11.hash_parameters import note_parameters, parameters_in_use
from oauthcore_h11.password_rules import MAX_PASSWORD
from oauthcore_h11.passwords import Passwords, TooBusy, parameters_of
from oauthcore_h11.profiles import Profile, profile_of
from oauthcore_h11.spelling import key_of

MAX_USERNAME = 256
MAX_SUBJECT = 255

audit = logging.getLogger("oauthcore.audit")


@attrs.frozen(kw_only=True)
class User:
    """Remember a user, under the spelling that all spellings of their name have in common.

    `subject` is what clients know them by; it stays when the name changes, and is never assigned again.
    A login before `password_changed_at` is not valid any more.
    """

    key: str
    username: str
    subject: str
    password_hash: str = attrs.field(repr=False)
    created_at: int
    password_changed_at: int = 0
    enabled: bool = True
    expires_at: int | None = None


def check_username(username: str) -> None:
    """Look a new username over; raises `ConfigurationError`."""
    if not username or len(username) > MAX_USERNAME or not username.isprintable() or username != username.strip():
        remedy = f"use up to {MAX_USERNAME} printable characters, without spaces around them"
        raise ConfigurationError("username", username, remedy)


def check_subject(setting: str, subject: str) -> None:
    """Look over what clients are to know a user by; raises `ConfigurationError` (OIDC Core section 2, on `sub`)."""
    if not subject or len(subject) > MAX_SUBJECT or not subject.isascii() or not subject.isprintable():
        remedy = f"use 1 to {MAX_SUBJECT} printable ASCII characters (OIDC Core section 2)"
        raise ConfigurationError(setting, subject, remedy)


class KnownFor(Protocol):
    """Be what an attempt came from, where that is a browser."""

    def device_for(self, account: str) -> str | None:
        """Return the identifier under which it is known for an account, None if it is not."""

    def remember(self, account: str) -> None:
        """Record a login to an account."""


@attrs.frozen
class Way:
    """Say how an attempt is counted, and whose turn at the hashing it takes."""

    counters: tuple[Counter, ...]
    flows: tuple[str, ...]
    step: float = 1.0


# Attempts at one account that may be under way at once, in each worker. A person has one, or two by a double click;
# more would delay others from the same address, since all attempts under way count there, right ones too.
MOST_AT_ONCE = 8

# A known device has two turns for one of a stranger's: those who flood the queue are strangers.
DEVICE_STEP = 0.5


class Users:
    """Answer whose a username and password are, neither too often nor too fast.

    `declared` are the hashes of users that are in no storage.
    """

    def __init__(
        self,
        storage: AsyncStorage,
        passwords: Passwords,
        patience: Patience,
        *,
        key: bytes,
        clock: Clock,
        declared: Iterable[str] = (),
    ) -> None:
        self._storage = storage
        self._passwords = passwords
        self._patience = patience
        self._key = key
        self._clock = clock
        self._under_way: Counted[str] = Counted()
        self._declared_parameters = frozenset(filter(None, map(parameters_of, declared)))

    async def authenticate(
        self, username: str, password: Secret, address: str | None, browser: KnownFor | None = None
    ) -> AuthenticatedUser | Throttled | None:
        """Return the user, None if there is none, or when to try again.

        The user's record is what the answer relies on, as it was read before the password was hashed: 200 ms later
        it may be another.
        """
        if not username or len(username) > MAX_USERNAME or len(password.reveal()) > MAX_PASSWORD:
            return None
        key = key_of(username)
        user = await self._storage.find(User, key)
        wait = 1
        for way in self._ways(key, user, address, browser):
            if self._under_way[way.flows[0]] >= MOST_AT_ONCE:
                continue
            self._under_way[way.flows[0]] += 1
            try:
                wait = await self._count(way.counters)
                if not wait:
                    return await self._checked(user, password, address, way, browser)
            finally:
                self._under_way -= Counted([way.flows[0]])
        audit.warning("login_slowed", extra={"fields": {"address": address, "seconds": wait}})
        return Throttled(wait)

    async def _checked(
        self, user: User | None, password: Secret, address: str | None, way: Way, browser: KnownFor | None
    ) -> AuthenticatedUser | Throttled | None:
        """Check the password of an attempt that is counted; return what `authenticate` does."""
        counters = way.counters
        try:
            is_right = await self._is_right(user, password, way)
        except TooBusy:
            await self._take_back(counters, is_right=False)
            return Throttled(1)
        if user is None or not is_right or not user.enabled:
            subject = None if user is None else user.subject
            audit.warning("login_failed", extra={"fields": {"address": address, "subject": subject}})
            return None
        await self._take_back(counters, is_right=True)
        stored = await self._refresh_hash(user, password, way)
        if browser is not None:
            browser.remember(account_of(user))
        audit.info("login_succeeded", extra={"fields": {"address": address, "subject": user.subject}})
        return AuthenticatedUser(user.subject, (stored,))

    async def is_current(self, username: str, login: Login) -> bool:
        """Return whether a login still counts: not if the user is gone, disabled, or has had a new password since.

        A session is a cookie and can't be revoked, so each one is compared with the user's record now.
        """
        user = await self._storage.find(User, key_of(username))
        return (
            user is not None
            and user.enabled
            and user.subject == login.subject
            and login.auth_time >= user.password_changed_at
        )

    def _ways(self, key: str, user: User | None, address: str | None, browser: KnownFor | None) -> Iterable[Way]:
        """Return the ways an attempt may go: as a known device's, while it has attempts left, else as a stranger's."""
        device = None if browser is None or user is None else browser.device_for(account_of(user))
        if device is not None:
            counter = self._patience.device_counter(device, self._key)
            yield Way((counter,), (f"device {device}",), DEVICE_STEP)
        # An unknown address is not a flow of its own: all users behind an unnamed proxy would share one queue.
        place = () if address is None else (f"address {network_of(address)}",)
        yield Way(self._patience.counters(key, address, self._key), (f"account {key}", *place))

    async def _is_right(self, user: User | None, password: Secret, way: Way) -> bool:
        """Return whether it is the user's password; the time does not reveal whether there is such a user."""
        in_use = await parameters_in_use(self._storage) | self._declared_parameters
        own = None if user is None else parameters_of(user.password_hash)
        if own is not None and own not in in_use and user is not None:
            # It was stored before parameters were noted.
            await note_parameters(self._storage, user.password_hash)
            in_use |= {own}
        password_hash = user.password_hash if user is not None and user.enabled else None
        return await self._passwords.verify(password_hash, password, flows=way.flows, step=way.step, parameters=in_use)

    async def _count(self, counters: Sequence[Counter]) -> int:
        """Count one attempt with all of its counters, or give for how many seconds it is waited for."""
        while True:
            now = int(self._clock())
            known = [await self._storage.find(Attempts, counter.key) for counter in counters]
            pairs = tuple(zip(counters, known, strict=True))
            wait = max(self._patience.wait(counter, attempts, now) for counter, attempts in pairs)
            if wait:
                return wait
            if await self._storage.commit([self._patience.counted(*pair, now) for pair in pairs]):
                return 0

    async def _take_back(self, counters: Sequence[Counter], *, is_right: bool) -> None:
        """Take an attempt back; if others are first again and again, it just stays counted for a while."""
        for _ in range(3):
            known = [await self._storage.find(Attempts, counter.key) for counter in counters]
            changes = [
                self._patience.taken_back(attempts, begins_anew=is_right and number == 0)
                for number, attempts in enumerate(known)
                if attempts is not None
            ]
            if await self._storage.commit(changes):
                return

    async def _refresh_hash(self, user: User, password: Secret, way: Way) -> User:
        """Remember a hash of today's parameters: only now is the password known. Return the user as they are stored."""
        # Who is declared in the configuration was created at no time, and only its file can change them.
        if user.created_at and self._passwords.is_outdated(user.password_hash):
            try:
                fresh = await self._passwords.rehash(password, flows=way.flows, step=way.step)
            except TooBusy:
                return user
            await note_parameters(self._storage, fresh)
            renewed = attrs.evolve(user, password_hash=fresh)
            if await self._storage.commit([Replace(user, renewed)]):
                return renewed
        return user


def account_of(user: User) -> str:
    """Return what a known device is bound to: the user, and the password that they have at that time."""
    if user.created_at:
        return f"{user.subject} {user.password_changed_at}"
    # When the password of a declared user was changed in the file is unknown, but only then is the hash another one.
    return f"{user.subject} {user.password_hash}"


async def add_user(storage: AsyncStorage, user: User, profile: Profile) -> None:
    """Remember a user with their profile; raises `ConfigurationError` if the name or the subject is taken."""
    await note_parameters(storage, user.password_hash)
    profile = attrs.evolve(profile, enabled=user.enabled)
    if await storage.commit([Insert(user), Insert(profile), *(await address_changes(storage, None, profile))]):
        return
    if await storage.find(User, user.key) is None and await storage.find(Profile, profile.key) is not None:
        # Two users of one subject would be one person to every client.
        raise ConfigurationError("--subject", user.subject, "it is taken; choose another, or leave it out")
    raise ConfigurationError("username", user.username, "it is taken; choose another")


async def change_user(storage: AsyncStorage, username: str, **changes: object) -> User:
    """Change a user; raises `ConfigurationError` if there is none of that name.

    Whether they are enabled stands in their profile, too, which is all that is looked at when a token is used.
    """
    while True:
        user = await find_user(storage, username)
        changed = attrs.evolve(user, **changes)  # type: ignore[arg-type]  # the caller's names are the fields'
        await note_parameters(storage, changed.password_hash)
        profile = await storage.find(Profile, user.subject) if "enabled" in changes else None
        switched = () if profile is None else (Replace(profile, attrs.evolve(profile, enabled=changed.enabled)),)
        if await storage.commit([Replace(user, changed), *switched]):
            return changed


async def change_profile(storage: AsyncStorage, username: str, claims: Mapping[str, object]) -> Profile:
    """Add claims to a user's profile, in the place of those that it has; None takes one away.

    Raises `ConfigurationError` if there is no such user. Whose profile is stored is a user here (`known_of`), so it
    is stored only while the user is.
    """
    while True:
        user = await find_user(storage, username)
        known = await storage.find(Profile, user.subject)
        merged = {**({} if known is None else known.members), **claims}
        fresh = profile_of(user.subject, {name: value for name, value in merged.items() if value is not None})
        fresh = attrs.evolve(fresh, enabled=user.enabled)
        change: Change = Insert(fresh) if known is None else Replace(known, fresh)
        if await storage.commit([Require(user), change, *(await address_changes(storage, known, fresh))]):
            return fresh


async def remove_user(storage: AsyncStorage, username: str) -> User:
    """Forget a user and their profile, and so end their tokens; raises `ConfigurationError` if there is none."""
    while True:
        user = await find_user(storage, username)
        profile = await storage.find(Profile, user.subject)
        removed = [Delete(record) for record in (user, profile) if record is not None]
        if await storage.commit([*removed, *(await address_changes(storage, profile, None))]):
            break
    # One that was stored since the look above, for the first time: with the user gone there is no more to come.
    while (late := await storage.find(Profile, user.subject)) is not None:
        await storage.commit([Delete(late), *(await address_changes(storage, late, None))])
    return user


async def find_user(storage: AsyncStorage, username: str) -> User:
    """Return a user; raises `ConfigurationError` if there is none of that name."""
    user = await storage.find(User, key_of(username))
    if user is None:
        raise ConfigurationError("username", username, "there is no such user; name another: user list shows all users")
    return user
