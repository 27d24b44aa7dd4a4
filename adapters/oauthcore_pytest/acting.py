"""Somebody at a protected route without a token: a test says who, and what the route takes is checked all the same.

Whatever protects a route, in any framework, asks `ResourceServer.find_access`. That is answered here by the access that
a test gives, and decided as always: scope, audience, and how and when the person was authenticated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import attrs

from oauthcore import Access, Request, ResourceServer, Response
from oauthcore.flow.effects import Flow, pure
from oauthcore.resource.requirement import Requirement
from oauthcore.scope import as_scope


@contextmanager
def acting_as(
    sub: str | Access | None,
    scope: str | Iterable[str] = "",
    *,
    at: ResourceServer | None = None,
    client_id: str = "test-client",
    acr: str | None = None,
    auth_time: int | None = None,
    claims: dict[str, Any] | None = None,
) -> Iterator[None]:
    """Have every request be one of somebody with that scope, in this block: at all resource servers, or at one.

    A request needs no token, and one that it has is not looked at. What a route requires is checked as ever: a route
    for another scope answers 403. `sub` is a subject, None for a client of its own, or an `Access`; its audience is
    the resource's where it has none.
    """
    given = sub if isinstance(sub, Access) else _access(sub, scope, client_id, acr, auth_time, claims or {})
    original = ResourceServer.find_access

    def find_access(self: ResourceServer, request: Request, requirement: Requirement) -> Flow[Access | Response]:
        """Decide by the access of the test."""
        if at is not None and self is not at:
            return original(self, request, requirement)
        accepted = self.audience or ()
        here = given if given.audience else attrs.evolve(given, audience=tuple(accepted))
        return pure(self.decide(here, requirement))

    _replace(find_access)
    try:
        yield
    finally:
        _replace(original)


def _replace(find_access: Callable[..., Flow[Access | Response]]) -> None:
    """Have all resource servers of this process ask that, also in threads, and those that nobody has a name for."""
    ResourceServer.find_access = find_access  # type: ignore[method-assign]  # for the time of a test


def _access(
    sub: str | None,
    scope: str | Iterable[str],
    client_id: str,
    acr: str | None,
    auth_time: int | None,
    claims: dict[str, Any],
) -> Access:
    now = int(time.time())
    return Access(
        client_id=client_id,
        subject=sub,
        scope=as_scope(scope),
        issued_at=now,
        expires_at=now + 300,
        acr=acr,
        auth_time=now if auth_time is None else auth_time,
        claims=claims,
    )
