"""The page lists every check, and every client that is known."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oauthcore_doctor import CHECKS, CLIENTS

PAGE = Path(__file__).parent.parent.parent / "docs" / "doctor.md"


def lines_of_checks() -> Iterator[str]:
    """Return the page's table of checks."""
    yield "| check | severity | what is right | section | who it affects |"
    yield "|---|---|---|---|---|"
    for check in CHECKS:
        cells = (f"`{check.id}`", check.severity.value, check.title, check.section, check.matters_to)
        yield f"| {' | '.join(cells)} |"


def lines_of_clients() -> Iterator[str]:
    """Return the page's table of clients."""
    yield "| client | what it does | source |"
    yield "|---|---|---|"
    for row in CLIENTS:
        yield f"| {row.name} | {row.what} | {row.source} |"


def test_the_page_lists_every_check() -> None:
    assert "\n".join(lines_of_checks()) in PAGE.read_text(encoding="utf-8")


def test_the_page_lists_every_client_that_is_known() -> None:
    assert "\n".join(lines_of_clients()) in PAGE.read_text(encoding="utf-8")
