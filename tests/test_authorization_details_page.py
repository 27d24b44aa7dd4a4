"""docs/authorization-details.md: its code runs as it stands, and its table names what there is."""

from __future__ import annotations

import re

import pytest

from oauthcore import Response
from tests.test_openid_sections import ROOT, names_in
from tests.test_pushed_requests_page import run_blocks

PAGE = (ROOT / "docs" / "authorization-details.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| (\d[\d.]*) \| .*? \| (.*?) \| (.*?) ?\|$", PAGE, re.MULTILINE)


def test_a_user_allows_a_payment_as_the_page_has_it() -> None:
    answer = run_blocks(PAGE)["answer"]

    assert isinstance(answer, Response)
    assert answer.status == 303


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_modules_and_tests_of_each_section_exist(row: tuple[str, str, str]) -> None:
    modules, tests = re.findall(r"`([\w/]+\.py)`", row[1]), re.findall(r"`([\w/]+\.py)::(\w+)`", row[2])

    assert (modules and tests) or row[1].startswith("not here")
    for module in modules:
        assert (ROOT / "oauthcore" / module).is_file(), module
    for path, name in tests:
        assert name in names_in(ROOT / "tests" / path), name
