"""docs/pushed-requests.md and docs/signed-requests.md: their code runs as it stands, and their tables are true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import Client, PushedRequests, Response
from oauthcore.authorization.jwt_response import LIFETIME
from oauthcore.pushed_requests import LIFETIMES, REQUEST_URI

DOCS = Path(__file__).parent.parent / "docs"
PUSHED = (DOCS / "pushed-requests.md").read_text(encoding="utf-8")
SIGNED = (DOCS / "signed-requests.md").read_text(encoding="utf-8")


def run_blocks(page: str) -> dict[str, Any]:
    """Run all blocks of a page, one after another, and return what they have made."""
    names: dict[str, Any] = {}
    for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL):
        exec(compile(block, "a page", "exec"), names)
    return names


def test_a_client_pushes_as_the_page_has_it() -> None:
    names = run_blocks(PUSHED)

    pushed, started = names["pushed"], names["started"]
    assert isinstance(pushed, Response)
    assert json.loads(pushed.body)["request_uri"].startswith(REQUEST_URI)
    assert json.loads(pushed.body)["expires_in"] == 60
    assert "/login?interaction=" in str(started.header("location"))


def test_a_client_signs_its_request_as_the_page_has_it() -> None:
    started = run_blocks(SIGNED)["started"]

    assert isinstance(started, Response)
    assert "/login?interaction=" in str(started.header("location"))


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(PushedRequests)])
def test_the_page_has_the_true_default_of_each_setting(name: str) -> None:
    default = getattr(PushedRequests(), name)

    assert re.search(rf"\| `{name}` \| `?{default}`? \|", PUSHED)


def test_the_page_has_the_true_bounds_and_defaults() -> None:
    fields = attrs.fields_dict(Client)

    assert f"{LIFETIMES[0]} to {LIFETIMES[-1]} |" in PUSHED
    assert LIFETIME == 5 * 60
    assert "`exp` (five minutes)" in SIGNED
    assert f"`{fields['authorization_encrypted_response_enc'].default}`" in SIGNED
    assert fields["authorization_signed_response_alg"].default is None


@pytest.mark.parametrize("page", [PUSHED, SIGNED], ids=["pushed", "signed"])
def test_the_tables_name_modules_and_tests_that_there_are(page: str) -> None:
    rows = page.partition("## Where each section is obeyed")[2]
    source = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob("test_*.py"))

    modules, tests = re.findall(r"`(\w+(?:/\w+)*\.py)`", rows), re.findall(r"`(test_\w+)`", rows)

    assert len(modules) == len(tests) == 11
    assert [module for module in modules if not (DOCS.parent / "oauthcore" / module).is_file()] == []
    assert [test for test in tests if f"def {test}(" not in source] == []
