"""The recording of what a decision learns beside its effects: digests, documents, keys, results of signing."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, TypeVar

from oauthcore.digest import Derivation, Digest, Digester, Kind, Proof, Purpose, Secret
from oauthcore.documents import FRESH_FOR, Document, DocumentNeeded, Documents, IsReadable, Turn
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Effect, Flow
from oauthcore.handle import HandleKind, Handles
from oauthcore.sealing import Sealing
from oauthcore.signing.keys import Keys, KeySet
from oauthcore.trace.placeholders import MADE
from oauthcore.trace.replayed_inputs import Recorded
from oauthcore.wire.http import Response

T = TypeVar("T")


def record_flow(
    flow: Flow[T],
    on_effect: Callable[[Effect, Any], object] = lambda effect, answer: None,
    on_result: Callable[[T | Exception], object] = lambda result: None,
) -> Generator[Effect, Any, T]:
    """Run a flow: `on_effect` gets each effect with its answer or failure, `on_result` the flow's result or error."""
    resume: Callable[[Any], Effect] = flow.send
    answer: Any = None
    while True:
        try:
            effect = resume(answer)
        except StopIteration as end:
            on_result(end.value)
            return end.value  # type: ignore[no-any-return]  # StopIteration is not generic; Flow[T] says it is T
        except Exception as failure:  # of any kind: a replay raises it again
            on_result(failure)
            raise
        try:
            resume, answer = flow.send, (yield effect)
        except EffectFailed as failure:
            resume, answer = flow.throw, failure
        on_effect(effect, answer)


def written(result: Any, write: Callable[[Any], Any]) -> Recorded:
    """Return a result or an exception in the form that a trace keeps it."""
    if isinstance(result, EffectFailed):
        return {"failed": str(result)}
    if isinstance(result, Exception):
        return {"bug": type(result).__name__}
    return {"told": write(result)}


def write_keys(keys: Keys) -> dict[str, Any]:
    """Return the public keys of a server in the form that a trace keeps them."""
    return {
        "published": [key.public.members for key in keys.published],
        "jwks_lifetime": keys.jwks_lifetime,
        "remembered": [key.public.members for key in keys.remembered],
    }


class RecordingDigester(Digester):
    """Digest as the server does, and record each digest."""

    __slots__ = ("_digest", "_recorded")

    def __init__(self, digest: Digester, recorded: list[tuple[str, str, bool]]) -> None:
        self._digest = digest
        self._recorded = recorded

    def __call__(self, kind: Kind | str, secret: Secret) -> Digest:  # type: ignore[explicit-override]  # none in 3.11
        """Return the digest; record its kind, and whether the secret is short enough to be guessed."""
        digest = self._digest(kind, secret)
        self._recorded.append((kind, digest, len(secret.reveal()) < MADE))
        return digest


class RecordingDerivation(Derivation):
    """Derive secrets as the server does, and record each."""

    __slots__ = ("_derive", "_recorded")

    def __init__(self, derive: Derivation, recorded: list[tuple[str, str]]) -> None:
        self._derive = derive
        self._recorded = recorded
        self._keys = derive._keys

    def __call__(self, proof: Proof | str, secret: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return the derived secret; record what it is derived for."""
        derived = self._derive(proof, secret)
        self._recorded.append((proof, derived.reveal()))
        return derived


class RecordingHandles(Handles):
    """Write and read handles as the server does, and record each with what it carries."""

    __slots__ = ("_handles", "_recorded")

    def __init__(self, handles: Handles, recorded: list[tuple[str, Mapping[str, Any] | None]]) -> None:
        self._handles = handles
        self._recorded = recorded

    def write(self, kind: HandleKind, members: Mapping[str, Any], nonce: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Return a new handle, and record it."""
        handle = self._handles.write(kind, members, nonce)
        self._recorded.append((handle.reveal(), members))
        return handle

    def read(self, kind: HandleKind, handle: Secret) -> Mapping[str, Any] | None:  # type: ignore[explicit-override]  # none in 3.11
        """Return what a handle carries, and record it."""
        members = self._handles.read(kind, handle)
        self._recorded.append((handle.reveal(), members))
        return members


class RecordingSealing(Sealing):
    """Encrypt and open texts as the server does, and record each."""

    __slots__ = ("_sealed", "_sealing", "_unsealed")

    def __init__(
        self, sealing: Sealing, sealed: list[tuple[Purpose, str]], unsealed: list[tuple[Purpose, str | None]]
    ) -> None:
        self._sealing, self._sealed, self._unsealed = sealing, sealed, unsealed

    def seal(self, purpose: Purpose, text: str) -> str:  # type: ignore[explicit-override]  # none in 3.11
        """Return the encrypted text, and record it: it is another one each time."""
        sealed = self._sealing.seal(purpose, text)
        self._sealed.append((purpose, sealed))
        return sealed

    def unseal(self, purpose: Purpose, sealed: str) -> str | None:  # type: ignore[explicit-override]  # none in 3.11
        """Return the text, and record it."""
        text = self._sealing.unseal(purpose, sealed)
        self._unsealed.append((purpose, text))
        return text


class RecordingDocuments(Documents):
    """Return documents as the server does, and record whether each was known."""

    def __init__(self, documents: Documents, recorded: list[tuple[str, Document | Turn | None]]) -> None:
        super().__init__()
        self._documents = documents
        self._recorded = recorded

    def get(  # type: ignore[explicit-override]  # none in 3.11
        self, url: str, now: int, is_readable: IsReadable, *, fresh_for: int = FRESH_FOR
    ) -> Document:
        """Return the document, or raise `DocumentNeeded`."""
        try:
            document = self._documents.get(url, now, is_readable, fresh_for=fresh_for)
        except DocumentNeeded:
            self._recorded.append((url, None))
            raise DocumentNeeded(self, url, now, is_readable, fresh_for) from None
        self._recorded.append((url, document))
        return document

    def is_being_fetched(self, url: str, now: int) -> bool:  # type: ignore[explicit-override]  # none in 3.11
        """Return whether another request is fetching it; recorded if so."""
        held = self._documents.is_being_fetched(url, now)
        if held:
            self._recorded.append((url, Turn.JOIN))
        return held

    def turn(self, missing: DocumentNeeded) -> Turn:  # type: ignore[explicit-override]  # none in 3.11
        """Return the server's decision; recorded if it is not to fetch, since then other requests are the reason."""
        turn = self._documents.turn(missing)
        if turn in {Turn.KNOWN, Turn.LATER}:
            self._recorded.append((missing.url, turn))
        return turn

    def end_turn(self, url: str) -> None:  # type: ignore[explicit-override]  # none in 3.11
        """Let other requests fetch it."""
        self._documents.end_turn(url)

    def keep(  # type: ignore[explicit-override]  # none in 3.11
        self, url: str, answer: Response | None, now: int, is_readable: IsReadable
    ) -> Document:
        """Keep it among the server's own documents."""
        return self._documents.keep(url, answer, now, is_readable)


class RecordingKeys:
    """Return the server's own keys, and record the public ones."""

    def __init__(self, keys: KeySet, on_effect: Callable[[Flow[Keys]], Flow[Keys]]) -> None:
        self._keys = keys
        self._hear = on_effect
        self.algorithms = keys.algorithms

    def current(self, now: int) -> Flow[Keys]:
        """Return the keys as they are now."""
        return self._hear(self._keys.current(now))
