"""The replay of a trace: the same request to a server with the same settings, facts and time."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, TypeVar

import attrs

from oauthcore.context import SignJwt
from oauthcore.errors import EffectFailed
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.flow.effects import Effect, Flow
from oauthcore.jose.compact import Flaw, InvalidJwt, Signed, read_claims, read_signed
from oauthcore.jose.crypto import SelfSigned, VerifiedJwt, key_brought_by
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.server import AuthorizationServer
from oauthcore.testing.telling import effect_in_words
from oauthcore.trace.differences import differences
from oauthcore.trace.encoding import decode, encode
from oauthcore.trace.placeholders import Placeholders, drawn_in_place, texts_in
from oauthcore.trace.public import WORDS
from oauthcore.trace.redaction import redacted_response
from oauthcore.trace.replayed_inputs import (
    Recorded,
    ReplayedDerivation,
    ReplayedDigester,
    ReplayedDocuments,
    ReplayedHandles,
    ReplayedKeys,
    ReplayedSealing,
    queues,
    read,
)
from oauthcore.trace.trace import Step, Trace
from oauthcore.wire.http import Peer, Request, Response
from oauthcore.wire.refusals import ErrorPage, plain_error_page
from oauthcore.wire.text import ascii_lower

T = TypeVar("T")


@attrs.frozen
class Replayed:
    """Hold the result of a replay: the response, and how the replay differs from the recording."""

    response: Response
    differences: tuple[str, ...]

    @property
    def is_same(self) -> bool:
        """Return whether it came to the same decision by the same effects."""
        return not self.differences


def replay(
    trace: Trace,
    *,
    kinds: Iterable[type] = (),
    make_server: Callable[..., AuthorizationServer] = AuthorizationServer,
    during: Callable[[Callable[[], Response]], Response] = lambda play: play(),
) -> Replayed:
    """Decide again on the facts of a trace.

    `kinds` are classes of records outside the core that the trace may contain. `make_server` adds what is not a value,
    such as grants of your own. `during` is called with the function that runs the replay, and may observe it.
    """
    player = _Player(trace, {f"{kind.__module__}:{kind.__qualname__}": kind for kind in kinds}, make_server)
    response = during(player.play)
    return Replayed(response, tuple(player.compared(response)))


class _Player:
    """Answer the effects of a flow from a trace, and note where they differ."""

    def __init__(self, trace: Trace, kinds: dict[str, type], make_server: Callable[..., AuthorizationServer]) -> None:
        self._trace = trace
        self._kinds = kinds
        self._placeholders = Placeholders.of(trace.stand_ins, WORDS | texts_in(trace.settings))
        self._differences: list[str] = []
        self._draws = 0
        self._effects = 0
        self._readings = iter(trace.clock)
        self._verdicts = queues(trace.verified)
        self._added = iter(trace.extra_claims)
        self._now = 0.0
        made = self._made(make_server, {name: decode(value, kinds) for name, value in trace.settings.items()})
        signed = iter(trace.signed)
        instruments = attrs.evolve(
            made.instruments,
            digest=ReplayedDigester(trace.digests),
            derive=ReplayedDerivation(trace.derived),
            handles=ReplayedHandles(trace.handles),
            sealing=ReplayedSealing(trace.sealed, trace.unsealed),
            verify=self._verify,
            verify_own_key=self._verify_own_key,
            documents=ReplayedDocuments(trace.documents),
            client_documents=ReplayedDocuments(trace.documents),
            unverified_documents=ReplayedDocuments(trace.documents),
            signing=lambda keys, now: _signing(signed),
            extra_claims=self._adding if trace.extra_claims else None,
            record=None,
        )
        self._placeholders.public |= texts_in(json.loads(made._metadata.body))
        self._server = made.with_instruments(instruments)

    def _made(self, make_server: Callable[..., AuthorizationServer], settings: dict[str, Any]) -> AuthorizationServer:
        try:
            algorithms = self._trace.algorithms
            keys = None if algorithms is None else ReplayedKeys(algorithms, self._trace.keys)
            return make_server(**settings, clock=self._clock, entropy=self._entropy, token_key=bytes(32), keys=keys)
        except TypeError as error:
            raise ValueError(f"the trace's settings don't fit this version's server: {error}") from None

    def play(self) -> Response:
        """Run the flow until it returns its response."""
        flow = self._flow()
        resume: Callable[[Any], Any] = flow.send
        answer: Any = None
        while True:
            try:
                effect = resume(answer)
            except StopIteration as end:
                if len(self._trace.steps) > self._effects:
                    before = len(self._trace.steps)
                    self._differences.append(f"effects: {self._effects}; recorded: {before}")
                return end.value  # type: ignore[no-any-return]  # the flow's own result
            step = self._step(effect, encode(effect, self._placeholders))
            resume = flow.send if step.failed is None else flow.throw
            answer = decode(step.answer, self._kinds) if step.failed is None else EffectFailed(step.failed)
            self._placeholders.hear_of_person(effect, answer)

    def _flow(self) -> Flow[Response]:
        request, login = self._trace.request, decode(self._trace.login, self._kinds)
        if self._trace.call == "handle":
            return self._server.handle(_request(request), login, self._page)
        try:
            if self._trace.call == "deny":
                return self._server.interactions.deny(request["handle"], login, error_page=self._page)
            scope, remember = request["scope"], request["remember"]
            return self._server.interactions.finish(
                request["handle"], login, scope, remember=remember, error_page=self._page
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"the trace's request is not a request: {type(error).__name__}: {error}") from None

    def _step(self, effect: Effect, encoded: Any) -> Step:
        """Return the recorded step for this effect, at this place or another; one that fails if there is none."""
        number, self._effects = self._effects, self._effects + 1
        before = self._trace.steps[number] if number < len(self._trace.steps) else None
        if before is not None and _plain(encoded) == _plain(before.effect):
            return before
        was = "none" if before is None else effect_in_words(decode(before.effect, self._kinds))
        self._differences.append(f"effect {number}: {effect_in_words(effect)}; recorded: {was}")
        same = (step for step in self._trace.steps if _plain(encoded) == _plain(step.effect))
        return next(same, Step(encoded, failed="the trace has no answer to this"))

    def compared(self, response: Response) -> list[str]:
        """Return all differences."""
        now, before = redacted_response(response, self._placeholders), self._trace.response
        return [*self._differences, *differences(_plain(now), _plain(before))]

    def _page(self, page: ErrorPage) -> Response:
        """Return the recorded headers of an error page: its rendering is not part of the decision."""
        before = self._trace.response
        if before["refusal"] is None or before["refusal"]["code"] != page.code:
            return plain_error_page(page)
        headers = tuple((name, value) for name, value in before["headers"] if ascii_lower(name) != "retry-after")
        return Response(before["status"], headers)

    def _verify(self, token: str, keys: Iterable[Jwk], algorithms: Collection[str]) -> VerifiedJwt:
        signed = self._signed(token, read_signed(token), algorithms)
        return VerifiedJwt(signed.header, read_claims(signed.payload))

    def _verify_own_key(self, token: str, algorithms: Collection[str]) -> SelfSigned:
        signed = self._signed(token, read_signed(token, brings_key=True), algorithms)
        return SelfSigned(signed.header, read_claims(signed.payload), key_brought_by(signed))

    def _signed(self, token: str, signed: Signed, algorithms: Collection[str]) -> Signed:
        """Return a token whose signature was good when it was recorded; raises the flaw that it had."""
        if signed.alg not in algorithms:
            raise InvalidJwt(Flaw.ALGORITHM)
        verdicts = self._verdicts.get(token)
        if not verdicts:
            self._differences.append("it verified a token that was not verified in the recording")
            raise InvalidJwt(Flaw.SIGNATURE)
        flaw = verdicts.pop(0)
        if flaw is not None:
            raise InvalidJwt(Flaw[flaw])
        return signed

    def _adding(self, target: ClaimsTarget) -> Flow[Mapping[str, object]]:
        """Return the claims that the host's function added when it was recorded."""
        yield from ()
        recorded = next(self._added, None)
        if recorded is None:
            raise EffectFailed("the trace has no answer to this")
        added: Mapping[str, object] = read(recorded, lambda added: decode(added, self._kinds))
        self._placeholders.people |= texts_in(added)
        return added

    def _clock(self) -> float:
        self._now = next(self._readings, self._now)
        return self._now

    def _entropy(self, size: int, /) -> bytes:
        self._draws += 1
        return drawn_in_place(self._draws, size)


def _signing(signed: Iterator[Recorded]) -> SignJwt:
    def sign(jwt: Jwt) -> Flow[str]:
        """Return what was signed when it was recorded."""
        yield from ()
        recorded = next(signed, None)
        if recorded is None:
            raise EffectFailed("the trace has no answer to this")
        return str(read(recorded, tuple)[0])

    return sign


def _request(members: dict[str, Any]) -> Request:
    try:
        peer = None if members["peer"] is None else _peer(**members["peer"])
        headers = tuple((name, value) for name, value in members["headers"])
        return Request(members["method"], members["target"], headers, members["body"].encode("latin-1"), peer)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"the trace's request is not a request: {type(error).__name__}: {error}") from None


def _peer(certificate: str | None = None, **members: Any) -> Peer:
    return Peer(certificate=None if certificate is None else base64.b64decode(certificate), **members)


def _plain(value: Any) -> Any:
    """Return JSON as `json.loads` returns it, with lists in place of tuples."""
    if isinstance(value, list | tuple):
        return [_plain(member) for member in value]
    return {key: _plain(member) for key, member in value.items()} if isinstance(value, dict) else value
