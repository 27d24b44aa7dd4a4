"""Each row of the table of clients has a deployment at which that client fails; some clients show it themselves."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from authlib.integrations.base_client.sync_openid import OpenIDMixin

from oauthcore import Outgoing
from oauthcore_doctor import CLIENTS, Report
from tests.doctor.client_faults import AT, MCP_TYPESCRIPT, Row, fails, row_of
from tests.doctor.deployments import Deployment, good
from tests.processes import run

NODE = shutil.which("node")
HERE = Path(__file__).parent
TYPESCRIPT = HERE.parent / "mcp_clients" / "node_modules" / "@modelcontextprotocol" / "client" / "dist" / "index.mjs"
# A token that names a key: only its header is read.
TOKEN = "eyJhbGciOiJSUzI1NiIsImtpZCI6ImsifQ.e30.AA"


@cache
def planted(row: Row) -> tuple[Deployment, Report]:
    """Return the deployment of a row, and what the doctor says of it."""
    deployment = AT[row]()
    return deployment, deployment.examine()


def test_each_row_has_a_deployment() -> None:
    assert {row_of(row) for row in AT} == set(CLIENTS)


@pytest.mark.parametrize("row", AT, ids=": ".join)
def test_client_is_said_to_fail_at_its_deployment_and_not_at_a_good_one(row: Row) -> None:
    is_good = fails(row, good("path, no openid, mcp").examine())

    assert (fails(row, planted(row)[1]), is_good) == (True, False)


def answers(deployment: Deployment, *urls: str) -> dict[str, dict[str, Any]]:
    """Return what is answered, by URL."""
    said = {}
    for url in urls:
        response = deployment.fetch(Outgoing("GET", url)).response
        assert response is not None
        kept = [(name, value) for name, value in response.headers if name.lower() != "content-length"]
        said[url] = {"status": response.status, "headers": kept, "body": response.body.decode("utf-8")}
    return said


def places(deployment: Deployment) -> tuple[str, ...]:
    """Return where a client looks at the good server at the root, or at a path."""
    origin, path = "/".join(deployment.issuer.split("/")[:3]), "/".join(["", *deployment.issuer.split("/")[3:]])
    own, resource = path.rstrip("/"), deployment.resource or ""
    return (
        *(f"{origin}/.well-known/{name}{own}" for name in ("oauth-authorization-server", "openid-configuration")),
        f"{deployment.issuer}/.well-known/openid-configuration",
        f"{deployment.issuer}/jwks",
        *([resource, resource.replace(origin, f"{origin}/.well-known/oauth-protected-resource")] if resource else ()),
    )


@cache
def of_typescript() -> dict[str, dict[str, str | None]]:
    """Let MCP's TypeScript SDK meet each deployment; return the link that it followed and why it failed."""
    rows = [row for row in AT if row[0] == MCP_TYPESCRIPT]
    deployments = {"good": good("root, openid, mcp"), **{row[1]: planted(row)[0] for row in rows}}
    cases = {
        name: {"resource": each.resource, "answers": answers(each, *places(each))} for name, each in deployments.items()
    }
    command = [str(NODE), str(HERE / "typescript_client.mjs"), str(TYPESCRIPT)]
    ran = subprocess.run(command, input=json.dumps(cases), capture_output=True, text=True, timeout=60, check=True)
    said: dict[str, dict[str, str | None]] = json.loads(ran.stdout)
    return said


needs_typescript = pytest.mark.skipif(
    NODE is None or not TYPESCRIPT.exists(), reason="it is not installed: npm ci in tests/mcp_clients"
)


@pytest.mark.slow
@needs_typescript
@pytest.mark.parametrize("row", [row for row in AT if row[0] == MCP_TYPESCRIPT], ids=lambda row: row[1])
def test_mcp_s_typescript_sdk_fails_there(row: Row) -> None:
    said = of_typescript()

    good_issuer = good("root, openid, mcp").issuer
    assert (said["good"]["reason"], said["good"]["link"] is not None) == (None, True)
    assert (said["good"]["redirected"] or "").startswith(good_issuer)
    match row[1]:
        case "reads challenges that begin with Bearer or DPoP":
            assert said[row[1]]["link"] is None
        case "follows the link of the challenge alone":
            deployment, _ = planted(row)
            assert not (said[row[1]]["redirected"] or "").startswith(deployment.issuer)
        case what:
            assert said[what]["reason"] is not None


def test_authlib_fails_there() -> None:
    class Application(OpenIDMixin):  # type: ignore[misc]  # Authlib has no types
        """Be configured with metadata that was read already."""

        def __init__(self, deployment: Deployment) -> None:
            url = f"{deployment.issuer}/.well-known/openid-configuration"
            self._metadata = json.loads(answers(deployment, url)[url]["body"])

        def load_server_metadata(self) -> Any:
            """Return them."""
            return self._metadata

    with pytest.raises(RuntimeError, match='Missing "jwks_uri" in metadata'):
        Application(planted(("Authlib", "needs jwks_uri for ID tokens"))[0]).fetch_jwk_set()


@cache
def of_python() -> dict[str, dict[str, str | None]]:
    """Let mozilla-django-oidc and MSAL meet deployments, in a process with a Django of its own."""
    rows = [row for row in AT if row[0] in {"mozilla-django-oidc", "MSAL for Python"}]
    deployments = {
        "root": good("root, openid, mcp"),
        **{row[1]: planted(row)[0] for row in rows},
    }
    cases = {}
    for name, each in deployments.items():
        found = answers(each, *places(each))
        metadata = json.loads(found[f"{each.issuer}/.well-known/openid-configuration"]["body"] or "{}")
        cases[name] = {"issuer": each.issuer, "answers": found, "metadata": metadata, "token": TOKEN}
    program = [sys.executable, "-m", "tests.doctor.python_clients"]
    ran = run(program, input=json.dumps(cases), capture_output=True, cwd=HERE.parent.parent)
    said: dict[str, dict[str, str | None]] = json.loads(ran.stdout)
    return said


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "client", "reason"),
    [
        ("reads kid of every key", "django", "KeyError: 'kid'"),
        ("asks UserInfo at each sign-in", "django", "ImproperlyConfigured: Setting OIDC_OP_USER_ENDPOINT not found"),
        ("root", "django", "SuspiciousOperation: Could not find a valid JWKS."),
        ("takes https with a path alone", "msal", "ValueError: Your given address"),
        ("root", "msal", "ValueError: Your given address"),
    ],
)
def test_clients_in_python_fail_there(name: str, client: str, reason: str) -> None:
    """At a good server, mozilla-django-oidc reads all keys, and finds that none is the token's."""
    assert (of_python()[name][client] or "").startswith(reason)
