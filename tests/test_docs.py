"""The documents say what is true."""

from __future__ import annotations

from pathlib import Path

from oauthcore.testing.diagrams import document

DOCS = Path(__file__).parent.parent / "docs"


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert (DOCS / "lifecycles.md").read_text(encoding="utf-8") == document()
