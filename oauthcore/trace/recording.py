"""A driver's ear: what one request asked, was answered, drew and digested on its way to a decision."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import signature
from typing import Any, TypeVar

from oauthcore.context import Context
from oauthcore.documents import Document, Turn
from oauthcore.errors import EffectFailed
from oauthcore.flow.effects import Effect, Flow
from oauthcore.flow.transact import SignAll
from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.jwk import Jwk
from oauthcore.records.client import Client
from oauthcore.records.login import Login
from oauthcore.server import AuthorizationServer
from oauthcore.signing.keys import Keys
from oauthcore.trace.encoding import encode, encode_carried
from oauthcore.trace.placeholders import Placeholders, texts_in
from oauthcore.trace.public import WORDS
from oauthcore.trace.recording_inputs import (
    RecordingDerivation,
    RecordingDigester,
    RecordingDocuments,
    RecordingHandles,
    RecordingKeys,
    record_flow,
    write_keys,
    written,
)
from oauthcore.trace.redaction import hide_url, redacted_document, redacted_response, stand_in_for_token
from oauthcore.trace.trace import Step, Trace
from oauthcore.wire.http import Response

T = TypeVar("T")
# What a replay puts its own in the place of, and what is code and not a value.
_NOT_SETTINGS = frozenset({"self", "clock", "entropy", "token_key", "grants", "error_page", "keys"})


class Recording:
    """Hear one request: a copy of the server that tells what it reads, draws and digests."""

    def __init__(self, server: AuthorizationServer) -> None:
        self._settings = _settings(server)
        self.placeholders = Placeholders(
            public=WORDS | texts_in(self._settings) | texts_in(json.loads(server._metadata.body))
        )
        self._clock: list[float] = []
        self._entropy: list[int] = []
        self._digests: list[tuple[str, str, bool]] = []
        self._derived: list[tuple[str, str]] = []
        self._handles: list[tuple[str, Mapping[str, Any] | None]] = []
        self._signed: list[tuple[str, ...] | Exception] = []
        self._verified: list[tuple[str, Flaw | None]] = []
        self._documents: list[tuple[str, Document | Turn | None]] = []
        self._keys: list[Keys | Exception] = []
        self._heard: list[tuple[Effect, Any]] = []
        self._is_unheard = False
        self._original = server
        self.server = self._with_recording(server)

    def listen(self, flow: Flow[T]) -> Flow[T]:
        """Hand effects out and answers in, and keep both."""
        return record_flow(flow, hear=self._hear)

    def _hear(self, effect: Effect, answer: Any) -> None:
        if not self._is_unheard:
            self._heard.append((effect, answer))
            self.placeholders.hear_of_person(effect, answer)

    def trace(
        self, call: str, request: Callable[[], dict[str, Any]], login: Login | str | None, response: Response
    ) -> Trace:
        """Return what was heard, without its secrets; `request` gives what was asked, without those that are known."""
        # Twice, since what is a secret in one place is none the less one where it stands for something public.
        _ = self._redacted(call, request(), login, response)
        return self._redacted(call, request(), login, response).scrubbed(self.placeholders)

    def _redacted(self, call: str, request: dict[str, Any], login: Login | str | None, response: Response) -> Trace:
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
            for effect, answer in self._heard
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
            signed=[written(jwts, lambda jwts: [self._in_place(jwt) for jwt in jwts]) for jwts in self._signed],
            verified=[(self._in_place(token), flaw and flaw.name) for token, flaw in self._verified],
            documents=documents,
            algorithms=None if self._original.keys is None else list(self._original.keys.algorithms),
            keys=[written(keys, write_keys) for keys in self._keys],
            call=call,
            request=request,
            login=encode(login, self.placeholders),
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
        # As with what is remembered of a client's secret: it can be guessed, where somebody has chosen it.
        return self.placeholders.of_made(digest) if is_short or kind.startswith("client_secret") else digest

    def _urls(self) -> set[str]:
        """Return where clients' servers are, as far as that was told of."""
        found = [answer for _, answer in self._heard if isinstance(answer, Client)]
        registered = {url for client in found for url in (*client.request_uris, client.jwks_uri)}
        return {url for url in registered if url is not None} | {url for url, _ in self._documents}

    def _with_recording(self, server: AuthorizationServer) -> AuthorizationServer:
        heard = copy.copy(server)
        heard._clock = self._told(self._clock, server._clock)
        heard._entropy = self._drawn
        heard._digest = RecordingDigester(server._digest, self._digests)
        heard._derive = RecordingDerivation(server._derive, self._derived)
        heard._handles = RecordingHandles(server._handles, self._handles)
        heard._verify = self._verify
        heard._documents = RecordingDocuments(server._documents, self._documents)
        heard._sign_all = self._sign_all  # type: ignore[method-assign]  # of this copy alone
        if server._keys is not None:
            heard._keys = RecordingKeys(server._keys, lambda flow: self.unheard(flow, self._keys))
            heard._endpoints = server._table(heard._keys)
        return heard

    def unheard(self, flow: Flow[T], results: list[T | Exception]) -> Flow[T]:
        """Run what touches private keys: what it came to is kept, and how it came there is not."""

        def tell(result: T | Exception) -> None:
            """Keep the result, and listen again."""
            self._is_unheard = False
            results.append(result)

        self._is_unheard = True
        return (yield from record_flow(flow, tell=tell))

    def _verify(self, token: str, keys: Iterable[Jwk], algorithms: Collection[str]) -> VerifiedJwt:
        try:
            verified = self._original._verify(token, keys, algorithms)
        except InvalidJwt as invalid:
            self._verified.append((token, invalid.flaw))
            raise
        self._verified.append((token, None))
        return verified

    def _told(self, readings: list[float], clock: Callable[[], float]) -> Callable[[], float]:
        def read() -> float:
            """Read the clock."""
            readings.append(clock())
            return readings[-1]

        return read

    def _drawn(self, size: int, /) -> bytes:
        drawn = self._original._entropy(size)
        self._entropy.append(size)
        _ = self.placeholders.of_drawn(drawn)
        return drawn

    def _sign_all(self, context: Context) -> SignAll:
        sign = self._original._sign_all(context)
        return lambda jwts: self.unheard(sign(jwts), self._signed)


def _settings(server: AuthorizationServer) -> dict[str, Any]:
    """Return what a server was made with, as far as it is values; the rest is the defaults of a replay."""
    settings: dict[str, Any] = {}
    for name in signature(type(server)).parameters.keys() - _NOT_SETTINGS:
        try:
            settings[name] = encode(getattr(server, name, None) or getattr(server, f"_{name}", None), Placeholders())
        except TypeError:
            continue
    return {name: value for name, value in sorted(settings.items()) if value is not None}
