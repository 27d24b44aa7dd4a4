"""What all tests share: no property fails for being slow on a busy machine."""

from __future__ import annotations

import pytest
from hypothesis import settings

pytest_plugins = ("tests.servers.plugin",)

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was gone through, where it is many."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "schedules" and getattr(report, "when", None) == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
