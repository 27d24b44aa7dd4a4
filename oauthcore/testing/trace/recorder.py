"""A driver's ear: what one request asked, was answered, drew and digested on its way to a decision."""

from __future__ import annotations

import copy
from collections.abc import Callable, Generator
from inspect import signature
from typing import Any, TypeVar

import attrs

from oauthcore.context import Context
from oauthcore.digest import Derivation, Digest, Digester, Kind, Proof, Secret
from oauthcore.effects import Effect, Flow
from oauthcore.errors import Unanswered
from oauthcore.http import Request, Response
from oauthcore.jwt import Jwt
from oauthcore.login import Login
from oauthcore.server import AuthorizationServer
from oauthcore.testing.trace.encoding import encode
from oauthcore.testing.trace.redaction import redacted_request, redacted_response
from oauthcore.testing.trace.stand_ins import StandIns
from oauthcore.testing.trace.trace import Step, Trace
from oauthcore.transact import SignAll

T = TypeVar("T")
# What a replay puts its own in the place of, and what is code and not a value.
_NOT_SETTINGS = frozenset({"self", "clock", "entropy", "token_key", "grants", "error_page", "keys"})


class Recorder:
    """Stand in front of a server: its `handle` is the server's, and hands a trace to `save` when it has answered.

    Run what it gives by either driver. What is recorded is one request: its facts, not those of others meanwhile.
    """

    def __init__(self, server: AuthorizationServer, save: Callable[[Trace], object]) -> None:
        self._server = server
        self._save = save

    def handle(self, request: Request, login: Login | None = None) -> Generator[Effect, Any, Response]:
        """Answer a request as the server does."""
        ear = _Ear(self._server)
        response = yield from ear.listen(ear.server.handle(request, login))
        self._save(ear.trace(request, login, response))
        return response


class _Ear:
    """Hear one request: a copy of the server that tells what it reads, draws and digests."""

    def __init__(self, server: AuthorizationServer) -> None:
        self.stand_ins = StandIns()
        self._clock: list[float] = []
        self._entropy: list[int] = []
        self._digests: list[tuple[str, str]] = []
        self._derived: list[tuple[str, str]] = []
        self._signed: list[tuple[str, ...]] = []
        self._heard: list[tuple[Effect, Any]] = []
        self._is_signing = False
        self._original = server
        self.server = self._with_ears(server)

    def listen(self, flow: Flow[T]) -> Generator[Effect, Any, T]:
        """Hand effects out and answers in, and keep both."""
        resume: Callable[[Any], Effect] = flow.send
        answer: Any = None
        while True:
            try:
                effect = resume(answer)
            except StopIteration as end:
                return end.value  # type: ignore[no-any-return]  # StopIteration is not generic; Flow[T] says it is T
            try:
                resume, answer = flow.send, (yield effect)
            except Unanswered as failure:
                resume, answer = flow.throw, failure
            if not self._is_signing:
                self._heard.append((effect, answer))

    def trace(self, request: Request, login: Login | None, response: Response) -> Trace:
        """Give what was heard, without its secrets."""
        # Twice, since what is a secret in one place is none the less one where it stands for something public.
        base = self._original.base
        _ = redacted_request(request, self.stand_ins, base)
        redacted = redacted_request(request, self.stand_ins, base)
        steps = [
            Step(
                encode(effect, self.stand_ins),
                None if isinstance(answer, Unanswered) else encode(answer, self.stand_ins),
                str(answer) if isinstance(answer, Unanswered) else None,
            )
            for effect, answer in self._heard
        ]
        said = redacted_response(response, self.stand_ins)
        return Trace(
            settings=_settings(self._original),
            clock=self._clock,
            entropy=self._entropy,
            digests=[(kind, self._digest_of(kind, digest)) for kind, digest in self._digests],
            derived=[(proof, self.stand_ins.of_made(value)) for proof, value in self._derived],
            signed=[[self.stand_ins.of_made(jwt) for jwt in jwts] for jwts in self._signed],
            request=_request(redacted),
            login=encode(login, self.stand_ins),
            steps=steps,
            response=said,
            stand_ins=self.stand_ins.texts,
        ).scrubbed(self.stand_ins)

    def _digest_of(self, kind: str, digest: str) -> str:
        # As with what is remembered of a client's secret: it can be guessed, where somebody has chosen it.
        return self.stand_ins.of_made(digest) if kind == "client_secret" else digest

    def _with_ears(self, server: AuthorizationServer) -> AuthorizationServer:
        heard = copy.copy(server)
        heard._clock = self._told(self._clock, server._clock)
        heard._entropy = self._drawn
        heard._digest = _HeardDigester(server._digest, self._digests)
        heard._derive = _HeardDerivation(server._derive, self._derived)
        heard._sign_all = self._sign_all  # type: ignore[method-assign]  # of this copy alone
        return heard

    def _told(self, readings: list[float], clock: Callable[[], float]) -> Callable[[], float]:
        def read() -> float:
            """Read the clock."""
            readings.append(clock())
            return readings[-1]

        return read

    def _drawn(self, size: int, /) -> bytes:
        drawn = self._original._entropy(size)
        self._entropy.append(size)
        _ = self.stand_ins.of_drawn(drawn)
        return drawn

    def _sign_all(self, context: Context) -> SignAll:
        sign = self._original._sign_all(context)

        def signed(jwts: tuple[Jwt, ...]) -> Flow[tuple[str, ...]]:
            """Sign, unheard: private keys are on that way."""
            self._is_signing = True
            compact = yield from sign(jwts)
            self._is_signing = False
            self._signed.append(compact)
            return compact

        return signed


class _HeardDigester(Digester):
    """Digest, and tell."""

    __slots__ = ("_digest", "_heard")

    def __init__(self, digest: Digester, heard: list[tuple[str, str]]) -> None:
        self._digest = digest
        self._heard = heard

    def __call__(self, kind: Kind, secret: Secret) -> Digest:  # type: ignore[explicit-override]  # none in 3.11
        """Digest, and tell which kind came to what."""
        digest = self._digest(kind, secret)
        self._heard.append((kind, digest))
        return digest


class _HeardDerivation(Derivation):
    """Derive, and tell."""

    __slots__ = ("_derive", "_heard")

    def __init__(self, derive: Derivation, heard: list[tuple[str, str]]) -> None:
        self._derive = derive
        self._heard = heard
        self._keys = derive._keys

    def __call__(self, proof: Proof, secret: Secret) -> Secret:  # type: ignore[explicit-override]  # none in 3.11
        """Derive, and tell for what."""
        derived = self._derive(proof, secret)
        self._heard.append((proof, derived.reveal()))
        return derived


def _request(request: Request) -> dict[str, Any]:
    peer = None if request.peer is None else attrs.asdict(attrs.evolve(request.peer, certificate=None))
    return {
        "method": request.method,
        "target": request.target,
        "headers": [list(pair) for pair in request.headers],
        "body": request.body.decode("latin-1"),
        "peer": peer,
    }


def _settings(server: AuthorizationServer) -> dict[str, Any]:
    """Give what a server was made with, as far as it is values; the rest is the defaults of a replay."""
    settings: dict[str, Any] = {}
    for name in signature(type(server)).parameters.keys() - _NOT_SETTINGS:
        try:
            settings[name] = encode(getattr(server, name, None), StandIns())
        except TypeError:
            continue
    return {name: value for name, value in sorted(settings.items()) if value is not None}
