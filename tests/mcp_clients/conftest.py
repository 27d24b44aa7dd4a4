"""Node programs that are MCP clients, the person whom they send to the server, and the servers that they meet."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest

from tests.mcp_clients.site import CALLBACK, HOSTS, SECRET, Clock, Site, document_url, metadata
from tests.processes import line_of, running
from tests.relying_parties.browser import Browser

HERE = Path(__file__).parent
NODE = shutil.which("node")
INSTALLED = (HERE / "node_modules" / "@modelcontextprotocol" / "client").is_dir()

Walk: TypeAlias = Callable[..., dict[str, Any]]


def skip_without_clients() -> None:
    """Skip a test where no Node program can be a client."""
    if NODE is None:
        pytest.skip("there is no node here")
    if not INSTALLED:
        pytest.skip("the clients are not installed: npm ci in tests/mcp_clients")


@attrs.define
class Sites:
    """Serve each site once, from when it is first needed."""

    ending: ExitStack
    serving: dict[tuple[str, str], Site] = attrs.Factory(dict)

    def at(self, host: str, path: str) -> Site:
        """Return the site on that host whose issuer has that path."""
        if (host, path) not in self.serving:
            self.serving[host, path] = self.ending.enter_context(HOSTS[host](path))
        return self.serving[host, path]


@pytest.fixture(scope="session")
def sites() -> Iterator[Sites]:
    """Return what serves."""
    with ExitStack() as ending:
        yield Sites(ending)


@pytest.fixture
def walk(sites: Sites) -> Walk:
    """Let a Node program be a client of a site, for alice."""
    skip_without_clients()

    def walk_with(sdk: str, registration: str, method: str, host: str, path: str, **job: Any) -> dict[str, Any]:
        site = sites.at(host, path)
        mcp = site.demo.mcp
        assert mcp is not None
        job |= {"flow": "walk", "sdk": sdk, "url": mcp.url, "redirect_uri": CALLBACK}
        job["metadata"] = metadata(method, site.key)
        if method == "private_key_jwt":
            job["key"] = dict(site.key.members)
        if registration == "registered":
            secret = {"client_secret": SECRET} if "secret" in method else {}
            # Where the application doesn't say which method is the client's, the SDKs take Basic.
            job["client"] = {"client_id": method, "token_endpoint_auth_method": method, **secret}
        if registration == "publishes":
            job["client_metadata_url"] = document_url(method)
        # Nothing is asked over TLS.
        with Browser(site.origin, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
            try:
                return converse(site.clock, browser, job)
            finally:
                # The next client's clock, by which it says until when its assertions are good, is nobody's to turn.
                site.clock.ahead = 0

    return walk_with


def converse(
    clock: Clock, browser: Browser, job: dict[str, Any], environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Tell the program what to do, walk for it and turn the clock, until it says what it has got."""
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
    command, more = [str(NODE), str(HERE / "walk.mjs")], {**os.environ, **(environment or {})}
    with running(command, env=more, **streams) as process:
        assert process.stdin is not None
        message = job
        while True:
            process.stdin.write(json.dumps(message) + "\n")
            process.stdin.flush()
            line = line_of(process)
            assert line, process.stderr and process.stderr.read()
            said = json.loads(line)
            assert "error" not in said, (said, browser.visited)
            if "result" in said:
                result: dict[str, Any] = said["result"]
                return result
            if "later" in said:
                clock.ahead += said["later"]
                message = {}
            else:
                message = {"callback": browser.open(said["url"]).url}
