"""The README says what is true: its snippets run, and are as short as it claims."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from oauthcore import run

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


def test_the_application_starts_a_second_time_on_a_storage_that_lasts(tmp_path: Path) -> None:
    """Its clients are declared in code: the same ones again, as they are then in the storage already."""
    example = re.search(r"<!-- example: fastapi_app -->\n```python\n(.*?)```", README, re.DOTALL)
    assert example is not None
    kept = f"SqliteStorage({str(tmp_path / 'x.db')!r})"
    code = "from oauthcore_sqlite import SqliteStorage\n" + example[1].replace("MemoryStorage()", kept)

    for _ in range(2):
        names: dict[str, Any] = {"__name__": "fastapi_app"}
        exec(compile(code, "README.md", "exec", dont_inherit=True), names)
        listed = run(names["oauth"].server.clients.all(), names["world"])
        assert [client.client_id for client in listed] == ["app", "phone"]
        names["world"].storage.close()
