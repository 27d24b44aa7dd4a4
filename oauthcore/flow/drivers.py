"""Drivers: run a flow by answering its effects, in a blocking or in an async host.

A third driver, a scheduler that runs any interleaving of flows and fails any step, is `oauthcore.testing.interleave`.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import cache
from types import CoroutineType, GeneratorType
from typing import Any, TypeAlias, TypeVar, assert_never

import attrs

from oauthcore.digest import Secret
from oauthcore.errors import ConfigurationError, EffectFailed
from oauthcore.flow.effects import (
    Authenticate,
    AuthenticateAnswer,
    Claims,
    ClaimsAnswer,
    Commit,
    Effect,
    Fetch,
    Find,
    FindOf,
    Flow,
    GenerateKey,
    Identify,
    Sign,
)
from oauthcore.flow.outcome import Event
from oauthcore.flow.storage import AsyncStorage, Storage
from oauthcore.given import check_kind, shown
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.wire.http import Outgoing, Response

T = TypeVar("T")
Audit: TypeAlias = Callable[[Event], None]


def _nobody(username: str, password: Secret) -> str | None:
    return None


def _no_audit(event: Event) -> None:
    return None


def _no_fetcher(request: Outgoing) -> Response:
    raise ConfigurationError("fetch", None, "give the world a fetcher, such as oauthcore_fetch.Fetcher()")


def _no_claims(effect: Claims) -> Mapping[str, object]:
    return {}


def _no_one_meant(effect: Identify) -> str | None:
    return None


def _sign_in_place(effect: Sign) -> tuple[str, ...]:
    return crypto.sign(effect.jwts)


def _is_storage(_: object, field: attrs.Attribute[Any], value: object) -> None:
    if isinstance(value, type) or not callable(getattr(value, "find", None)):
        raise ConfigurationError(field.name, shown(value), "give a storage, as in MemoryStorage()")


@attrs.frozen
class World:
    """Hold what answers the effects of a blocking host.

    `authenticate` returns the subject for a username and password, or an `AuthenticatedUser` with the records that this
    was concluded from; None if they are wrong, or `Throttled` (for the password grant, and for login pages). `audit` is
    called with each event after its commit, and must not raise. `fetch` sends requests to other servers: for
    introspection elsewhere, and for the keys and requests that clients publish. `claims` returns the claims of a user
    (OIDC Core section 5.1), or a `KnownUser` with the records that they were taken from, and None for a user who does
    not exist any more, whose tokens are then invalid; without it, every user exists. `sign` signs tokens and
    `generate_key` creates keys; the defaults do so on this thread, which RSA blocks for a while.
    `identify` returns the subject whom a client means by a `login_hint` (OpenID CIBA Core section 7.1), None if there
    is no such user.
    """

    storage: Storage = attrs.field(validator=_is_storage)
    authenticate: Callable[[str, Secret], AuthenticateAnswer] = _nobody
    audit: Audit = _no_audit
    # By default other servers are not asked at all: a fetcher has to restrict where it connects to (SSRF), and this is
    # for the host to choose.
    fetch: Callable[[Outgoing], Response] = _no_fetcher
    claims: Callable[[Claims], ClaimsAnswer] = _no_claims
    sign: Callable[[Sign], tuple[str, ...]] = _sign_in_place
    generate_key: Callable[[str], Jwk] = crypto.generate
    identify: Callable[[Identify], str | None] = _no_one_meant


@attrs.frozen
class AsyncWorld:
    """Hold what answers an async host's flows; each answer may be awaitable or plain."""

    storage: Storage | AsyncStorage = attrs.field(validator=_is_storage)
    authenticate: Callable[[str, Secret], Awaitable[AuthenticateAnswer] | AuthenticateAnswer] = _nobody
    audit: Audit = _no_audit
    fetch: Callable[[Outgoing], Awaitable[Response] | Response] = _no_fetcher
    claims: Callable[[Claims], Awaitable[ClaimsAnswer] | ClaimsAnswer] = _no_claims
    sign: Callable[[Sign], Awaitable[tuple[str, ...]] | tuple[str, ...]] = _sign_in_place
    generate_key: Callable[[str], Awaitable[Jwk] | Jwk] = crypto.generate
    identify: Callable[[Identify], Awaitable[str | None] | str | None] = _no_one_meant


def check_world(world: object) -> None:
    """Raise `ConfigurationError` for what is no world; a storage alone, for one, is what a world holds."""
    check_kind("world", world, (World, AsyncWorld), "give a World(storage) or an AsyncWorld(storage)")


