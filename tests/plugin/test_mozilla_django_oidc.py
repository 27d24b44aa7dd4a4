"""A Django project that signs its users in by mozilla-django-oidc, tested as its own suite tests it, with an issuer."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

import pytest

PROJECT = Path(__file__).parent / "projects" / "by_itself" / "test_with_mozilla_django_oidc.txt"


@pytest.mark.slow
def test_django_project_passes(pytester: pytest.Pytester) -> None:
    """By itself, since a process has one Django."""
    (pytester.path / PROJECT.with_suffix(".py").name).write_text(PROJECT.read_text(encoding="utf-8"), encoding="utf-8")
    is_installed = any(found.name == "oauthcore" for found in entry_points(group="pytest11"))
    named = () if is_installed else ("-p", "oauthcore_pytest.plugin")

    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *named, timeout=300)

    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "skipped", "warnings", "warning"}, result.stdout.str()
    assert outcomes["passed"] >= 48
