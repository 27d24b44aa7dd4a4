"""I2: the conformance suite of MCP finds nothing to complain of in the server that a client meets."""

from __future__ import annotations

import json
import platform
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.mcp_clients.conftest import Sites
from tests.mcp_clients.site import Site
from tests.ports import free_port
from tests.processes import PATIENCE, line_of, running
from tests.relying_parties.browser import Browser

pytestmark = pytest.mark.slow

MODULES = Path(__file__).parent / "conformance" / "node_modules"
SUITE = MODULES / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
# The suite needs a newer Node than is everywhere: it is installed beside it.
NODE = MODULES / f"node-linux-{ {'x86_64': 'x64', 'aarch64': 'arm64'}.get(platform.machine()) }" / "bin" / "node"


def checks(site: Site, folder: Path) -> Iterator[dict[str, Any]]:
    """Run its authorization scenarios, approve where it asks somebody to, and return every check it made."""
    if not (NODE.exists() and SUITE.exists()):
        pytest.skip("the suite is not installed: npm ci in tests/mcp_clients/conformance")
    mcp, port = site.demo.mcp, free_port()
    assert mcp is not None
    # A public client: it sends no secret where a server offers `none`, even if it was given one.
    client = ["--client-id", "none", "--resource", mcp.url, "--port", str(port)]
    command = [str(NODE), str(SUITE), "authorization", "--url", site.demo.server.issuer, *client, "-o", str(folder)]
    approve = f"{site.origin}{site.demo.server.base}{site.demo.server.paths.authorization}?"
    said: list[str] = []
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        while line := line_of(process):
            said.append(line)
            if line.startswith(approve):
                with Browser(site.origin, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)) as browser:
                    httpx.get(browser.open(line.strip()).url, trust_env=False)
        status = process.wait(PATIENCE)
    assert status == 0, "".join(said)
    for file in sorted(folder.rglob("checks.json")):
        yield from json.loads(file.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", ["", "/tenant"])
def test_i2_authorization_scenarios_pass(sites: Sites, tmp_path: Path, path: str) -> None:
    found = {check["id"]: check["status"] for check in checks(sites.at("h11", path), tmp_path)}

    assert found == {
        "authorization-server-metadata": "SUCCESS",
        "authorization-server-metadata-cimd": "SUCCESS",
        "authorization-code-grant": "SUCCESS",
    }
