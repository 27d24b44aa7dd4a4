"""Keys: what an operator does to the keys that the server signs with."""

from __future__ import annotations

from oauthcore.clock import Clock
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.jose.crypto import import_private
from oauthcore.records.key_ring import KeyRing
from oauthcore.signing.keys import KeySet, StoredKeys


class SigningKeys:
    """Be `server.keys`: list the signing keys, and rotate them. `key_set` is where they come from, None if nowhere."""

    def __init__(self, key_set: KeySet | None, clock: Clock) -> None:
        self.key_set = key_set
        self._clock = clock

    def ring(self) -> Flow[KeyRing]:
        """Find the signing keys in storage, after creating or rotating those that are due.

        Raises `ConfigurationError` if the keys are not in storage.
        """
        return self._stored().ring(int(self._clock()))

    def rotate(self, alg: str, *, at_once: bool = False) -> Flow[KeyRing]:
        """Publish a successor for the key that signs by an algorithm; it signs in good time, or `at_once`.

        Raises `ConfigurationError` if a successor waits already, or there are no keys in storage.
        """
        return self._stored().rotate(alg, int(self._clock()), at_once=at_once)

    def add(self, text: str | bytes, alg: str | None = None, *, at_once: bool = False) -> Flow[KeyRing]:
        """Publish a private key that was made elsewhere, PEM or JWK; it signs in good time, or `at_once`.

        Raises `ConfigurationError` for what is no such key, as `rotate` does, and for a key that is there already.
        """
        return self._stored().add(import_private(text, alg), int(self._clock()), at_once=at_once)

    def _stored(self) -> StoredKeys:
        if not isinstance(self.key_set, StoredKeys):
            remedy = "these are not in storage; change them where they are"
            raise ConfigurationError("keys", type(self.key_set).__name__, remedy)
        return self.key_set
