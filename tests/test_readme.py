"""The README says what is true: its snippets run, and are as short as it claims."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

README = (Path(__file__).parent.parent / "README.md").read_text(encoding="utf-8")
SNIPPETS = dict(re.findall(r"<!-- snippet: (\w+) -->\n```python\n(.*?)```", README, re.DOTALL))


def test_both_snippets_together_take_less_than_forty_lines() -> None:
    assert list(SNIPPETS) == ["run", "arun"]
    lines = [line for snippet in SNIPPETS.values() for line in snippet.splitlines()]

    assert len([line for line in lines if line.strip() and not line.startswith("#")]) < 40


def test_both_snippets_run_and_print_an_access_token_each(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, object] = {"__name__": "snippet"}

    for snippet in SNIPPETS.values():
        exec(compile(snippet, "README.md", "exec"), names)

    first, second = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", first)
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", second)
    assert first != second


def test_the_first_screen_has_the_two_commands() -> None:
    first_screen = "\n".join(README.splitlines()[:25])

    assert 'python3 -m venv .venv && .venv/bin/pip install -q ".[server]" && .venv/bin/oauthcore demo' in first_screen
    assert "python3 -m venv .venv && .venv/bin/pip install -q nox && .venv/bin/nox" in first_screen
