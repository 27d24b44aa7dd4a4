"""The page that goes through OpenID Connect: its modules and tests exist, and each section is there once."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import attrs
import pytest

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "openid-sections.md").read_text(encoding="utf-8")
SPECIFICATIONS = (
    "Core",
    "Discovery",
    "Dynamic Client Registration",
    "RP-Initiated Logout",
    "Back-Channel Logout",
    "Front-Channel Logout",
)


@attrs.frozen
class Row:
    """Hold what the page says of a section."""

    specification: str
    section: str
    modules: str
    tests: str


def rows() -> Iterator[Row]:
    """Read the tables."""
    for title, text in re.findall(r"^## OpenID Connect (.*?) 1\.0\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL):
        for section, modules, tests in re.findall(r"^\| (\d[\d.]*) \| .*? \| (.*?) \| (.*?) \|$", text, re.MULTILINE):
            yield Row(title, section, modules, tests)


ROWS = list(rows())


@cache
def names_in(path: Path) -> frozenset[str]:
    """Return the names of the tests in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return frozenset(node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_every_line_of_the_tables_is_read() -> None:
    assert tuple(dict.fromkeys(row.specification for row in ROWS)) == SPECIFICATIONS
    assert len(ROWS) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE))


def test_each_section_is_there_once_and_in_order() -> None:
    for specification in SPECIFICATIONS:
        sections = [tuple(map(int, row.section.split("."))) for row in ROWS if row.specification == specification]
        assert sections == sorted(set(sections)), specification


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.specification} {row.section}")
def test_modules_and_tests_exist(row: Row) -> None:
    modules = re.findall(r"`([\w/]+\.py)`", row.modules)
    named = re.findall(r"`([\w/]+\.py)::(\w+)`", row.tests)

    assert modules or re.match(r"(not|nothing to do) here", row.modules)
    for module in modules:
        assert (ROOT if module.startswith("adapters/") else ROOT / "oauthcore").joinpath(module).is_file(), module
    for path, name in named:
        assert name in names_in(ROOT / "tests" / path), name
    if not named:
        same = re.fullmatch(r"as ([\d.]+)", row.tests)
        assert same
        assert any(other.section == same[1] and "::" in other.tests for other in ROWS)
