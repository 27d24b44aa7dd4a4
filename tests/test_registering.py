"""docs/registration.md: what its example does, and that it is the one that is shown."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from oauthcore import Request, Response, run

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE = (DOCS / "examples" / "registering.py").read_text(encoding="utf-8")
REDIRECT = "https://app.example/cb"


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the example has made."""
    made: dict[str, Any] = {}
    exec(compile(EXAMPLE, "registering.py", "exec"), made)
    return made


def register(names: dict[str, Any], token: str, **metadata: Any) -> Response:
    """Register with a token."""
    headers = (("Content-Type", "application/json"), ("Authorization", f"Bearer {token}"))
    body = json.dumps({"redirect_uris": [REDIRECT], **metadata}).encode()
    response = run(names["server"].handle(Request("POST", "/register", headers, body)), names["world"])
    assert isinstance(response, Response)
    return response


def test_the_page_shows_the_example() -> None:
    page = (DOCS / "registration.md").read_text(encoding="utf-8")

    assert f"<!-- example: registering -->\n```python\n{EXAMPLE}```" in page


def test_the_example_registers_by_its_token_alone(names: dict[str, Any]) -> None:
    assert register(names, names["token"].reveal(), client_name="The app").status == 201
    assert register(names, "x").status == 401


def test_the_example_refuses_and_changes_clients(names: dict[str, Any]) -> None:
    assert register(names, names["token"].reveal(), client_name="Your Bank").status == 403

    client_id = json.loads(register(names, names["token"].reveal()).body)["client_id"]

    assert run(names["server"].clients.find(client_id), names["world"]).access_token_lifetime == 60
