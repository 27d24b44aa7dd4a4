"""The replay of what a decision learnt beside its effects: digests, documents, keys, results of signing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from oauthcore.digest import Derivation, Digest, Digester, Kind, Proof, Purpose, Secret
from oauthcore.documents import FRESH_FOR, Document, DocumentNeeded, Documents, IsReadable, Turn
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Flow
from oauthcore.handle import HandleKind, Handles
from oauthcore.jose.jwk import Jwk
from oauthcore.sealing import Sealing
from oauthcore.signing.keys import Keys

T = TypeVar("T")
Recorded = dict[str, Any]


def read(recorded: Recorded, read_value: Callable[[Any], T]) -> T:
    """Return the recorded value, or raise the recorded error as far as the decision distinguishes it."""
    if "failed" in recorded:
        raise EffectFailed(recorded["failed"])
    if "told" not in recorded:
        raise RuntimeError(f"{recorded['bug']}, as it was recorded")
    return read_value(recorded["told"])


def read_keys(recorded: dict[str, Any]) -> Keys:
    """Return recorded keys; they can't sign."""
    published, remembered = (tuple(map(Jwk.of, recorded.get(name, []))) for name in ("published", "remembered"))
    return Keys({}, published, recorded["jwks_lifetime"], remembered)


class ReplayedDigester(Digester):
    """Return the recorded digests, each kind in its order; zeros for any beyond them."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, str]]) -> None:
        self._recorded: dict[str, list[str]] = queues(recorded)

    def __call__(self, kind: Kind | str, secret: Secret) -> Digest:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next digest of that kind."""
        queue = self._recorded.get(kind)
        return Digest(queue.pop(0) if queue else "0" * 64)


class ReplayedDerivation(Derivation):
    """Return the placeholders of the derived secrets, each kind in its order."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, str]]) -> None:
        super().__init__("", bytes(32))
        self._recorded: dict[str, list[str]] = queues(recorded)

    def __call__(self, proof: Proof | str, secret: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next one derived for that."""
        queue = self._recorded.get(proof)
        return Secret(queue.pop(0)) if queue else super().__call__(proof, secret)


class ReplayedHandles(Handles):
    """Return the placeholders of the handles that were written, and what the handles that were read carried."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, Any]]) -> None:
        super().__init__("", bytes(32))
        self._recorded = list(recorded)

    def write(self, kind: HandleKind, members: Mapping[str, Any], nonce: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next handle."""
        return Secret(self._recorded.pop(0)[0]) if self._recorded else super().write(kind, members, nonce)

    def read(self, kind: HandleKind, handle: Secret) -> Mapping[str, Any] | None:  # type: ignore[explicit-override]  # none in 3.11
        """Return what the next handle carried; None beyond those recorded."""
        members: Mapping[str, Any] | None = self._recorded.pop(0)[1] if self._recorded else None
        return members


class ReplayedSealing(Sealing):
    """Return the placeholders of the texts that were encrypted and opened, each purpose in its order."""

    __slots__ = ("_sealed", "_unsealed")

    def __init__(self, sealed: Iterable[tuple[str, str]], unsealed: Iterable[tuple[str, str | None]]) -> None:
        super().__init__(Derivation("", bytes(32)))
        self._sealed: dict[str, list[str]] = queues(sealed)
        self._unsealed: dict[str, list[str | None]] = queues(unsealed)

    def seal(self, purpose: Purpose, text: str) -> str:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next one encrypted for that."""
        queue = self._sealed.get(purpose)
        return queue.pop(0) if queue else super().seal(purpose, text)

    def unseal(self, purpose: Purpose, sealed: str) -> str | None:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next one opened for that; None beyond those recorded."""
        queue = self._unsealed.get(purpose)
        return queue.pop(0) if queue else None


class ReplayedDocuments(Documents):
    """Return the recorded documents of other servers, each URL in its order."""

    def __init__(self, recorded: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self._recorded: dict[str, list[Any]] = queues(recorded)

    def get(  # type: ignore[explicit-override]  # none in 3.11
        self, url: str, now: int, is_readable: IsReadable, *, fresh_for: int = FRESH_FOR
    ) -> Document:
        """Return the document, or raise `DocumentNeeded` if it was missing then or was never looked up."""
        queue = self._recorded.get(url)
        recorded = queue.pop(0) if queue else None
        if not isinstance(recorded, dict):
            raise DocumentNeeded(self, url, now, is_readable, fresh_for)
        body = None if recorded["body"] is None else recorded["body"].encode("latin-1")
        return Document(url, body, recorded["fetched_at"])

    def is_being_fetched(self, url: str, now: int) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Return whether another request was fetching it."""
        queue = self._recorded.get(url)
        is_held = bool(queue) and queue[0] == Turn.JOIN.value  # type: ignore[index]  # there is a first
        if is_held and queue:
            _ = queue.pop(0)
        return is_held

    def turn(self, missing: DocumentNeeded) -> Turn:  # type: ignore[explicit-override]  # none in 3.11
        """Return the recorded decision if it was not to fetch, else that this request fetches."""
        queue = self._recorded.get(missing.url)
        return Turn(queue.pop(0)) if queue and isinstance(queue[0], str) else Turn.FETCH


class ReplayedKeys:
    """Return the recorded public keys of the server, lookup by lookup."""

    def __init__(self, algorithms: Iterable[str], recorded: Iterable[Recorded]) -> None:
        self.algorithms = tuple(algorithms)
        self._recorded = iter(recorded)

    def current(self, now: int) -> Flow[Keys]:
        """Return the keys of the next lookup."""
        yield from ()
        recorded = next(self._recorded, None)
        if recorded is None:
            raise EffectFailed("the trace has no answer to this")
        return read(recorded, read_keys)


def queues(recorded: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Return the recorded values by name, each in its order."""
    queues: dict[str, list[T]] = {}
    for kind, value in recorded:
        queues.setdefault(kind, []).append(value)
    return queues
