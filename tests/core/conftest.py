"""What the core's tests share: every flow goes through both drivers."""

from __future__ import annotations

import pytest

from tests.core.site import DRIVERS, Drive, Site, make_site


@pytest.fixture(params=sorted(DRIVERS))
def drive(request: pytest.FixtureRequest) -> Drive:
    """Give each driver in turn."""
    return DRIVERS[request.param]


@pytest.fixture
def site(drive: Drive) -> Site:
    """Give a fresh site, under each driver."""
    return make_site(drive)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many schedules were run."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "schedules" and getattr(report, "when", None) == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
