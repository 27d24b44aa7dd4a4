"""Devices as other vendors implement them: they know the issuer and who they are, and it works (RFC 8628)."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from oauthlib.oauth2 import DeviceClient, OAuth2Error
from requests_oauthlib import OAuth2Session

from tests.processes import line_of, running
from tests.relying_parties.conftest import INSTALLED, NODE, Provider

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
GO = shutil.which("go")
SCOPE = ["openid", "email"]


@pytest.fixture
def phone(provider: Provider) -> Iterator[httpx.Client]:
    """Return the browser of a person's phone, which runs no script."""
    with httpx.Client(base_url=provider.issuer, verify=provider.trust, follow_redirects=True) as phone:
        yield phone


def hidden(page: httpx.Response) -> dict[str, str]:
    """Return the hidden fields of a page's form."""
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))


def allowed(phone: httpx.Client, uri: str) -> None:
    """Open the link that a device shows, sign in, and allow everything."""
    page = phone.get(uri)
    shown = re.search(r'name="user_code" value="([^"]*)"', page.text)
    assert shown is not None
    page = phone.post("/device", data={**hidden(page), "user_code": shown[1]})
    action = re.search(r'action="([^"]*)"', page.text)
    assert action is not None
    page = phone.post(action[1], data={**hidden(page), "username": "alice", "password": "wonderland"})
    done = phone.post("/device", data={**hidden(page), "scope": SCOPE, "approval": "1"})
    assert "Your device is connected." in done.text


def test_requests_oauthlib_polls_until_the_person_has_allowed_it(provider: Provider, phone: httpx.Client) -> None:
    client = DeviceClient("device")
    session = OAuth2Session(client=client, scope=SCOPE)
    session.verify = str(provider.authority)
    session.trust_env = False  # REQUESTS_CA_BUNDLE would be taken instead
    # It writes the parameters of section 3.1 into a URL; the endpoint takes them in the body, as the section says.
    asked = client.prepare_request_uri(f"{provider.issuer}/device_authorization", scope=SCOPE)
    codes = session.post(asked.partition("?")[0], data=parse_qsl(urlsplit(asked).query), withhold_token=True).json()

    def poll() -> dict[str, Any]:
        token: dict[str, Any] = session.fetch_token(
            f"{provider.issuer}/token", device_code=codes["device_code"], include_client_id=True
        )
        return token

    with pytest.raises(OAuth2Error, match="authorization_pending"):
        poll()
    allowed(phone, codes["verification_uri_complete"])

    assert poll()["scope"] == SCOPE


def talked(command: list[str], job: dict[str, str], phone: httpx.Client, **environment: str) -> dict[str, Any]:
    """Let a program be a device: it says where to go, is told when that is done, and says what it has got."""
    piped = subprocess.PIPE
    with running(command, stdin=piped, stdout=piped, stderr=piped, env={**os.environ, **environment}) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(job) + "\n")
        process.stdin.flush()
        line = line_of(process)
        assert line, process.stderr and process.stderr.read()
        allowed(phone, json.loads(line)["verification_uri_complete"])
        process.stdin.write("done\n")
        process.stdin.flush()
        line = line_of(process)
        assert line, process.stderr and process.stderr.read()
        result: dict[str, Any] = json.loads(line)
        return result


@pytest.mark.skipif(NODE is None or not INSTALLED, reason="npm ci in tests/relying_parties")
def test_openid_client_polls_and_verifies_the_id_token(provider: Provider, phone: httpx.Client) -> None:
    job = {"issuer": provider.issuer, "client_id": "device", "scope": " ".join(SCOPE)}

    result = talked([str(NODE), str(HERE / "device.mjs")], job, phone, NODE_EXTRA_CA_CERTS=str(provider.authority))

    assert result["claims"]["sub"] == "alice"
    assert result["scope"] == "openid email"


@pytest.fixture(scope="module")
def go_device(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the Go program, built; where there is no Go, or its module can't be had, its test is skipped."""
    if GO is None:
        pytest.skip("there is no go here")
    folder = tmp_path_factory.mktemp("go")
    shutil.copytree(HERE / "device_go", folder, dirs_exist_ok=True)
    # Its first build compiles Go's library, which takes half as long without optimizing, and without C.
    command = [GO, "build", "-gcflags=all=-N -l", "-o", "device", "."]
    environment = {**os.environ, "CGO_ENABLED": "0"}
    built = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120)
    if built.returncode and "proxy" in built.stderr:
        pytest.skip("golang.org/x/oauth2 can't be had here")
    assert built.returncode == 0, built.stderr
    return str(folder / "device")


def test_golangs_oauth2_polls_until_it_has_a_token(go_device: str, provider: Provider, phone: httpx.Client) -> None:
    job = {"issuer": provider.issuer, "client_id": "device", "scope": " ".join(SCOPE)}

    result = talked([go_device], job, phone, SSL_CERT_FILE=str(provider.authority))

    assert result["token_type"] == "Bearer"
    assert result["scope"] == "openid email"
