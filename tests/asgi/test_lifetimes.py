"""Whole lifetimes of grants, through an ASGI application on event loops of its own, over a storage that is awaited."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any

import pytest
from hypothesis import settings

from oauthcore import AsyncWorld, AuthorizationServer, Request, Response, World
from oauthcore.testing import Act, GrantMachine, Lifetime
from oauthcore_asgi import OAuth
from tests.core.testing.storages import Sound


def adapter(server: AuthorizationServer, world: World) -> Callable[[Request], Response]:
    """Put a server into an ASGI application, and give how that is asked."""
    application = OAuth(server, AsyncWorld(world.storage))

    def handle(request: Request) -> Response:
        sent: list[MutableMapping[str, Any]] = []

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.request", "body": request.body}

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http",
            "method": request.method,
            "path": request.path,
            "raw_path": request.path.encode(),
            "query_string": request.query.encode(),
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in request.headers],
            "scheme": "https",
        }
        asyncio.run(application(scope, receive, send))
        start, *rest = sent
        headers = tuple((name.decode(), value.decode("latin-1")) for name, value in start["headers"])
        return Response(start["status"], headers, b"".join(message.get("body", b"") for message in rest))

    return handle


def test_an_async_host_lives_over_an_async_storage() -> None:
    lifetime = Lifetime(Sound, adapter)

    lifetime.play(
        [Act("ask"), Act("ask", subject="bob"), Act("approve"), Act("approve"), Act("redeem"), Act("refresh")]
    )
    lifetime.play([Act("redeem", which=1), Act("redeem", which=1)])

    assert [(grant.subject, grant.ended) for grant in lifetime.grants] == [("alice", False), ("bob", True)]
    lifetime.close()


class ThroughAsgi(GrantMachine):
    def lifetime(self) -> Lifetime:  # type: ignore[explicit-override]  # none in 3.11
        return Lifetime(Sound, adapter)


TestThroughAsgi = pytest.mark.slow(ThroughAsgi.TestCase)
TestThroughAsgi.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
