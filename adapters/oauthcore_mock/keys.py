"""The keys of a provider for tests: slow ones are created once in a process, and all are rotated on demand."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from oauthcore.flow.effects import Flow, pure
from oauthcore.jose import crypto
from oauthcore.jose.jwk import SIGNATURES, Jwk
from oauthcore.signing.keys import Keys

ALGORITHMS = ("ES256", "RS256")
# Clients must not cache the key set, since a test may rotate the keys at any time.
JWKS_LIFETIME = 0


class KeyMaterial:
    """Create private keys, and keep the slow ones: an RSA key takes a tenth of a second.

    All issuers of a provider share RSA keys, but have their own elliptic curve keys.
    """

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], Jwk] = {}
        self._lock = threading.Lock()

    def key(self, alg: str, number: int = 0) -> Jwk:
        """Return a private key for an algorithm; the RSA key of a number is always the same."""
        if SIGNATURES.get(alg, ("",))[0] != "RSA":
            return crypto.generate(alg)
        with self._lock:
            known = self._made.get(("RSA", number))
            if known is None:
                known = self._made["RSA", number] = crypto.generate("RS256")
        return known if alg == "RS256" else Jwk.of({**known.members, "kid": f"{known.kid}-{alg}", "alg": alg})

    def prepare(self) -> threading.Thread:
        """Create the first RSA key in the background, since every key set needs it; return the thread that does."""
        thread = threading.Thread(target=self.key, args=("RS256",), name="oauthcore RSA key", daemon=True)
        thread.start()
        return thread


class IssuerKeys:
    """The keys of one issuer: a `KeySet` that is created at its first use, and rotated by `rotate`."""

    def __init__(self, material: KeyMaterial, algorithms: Iterable[str] = ALGORITHMS) -> None:
        self.algorithms = tuple(algorithms)
        self._material = material
        self._generation = 0
        self._signing: dict[str, Jwk] = {}
        self._further: tuple[str, ...] = ()
        self._old: tuple[Jwk, ...] = ()
        self._keys: Keys | None = None
        self._lock = threading.RLock()

    def current(self, now: int) -> Flow[Keys]:
        """Return the current keys."""
        return pure(self.published)

    @property
    def published(self) -> Keys:
        """Return the signing keys and the JWK set."""
        with self._lock:
            if self._keys is None:
                signing = {alg: self.signing_key(alg) for alg in (*self.algorithms, *self._further)}
                public = tuple(key.public for key in (*signing.values(), *self._old))
                self._keys = Keys(signing, public, JWKS_LIFETIME)
            return self._keys

    def signing_key(self, alg: str) -> Jwk:
        """Return the key that signs by an algorithm; a new one is published from now on."""
        with self._lock:
            if alg not in self._signing:
                self._signing[alg] = self._material.key(alg, self._generation)
                if alg not in self.algorithms:
                    self._further, self._keys = (*self._further, alg), None
            return self._signing[alg]

    def rotate(self, *, keep_old: bool = True) -> None:
        """Sign with new keys from now on; with `keep_old`, signatures of the old ones can still be verified."""
        with self._lock:
            if keep_old:
                self._old = tuple(key.public for key in (*self.published.signing.values(), *self._old))
            else:
                self._old = ()
            self._generation += 1
            self._signing, self._keys = {}, None
