"""Faults of an issuer for tests: each is for one request, and says so if none has met it."""

from __future__ import annotations

from collections import deque
from typing import Literal, TypeAlias, TypeVar, get_args

import attrs

from oauthcore import ConfigurationError
from oauthcore_mock.flaws import FLAWS, FlawName, TokenName

EndpointName: TypeAlias = Literal[
    "authorization",
    "token",
    "userinfo",
    "introspection",
    "revocation",
    "registration",
    "jwks",
    "metadata",
    "end_session",
]
ENDPOINTS: tuple[str, ...] = get_args(EndpointName)
TOKENS: tuple[str, ...] = get_args(TokenName)


@attrs.frozen
class ErrorCode:
    """Answer with an OAuth error, in the form that the endpoint has for it."""

    code: str
    description: str = "The test wants it so."


@attrs.frozen
class Status:
    """Answer with a status and a line of text, as whatever stands in front of a provider does."""

    status: int


@attrs.frozen
class Slow:
    """Answer as usual, `seconds` later."""

    seconds: float


@attrs.frozen
class Malformed:
    """Answer with status 200 and JSON that ends in the middle."""


@attrs.frozen
class Body:
    """Answer with a body of the test's own."""

    body: str
    status: int = 200
    content_type: str = "application/json"


@attrs.frozen
class Flawed:
    """Have one thing wrong in the next token of a kind that is issued."""

    flaw: FlawName


@attrs.frozen
class Revoked:
    """Revoke the next access token as soon as it is issued."""


Fault: TypeAlias = ErrorCode | Status | Slow | Malformed | Body | Flawed | Revoked
F = TypeVar("F", Flawed, Revoked)


def fault_of(target: str, what: str | int | Fault) -> Fault:
    """Read what a test says: a status, an error code, a flaw by its name, or a fault; raises `ConfigurationError`."""
    if target in TOKENS:
        return _token_fault(target, what)
    if target not in ENDPOINTS:
        known = ", ".join((*ENDPOINTS, *TOKENS))
        raise ConfigurationError("endpoint", target, f"use one of {known}")
    match what:
        case int():
            return Status(what)
        case str():
            return Malformed() if what == "malformed" else ErrorCode(what)
        case Flawed() | Revoked():
            raise ConfigurationError("fault", what, "name what it is for: id_token or access_token")
        case _:
            return what


def _token_fault(target: str, what: str | int | Fault) -> Fault:
    if what == "revoked" and target == "access_token":
        return Revoked()
    for name, flaw in FLAWS.items():
        if what in {name, Flawed(name)} and target in flaw.tokens:
            return Flawed(name)
    known = [name for name, flaw in FLAWS.items() if target in flaw.tokens]
    more = ["revoked"] if target == "access_token" else []
    raise ConfigurationError("fault", what, f"use one of {', '.join([*known, *more])}")


class Faults:
    """Keep the faults of one issuer until a request meets them, those of each target in order."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {}

    def add(self, target: str, fault: Fault, times: int = 1) -> None:
        """Have a fault wait for the next requests of that endpoint, or tokens of that name."""
        if times < 1:
            raise ConfigurationError("times", times, "use 1 or more")
        self._waiting.setdefault(target, deque()).extend([fault] * times)

    def take(self, target: str) -> Fault | None:
        """Return the next fault of an endpoint or token, None if there is none."""
        waiting = self._waiting.get(target)
        return waiting.popleft() if waiting else None

    def take_if(self, target: str, kind: type[F]) -> F | None:
        """Return the next fault of a token if it is of that kind."""
        waiting = self._waiting.get(target)
        if not waiting or not isinstance(waiting[0], kind):
            return None
        first = waiting.popleft()
        return first if isinstance(first, kind) else None

    @property
    def unmet(self) -> list[str]:
        """Return in words the faults that no request has met."""
        return [f"{target}: {fault}" for target, faults in self._waiting.items() for fault in faults]

    def clear(self) -> None:
        """Forget those that wait."""
        self._waiting.clear()
