"""docs/mock.md says what the control API and the file take."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from oauthcore import Request
from oauthcore_mock import Provider
from oauthcore_mock.configuration import configure
from oauthcore_mock.control import Control

PAGE = (Path(__file__).parents[2] / "docs" / "mock.md").read_text(encoding="utf-8")
# `POST …/logins` `{"deny": true}`: the path below an issuer's or the whole one, and the body.
SENT = re.findall(r"`POST (\S+)` `(\{[^`]*\})`", PAGE)
CURL = re.search(r"-X POST localhost:9400(\S+).*?-d '(\{.*?\})'", PAGE, re.DOTALL)
assert CURL is not None


@pytest.mark.parametrize(("path", "body"), [*SENT, CURL.groups()])
def test_what_the_page_sends_is_taken(path: str, body: str) -> None:
    provider = Provider("http://localhost:9400")
    token = provider.issuer("default").token()
    path = path.replace("…", "/_mock/issuers/default", 1)
    members = {name: "http://localhost/b" if value == ["…"] else value for name, value in json.loads(body).items()}
    members |= {"token": token} if "token" in members else {}

    response = Control(provider).handle(
        Request("POST", path, (("content-type", "application/json"),), json.dumps(members).encode())
    )

    assert response.status < 300, response.body


def test_every_operation_with_a_row_is_tried() -> None:
    assert len(SENT) >= 8


def test_the_file_of_the_page_is_taken() -> None:
    (text,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    provider = Provider("http://localhost:9400")

    configure(provider, tomllib.loads(text))

    assert [issuer.url for issuer in provider.issuers] == ["http://localhost:9400/shop"]
