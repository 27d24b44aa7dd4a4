"""node-oidc-provider, another vendor's certified server, is examined as well as ours."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks.node import FOLDER
from oauthcore import Secret
from oauthcore_doctor import LentClient, Report, Severity, Target, examine
from oauthcore_doctor.network import NetworkPort
from tests.processes import line_of, running

NODE = shutil.which("node")
PROVIDER = FOLDER / "node_modules" / "oidc-provider" / "lib" / "index.js"
PATIENCE = 30.0

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(NODE is None, reason="there is no node here"),
    pytest.mark.skipif(not PROVIDER.exists(), reason="it is not installed: npm ci in benchmarks/node_provider"),
]


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    """Serve, and return the issuer."""
    command = [str(NODE), str(Path(__file__).parent / "node_provider.mjs"), str(PROVIDER)]
    with running(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        yield json.loads(line_of(process))["issuer"]


def found(report: Report) -> set[str]:
    """Return which checks found more than what may be meant."""
    return {finding.check.id for finding in report.findings if finding.check.severity is not Severity.NOTE}


def test_it_makes_its_endpoints_of_the_host_that_it_is_asked_by_and_has_no_other_fault(issuer: str) -> None:
    report = examine(Target(issuer), NetworkPort(["localhost"], timeout=PATIENCE))

    assert found(report) == {"forged-host"}


def test_it_requires_pkce_of_no_confidential_client_and_sends_iss_with_errors(issuer: str) -> None:
    client = LentClient("app", Secret("app-secret"), "https://app.example/callback")

    report = examine(Target(issuer, client=client), NetworkPort(["localhost"], timeout=PATIENCE))

    assert found(report) == {"forged-host", "client-pkce"}
