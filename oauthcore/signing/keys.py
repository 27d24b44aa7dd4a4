"""The server's own keys: stored and rotated automatically, or given by the host.

Workers get `Keys` from their `KeySet`: the signing keys, and the published ones. Stored keys are one record, which is
read again every `cache_lifetime` seconds. The first worker that notices a due rotation performs it, and the others use
the result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Protocol

import attrs

from oauthcore.context import SignJwt
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow, find, generate_key, pure, sign
from oauthcore.flow.outcome import Change, Decision, Insert, Replace
from oauthcore.flow.transact import commit_with_retry
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.jose.jwt import Jwt
from oauthcore.records.key_ring import KeyRing, RingKey
from oauthcore.records.lifecycle import KeyState
from oauthcore.signing.key_ring import (
    KeyPolicy,
    active_of,
    advance_ring,
    missing_algorithms,
    publish,
    succeed,
    supersede,
)


@attrs.frozen
class Keys:
    """Hold the current keys: `signing` by algorithm, and the public halves of all published ones.

    `remembered` are keys that are no longer published; they verify only ID tokens sent as hints.
    """

    signing: Mapping[str, Jwk] = attrs.field(repr=False)
    published: tuple[Jwk, ...]
    jwks_lifetime: int
    remembered: tuple[Jwk, ...] = ()
    jwks: bytes = attrs.field(init=False, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        object.__setattr__(self, "jwks", set_of(self.published))

    def signing_key(self, alg: str) -> Jwk:
        """Return the key that signs by an algorithm; raises `ConfigurationError` if there is none."""
        key = self.signing.get(alg)
        if key is None:
            raise ConfigurationError("keys.algorithms", alg, "add it to the algorithms, so that there is a key for it")
        return key


class KeySet(Protocol):
    """The source of the server's keys."""

    @property
    def algorithms(self) -> tuple[str, ...]:
        """Return the algorithms that have keys."""

    def current(self, now: int) -> Flow[Keys]:
        """Return the current keys; `now` is in seconds since the epoch."""


def signing(keys: KeySet | None, now: int) -> SignJwt:
    """Return the function with which a decision signs tokens by the current keys."""
    return partial(_sign, keys, now)


def _sign(keys: KeySet | None, now: int, jwt: Jwt) -> Flow[str]:
    assert keys is not None, "there is a token to be signed, and the server has no keys"
    current = yield from keys.current(now)
    (signed,) = yield from sign(((jwt, current.signing_key(jwt.alg)),))
    return signed


def published(keys: KeySet | None, now: int) -> Flow[tuple[Jwk, ...]]:
    """Return the published keys, also superseded ones until they retire; none for a server without keys."""
    if keys is None:
        return ()
    current = yield from keys.current(now)
    return current.published


def known_in_hints(keys: KeySet | None, now: int) -> Flow[tuple[Jwk, ...]]:
    """Return the public keys that verify ID token hints: the published ones and the remembered ones."""
    if keys is None:
        return ()
    current = yield from keys.current(now)
    return current.published + current.remembered


class GivenKeys:
    """Use keys given by the host: the first of each algorithm signs, and all of them are published.

    To rotate, append the successor, later move it before the active key, and remove the old key when all tokens that
    it signed have expired. Then move the old key (its public half is enough) to `hint_keys`, for as long as clients may
    send its ID tokens as hints: keys there sign nothing and are not published.
    """

    def __init__(
        self, keys: Iterable[Jwk], *, jwks_lifetime: int = KeyPolicy().jwks_lifetime, hint_keys: Iterable[Jwk] = ()
    ) -> None:
        crypto.check_installed()
        given = tuple(keys)
        for key in given:
            # A public key by itself can't sign, which would show at the first token and not at the start.
            if not key.is_private:
                remedy = "give a private key; one that signs elsewhere goes into oauthcore.signing.remote.RemoteKeys"
                raise ConfigurationError("keys", key.kid, remedy)
        self._keys = keys_of(given, jwks_lifetime, tuple(hint_keys))
        self.algorithms = tuple(self._keys.signing)

    def current(self, now: int) -> Flow[Keys]:
        """Return the given keys."""
        return pure(self._keys)


def keys_of(given: tuple[Jwk, ...], jwks_lifetime: int, remembered: tuple[Jwk, ...] = ()) -> Keys:
    """Return `Keys` in which the first of each algorithm signs; raises `ConfigurationError`."""
    if not given:
        raise ConfigurationError("keys", None, "give one key at least")
    # RFC 7517 section 4.5: kid values within a set SHOULD be distinct; clients choose keys by them.
    if len({key.kid for key in given}) < len(given):
        raise ConfigurationError("keys", [key.kid for key in given], "give each key once, with a kid of its own")
    for key in (key for key in given if key.is_private):
        crypto.check_key(key)
    signing = {str(key.alg): next(first for first in given if first.alg == key.alg) for key in given}
    for key in remembered:
        if key.kid is None or key.kid in {known.kid for known in given}:
            remedy = "use keys with a kid, by which tokens name them, that are not among the others"
            raise ConfigurationError("hint_keys", key.kid, remedy)
    return Keys(signing, _public(given), jwks_lifetime, _public(remembered))


