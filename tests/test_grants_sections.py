"""The page on the grants' specifications: its modules and tests exist, and each section is there once."""

from __future__ import annotations

import re

import pytest

from tests.test_openid_sections import ROOT, names_in

PAGE = (ROOT / "docs" / "grants-sections.md").read_text(encoding="utf-8")
ROWS = [
    (title, *row)
    for title, text in re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL)
    for row in re.findall(r"^\| (\d[\d.]*) \| .*? \| (.*?) \| (.*?) ?\|$", text, re.MULTILINE)
]


def test_every_line_of_the_tables_is_read() -> None:
    assert len(ROWS) == len(re.findall(r"^\| \d", PAGE, re.MULTILINE)) > 20


def test_each_section_is_there_once_and_in_order() -> None:
    for title in dict.fromkeys(row[0] for row in ROWS):
        sections = [tuple(map(int, row[1].split("."))) for row in ROWS if row[0] == title]
        assert sections == sorted(set(sections)), title


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0].partition(' (')[0]} {row[1]}")
def test_modules_and_tests_exist(row: tuple[str, str, str, str]) -> None:
    modules, tests = re.findall(r"`([\w/]+\.py)`", row[2]), re.findall(r"`([\w/]+\.py)::(\w+)`", row[3])

    assert (modules and tests) or row[2].startswith("not here")
    for module in modules:
        assert (ROOT if module.startswith("adapters/") else ROOT / "oauthcore").joinpath(module).is_file(), module
    for path, name in tests:
        assert name in names_in(ROOT / "tests" / path), name
