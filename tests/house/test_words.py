"""Docstrings and comments are in plain words: what returns says "Return", and a person is "they"."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.rules import ADAPTERS, CORE, ROOT, modules

EVERYTHING = {
    name: text
    for name, text in modules(CORE, ADAPTERS, ROOT / "tests", ROOT / "benchmarks").items()
    if "node_modules" not in name
}


def docstrings(text: str) -> Iterator[tuple[int, str]]:
    """Return every docstring of a module's text, with the line that it begins at."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring is not None:
                yield node.body[0].lineno, docstring


def gives(text: str) -> list[int]:
    """Return the lines of the docstrings that begin with "Give"."""
    return [line for line, docstring in docstrings(text) if docstring.startswith("Give")]


def test_no_docstring_begins_with_give() -> None:
    assert [f"{name}:{line}" for name, text in EVERYTHING.items() for line in gives(text)] == []


@pytest.mark.parametrize("docstring", ["Give the token.", "Gives the token.", "Give\n    the token."])
def test_a_docstring_that_begins_with_give_is_found(docstring: str) -> None:
    assert gives(f'def f():\n    """{docstring}"""\n') == [2]
