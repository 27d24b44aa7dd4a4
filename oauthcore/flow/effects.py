"""Effects: everything that the core needs from outside, as frozen values in a closed set.

A flow is a generator that yields effects, is resumed with their answers, and returns its result. It yields only through
the helpers below, by `yield from`, so that every answer has a type. If an effect fails, `EffectFailed` is raised where
it was yielded.

These are the only `yield`s of the core; a new effect is a design decision.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeAlias, TypeVar

import attrs

from oauthcore.digest import Secret
from oauthcore.flow.outcome import Change, Event, R, S
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.per_request import per_request
from oauthcore.records.record import Record
from oauthcore.wire.http import Outgoing, Response


@per_request
class Find(Generic[R]):
    """Ask storage for the record of a kind under a key."""

    kind: type[R]
    key: str


@attrs.frozen
class FindOf(Generic[S]):
    """Ask storage for every record of a kind with that subject."""

    kind: type[S]
    subject: str


@per_request
class Commit:
    """Ask storage for all of the changes at once, or none; the events are for the audit log, once it is done."""

    changes: Sequence[Change]
    events: Sequence[Event] = ()


@attrs.frozen
class Authenticate:
    """Ask the application whose username and password these are (RFC 6749 section 4.3)."""

    username: str
    password: Secret


def _records(records: Iterable[Record]) -> tuple[Record, ...]:
    return tuple(records)


@attrs.frozen
class AuthenticatedUser:
    """Answer `Authenticate` with the subject, and with the records of the same storage that this was concluded from.

    `relying_on` are those records as they were read before the password was verified. What is issued to the user is
    committed only if they are unchanged: if the password was changed meanwhile, or the user removed, nothing is.
    """

    subject: str
    relying_on: tuple[Record, ...] = attrs.field(default=(), converter=_records)


@attrs.frozen
class Throttled:
    """Answer `Authenticate` with neither yes nor no: too much was tried, and nothing is looked at for some seconds."""

    seconds: int


@attrs.frozen
class Fetch:
    """Ask for the answer of another server, by HTTPS: always before a commit, and never between two tries of one."""

    request: Outgoing


@attrs.frozen
class Sign:
    """Ask for tokens to be signed, each by the key beside it: work for a processor, which a host may do elsewhere."""

    jwts: tuple[tuple[Jwt, Jwk], ...]


@attrs.frozen
class GenerateKey:
    """Ask for a fresh signing key for an algorithm: with RSA, work for a tenth of a second and more."""

    alg: str


@per_request
class Claims:
    """Request the claims of a user from the application (OIDC Core section 5.1), and whether the user still exists.

    `names` are the claims that may be released, `client_id` is the client that gets them, `locales` are the preferred
    languages, the best first (OIDC Core section 5.2). Additional claims in the answer are dropped. Without `names` the
    question is only whether the user exists: at each refresh, and for each token that is looked up.
    """

    subject: str
    client_id: str
    names: tuple[str, ...]
    locales: tuple[str, ...] = ()


@attrs.frozen
class Identify:
    """Ask the application whom a client means by its `login_hint` (OpenID CIBA Core section 7.1)."""

    login_hint: str
    client_id: str


@attrs.frozen
class KnownUser:
    """Answer `Claims` with the claims, and with the records of the same storage that they were taken from.

    If it depends on the claims whether the user may use the client, what is issued is committed only if those records
    are unchanged: if the user left a group meanwhile, nothing is.
    """

    claims: Mapping[str, object]
    relying_on: tuple[Record, ...] = attrs.field(default=(), converter=_records)


ClaimsAnswer: TypeAlias = Mapping[str, object] | KnownUser | None
"""What a host answers `Claims` with; claims alone rely on no record, and None is for a user who does not exist."""

AuthenticateAnswer: TypeAlias = str | AuthenticatedUser | Throttled | None
"""What a host answers `Authenticate` with; a subject alone relies on no record."""

# A closed set, so that `assert_never` in the drivers proves that each effect is answered.
Effect: TypeAlias = Find[Any] | FindOf[Any] | Commit | Authenticate | Fetch | Sign | GenerateKey | Claims | Identify

T = TypeVar("T")
Flow: TypeAlias = Generator[Effect, Any, T]


def find(kind: type[R], key: str) -> Flow[R | None]:
    """Find a record; return None if it does not exist."""
    record: R | None = yield Find(kind, key)
    return record


def find_all(kind: type[R], keys: Sequence[str]) -> Flow[tuple[R, ...]]:
    """Find records by their keys; return those that exist, in that order."""
    found: list[R] = []
    for key in keys:
        record: R | None = yield Find(kind, key)
        if record is not None:
            found.append(record)
    return tuple(found)


def find_of(kind: type[S], subject: str) -> Flow[Sequence[S]]:
    """Find every record of a kind with that subject."""
    records: Sequence[S] = yield FindOf(kind, subject)
    return records


def commit(changes: Sequence[Change], events: Sequence[Event] = ()) -> Flow[bool]:
    """Commit changes, all or none: False where a precondition no longer holds."""
    done: bool = yield Commit(changes, events)
    return done


def authenticate(username: str, password: Secret) -> Flow[AuthenticatedUser | Throttled | None]:
    """Return whose username and password these are, None if no user's, or when to try again."""
    answer: AuthenticateAnswer = yield Authenticate(username, password)
    return AuthenticatedUser(answer) if isinstance(answer, str) else answer


def identify(login_hint: str, client_id: str) -> Flow[str | None]:
    """Return the subject of the user whom a client means, None if there is no such user."""
    subject: str | None = yield Identify(login_hint, client_id)
    return subject


def fetch(request: Outgoing) -> Flow[Response]:
    """Return another server's response, whatever its status; its content is not verified."""
    answer: Response = yield Fetch(request)
    return answer


def sign(jwts: tuple[tuple[Jwt, Jwk], ...]) -> Flow[tuple[str, ...]]:
    """Return the tokens in compact serialisation, in their order."""
    signed: tuple[str, ...] = yield Sign(jwts)
    return signed


def generate_key(alg: str) -> Flow[Jwk]:
    """Return a fresh private key for an algorithm."""
    key: Jwk = yield GenerateKey(alg)
    return key


def claims(effect: Claims) -> Flow[ClaimsAnswer]:
    """Return the claims that the application has of a user, or None if the user does not exist (any more)."""
    known: ClaimsAnswer = yield effect
    return known


def pure(result: T) -> Flow[T]:
    """Return a flow that yields no effect, with this result."""
    yield from ()
    return result
