"""Tests of a running server: `pytest --oauth-conformance URL` runs each check of the doctor as a test.

The server is examined once, before the first of them, as by `oauthcore doctor`: without a login and without changes. A
finding that affects clients or security fails its test; a note does not.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from oauthcore import ConfigurationError, Secret
from oauthcore_doctor import CHECKS, Check, Finding, LentClient, Report, Severity, Target, examine
from oauthcore_doctor.network import NetworkPort, check_ca_file, hosts_named_by

# As for `oauthcore doctor`: it is in no list of processes, and in no history of a shell.
SECRET = "OAUTHCORE_CLIENT_SECRET"


class Unfit(Exception):
    """Hold the findings of a check."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        super().__init__()
        self.findings = tuple(findings)


class Examination(pytest.Collector):
    """The examined server, as a collector of checks."""

    examined: Target
    ca_file: Path | None

    def collect(self) -> Iterator[pytest.Item]:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return a test for each check."""
        for check in CHECKS:
            item: ConformanceTest = ConformanceTest.from_parent(self, name=check.id)
            item.check = check
            yield item

    @cached_property
    def report(self) -> Report:
        """Examine the server at the first call."""
        return examine(self.examined, NetworkPort(hosts_named_by(self.examined), ca_file=self.ca_file))


class ConformanceTest(pytest.Item):
    """The test of one check."""

    check: Check

    def runtest(self) -> None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Fail with the findings of the check, unless they are notes."""
        assert isinstance(self.parent, Examination)
        report = self.parent.report
        found = [finding for finding in report.findings if finding.check.id == self.check.id]
        if found and self.check.severity is not Severity.NOTE:
            raise Unfit(found)

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:  # type: ignore[explicit-override]  # 3.12's
        """Describe a finding, who it affects, and the remedy."""
        if not isinstance(excinfo.value, Unfit):
            return super().repr_failure(excinfo, style)
        check = self.check
        found = "\n".join(f"  {finding.text}" for finding in excinfo.value.findings)
        return (
            f"{check.severity.value}: {check.title} ({check.section})\n{found}\n"
            f"  matters to: {check.matters_to}\n  remedy: {check.remedy}"
        )

    def reportinfo(self) -> tuple[os.PathLike[str] | str, int | None, str]:  # type: ignore[explicit-override]  # 3.12's
        """Return the name of the test."""
        return self.path, None, self.check.id


def lent_client(client_id: str | None, redirect_uri: str | None) -> LentClient | None:
    """Return the client to examine as, with the secret of the environment; raises `pytest.UsageError`."""
    if client_id is None:
        if redirect_uri is not None:
            raise pytest.UsageError("--oauth-redirect-uri is of a client: name it with --oauth-client-id")
        return None
    secret = os.environ.get(SECRET)
    return LentClient(client_id, None if secret is None else Secret(secret), redirect_uri)


def conformance_tests(
    session: pytest.Session, url: str | None, resource: str | None, ca: str | None, client: LentClient | None = None
) -> list[pytest.Item]:
    """Return the tests of a server and a resource; raises `pytest.UsageError` if they can't be examined."""
    ca_file = None if ca is None else Path(ca)
    try:
        check_ca_file(ca_file)
    except ConfigurationError as error:
        raise pytest.UsageError(str(error)) from None
    for value in (url, resource):
        if value is not None and not value.startswith(("https://", "http://")):
            raise pytest.UsageError(f"{value} is no URL of a server: begin it with https://")
    examination: Examination = Examination.from_parent(session, name="oauth-conformance", nodeid="oauth-conformance")
    examination.examined, examination.ca_file = Target(url, resource, client), ca_file
    return list(examination.collect())
