"""Requests to a protected route without a token: a test names the user, and the route's requirements are still checked.

In every framework, a protected route calls `ResourceServer.find_access`. Within the block this returns the access that
a test gives, and the decision is made as always: scope, audience, and how and when the user was authenticated.
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
    """Let every request in this block act for a user with that scope: at all resource servers, or at one.

    A request needs no token, and a token that it has is ignored. What a route requires is checked as always: a route
    for another scope answers 403. `sub` is a subject, None for a client's own access, or an `Access`; its audience is
    by default the resource's.
    """
    given = sub if isinstance(sub, Access) else _access(sub, scope, client_id, acr, auth_time, claims or {})
    original = ResourceServer.find_access

    def find_access(self: ResourceServer, request: Request, requirement: Requirement) -> Flow[Access | Response]:
        """Return the access of the test if it is sufficient."""
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
    """Let all resource servers of this process use it, also in threads, and those without a name."""
    ResourceServer.find_access = find_access  # type: ignore[method-assign]  # during a test


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
