"""The page on writing a storage: its example is the one that is tested, and all of its code runs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore.testing import Clause, Terms, check_storage, clauses

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "write-a-storage.md").read_text(encoding="utf-8")
EXAMPLE = (DOCS / "examples" / "dict_storage.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def names() -> dict[str, Any]:
    """Return what the code on the page defines, once all of it has run, in the files that the page says."""
    names: dict[str, Any] = {"__name__": "page"}
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(DOCS / "examples")
        for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
            exec(compile(block, "write-a-storage.md", "exec"), names)
    return names


def test_page_shows_the_example() -> None:
    assert f"```python\n{EXAMPLE}```" in PAGE


@pytest.mark.parametrize("clause", clauses, ids=str)
def test_example_keeps(clause: Clause, names: dict[str, Any]) -> None:
    clause.check(names["DictStorage"], Terms(contenders=4, rounds=3, examples=5))


@pytest.mark.slow
def test_example_passes_in_one_call_with_every_hook(names: dict[str, Any]) -> None:
    names["test_it_keeps"](clauses[0])

    checked = check_storage(names["fresh"])

    assert checked.skipped == ()
    assert len(checked.held) == len(clauses)


def test_page_lists_every_clause_with_its_promise() -> None:
    listed = re.findall(r"^\| `(\w+)` \| (.*) \|$", PAGE, re.MULTILINE)

    assert listed == [(clause.name, clause.promise) for clause in clauses]
