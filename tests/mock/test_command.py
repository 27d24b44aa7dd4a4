"""The command: what it prints, whom it serves, and what it refuses."""

from __future__ import annotations

import json
import signal
import ssl
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from oauthcore_h11.cli import main
from tests.h11.forked import Forked, serve
from tests.processes import PATIENCE, line_of

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where commands run."""
    return tmp_path


def start(folder: Path, *arguments: str) -> tuple[Forked, dict[str, Any]]:
    """Start the command, and return what it says of itself."""
    process = serve(["mock", "--port", "0", "--json", *arguments], folder=folder, log=folder / "log")
    return process, json.loads(line_of(process))


def stop(process: Forked) -> int:
    """End it as an operator does."""
    process.send_signal(signal.SIGTERM)
    try:
        return process.wait(PATIENCE)
    finally:
        assert process.stdout is not None
        process.stdout.close()


def code_for(said: dict[str, Any], **parameters: str) -> dict[str, str]:
    """Ask for a code as a browser does, and return what came back; no page is in between."""
    query = {"response_type": "code", "redirect_uri": "http://localhost:3/back", "scope": "openid", **parameters}
    response = httpx.get(said["authorization_endpoint"], params=query, trust_env=False)
    assert response.status_code == 303, response.text
    return {name: values[0] for name, values in parse_qs(urlsplit(response.headers["location"]).query).items()}


def test_a_client_logs_in_somebody_without_a_word_to_the_provider(folder: Path) -> None:
    process, said = start(folder, "--user", "bob", "--user", "carol")
    try:
        code = code_for(said, client_id="anything")["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://localhost:3/back"}
        tokens = httpx.post(said["token_endpoint"], data=form, auth=("anything", "any"), trust_env=False).json()
        bearer = {"authorization": f"Bearer {tokens['access_token']}"}
        person = httpx.get(said["userinfo_endpoint"], headers=bearer, trust_env=False).json()
        other = httpx.get(said["issuer"].replace("default", "other") + "/.well-known/openid-configuration")
    finally:
        status = stop(process)

    assert person["sub"] == "bob"
    assert other.json()["issuer"].endswith("/other")
    assert (status, (folder / "log").read_text()) == (0, "")


def test_a_file_is_served_and_controlled(folder: Path) -> None:
    (folder / "mock.toml").write_text('[[issuers]]\nname = "shop"\n[[issuers.users]]\nsub = "dora"\n')
    process, said = start(folder, "--config", "mock.toml")
    try:
        issuers = httpx.get(f"{said['control']}/issuers", trust_env=False).json()
        faults = f"{said['control']}/issuers/shop/faults"
        queued = httpx.post(faults, json={"endpoint": "jwks", "fault": 503}, trust_env=False)
        failed = httpx.get(said["jwks_uri"], trust_env=False)
        document = httpx.get(f"{said['control']}/openapi.json", trust_env=False).json()
    finally:
        stop(process)

    assert [one["name"] for one in issuers] == ["shop"]
    assert (queued.status_code, failed.status_code, document["openapi"]) == (204, 503, "3.1.0")


def test_https_is_served_by_an_authority_of_its_own(folder: Path) -> None:
    process, said = start(folder, "--https", "ca.pem")
    try:
        trusting = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        metadata = httpx.get(f"{said['issuer']}/.well-known/openid-configuration", verify=trusting, trust_env=False)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{said['issuer']}/jwks", trust_env=False)
    finally:
        stop(process)

    assert said["issuer"].startswith("https://localhost:")
    assert metadata.json()["token_endpoint"].startswith("https://localhost:")


def test_a_person_chooses_who_they_are(folder: Path) -> None:
    process, said = start(folder, "--form", "--strict-clients")
    try:
        query = {"response_type": "code", "redirect_uri": "http://localhost:3/b", "client_id": said["client_id"]}
        with httpx.Client(trust_env=False) as browser:
            response = browser.get(said["authorization_endpoint"], params=query, follow_redirects=True)
        unknown = httpx.get(
            said["authorization_endpoint"], params={**query, "client_id": "nobody"}, trust_env=False
        ).status_code
    finally:
        stop(process)

    assert "Sign in to the provider for tests" in response.text
    assert unknown == 400


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that has to fail, and return the one line it says why."""
    with pytest.raises(SystemExit) as caught:
        main(("mock", "--port", "0", *arguments))
    assert caught.value.code == 2
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--host", "0.0.0.0"), "--exposed"),
        (("--url", "localhost"), "scheme, host and port"),
        (("--config", "none.toml"), "can't be read"),
        (("--https", "/nowhere/ca.pem"), "can't be written"),
    ],
)
def test_what_is_wrong_is_one_line(arguments: tuple[str, ...], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said in complaint(capsys, *arguments)


def test_others_may_reach_it_where_that_is_said(folder: Path) -> None:
    process, said = start(folder, "--host", "127.0.0.1", "--exposed", "--url", "http://mock.test:80")
    stop(process)

    assert said["issuer"] == "http://mock.test:80/default"