def _public(keys: Iterable[Jwk]) -> tuple[Jwk, ...]:
    return tuple(key.public for key in keys)


class StoredKeys:
    """Keep an issuer's keys in storage, create missing ones and rotate them by age; `sealing_key` is 32 secret bytes.

    Create one object per worker: it caches the keys for `cache_lifetime` seconds.
    """

    def __init__(self, issuer: str, policy: KeyPolicy, sealing_key: bytes) -> None:
        crypto.check_installed()
        self.policy = policy
        self._issuer = issuer
        self.algorithms = policy.algorithms
        self._sealing_key = sealing_key
        # One attribute for both, assigned in one step, since threads share the object.
        self._remembered: tuple[int, Keys] | None = None

    def current(self, now: int) -> Flow[Keys]:
        """Return the current keys, after creating or rotating those that are due."""
        # `0 <=`: if the clock was set back, the keys are read again, instead of being kept until it is as late as
        # before.
        if self._remembered is not None and 0 <= now - self._remembered[0] < self.policy.cache_lifetime:
            return pure(self._remembered[1])
        return self._look(now)

    def ring(self, now: int) -> Flow[KeyRing]:
        """Return the current record, after creating or rotating the keys that are due."""
        ring = yield from find(KeyRing, self._issuer)
        if (
            ring is not None
            and not missing_algorithms(ring, now, self.policy)
            and advance_ring(ring, now, self.policy) is None
        ):
            return ring
        return (yield from self._agreed(lambda: self._turned(now)))

    def rotate(self, alg: str, now: int, *, at_once: bool = False) -> Flow[KeyRing]:
        """Create a successor for the active key of an algorithm, to sign after a time of publication, or `at_once`."""
        if alg not in self.algorithms:
            raise ConfigurationError(
                "alg", alg, f"use one of {', '.join(self.algorithms)}, or add it to the algorithms"
            )
        key = yield from generate_key(alg)
        return (yield from self.add(key, now, at_once=at_once))

    def add(self, key: Jwk, now: int, *, at_once: bool = False) -> Flow[KeyRing]:
        """Add a key that was created elsewhere, to sign after its time of publication, or `at_once`."""
        crypto.check_key(key)
        put = supersede if at_once else succeed
        return self._agreed(lambda: self._changed(lambda ring: put(ring, self._ring_key(key, now), now)))

    def _look(self, now: int) -> Flow[Keys]:
        ring = yield from self.ring(now)
        keys = self._opened(ring)
        self._remembered = (now, keys)
        return keys

    def _agreed(self, decision: Callable[[], Flow[Decision[KeyRing]]]) -> Flow[KeyRing]:
        ring = yield from commit_with_retry(decision)
        self._remembered = None
        return ring

    def _turned(self, now: int) -> Flow[Decision[KeyRing]]:
        stored = yield from find(KeyRing, self._issuer)
        ring = stored or KeyRing(issuer=self._issuer)
        turned = advance_ring(ring, now, self.policy) or ring
        for alg in missing_algorithms(turned, now, self.policy):
            key = yield from generate_key(alg)
            turned = publish(turned, self._ring_key(key, now), now)
        return store_ring(stored, turned)

    def _changed(self, change: Callable[[KeyRing], KeyRing]) -> Flow[Decision[KeyRing]]:
        stored = yield from find(KeyRing, self._issuer)
        return store_ring(stored, change(stored or KeyRing(issuer=self._issuer)))

    def _ring_key(self, key: Jwk, now: int) -> RingKey:
        assert key.kid is not None and key.alg is not None
        # RFC 7518 section 6: `d` is the secret of all tokens. A stolen database has it only encrypted.
        private = crypto.seal(key.text, self._sealing_key)
        return RingKey(kid=key.kid, alg=key.alg, public=key.public.text, private=private, created_at=now)

    def _opened(self, ring: KeyRing) -> Keys:
        active = [key for alg in self.algorithms if (key := active_of(ring, alg)) is not None]
        # Active keys first: some clients use the first key that fits, whatever the token's `kid` says.
        ordered = sorted(ring.keys, key=lambda key: _ORDER.index(key.state))
        published = tuple(Jwk.parse(key.public) for key in ordered if key.state is not KeyState.REMEMBERED)
        remembered = tuple(Jwk.parse(key.public) for key in ordered if key.state is KeyState.REMEMBERED)
        signing = {key.alg: self._unsealed(key) for key in active}
        return Keys(signing, published, self.policy.jwks_lifetime, remembered)

    def _unsealed(self, key: RingKey) -> Jwk:
        assert key.private is not None
        try:
            return Jwk.parse(crypto.unseal(key.private, self._sealing_key))
        except ValueError:
            remedy = f"the key {key.kid} was sealed under another one: restore it, or rotate {key.alg} at once"
            raise ConfigurationError("token_key", "(not shown)", remedy) from None


_ORDER = (KeyState.ACTIVE, KeyState.PUBLISHED, KeyState.RETIRED, KeyState.REMEMBERED)


def store_ring(stored: KeyRing | None, ring: KeyRing) -> Decision[KeyRing]:
    """Decide that a ring replaces the stored one, unless they are equal."""
    if ring == stored:
        return Decision(ring)
    change: Change = Insert(ring) if stored is None else Replace(stored, ring)
    return Decision(ring, (change,))
