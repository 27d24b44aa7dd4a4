"""A template is compiled once in a process, and never shown where another one is meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from jinja2 import DictLoader, Environment, FileSystemLoader

from oauthcore.wire.refusals import ErrorPage
from oauthcore_pages import Templates
from oauthcore_pages.compiled import CompiledTemplates

PAGE = ErrorPage(400, "invalid_request", "a description")


def error_of(templates: Templates) -> str:
    return templates.error(PAGE).body.decode()


def test_every_later_server_and_language_has_what_the_first_has_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    error_of(Templates())

    def compiled_again(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(Environment, "compile", compiled_again)

    assert 'lang="de"' in error_of(Templates(languages=("de", "en")))


def test_an_operators_template_is_shown_by_their_server_alone() -> None:
    own = Templates([DictLoader({"error.html": "ours: {{ code }}"})])
    other = Templates([DictLoader({"error.html": "theirs: {{ code }}"})])

    assert error_of(own) == "ours: invalid_request"
    assert error_of(other) == "theirs: invalid_request"
    assert error_of(Templates()).startswith("<!doctype html>")


def test_a_template_that_was_changed_is_compiled_anew(tmp_path: Path) -> None:
    template = tmp_path / "error.html"
    template.write_text("before")
    assert error_of(Templates([FileSystemLoader(tmp_path)])) == "before"

    template.write_text("after")

    assert error_of(Templates([FileSystemLoader(tmp_path)])) == "after"


def test_no_more_is_remembered_than_the_newest_of_each_file() -> None:
    compiled = CompiledTemplates()
    for source in ("one", "two", "two"):
        loader = DictLoader({"page.html": source})
        assert Environment(loader=loader, bytecode_cache=compiled).get_template("page.html").render() == source

    assert len(compiled._code) == 1
