"""The page on testing: all of its code runs, in order, and prints what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from oauthcore.testing import strategies

PAGE = (Path(__file__).parent.parent / "docs" / "testing.md").read_text(encoding="utf-8")


def test_its_code_runs_and_counts(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {"__name__": "page"}

    for block in re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL):
        exec(compile(block, "testing.md", "exec"), names)

    schedules, points = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"\d+ schedules, which stand for \d+ orders of steps", schedules)
    assert re.fullmatch(r"\d+ points of \d+ effects", points)
    few = settings(max_examples=5, stateful_step_count=10, deadline=None)
    run_state_machine_as_test(names["Lifetimes"], settings=few)
    settings(max_examples=20, deadline=None)(names["test_whatever_arrives_a_response_leaves"])()


def test_it_lists_every_strategy() -> None:
    assert set(listed()) == {*strategies.__all__} - {"Asking"}


def listed() -> Iterator[str]:
    """Return the names in the first column of the table of strategies."""
    for cells in re.findall(r"^\| (`[a-z_]+\(?.*?) \|", PAGE.partition("## Arbitrary requests")[2], re.MULTILINE):
        yield from re.findall(r"`(\w+)", cells)
