"""The page on WebFinger: its code runs and answers as it says, and the tests that it names exist."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from oauthcore import MemoryStorage, Request, World, run

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "webfinger.md").read_text(encoding="utf-8")


def test_the_server_of_the_page_answers_as_the_page_shows() -> None:
    names: dict[str, Any] = {"__name__": "page"}
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    exec(code, names)  # it is our own page
    (target, shown) = re.findall(r"https://example.com(/.well-known/webfinger\?[^']+)'\n(.*)\n", PAGE)[0]

    answer = run(names["server"].handle(Request("GET", target)), World(MemoryStorage()))

    assert json.loads(answer.body) == json.loads(shown)


def test_each_test_that_the_page_names_exists() -> None:
    there = (ROOT / "tests" / "core" / "endpoints" / "test_webfinger.py").read_text(encoding="utf-8")

    assert all(f"def {name}(" in there for name in re.findall(r"`(test_\w+)`", PAGE))
