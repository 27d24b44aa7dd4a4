"""The life of signing keys as pure decisions: rotation by time, missing keys, and an operator's commands.

No client may get a signature whose key it can't find. A key is therefore published before it signs, for longer than
workers cache the ring and clients the key set. It stays published until its last token has expired, counted from when
the last worker has noticed the successor. After that only this server remembers it, as long as clients may send an ID
token that it signed as a hint.
"""

from __future__ import annotations

from collections.abc import Iterable

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.jose.jwk import SERVER_ALGORITHMS
from oauthcore.policy import Lifetimes
from oauthcore.records.client import Client
from oauthcore.records.key_ring import KeyRing, RingKey
from oauthcore.records.lifecycle import KEY, KeyInput, KeyState, advance

DAY = 86_400
# A limit, so that frequent manual rotations don't make the record grow without end.
MAX_REMEMBERED = 20


def _names(algorithms: Iterable[str]) -> tuple[str, ...]:
    return tuple(algorithms)


@attrs.frozen(kw_only=True)
class KeyPolicy:
    """Say which algorithms have keys, and how long each phase of a key lasts, in seconds.

    `active_lifetime` is how long a key signs, `published_lifetime` how long it is published before that, and
    `signed_lifetime` the longest validity of anything signed. Clients may cache the published keys for
    `jwks_lifetime`, and a worker the ring for `cache_lifetime`. For `hint_lifetime` after a key is superseded, ID
    tokens that it signed are accepted as hints, even expired ones: choose at least the length of a client's session.

    Raises `ConfigurationError` for times that contradict each other.
    """

    algorithms: tuple[str, ...] = attrs.field(default=("RS256",), converter=_names)
    # NIST SP 800-57 part 1 section 5.3.6 allows years. With three months, rotation is exercised regularly.
    active_lifetime: int = 90 * DAY
    # Some clients cache keys for a day, regardless of `Cache-Control`.
    published_lifetime: int = 2 * DAY
    signed_lifetime: int = DAY
    # The default of Lifetimes.grant_lifetime: a client that refreshes tokens for so long may have a session as long.
    hint_lifetime: int = 180 * DAY
    jwks_lifetime: int = 3_600
    cache_lifetime: int = 60

    def __attrs_post_init__(self) -> None:
        for alg in self.algorithms:
            if alg not in SERVER_ALGORITHMS:
                raise ConfigurationError("keys.algorithms", alg, f"use some of {', '.join(SERVER_ALGORITHMS)}")
        for name in ("signed_lifetime", "hint_lifetime", "jwks_lifetime", "cache_lifetime"):
            if getattr(self, name) < 0:
                raise ConfigurationError(f"keys.{name}", getattr(self, name), "use a number of seconds, 0 or more")
        if self.published_lifetime < self.jwks_lifetime + self.cache_lifetime:
            remedy = "make it at least jwks_lifetime plus cache_lifetime, or clients don't know a key yet when it signs"
            raise ConfigurationError("keys.published_lifetime", self.published_lifetime, remedy)
        if self.active_lifetime <= self.published_lifetime:
            remedy = "make it longer than published_lifetime, or no successor is ready in time"
            raise ConfigurationError("keys.active_lifetime", self.active_lifetime, remedy)


def check_outlived(client: Client, lifetimes: Lifetimes, policy: KeyPolicy) -> None:
    """Raise `ConfigurationError` if a token for this client could be valid for longer than its key is published."""
    _check_outlived("id_token_lifetime", client.id_token_lifetime or lifetimes.id_token_lifetime, policy)
    if client.access_token_format == "jwt":
        _check_outlived(
            "access_token_lifetime", client.access_token_lifetime or lifetimes.access_token_lifetime, policy
        )


def _check_outlived(name: str, lifetime: int, policy: KeyPolicy) -> None:
    if lifetime > policy.signed_lifetime:
        remedy = f"make it {policy.signed_lifetime} at most, or keys.signed_lifetime longer: no token outlives its key"
        raise ConfigurationError(name, lifetime, remedy)


def missing_algorithms(ring: KeyRing, now: int, policy: KeyPolicy) -> tuple[str, ...]:
    """Return the algorithms that need a new key: those without any, or whose active key retires soon."""
    return tuple(alg for alg in policy.algorithms if _wants(alg, ring, now, policy))


def _wants(alg: str, ring: KeyRing, now: int, policy: KeyPolicy) -> bool:
    if waiting_of(ring, alg) is not None:
        return False
    active = active_of(ring, alg)
    # Without any key, a new one signs at once: waiting would help no client.
    if active is None:
        return True
    return now >= (active.activated_at or 0) + policy.active_lifetime - policy.published_lifetime


