"""Docstrings and comments are in plain words: what returns says "Return", and a person is "they"."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from tests.house.rules import ADAPTERS, CORE, ROOT, modules

EVERYTHING = {
    name: text
    for name, text in modules(CORE, ADAPTERS, ROOT / "tests", ROOT / "benchmarks").items()
    if "node_modules" not in name
}

PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8")
    for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
}
HE = re.compile(r"\b(?:he|his|him|himself)\b", re.IGNORECASE)


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
    assert [f"{name}:{line}" for name, text in EVERYTHING.items() if "Give" in text for line in gives(text)] == []


@pytest.mark.parametrize("docstring", ["Give the token.", "Gives the token.", "Give\n    the token."])
def test_a_docstring_that_begins_with_give_is_found(docstring: str) -> None:
    assert gives(f'def f():\n    """{docstring}"""\n') == [2]


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Return every line of a module's docstrings and comments, with its number."""
    for begin, docstring in docstrings(text):
        yield from enumerate(docstring.split("\n"), begin)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def test_a_person_is_they_in_docstrings_and_comments() -> None:
    suspects = {name: text for name, text in EVERYTHING.items() if HE.search(text)}

    assert [f"{name}:{line}" for name, text in suspects.items() for line, said in prose(text) if HE.search(said)] == []


def test_a_person_is_they_in_the_pages() -> None:
    lines = [(name, number, line) for name, text in PAGES.items() for number, line in enumerate(text.split("\n"), 1)]

    assert [f"{name}:{number}" for name, number, line in lines if HE.search(line)] == []


@pytest.mark.parametrize(
    "text", ['def f():\n    """Say who he is."""\n', "a = 1\n# His own.\n", "a = 1\nb = 2  # for him\n"]
)
def test_a_person_who_is_he_is_found(text: str) -> None:
    assert [line for line, said in prose(text) if HE.search(said)] != []


# Each of these has to be read twice, and has a plain word: "Return whether", "if there is none", "available", "closes".
RIDDLES = re.compile(
    r"\b(?:tells? whether|where there (?:is|are) none|to be had|goes nowhere|lets go of|at (?:its|their) word)\b",
    re.IGNORECASE,
)
# A sentence about "whoever" or "nobody" hides its subject: a client, a user, an attacker, a worker, or the record that
# does not exist. Name it.
FACELESS = re.compile(r"\b(?:[Ww]ho(?:m)?ever|[Ww]hence|[Nn]obody|[Ss]omebody)\b")
# Rooms in which each sentence does. Add a room as soon as it is free of them.
NAMING = (
    *("oauthcore/jose/", "oauthcore/signing/", "adapters/oauthcore_django/", "adapters/oauthcore_doctor/"),
    *("adapters/oauthcore_fetch/", "adapters/oauthcore_mcp/", "adapters/oauthcore_redis/"),
    "adapters/oauthcore_sqlalchemy/",
)
COMMANDED = re.compile(r"(?:Be (?:an?|the|one|some)|Tells? whether)\b")
REWRITTEN = {name: text for name, text in modules(CORE, ADAPTERS).items() if "oauthcore_pytest" not in name}
# The changelog speaks of names as they were when it was written.
UNCHECKED = {"CHANGELOG.md"}


def riddles(text: str) -> list[int]:
    """Return the lines of a module's docstrings and comments that riddle."""
    commanded = [line for line, docstring in docstrings(text) if COMMANDED.match(docstring)]
    return commanded + [line for line, said in prose(text) if RIDDLES.search(said)]


def test_no_docstring_or_comment_riddles() -> None:
    begins = re.compile(r'"""\s*' + COMMANDED.pattern)
    suspects = {name: text for name, text in REWRITTEN.items() if RIDDLES.search(text) or begins.search(text)}

    assert [f"{name}:{line}" for name, text in suspects.items() for line in riddles(text)] == []


def test_each_docstring_and_comment_names_who_it_is_about() -> None:
    rooms = {name: text for name, text in modules(CORE, ADAPTERS).items() if name.startswith(NAMING)}
    suspects = {name: text for name, text in rooms.items() if FACELESS.search(text)}

    found = [f"{name}:{n}" for name, text in suspects.items() for n, said in prose(text) if FACELESS.search(said)]
    assert len(rooms) > 50
    assert found == [], "name the client, user, attacker or record, instead of whoever, somebody or nobody"


@pytest.mark.parametrize(
    "text",
    [
        'def f():\n    """Refuse whoever has no token."""\n',
        "a = 1  # None if nobody has it\n",
        "# Somebody else may have it.\n",
        '"""Whence a request came."""\n',
    ],
)
def test_a_sentence_about_nobody_in_particular_is_found(text: str) -> None:
    assert [line for line, said in prose(text) if FACELESS.search(said)] != []


def test_a_constant_that_is_called_nobody_is_let_pass() -> None:
    assert FACELESS.search("NOBODY is a person without claims.") is None


def test_no_page_riddles() -> None:
    lines = [(name, n, line) for name, text in PAGES.items() for n, line in enumerate(text.split("\n"), 1)]

    assert [f"{name}:{n}" for name, n, line in lines if name not in UNCHECKED and RIDDLES.search(line)] == []


@pytest.mark.parametrize(
    "text",
    [
        'def f():\n    """Tell whether it is good."""\n',
        'class A:\n    """Be a server."""\n',
        "a = 1  # None where there is none\n",
        "# It lets go of the file.\n",
    ],
)
def test_a_riddle_is_found(text: str) -> None:
    assert riddles(text) != []


def test_plain_words_are_let_pass() -> None:
    assert riddles('def f():\n    """Return whether it is valid; None if there is none."""\n') == []


# Each once had several meanings: a request, a parameter, an answer, a flag. A name says which of them a thing is.
VAGUE = frozenset({"again", "asked", "heard", "judged", "told"})


def vague_names(text: str) -> list[str]:
    """Return the vague names among those that a module binds."""
    return [name for name in names_given(ast.parse(text)) if name.strip("_").lower() in VAGUE]


def names_given(tree: ast.Module) -> Iterator[str]:
    """Return every name that a module binds."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.Attribute(attr=name, ctx=ast.Store()) | ast.arg(arg=name):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name


def test_no_name_of_the_core_and_adapters_is_vague() -> None:
    found = {module: vague_names(text) for module, text in modules(CORE, ADAPTERS).items()}

    assert {module: names for module, names in found.items() if names} == {}


@pytest.mark.parametrize(
    "text",
    [
        "asked = 1\n",
        "def f(told): pass\n",
        "def _asked(): pass\n",
        "class Heard: pass\n",
        "def f():\n    x.again = 1\n",
    ],
)
def test_a_vague_name_is_found(text: str) -> None:
    assert len(vague_names(text)) == 1


def test_a_name_of_a_trace_or_a_sentence_is_let_pass() -> None:
    assert vague_names('written = {"told": asked_for}\n') == []
