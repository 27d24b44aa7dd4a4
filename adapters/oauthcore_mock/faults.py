"""The faults of an issuer for tests: each applies to one request, and is reported if there was no such request."""

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
    "device_authorization",
    "pushed_authorization_request",
]
ENDPOINTS: tuple[str, ...] = get_args(EndpointName)
TOKENS: tuple[str, ...] = get_args(TokenName)


@attrs.frozen
class ErrorCode:
    """Answer with an OAuth error, in the form of the endpoint."""

    code: str
    description: str = "The test wants it so."


@attrs.frozen
class Status:
    """Answer with a status and a line of text, as a proxy in front of a provider does."""

    status: int


@attrs.frozen
class Slow:
    """Answer as usual, but `seconds` later."""

    seconds: float


@attrs.frozen
class Malformed:
    """Answer with status 200 and truncated JSON."""


@attrs.frozen
class Body:
    """Answer with a body that the test sets."""

    body: str
    status: int = 200
    content_type: str = "application/json"


@attrs.frozen
class Flawed:
    """Put a flaw into the next token of a kind that is issued."""

    flaw: FlawName


@attrs.frozen
class Revoked:
    """Revoke the next access token as soon as it is issued."""


Fault: TypeAlias = ErrorCode | Status | Slow | Malformed | Body | Flawed | Revoked
F = TypeVar("F", Flawed, Revoked)


def fault_of(target: str, what: str | int | Fault) -> Fault:
    """Parse a fault: a status, an error code, the name of a flaw, or a fault; raises `ConfigurationError`."""
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
    """Keep the faults of one issuer until a request uses them, in order for each target."""

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Fault]] = {}

    def add(self, target: str, fault: Fault, times: int = 1) -> None:
        """Queue a fault for the next requests of an endpoint, or the next tokens of a kind."""
        if times < 1:
            raise ConfigurationError("times", times, "use 1 or more")
        self._waiting.setdefault(target, deque()).extend([fault] * times)

    def take(self, target: str) -> Fault | None:
        """Return the next fault of an endpoint or kind of token; None if there is none."""
        waiting = self._waiting.get(target)
        return waiting.popleft() if waiting else None

    def take_if(self, target: str, kind: type[F]) -> F | None:
        """Return the next fault of a kind of token if it is of the given class."""
        waiting = self._waiting.get(target)
        if not waiting or not isinstance(waiting[0], kind):
            return None
        first = waiting.popleft()
        return first if isinstance(first, kind) else None

    @property
    def unmet(self) -> list[str]:
        """Return descriptions of the faults that were not used."""
        return [f"{target}: {fault}" for target, faults in self._waiting.items() for fault in faults]

    def clear(self) -> None:
        """Remove all queued faults."""
        self._waiting.clear()
