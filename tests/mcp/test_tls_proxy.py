"""I3: real clients walk through `oauthcore serve` and an MCP server that are behind nginx, which ends TLS.

The authorization server is a process that knows its https issuer by its file alone, at the root of the proxy's host or
below a path; the MCP server asks it about tokens through the proxy.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import attrs
import httpx
import pytest

from oauthcore_fetch import Fetcher
from tests.mcp.replicas import Kind, block_of, installed, mcp_app
from tests.mcp.site import Host, Site, asgi, listening
from tests.mcp_clients.conftest import converse, skip_without_clients
from tests.mcp_clients.site import CALLBACK, Clock, metadata
from tests.ports import free_port
from tests.processes import PATIENCE
from tests.relying_parties.browser import Browser
from tests.servers.nginx import Nginx

pytestmark = pytest.mark.slow

# As docs/mcp.md has it.
LOCATIONS = block_of("nginx")
FORGED = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "X-Forwarded-Port": "80"},
    {"Forwarded": "host=evil.example;proto=http", "X-Forwarded-Prefix": "/evil"},
]


@attrs.frozen
class Behind:
    """Say what is behind the proxy: by which URLs it is known, and at which ports it really listens."""

    issuer: str
    url: str
    trust: ssl.SSLContext
    ca_file: Path
    server_port: int
    mcp_port: int

    @property
    def origin(self) -> str:
        """Return the proxy's own URL."""
        return self.url.removesuffix("/mcp")


@asynccontextmanager
async def behind(
    nginx: Callable[[int, str], Nginx], ca_file: Path, folder: Path, path: str, kind: Kind
) -> AsyncIterator[Behind]:
    """Serve both behind a proxy."""
    port, at = free_port(), listening()
    issuer, url = f"https://localhost:{port}{path}", f"https://localhost:{port}/mcp"
    installation = installed(folder / "as", issuer, url, "sqlite:oauthcore.db", jwt=kind == "jwt")
    app = mcp_app(kind, issuer, url, fetcher=Fetcher(allow=["localhost"], ca_file=ca_file))
    with installation.serving() as server:
        server_port, mcp_port = int(server.bind.rpartition(":")[2]), at.getsockname()[1]
        nginx(port, LOCATIONS.replace(":8000;", f":{server_port};").replace(":8001;", f":{mcp_port};"))
        async with asgi(app, at):
            trust = ssl.create_default_context(cafile=ca_file)
            yield Behind(issuer, url, trust, ca_file, server_port, mcp_port)


@pytest.fixture(params=[("", "introspected"), ("/tenant", "jwt")], ids=["root", "path"])
def walk_behind(
    request: pytest.FixtureRequest, nginx: Callable[[int, str], Nginx], ca_file: Path, tmp_path: Path
) -> Callable[[Callable[[Behind], Awaitable[None]]], None]:
    """Return what runs a scenario behind the proxy: an issuer at its root, and one with a path."""
    path, kind = request.param

    async def run(scenario: Callable[[Behind], Awaitable[None]]) -> None:
        async with behind(nginx, ca_file, tmp_path, path, kind) as site:
            await scenario(site)

    return lambda scenario: anyio.run(run, scenario)


Run = Callable[[Callable[[Behind], Awaitable[None]]], None]


def test_i3_python_client_logs_in_calls_refreshes_and_steps_up_through_a_tls_proxy(walk_behind: Run) -> None:
    async def scenario(site: Behind) -> None:
        nowhere: Any = None  # nothing of the server is in this process
        known = Site(issuer=site.issuer, url=site.url, server=nowhere, world=nowhere, requests=[])
        host = Host(known, trust=site.trust)

        [first] = await host.call("read")
        assert host.memory.tokens is not None
        token = host.memory.tokens.access_token
        host.expire()

        assert await host.call("read", "delete") == [first, "a.txt is gone"]
        assert host.memory.tokens.access_token != token
        assert [asked["resource"] for asked in host.person.asked] == [site.url] * 2

    walk_behind(scenario)


@pytest.mark.parametrize("sdk", ["v1", "v2"])
def test_i3_typescript_client_logs_in_calls_and_refreshes_through_a_tls_proxy(walk_behind: Run, sdk: str) -> None:
    """I3: the second SDK also steps up; the first asks for no more than it had, unless its application tells it to."""
    skip_without_clients()

    async def scenario(site: Behind) -> None:
        result = await anyio.to_thread.run_sync(walk, site, sdk)

        assert result["tools"] == ["read", "delete"]
        assert result["whoami"].startswith("a.txt for ")
        assert result["refreshed"]["access_token"] not in {"spoilt", result["first"]["access_token"]}
        assert result["refreshed"]["refresh_token"] != result["first"]["refresh_token"]
        assert result.get("wrote") == ("a.txt is gone" if sdk == "v2" else None)
        assert len(result["authorizations"]) == (2 if sdk == "v2" else 1)

    walk_behind(scenario)


def walk(site: Behind, sdk: str) -> dict[str, Any]:
    """Let a Node program be a client that registers itself."""
    call = {"path": "a.txt"}
    job: dict[str, Any] = {"flow": "walk", "sdk": sdk, "url": site.url, "redirect_uri": CALLBACK}
    job |= {"metadata": metadata("none", None), "spoil": True, "step_up": sdk == "v2"}
    job["tools"] = {"whoami": ["read", call], "read_note": ["read", call], "write_note": ["delete", call]}
    with Browser(site.origin, site.trust) as browser:
        return converse(Clock(), browser, job, {"NODE_EXTRA_CA_CERTS": str(site.ca_file)})


def test_a7_metadata_and_challenges_behind_a_tls_proxy_name_https_whatever_a_request_says(walk_behind: Run) -> None:
    async def scenario(site: Behind) -> None:
        path = site.issuer.removeprefix(site.origin)
        documents = f"/.well-known/oauth-authorization-server{path}", "/.well-known/oauth-protected-resource/mcp"
        # Those who forge may come by the proxy, or past it.
        for base, ports in ((site.origin, (None, None)), ("", (site.server_port, site.mcp_port))):
            async with httpx.AsyncClient(verify=site.trust, trust_env=False, timeout=PATIENCE) as http:
                for document, port in zip(documents, ports, strict=True):
                    place = (base or f"http://127.0.0.1:{port}") + document
                    honest = (await http.get(place)).json()
                    urls = [value for value in honest.values() if isinstance(value, str) and "//" in value]
                    assert urls and all(url.startswith(site.origin) for url in urls), urls
                    for headers in FORGED:
                        assert (await http.get(place, headers=headers)).json() == honest
                for headers in [{}, *FORGED]:
                    place = (base or f"http://127.0.0.1:{ports[1]}") + "/mcp"
                    challenge = (await http.post(place, headers=headers)).headers["www-authenticate"]
                    assert f'resource_metadata="{site.origin}{documents[1]}"' in challenge
                    assert "evil" not in challenge

    walk_behind(scenario)
