"""Keys that an issuer publishes at a URL: how long they count, and when newer ones are fetched.

The sender of a token must not decide how often its issuer is called: see `oauthcore.jose.rotating_keys`.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from oauthcore.documents import Documents
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.jose.crypto import VerifiedJwt, Verify
from oauthcore.jose.jwk import Jwk, is_key_set, parse_set
from oauthcore.jose.rotating_keys import verify_by_rotating
from oauthcore.per_request import per_request

# Keys are fetched again after so many seconds; while their issuer can't be reached, they are used for FRESH_FOR.
KEYS_LIFETIME = 600


@per_request
class PublishedKeys:
    """The keys of an issuer at a URL, as they are known now; they count for `lifetime` seconds."""

    issuer: str
    url: str
    documents: Documents
    now: int
    lifetime: int = KEYS_LIFETIME

    def verify(self, text: str, algorithms: Collection[str], verify: Verify) -> VerifiedJwt:
        """Verify a token by them, or by newer ones if it names another key.

        Raises `InvalidJwt`, `DocumentNeeded`, and `TemporarilyUnavailable` if there are no keys to verify with.
        """
        return verify_by_rotating(text, algorithms, self._known, self._newer, verify)

    def _known(self) -> tuple[Jwk, ...]:
        document = self.documents.get(self.url, self.now, is_key_set, fresh_for=self.lifetime)
        if document.body is None:
            # Their server fails: the old ones are what there is, and no reason to refuse everybody.
            document = self.documents.get(self.url, self.now, is_key_set)
        return self._keys_in(document.body)

    def _newer(self) -> tuple[Jwk, ...]:
        return self._keys_in(self.documents.get_newer(self.url, self.now, is_key_set).body)

    def _keys_in(self, body: bytes | None) -> tuple[Jwk, ...]:
        if body is None:
            # 503, no refusal of the token: it may be valid, and a client that is refused would throw it away.
            raise TemporarilyUnavailable(f"the keys of {self.issuer} can't be fetched, or are no JWK set with a key")
        return keys_of_set(body)


@lru_cache(64)
def keys_of_set(text: str | bytes) -> tuple[Jwk, ...]:
    """Return the keys of a JWK set, parsed once for many tokens; raises `ValueError`."""
    return parse_set(text)
