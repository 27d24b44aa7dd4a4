"""What is said of clients agrees with what they do: the clients themselves meet each planted fault."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import anyio
import httpx
import pytest
from mcp.client.auth import utils as mcp_client
from mcp.client.auth.exceptions import OAuthFlowError

from oauthcore import Outgoing, Response
from oauthcore_doctor import CLIENTS, Report, Severity
from tests.doctor.deployments import Deployment, good
from tests.doctor.faults import FAULTS, ISSUER

NODE = shutil.which("node")
OPENID_CLIENT = (
    Path(__file__).parent.parent / "relying_parties" / "node_modules" / "openid-client" / "build" / "index.js"
)
# Those at the issuer that the clients here are given.
NAMES = [name for name, fault in FAULTS.items() if not fault.path]


@cache
def broken(name: str) -> tuple[Deployment, Report]:
    """Return a deployment with a fault, or with none, and what the doctor says of it."""
    root = good("root, openid, mcp")
    deployment = FAULTS[name].plant(root) if name else root
    return deployment, deployment.examine()


def predicted(report: Report, client: str) -> bool:
    """Return whether a client is said to fail."""
    return any(client in trouble.name for trouble in report.clients)


def is_sick(report: Report) -> bool:
    """Return whether the doctor finds an error at all."""
    return report.worst() is Severity.ERROR


def ask_as_mcp(deployment: Deployment) -> str | None:
    """Discover as MCP's Python SDK does; return why it fails."""
    for url in mcp_client.build_oauth_authorization_server_metadata_discovery_urls(ISSUER, f"{ISSUER}/mcp"):
        response = deployment.fetch(Outgoing("GET", url)).response
        assert response is not None
        goes_on, metadata = anyio.run(mcp_client.handle_auth_metadata_response, as_httpx(response))
        if metadata is not None:
            try:
                mcp_client.validate_metadata_issuer(metadata, ISSUER)
            except OAuthFlowError as error:
                return str(error)
            return None
        if not goes_on:
            return f"it stops at {response.status}"
    return "there is no metadata that it can read"


def as_httpx(response: Response) -> Any:
    """Return an answer as the SDK reads it."""
    return httpx.Response(response.status, headers=list(response.headers), content=response.body)


@pytest.mark.parametrize("name", ["", *NAMES])
def test_mcp_s_python_sdk_fails_at_discovery_where_the_doctor_says_so(name: str) -> None:
    deployment, report = broken(name)

    reason = ask_as_mcp(deployment)

    servers = report.observations.resource_metadata or {}
    if servers.get("authorization_servers") == [ISSUER] or name in {"", "no metadata of the resource"}:
        assert (reason is not None) == predicted(report, "MCP SDK for Python"), reason
    assert reason is None or is_sick(report), reason


def prepared(deployment: Deployment) -> Iterator[tuple[str, dict[str, Any]]]:
    """Return what is answered at discovery, by URL."""
    url = f"{ISSUER}/.well-known/openid-configuration"
    response = deployment.fetch(Outgoing("GET", url)).response
    assert response is not None
    kept = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
    yield url, {"status": response.status, "headers": kept, "body": response.body.decode("utf-8")}


@pytest.fixture(scope="module")
def openid_client() -> dict[str, str | None]:
    """Let openid-client discover each broken deployment; return why it fails, by the fault."""
    if NODE is None or not OPENID_CLIENT.exists():
        pytest.skip("openid-client is not installed: npm ci in tests/relying_parties")
    cases = {name: {"issuer": ISSUER, "answers": dict(prepared(broken(name)[0]))} for name in ["", *NAMES]}
    command = [NODE, str(Path(__file__).parent / "openid_client.mjs"), str(OPENID_CLIENT)]
    ran = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=60, check=True)
    said: dict[str, str | None] = json.loads(ran.stdout)
    return said


@pytest.mark.slow
@pytest.mark.parametrize("name", ["", *NAMES])
def test_openid_client_fails_at_discovery_where_the_doctor_says_so(
    name: str, openid_client: dict[str, str | None]
) -> None:
    _, report = broken(name)
    rows = [row for row in CLIENTS if row.name.startswith("openid-client") and row.what != "takes https alone"]

    said = [reason for row in rows for reason in row.fails(report.observations) if "the key set" not in reason]

    reason = openid_client[name]
    assert not said or reason is not None
    assert reason is None or is_sick(report), reason
