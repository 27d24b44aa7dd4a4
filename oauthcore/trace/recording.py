"""The recording of one request: its effects with their answers, and the clock, draws, digests and keys it used."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

import attrs

from oauthcore.context import SignJwt
from oauthcore.digest import Purpose
from oauthcore.documents import Document, Turn
from oauthcore.errors import EffectFailed
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.flow.effects import Effect, Flow
from oauthcore.instruments import Call, Instruments
from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.crypto import SelfSigned, VerifiedJwt
from oauthcore.jose.jwk import Jwk
from oauthcore.records.client import Client
from oauthcore.signing.keys import Keys, KeySet
from oauthcore.trace.encoding import encode, encode_carried
from oauthcore.trace.placeholders import Placeholders, texts_in
from oauthcore.trace.public import WORDS
from oauthcore.trace.recording_inputs import (
    RecordingDerivation,
    RecordingDigester,
    RecordingDocuments,
    RecordingHandles,
    RecordingKeys,
    RecordingSealing,
    record_flow,
    write_keys,
    written,
)
from oauthcore.trace.redaction import hide_url, redacted_document, redacted_response, stand_in_for_token
from oauthcore.trace.trace import Step, Trace
from oauthcore.wire.http import Response

T = TypeVar("T")


class Recording:
    """Record one call: the server uses `instruments`, which note what it reads, draws and digests."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._settings = _settings(call.settings)
        self.placeholders = Placeholders(public=WORDS | texts_in(self._settings) | texts_in(json.loads(call.metadata)))
        self._clock: list[float] = []
        self._entropy: list[int] = []
        self._digests: list[tuple[str, str, bool]] = []
        self._derived: list[tuple[str, str]] = []
        self._handles: list[tuple[str, Mapping[str, Any] | None]] = []
        self._sealed: list[tuple[Purpose, str]] = []
        self._unsealed: list[tuple[Purpose, str | None]] = []
        self._signed: list[str | Exception] = []
        self._verified: list[tuple[str, Flaw | None]] = []
        self._documents: list[tuple[str, Document | Turn | None]] = []
        self._added: list[Mapping[str, object] | Exception] = []
        self._keys: list[Keys | Exception] = []
        self._recorded: list[tuple[Effect, Any]] = []
        self._is_unrecorded = False
        self._original = call.instruments
        self.instruments = self._recording(call.instruments)

    def listen(self, flow: Flow[T]) -> Flow[T]:
        """Run a flow, and record its effects and their answers."""
        return record_flow(flow, on_effect=self._on_effect)

    def _on_effect(self, effect: Effect, answer: Any) -> None:
        if not self._is_unrecorded:
            self._recorded.append((effect, answer))
            self.placeholders.hear_of_person(effect, answer)

    def trace(self, request: Callable[[], dict[str, Any]], response: Response) -> Trace:
        """Return the trace without secrets; `request` returns the request, with the placeholders known so far."""
        # Twice: a secret may be met in a public place first, and be recognised as one only further on.
        _ = self._redacted(request(), response)
        return self._redacted(request(), response).scrubbed(self.placeholders)

    def _redacted(self, request: dict[str, Any], response: Response) -> Trace:
        for url in self._urls():
            _ = hide_url(url, self.placeholders)
        digests = [(kind, self._digest_of(kind, digest, short)) for kind, digest, short in self._digests]
        documents = [(self._applied(url), self._written(document)) for url, document in self._documents]
        steps = [
            Step(
                encode(effect, self.placeholders),
                None if isinstance(answer, EffectFailed) else encode(answer, self.placeholders),
                str(answer) if isinstance(answer, EffectFailed) else None,
            )
            for effect, answer in self._recorded
        ]
        said = redacted_response(response, self.placeholders)
        return Trace(
            settings=self._settings,
            clock=self._clock,
            entropy=self._entropy,
            digests=digests,
            derived=[(proof, self.placeholders.of_made(value)) for proof, value in self._derived],
            handles=[
                (
                    self.placeholders.of_made(handle),
                    None if members is None else encode_carried(members, self.placeholders),
                )
                for handle, members in self._handles
            ],
            # What a client's secret is, or its length, is in no trace.
            sealed=[(purpose, self.placeholders.of_chosen(text)) for purpose, text in self._sealed],
            unsealed=[
                (purpose, None if text is None else self.placeholders.of_chosen(text))
                for purpose, text in self._unsealed
            ],
            # A list of one: the trace format has a list of everything that is signed together.
            signed=[written(jwt, lambda jwt: [self._in_place(jwt)]) for jwt in self._signed],
            verified=[(self._in_place(token), flaw and flaw.name) for token, flaw in self._verified],
            documents=documents,
            extra_claims=[written(added, lambda added: encode(added, self.placeholders)) for added in self._added],
            algorithms=None if self._original.keys is None else list(self._original.keys.algorithms),
            keys=[written(keys, write_keys) for keys in self._keys],
            call=self._call.name,
            request=request,
            login=encode(self._call.arguments["login"], self.placeholders),
            steps=steps,
            response=said,
            stand_ins=self.placeholders.texts,
        )

    def _carried(self, members: Mapping[str, Any] | None) -> dict[str, Any] | None:
        return None if members is None else encode_carried(members, self.placeholders)

    def _in_place(self, token: str) -> str:
        return stand_in_for_token(token, self.placeholders)

    def _applied(self, url: str) -> str:
        return self.placeholders.known.get(url, url)

    def _written(self, document: Document | Turn | None) -> dict[str, Any] | str | None:
        if document is None or isinstance(document, Turn):
            return document and document.value
        body = None if document.body is None else redacted_document(document.body, self.placeholders)
        return {"body": None if body is None else body.decode("latin-1"), "fetched_at": document.fetched_at}

    def _digest_of(self, kind: str, digest: str, is_short: bool) -> str:
        # A short or chosen secret can be guessed from its digest, as a stored client secret can.
        return self.placeholders.of_made(digest) if is_short or kind.startswith("client_secret") else digest

    def _urls(self) -> set[str]:
        """Return the URLs of clients' servers, as far as the facts mention them."""
        found = [answer for _, answer in self._recorded if isinstance(answer, Client)]
        registered = {url for client in found for url in (*client.request_uris, client.jwks_uri)}
        return {url for url in registered if url is not None} | {url for url, _ in self._documents}

    def _recording(self, original: Instruments) -> Instruments:
        return attrs.evolve(
            original,
            clock=self._reading(self._clock, original.clock),
            entropy=self._drawn,
            digest=RecordingDigester(original.digest, self._digests),
            derive=RecordingDerivation(original.derive, self._derived),
            handles=RecordingHandles(original.handles, self._handles),
            sealing=RecordingSealing(original.sealing, self._sealed, self._unsealed),
            verify=self._verify,
            verify_own_key=self._verify_own_key,
            documents=RecordingDocuments(original.documents, self._documents),
            client_documents=RecordingDocuments(original.client_documents, self._documents),
            unverified_documents=RecordingDocuments(original.unverified_documents, self._documents),
            signing=self._signing,
            extra_claims=None if original.extra_claims is None else self._adding,
            keys=None
            if original.keys is None
            else RecordingKeys(original.keys, lambda flow: self.unrecorded(flow, self._keys)),
            record=None,
        )

    def unrecorded(self, flow: Flow[T], results: list[T | Exception]) -> Flow[T]:
        """Run a flow that handles private keys, or is the host's own: only its result is recorded, not its effects."""

        def on_result(result: T | Exception) -> None:
            """Keep the result, and record effects again."""
            self._is_unrecorded = False
            results.append(result)

        self._is_unrecorded = True
        return (yield from record_flow(flow, on_result=on_result))

    def _verify(self, token: str, keys: Iterable[Jwk], algorithms: Collection[str]) -> VerifiedJwt:
        try:
            verified = self._original.verify(token, keys, algorithms)
        except InvalidJwt as invalid:
            self._verified.append((token, invalid.flaw))
            raise
        self._verified.append((token, None))
        return verified

    def _verify_own_key(self, token: str, algorithms: Collection[str]) -> SelfSigned:
        try:
            verified = self._original.verify_own_key(token, algorithms)
        except InvalidJwt as invalid:
            self._verified.append((token, invalid.flaw))
            raise
        self._verified.append((token, None))
        return verified

    def _reading(self, readings: list[float], clock: Callable[[], float]) -> Callable[[], float]:
        def read() -> float:
            """Read the clock."""
            readings.append(clock())
            return readings[-1]

        return read

    def _drawn(self, size: int, /) -> bytes:
        drawn = self._original.entropy(size)
        self._entropy.append(size)
        _ = self.placeholders.of_drawn(drawn)
        return drawn

    def _adding(self, target: ClaimsTarget) -> Flow[Mapping[str, object]]:
        # What the function finds in its flow is the host's: a replay needs what it returned, and not the function.
        assert self._original.extra_claims is not None
        added = yield from self.unrecorded(self._original.extra_claims(target), self._added)
        # They are in tokens and responses, as the claims of the user are.
        self.placeholders.people |= texts_in(added)
        return added

    def _signing(self, keys: KeySet | None, now: int) -> SignJwt:
        # `keys` of the recording note where a decision looks keys up. Signing is not such a lookup: use the originals.
        sign = self._original.signing(self._original.keys, now)
        return lambda jwt: self.unrecorded(sign(jwt), self._signed)


def _settings(settings: Mapping[str, object]) -> dict[str, Any]:
    """Return the settings of a server as a trace holds them; those left out have their defaults in a replay."""
    return {name: encode(value, Placeholders()) for name, value in settings.items() if value}
