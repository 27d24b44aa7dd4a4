"""The page on devices: its code runs, and its table names modules and tests that there are."""

from __future__ import annotations

import re
from pathlib import Path

from oauthcore import AuthorizationServer, DeviceState

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "device.md").read_text(encoding="utf-8")


def test_the_code_of_the_page_runs() -> None:
    names: dict[str, object] = {"__name__": "page"}
    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(block, names)  # it is our own page

    assert isinstance(names["server"], AuthorizationServer)
    assert names["state"] is DeviceState.APPROVED


def test_the_table_names_modules_and_tests_that_there_are() -> None:
    rows = PAGE.partition("## Where each section is obeyed")[2]
    source = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))

    modules = re.findall(r"`(\w+(?:/\w+)*\.py)`", rows)
    tests = re.findall(r"`(test_\w+)`", rows)

    assert len(modules) > 8
    assert len(tests) > 5
    of_core = [module for module in modules if not module.startswith(("test_", "tests/"))]
    assert [module for module in of_core if not (ROOT / "oauthcore" / module).is_file()] == []
    assert [test for test in tests if f"def {test}(" not in source] == []
