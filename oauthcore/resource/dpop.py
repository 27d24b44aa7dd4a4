"""DPoP at a resource: the proof that comes with a token, and that it is used once (RFC 9449 sections 7 and 11.1)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, TypeAlias
from urllib.parse import quote

import attrs

from oauthcore.digest import Derivation, Digester, Secret
from oauthcore.dpop.htu import normalised
from oauthcore.dpop.nonce import check_nonce
from oauthcore.dpop.proof import DpopProof, Expected, proof_of, read_proof
from oauthcore.dpop.settings import ALGORITHMS, LIFETIME, NONCE_LIFETIME, SKEW, Dpop
from oauthcore.errors import ConfigurationError, InvalidDpopProof
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Decision, Insert
from oauthcore.flow.transact import commit_with_retry
from oauthcore.given import strings
from oauthcore.jose.crypto import check_installed, verify_own_key
from oauthcore.records.token import SpentProof
from oauthcore.wire.http import Request

FirstUse: TypeAlias = Callable[[DpopProof, int], Flow[bool]]
"""Remember a proof, now: False if it is remembered already."""

# RFC 3986 section 3.3, and what is percent-encoded already.
_IN_A_PATH = "/%:@!$&'()*+,;=~"
# Each is 150 bytes: 15 MB, and 1,600 requests a second for a minute.
CAPACITY = 100_000
# Of one key, where the hundredth part would be fewer: a page that calls an API in parallel makes a few dozen.
LEAST_SHARE = 100
KEY_LENGTHS = range(32, 65)


class SeenProofs:
    """Remember in this process which proofs were used; another process does not know.

    At most `capacity` are remembered, and of one key a hundredth of that, or 100. If there are more within their
    lifetime, the oldest is forgotten, of that key or of all: it can then be used once more, which is better than
    that one client's requests close the resource to all others. A client that floods the resource makes it forget
    its own proofs.
    """

    def __init__(self, capacity: int = CAPACITY) -> None:
        if capacity < 1:
            raise ConfigurationError("capacity", capacity, "use a number of proofs, 1 or more")
        self._capacity = capacity
        self._share = max(min(capacity, LEAST_SHARE), capacity // 100)
        # Each in the order in which they came, which is nearly that in which they expire.
        self._seen: dict[str, tuple[str, int]] = {}
        self._of_key: dict[str, dict[str, None]] = {}

    def __call__(self, proof: DpopProof, now: int) -> Flow[bool]:
        """Return whether the proof was not used before in this process."""
        return pure(self._is_first(proof, now))

    def __len__(self) -> int:
        """Return how many are remembered."""
        return len(self._seen)

    def _is_first(self, proof: DpopProof, now: int) -> bool:
        identity, mine = proof.identity.reveal(), (proof.jkt, proof.expires_at)
        # One operation, also between threads: of two with the same proof, one finds it there.
        if self._seen.setdefault(identity, mine) is not mine:
            return False
        own = self._of_key.setdefault(proof.jkt, {})
        own[identity] = None
        if len(own) > self._share:
            self._forget_oldest(own)
        self._forget_expired(now)
        return True

    def _forget_expired(self, now: int) -> None:
        """Forget from the oldest on what has expired, and what is too much: what came is what goes, one for one."""
        for _ in range(2):
            oldest = _first(self._seen)
            if oldest is None:
                return
            _, expires_at = self._seen.get(oldest, ("", now))
            if expires_at > now and len(self._seen) <= self._capacity:
                return
            self._forget_oldest(self._seen)

    def _forget_oldest(self, among: dict[str, Any]) -> None:
        oldest = _first(among)
        jkt, _ = self._seen.pop(oldest or "", ("", 0))
        own = self._of_key.get(jkt, {})
        own.pop(oldest or "", None)
        if not own:
            self._of_key.pop(jkt, None)


def _first(among: dict[str, Any]) -> str | None:
    """Return the key that has been in a dict for longest; None for an empty one, or if a thread is changing it."""
    try:
        return next(iter(among), None)
    except RuntimeError:
        return None


class StoredProofs:
    """Remember in the storage of the world which proofs were used, for all processes: a commit for each request.

    `resource` keeps those of one resource apart from those of others in the same storage.
    """

    def __init__(self, resource: str) -> None:
        self._digest = Digester(resource)

    def __call__(self, proof: DpopProof, now: int) -> Flow[bool]:
        """Return whether the proof was not used before."""
        return commit_with_retry(partial(self._decide, proof))

    def _decide(self, proof: DpopProof) -> Flow[Decision[bool]]:
        key = self._digest("dpop_proof", proof.identity)
        if (yield from find(SpentProof, key)) is not None:
            return Decision(False)
        # The commit fails if another request used the same proof in the meantime; then it is found.
        return Decision(True, (Insert(SpentProof(key=key, jkt=proof.jkt, expires_at=proof.expires_at)),))


def _algorithms(names: Iterable[str]) -> tuple[str, ...]:
    return strings("dpop.algorithms", names)


@attrs.frozen(kw_only=True)
class ResourceDpop:
    """Take tokens that are bound to a key, with a DPoP proof in each request (RFC 9449 section 7).

    `algorithms`, `lifetime` and `skew` are as in `Dpop`. With `required`, no other tokens are taken. `base_url` is what
    is in front of a request's path in the URL that clients use; by default scheme and host of the resource.
    `first_use` remembers proofs: `SeenProofs()` in each process, `StoredProofs(…)` for all processes with one storage.
    With a `nonce_key` of 32 to 64 secret random bytes, the same for every process, a proof needs a nonce of the
    resource (section 9), which is good for `nonce_lifetime` seconds at least and twice as long at most.
    """

    algorithms: tuple[str, ...] = attrs.field(default=ALGORITHMS, converter=_algorithms)
    lifetime: int = LIFETIME
    skew: int = SKEW
    required: bool = False
    base_url: str | None = None
    first_use: FirstUse = attrs.field(factory=SeenProofs)
    nonce_key: bytes | None = attrs.field(default=None, repr=False)
    nonce_lifetime: int = NONCE_LIFETIME

    def __attrs_post_init__(self) -> None:
        # Those that both have are checked in one place.
        _ = Dpop(algorithms=self.algorithms, lifetime=self.lifetime, skew=self.skew, nonce_lifetime=self.nonce_lifetime)
        check_installed()
        if self.nonce_key is not None and len(self.nonce_key) not in KEY_LENGTHS:
            raise ConfigurationError(
                "dpop.nonce_key", f"{len(self.nonce_key)} bytes", "use 32 random bytes, or up to 64"
            )


class ProofsOfResource:
    """Verify the proofs of the requests to one resource."""

    def __init__(self, settings: ResourceDpop, resource: str | None) -> None:
        self.settings = settings
        base = settings.base_url or _origin_of(resource)
        if base is None or normalised(base) is None:
            raise ConfigurationError("dpop.base_url", base, "name the URL of the resource, or resource= at the server")
        self._base = base.rstrip("/")
        key = settings.nonce_key
        self._derive = None if key is None else Derivation(base, key)

    def verified(self, request: Request, access_token: Secret, now: int) -> DpopProof:
        """Return what the proof of a request proves; raises `InvalidDpopProof` and `UseDpopNonce`."""
        settings, text = self.settings, proof_of(request)
        if text is None:
            raise InvalidDpopProof("the request has a token of the scheme DPoP, and no DPoP proof")
        # Some hosts hand out the path decoded: a client spells it as a URL has it.
        url = self._base + quote(request.path, _IN_A_PATH, errors="surrogatepass")
        expected = Expected(
            request.method, url, now, settings.algorithms, settings.lifetime, settings.skew, access_token
        )
        proof = read_proof(text, expected, verify_own_key)
        if self._derive is not None:
            check_nonce(proof.nonce, self._derive, now, settings.nonce_lifetime)
        return proof


def _origin_of(resource: str | None) -> str | None:
    form = None if resource is None else normalised(resource)
    return None if form is None else "/".join(form.split("/")[:3])
