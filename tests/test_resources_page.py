"""The page on resources: its code runs, and its checklist names tests that there are."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore import AuthorizationServer, Client, Resources

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "resources.md").read_text(encoding="utf-8")
CLIENT = Client(client_id="app")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # it is our own page
    return names


def test_the_server_and_its_api_are_made(names: dict[str, Any]) -> None:
    server: AuthorizationServer = names["server"]

    assert server.resources is not None
    assert server.resources.find("https://API.example:443/mcp", CLIENT) == server.resources.registered[0]
    assert names["files"].metadata_paths[0] == "/.well-known/oauth-protected-resource/mcp"


def test_a_slash_at_the_end_is_ignored_where_the_page_says_so(names: dict[str, Any]) -> None:
    resources: Resources = names["resources"]

    assert resources.find("https://api.example/mcp/", CLIENT) == resources.registered[0]


@pytest.mark.parametrize(
    ("uri", "opened", "within"),
    [
        ("https://mcp.example/servers/a", True, True),
        ("https://mcp.example/servers2", True, False),
        ("http://mcp.example/servers/a", False, False),
    ],
)
def test_apis_that_appear_are_taken_as_the_page_says(
    names: dict[str, Any], uri: str, opened: bool, within: bool
) -> None:
    assert (names["opened"].find(uri, CLIENT) is not None) is opened
    assert (names["within"].find(uri, CLIENT) is not None) is within


def test_the_checklist_names_tests_that_there_are() -> None:
    named = re.findall(r"`(core/\S+\.py)::(test_[a-z]\d+_)…`", PAGE)

    assert len(named) >= 7
    for path, prefix in named:
        assert f"def {prefix}" in (ROOT / "tests" / path).read_text(encoding="utf-8"), (path, prefix)