def check_fetches(world: World | AsyncWorld) -> None:
    """Raise `ConfigurationError` if the world has no `fetch` and the server's metadata promises what needs it.

    (MCP's checklist, A4: client ID metadata documents are announced only if they can be fetched.)
    """
    check_world(world)
    if world.fetch is _no_fetcher:
        remedy = "give the world a fetcher, such as oauthcore_fetch.Fetcher(), or leave client_id_metadata out"
        raise ConfigurationError("fetch", None, remedy)


def run(flow: Flow[T], world: World) -> T:
    """Run a flow to its result, answering each effect by a blocking call."""
    if type(world) is not World:
        check_world(world)
    # Only the resume is guarded: an exception of the outside must not be taken for the flow's own, nor StopIteration
    # for its end.
    send = resume = flow.send
    storage = world.storage
    answer: Any = None
    while True:
        try:
            effect = resume(answer)
        except StopIteration as result:
            return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; Flow[T] says it is T
        try:
            resume = send
            # Nearly all effects are one of these three, which are answered without another call.
            if type(effect) is Find:
                answer = storage.find(effect.kind, effect.key)
            elif type(effect) is Commit:
                # Events without changes need no round trip.
                answer = storage.commit(effect.changes) if effect.changes else True
                # Only after the commit has succeeded: an audit log must not record what did not happen.
                if answer is True:
                    for event in effect.events:
                        world.audit(event)
            elif type(effect) is Claims:
                answer = world.claims(effect)
            else:
                answer = answer_to(effect, world)
        except Exception as failure:  # whatever the outside raised, the flow decides what becomes of it
            resume, answer = flow.throw, _unanswered(effect, failure)


async def arun(flow: Flow[T], world: World | AsyncWorld) -> T:
    """Run a flow to its result, awaiting the answers that are awaitable and taking the others as they are."""
    if type(world) is not AsyncWorld:
        check_world(world)
    send = resume = flow.send
    storage = world.storage
    answer: Any = None
    while True:
        try:
            effect = resume(answer)
        except StopIteration as result:
            return result.value  # type: ignore[no-any-return]  # StopIteration is not generic; Flow[T] says it is T
        try:
            resume = send
            answer = storage.find(effect.kind, effect.key) if type(effect) is Find else answer_to(effect, world)
            kind = answer.__class__
            # Mostly it is what an `async def` returns, or no awaitable at all.
            if kind is CoroutineType or (_may_be_awaited(kind) and inspect.isawaitable(answer)):
                answer = await answer
            if answer is True and type(effect) is Commit:
                for event in effect.events:
                    world.audit(event)
        except Exception as failure:  # whatever the outside raised, the flow decides what becomes of it
            resume, answer = flow.throw, _unanswered(effect, failure)


def answer_to(effect: Effect, world: World | AsyncWorld) -> Any:
    """Ask the world one effect's question; the answer may be awaitable if the world is async."""
    # In the order of how many there are; a `match` would take three times as long.
    if isinstance(effect, Commit):
        # Events without changes need no round trip.
        return world.storage.commit(effect.changes) if effect.changes else True
    if isinstance(effect, Find):
        return world.storage.find(effect.kind, effect.key)
    if isinstance(effect, Claims):
        return world.claims(effect)
    if isinstance(effect, Authenticate):
        return world.authenticate(effect.username, effect.password)
    if isinstance(effect, FindOf):
        return world.storage.find_of(effect.kind, effect.subject)
    if isinstance(effect, Fetch):
        return world.fetch(effect.request)
    if isinstance(effect, Sign):
        return world.sign(effect)
    if isinstance(effect, GenerateKey):
        return world.generate_key(effect.alg)
    if isinstance(effect, Identify):
        return world.identify(effect)
    assert_never(effect)


@cache
def _may_be_awaited(kind: type) -> bool:
    """Return whether an answer of this type may have to be awaited: found out once for each, as there are few."""
    return issubclass(kind, Awaitable | GeneratorType)


def _unanswered(effect: Effect, failure: Exception) -> EffectFailed:
    # What is wrong with a setting is for the operator to read, and has no secret in it.
    reason = str(failure) if isinstance(failure, ConfigurationError) else type(failure).__name__
    error = EffectFailed(f"{type(effect).__name__} failed: {reason}")
    # The cause is for the log. Its text may name a table or a host, so no response has it.
    error.__cause__ = failure
    return error
