"""The page on who may use which client: its code runs, and the tests that it names exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore import Login, Need, Request, Secret, run
from tests.core.site import CHALLENGE, form, handle_of

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "who-may-use-what.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # it is our own page
    return names


@pytest.mark.parametrize(("subject", "need"), [("alice", Need.CONSENT), ("bob", Need.OTHER_ACCOUNT)])
def test_the_code_lets_in_who_it_says(names: dict[str, Any], subject: str, need: Need) -> None:
    server, world, login = names["server"], names["world"], Login(subject=subject, auth_time=1)
    run(server.clients.register(names["wiki"], Secret("a-secret-of-the-wiki"), replace=True), world)
    pkce = {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    target = "/authorize?" + form(client_id="wiki", response_type="code", **pkce).decode()

    begun = run(server.handle(Request("GET", target), login), world)
    pending = run(server.interactions.find(handle_of(begun), login), world)

    assert pending is not None and pending.need is need


def test_each_test_that_the_page_names_exists() -> None:
    there = (ROOT / "tests" / "core" / "test_user_policy.py").read_text(encoding="utf-8")

    assert all(f"def {name}(" in there for name in re.findall(r"`(test_\w+)`", PAGE))
