"""What all tests share: no property fails for being slow, and what is run again and again is not traced."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest
from hypothesis import settings

pytest_plugins = ("tests.servers.plugin",)

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

# How coverage has what a test starts traced, too.
_TRACING = "COVERAGE_PROCESS_CONFIG"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Have nothing traced that a test marked `no_cover` starts, as pytest-cov has it for the test itself.

    It is for what runs lines that other tests run as well, thousands of times: traced they take three times as long.
    """
    tracing = os.environ.pop(_TRACING, None) if item.get_closest_marker("no_cover") else None
    try:
        return (yield)
    finally:
        if tracing is not None:
            os.environ[_TRACING] = tracing


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was gone through, where it is many."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "schedules" and getattr(report, "when", None) == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
