"""The page on testing one's own routes, storage and grant: its files are run as they stand there."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scale import before_a_release

PAGE = (Path(__file__).parents[2] / "docs" / "testing-your-server.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# ([a-z_]+\.py)\n(.*?)```", PAGE, re.DOTALL))
TESTS = [name for name in FILES if name.startswith("test_")]


# All clauses take a quarter of a minute, and are run over every storage elsewhere.
LONG = (pytest.mark.full, pytest.mark.slow, pytest.mark.long, before_a_release)


@pytest.fixture
def pages_files(pytester: pytest.Pytester) -> Iterator[pytest.Pytester]:
    """Write the page's files into an empty project."""
    for name, text in FILES.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    yield pytester
    for name in FILES:
        sys.modules.pop(name.removesuffix(".py"), None)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=LONG if "storage" in name else pytest.mark.slow) for name in TESTS],
)
def test_its_tests_pass(name: str, pages_files: pytest.Pytester) -> None:
    result = pages_files.runpytest_inprocess("-p", "no:cacheprovider", name)

    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "skipped", "warnings", "warning"}, result.stdout.str()
    assert outcomes["passed"] >= 1


def test_it_has_a_section_with_tests_for_each() -> None:
    sections = dict(re.findall(r"^## Test your own (\w+)$(.*?)(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE))

    assert set(sections) == {"routes", "storage", "grant"}
    assert len(TESTS) == 3
    assert all("```python\n# test_" in section for section in sections.values())
