"""The page that says which clause is seen by which check: complete, and of checks that there are."""

from __future__ import annotations

import re
from pathlib import Path

from oauthcore_doctor import CHECKS
from tests.mcp.checklist import ROWS

PAGE = (Path(__file__).parent.parent.parent / "docs" / "conformance.md").read_text(encoding="utf-8")
MCP, RFC9700 = PAGE.split("## RFC 9700")
# What RFC 9700 recommends (section 2) and the attacks that it describes (section 4).
SECTIONS = {f"2.{number}" for number in range(1, 7)} | {f"4.{number}" for number in range(1, 18)}


def rows(part: str) -> list[list[str]]:
    """Return the cells of a part's table."""
    lines = [line for line in part.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "| checks |" not in line]


def test_each_clause_of_the_checklist_is_there_once() -> None:
    assert [row[0] for row in rows(MCP)] == list(ROWS)


def test_each_section_of_rfc_9700_is_there() -> None:
    assert {re.match(r"\d+\.\d+", row[0])[0] for row in rows(RFC9700)} == SECTIONS  # type: ignore[index]  # each has one


def test_each_clause_has_a_check_or_says_why_it_has_none() -> None:
    assert [row for row in rows(MCP) + rows(RFC9700) if not row[2] and not row[3]] == []


def test_the_page_names_all_checks_and_no_others() -> None:
    named = {name for row in rows(PAGE) for name in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)*)`", row[2])}
    named |= set(re.findall(r"`([a-z-]+)`", PAGE.rpartition("Checks of what neither")[2]))

    assert named == {check.id for check in CHECKS}