def advance_ring(ring: KeyRing, now: int, policy: KeyPolicy) -> KeyRing | None:
    """Return the ring with every change that is due by now, or None if there is none."""
    turned = ring
    for key in ring.keys:
        # By now every cached key set has been refreshed and has this key (OIDC Core section 10.1.1), so it may sign.
        if key.state is KeyState.PUBLISHED and now >= key.created_at + policy.published_lifetime:
            turned = activate(turned, key.kid, now)
    turned = attrs.evolve(turned, keys=tuple(_remembered(key, now, policy) for key in turned.keys))
    turned = _without(turned, _to_be_forgotten(turned, now, policy), KeyInput.FORGET)
    return None if turned == ring else turned


def _remembered(key: RingKey, now: int, policy: KeyPolicy) -> RingKey:
    # A worker signs with a retired key until its cached ring expires.
    lasts = policy.signed_lifetime + policy.cache_lifetime
    if key.state is not KeyState.RETIRED or now < (key.retired_at or 0) + lasts:
        return key
    return attrs.evolve(key, state=_after(key, KeyInput.OUTLIVE))


def _to_be_forgotten(ring: KeyRing, now: int, policy: KeyPolicy) -> set[str]:
    # RP-Initiated Logout section 2: an ID token SHOULD be accepted as a hint after it has expired.
    lasts = policy.hint_lifetime + policy.cache_lifetime
    remembered = [key for key in ring.keys if key.state is KeyState.REMEMBERED]
    newest = sorted(remembered, key=lambda key: key.retired_at or 0, reverse=True)[:MAX_REMEMBERED]
    kept = {key.kid for key in newest if now < (key.retired_at or 0) + lasts}
    return {key.kid for key in remembered} - kept


def publish(ring: KeyRing, key: RingKey, now: int) -> KeyRing:
    """Add a published key; if its algorithm has no active key, it is active at once."""
    # RFC 7517 section 4.5: `kid` chooses among keys; two keys with the same one can't be told apart.
    if any(known.kid == key.kid for known in ring.keys):
        raise ConfigurationError("key", key.kid, "there is already a key with this kid; use another kid")
    published = attrs.evolve(ring, keys=(*ring.keys, key))
    return activate(published, key.kid, now) if active_of(ring, key.alg) is None else published


def succeed(ring: KeyRing, key: RingKey, now: int) -> KeyRing:
    """Add a key that will succeed the active one; raises `ConfigurationError` if another is waiting already."""
    if (waiting := waiting_of(ring, key.alg)) is not None:
        raise ConfigurationError("alg", key.alg, f"{waiting.kid} is published already and waits for its time to sign")
    return publish(ring, key, now)


def supersede(ring: KeyRing, key: RingKey, now: int) -> KeyRing:
    """Add a key and sign with it at once, as after a theft; clients refetch the key set for an unknown `kid`."""
    waiting = {known.kid for known in ring.keys if known.alg == key.alg and known.state is KeyState.PUBLISHED}
    # A waiting key may have been stolen together with the active one.
    published = publish(_without(ring, waiting, KeyInput.WITHDRAW), key, now)
    return published if active_of(published, key.alg) == key else activate(published, key.kid, now)


def activate(ring: KeyRing, kid: str, now: int) -> KeyRing:
    """Sign with a published key from now on; of the superseded key, only the public half is kept."""
    alg = next(key.alg for key in ring.keys if key.kid == kid)
    return attrs.evolve(ring, keys=tuple(_seeing_activated(key, kid, alg, now) for key in ring.keys))


def _seeing_activated(key: RingKey, kid: str, alg: str, now: int) -> RingKey:
    if key.kid == kid and key.state is not KeyState.ACTIVE:
        return attrs.evolve(key, state=_after(key, KeyInput.ACTIVATE), activated_at=now)
    # Delete the private half at once. The public half is needed until its signatures have expired.
    if key.alg == alg and key.state is KeyState.ACTIVE and key.kid != kid:
        return attrs.evolve(key, state=_after(key, KeyInput.SUPERSEDE), retired_at=now, private=None)
    return key


def _without(ring: KeyRing, kids: Iterable[str], why: KeyInput) -> KeyRing:
    leaving = set(kids)
    assert all(_after(key, why) is KeyState.GONE for key in ring.keys if key.kid in leaving)
    return attrs.evolve(ring, keys=tuple(key for key in ring.keys if key.kid not in leaving))


def _after(key: RingKey, event: KeyInput) -> KeyState:
    following = advance(KEY, key.state, event)
    assert following is not None, (key.state, event)
    return following


def active_of(ring: KeyRing, alg: str) -> RingKey | None:
    """Return the key that signs by an algorithm; None if there is none."""
    return next((key for key in ring.keys if key.alg == alg and key.state is KeyState.ACTIVE), None)


def waiting_of(ring: KeyRing, alg: str) -> RingKey | None:
    """Return the published key that will sign by an algorithm next; None if there is none."""
    return next((key for key in ring.keys if key.alg == alg and key.state is KeyState.PUBLISHED), None)
