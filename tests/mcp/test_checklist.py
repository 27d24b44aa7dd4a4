"""The page of the checklist says what is there."""

from __future__ import annotations

import importlib.util
import re

import pytest

from tests.mcp.checklist import PAGE, ROWS, document, files_of, found, functions

FILES = re.compile(r"`([\w/]+\.py)`")


def test_page_says_what_the_rows_say() -> None:
    page, made = (FILES.sub("", text).replace(", ", "") for text in (PAGE.read_text(encoding="utf-8"), document()))

    assert re.sub(" +", " ", page) == re.sub(" +", " ", made), "run python -m tests.mcp.checklist"


@pytest.mark.parametrize("row", ROWS)
def test_page_names_files_that_have_tests_of_the_row_and_all_that_the_row_names(row: str) -> None:
    [line] = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {row} |")]
    named = set(FILES.findall(line.split(" | ")[3]))

    assert named <= set(files_of(row)), "run python -m tests.mcp.checklist"
    assert {name.partition("::")[0] for name in ROWS[row].tests} <= named
    assert named or ROWS[row].missing


@pytest.mark.parametrize("row", ROWS)
def test_row_has_tests_or_says_what_is_missing(row: str) -> None:
    assert files_of(row) or ROWS[row].missing


def test_tests_that_the_rows_name_are_there() -> None:
    assert [name for row in ROWS.values() for name in row.tests if name not in functions()] == []


def test_tests_name_no_row_that_is_not_there() -> None:
    assert sorted(found().keys() - ROWS.keys()) == []


@pytest.mark.parametrize("module", sorted({row.module for row in ROWS.values() if row.module.startswith("oauthcore")}))
def test_modules_that_the_rows_name_are_there(module: str) -> None:
    assert importlib.util.find_spec(module) is not None
