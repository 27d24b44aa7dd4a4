"""I3: an MCP client's steps meet three replicas on one PostgreSQL in turn, each killed once it has answered a step."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import anyio
import pytest

from tests.mcp.replicas import COUNT, Balancer, Kind, replicated
from tests.mcp.site import Host, Site
from tests.scale import scaled
from tests.servers.postgresql import PostgreSql

pytestmark = pytest.mark.slow

# What a person's browser and a client do, one after the other; every page and every answer is somebody else's.
STEPS = ("POST /register", "POST /login", "POST /approve", "POST /token", "POST /mcp")


# They differ in where tokens are looked up, which test_tls_proxy.py walks through as well; `nox -s long` has all three.
@pytest.mark.long
@pytest.mark.parametrize("kind", ["together", "jwt", "introspected"][: scaled(1, 3)])
def test_i3_client_logs_in_calls_refreshes_and_steps_up_while_replicas_are_killed(
    kind: Kind, postgresql: PostgreSql, tmp_path: Path
) -> None:
    storage = postgresql.url("psycopg", postgresql.database())

    async def scenario() -> tuple[Host, Balancer]:
        async with replicated(kind, storage, tmp_path / "as", STEPS) as (origin, balancer):
            nowhere: Any = None  # nothing of them is in this process
            host = Host(Site(issuer=origin, url=f"{origin}/mcp", server=nowhere, world=nowhere, requests=[]))

            [first] = await host.call("read")
            assert host.memory.tokens is not None
            token = host.memory.tokens.access_token
            host.expire()
            [second] = await host.call("read")

            assert host.memory.tokens.access_token != token
            assert first == second
            assert await host.call("read", "delete") == [first, "a.txt is gone"]
        return host, balancer

    host, balancer = anyio.run(scenario)

    # The client asks for offline_access, too, where OpenID Connect has the metadata name it.
    scopes = [set(asked["scope"].split()) - {"offline_access"} for asked in host.person.asked]
    assert scopes == [{"files:read"}, {"files:read", "files:write"}]
    assert len(balancer.replicas_of("POST /register")) == 1
    assert len(balancer.replicas_of("POST /token")) == 3
    for replicas, lines in balancer.groups(STEPS):
        answered = balancer.replicas_of(*lines)
        assert all(here != there for here, there in pairwise(answered))
        assert set(answered) == set(range(COUNT))
        assert replicas.killed == len(answered)
