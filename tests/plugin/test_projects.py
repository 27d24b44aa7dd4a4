"""An empty project with the plugin, and tests of applications of Django, Flask, FastAPI, Starlette and Litestar.

Its files are in `projects/`: they are somebody else's, so they have no types and are not collected here.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

PROJECTS = Path(__file__).parent / "projects"


@pytest.mark.slow
def test_each_framework_s_project_passes_on_two_workers(pytester: pytest.Pytester) -> None:
    for file in PROJECTS.glob("*.txt"):
        (pytester.path / file.with_suffix(".py").name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
    is_installed = any(found.name == "oauthcore" for found in entry_points(group="pytest11"))
    named = () if is_installed else ("-p", "oauthcore_pytest.plugin")

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "-n", "2", *named, timeout=300)

    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "warnings", "warning"}, result.stdout.str()
    assert outcomes["passed"] >= 52
