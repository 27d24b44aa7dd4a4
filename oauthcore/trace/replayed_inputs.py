"""What a decision was told beside its effects, and is told again: digests, documents, keys, and how things went."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from oauthcore.digest import Derivation, Digest, Digester, Kind, Proof, Secret
from oauthcore.documents import FRESH_FOR, Document, DocumentNeeded, Documents, Turn
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Flow
from oauthcore.handle import HandleKind, Handles
from oauthcore.jose.jwk import Jwk
from oauthcore.signing.keys import Keys

T = TypeVar("T")
Recorded = dict[str, Any]


def read(recorded: Recorded, read_value: Callable[[Any], T]) -> T:
    """Return what was told, or raise what was raised, as far as the answer tells one from another."""
    if "failed" in recorded:
        raise EffectFailed(recorded["failed"])
    if "told" not in recorded:
        raise RuntimeError(f"{recorded['bug']}, as it was recorded")
    return read_value(recorded["told"])


def read_keys(recorded: dict[str, Any]) -> Keys:
    """Read them; nothing can be signed with these."""
    published, remembered = (tuple(map(Jwk.of, recorded.get(name, []))) for name in ("published", "remembered"))
    return Keys({}, published, recorded["jwks_lifetime"], remembered)


class ReplayedDigester(Digester):
    """Return the digests that were made before, each kind in its order; what is digested beyond them gets zeros."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, str]]) -> None:
        self._recorded: dict[str, list[str]] = queues(recorded)

    def __call__(self, kind: Kind | str, secret: Secret) -> Digest:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next of that kind."""
        queue = self._recorded.get(kind)
        return Digest(queue.pop(0) if queue else "0" * 64)


class ReplayedDerivation(Derivation):
    """Return the stand-ins of what was derived before, each proof in its order."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, str]]) -> None:
        super().__init__("", bytes(32))
        self._recorded: dict[str, list[str]] = queues(recorded)

    def __call__(self, proof: Proof | str, secret: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next for that proof."""
        queue = self._recorded.get(proof)
        return Secret(queue.pop(0)) if queue else super().__call__(proof, secret)


class ReplayedHandles(Handles):
    """Return the stand-ins of the handles that were written before, and what those carried that were read, in order."""

    __slots__ = ("_recorded",)

    def __init__(self, recorded: Iterable[tuple[str, Any]]) -> None:
        super().__init__("", bytes(32))
        self._recorded = list(recorded)

    def write(self, kind: HandleKind, members: Mapping[str, Any], nonce: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return the next one."""
        return Secret(self._recorded.pop(0)[0]) if self._recorded else super().write(kind, members, nonce)

    def read(self, kind: HandleKind, handle: Secret) -> Mapping[str, Any] | None:  # type: ignore[explicit-override]  # none in 3.11
        """Return what the next one carried; what is read beyond them carries nothing."""
        members: Mapping[str, Any] | None = self._recorded.pop(0)[1] if self._recorded else None
        return members


class ReplayedDocuments(Documents):
    """Return what was known of other servers' documents, each in its order."""

    def __init__(self, recorded: Iterable[tuple[str, Any]]) -> None:
        super().__init__()
        self._recorded: dict[str, list[Any]] = queues(recorded)

    def get(self, url: str, now: int, *, fresh_for: int = FRESH_FOR) -> Document:  # type: ignore[explicit-override]  # none in 3.11
        """Return the document, or raise `DocumentNeeded` where it was missing then, or was never asked for."""
        queue = self._recorded.get(url)
        recorded = queue.pop(0) if queue else None
        if not isinstance(recorded, dict):
            raise DocumentNeeded(self, url, now, fresh_for)
        body = None if recorded["body"] is None else recorded["body"].encode("latin-1")
        return Document(url, body, recorded["fetched_at"])

    def is_being_fetched(self, url: str, now: int) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Return whether another request was at it."""
        queue = self._recorded.get(url)
        is_held = bool(queue) and queue[0] == Turn.JOIN.value  # type: ignore[index]  # there is a first
        if is_held and queue:
            _ = queue.pop(0)
        return is_held

    def turn(self, missing: DocumentNeeded) -> Turn:  # type: ignore[explicit-override]  # none in 3.11
        """Return what was told to do, if that was not to ask; who joined another request has an answer of its own."""
        queue = self._recorded.get(missing.url)
        return Turn(queue.pop(0)) if queue and isinstance(queue[0], str) else Turn.FETCH


class ReplayedKeys:
    """Return the public halves of the server's keys, as they were each time."""

    def __init__(self, algorithms: Iterable[str], recorded: Iterable[Recorded]) -> None:
        self.algorithms = tuple(algorithms)
        self._recorded = iter(recorded)

    def current(self, now: int) -> Flow[Keys]:
        """Return what was told next."""
        yield from ()
        recorded = next(self._recorded, None)
        if recorded is None:
            raise EffectFailed("the trace has no answer to this")
        return read(recorded, read_keys)


def queues(recorded: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    """Sort what was told by what it was told of, each in its order."""
    queues: dict[str, list[T]] = {}
    for kind, value in recorded:
        queues.setdefault(kind, []).append(value)
    return queues
