"""What all tests share: no property fails for being slow, and what is run again and again is not traced."""

from __future__ import annotations

import os
import sys
import threading
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
    """Trace neither a test marked `untraced` nor what it starts.

    It is for what runs lines that other tests run as well, thousands of times: traced they take three times as long.
    pytest-cov's own mark stops and starts coverage each time, which then handles each fork and exit once more.
    """
    if item.get_closest_marker("untraced") is None:
        return (yield)
    here, in_threads, elsewhere = sys.gettrace(), threading.gettrace(), os.environ.pop(_TRACING, None)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)
        if elsewhere is not None:
            os.environ[_TRACING] = elsewhere


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was gone through, where it is many."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "schedules" and getattr(report, "when", None) == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
