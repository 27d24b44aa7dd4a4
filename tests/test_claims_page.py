"""The page on claims: its code runs, its file is read, and it names the claims that can't be added."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore import AuthorizationServer, ClaimsTarget, Client, MemoryStorage, World, run
from oauthcore.extra_claims import PROTECTED_CLAIMS
from oauthcore.flow.outcome import Insert
from oauthcore_h11.assembly import server_of
from tests.h11.test_resources import configured

PAGE = (Path(__file__).parent.parent / "docs" / "claims.md").read_text(encoding="utf-8")
CLIENT = Client(client_id="app", scope="directory")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # it is our own page
    return names


@pytest.mark.parametrize(
    ("place", "subject", "added"),
    [
        ("access_token", "alice", {"https://corp.example/department": "hats"}),
        ("access_token", "bob", {}),
        ("access_token", None, {}),
        ("id_token", "alice", {}),
    ],
)
def test_the_function_of_the_page_adds_what_it_says(
    names: dict[str, Any], place: Any, subject: str | None, added: dict[str, str]
) -> None:
    server: AuthorizationServer = names["server"]
    world = World(MemoryStorage())
    assert world.storage.commit((Insert(names["Membership"]("alice", "hats")),))
    target = ClaimsTarget(place=place, client=CLIENT, subject=subject, scope=CLIENT.scope, audience=("x",))
    function = server.instruments.extra_claims
    assert function is not None

    assert run(function(target), world) == added


def test_the_file_of_the_page_says_the_same_as_its_code(names: dict[str, Any], tmp_path: Path) -> None:
    [table] = re.findall(r"```toml\n(\[\[resources.*?)```", PAGE, re.DOTALL)

    resources = server_of(configured(tmp_path, table + "[oidc]\n")).resources

    assert resources is not None
    (api,) = resources.registered
    assert api == names["api"].signed_by(("RS256",))


def test_the_page_names_only_claims_that_can_not_be_added() -> None:
    [named] = re.findall(r"can't be added: (.*?) and a few more", PAGE, re.DOTALL)

    assert set(re.findall(r"`(\w+)`", named)) < PROTECTED_CLAIMS
