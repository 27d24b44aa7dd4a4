"""Carry out a walk through a port, and check what it has seen."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Protocol

import attrs

from oauthcore import Outgoing
from oauthcore_doctor.checks import CHECKS
from oauthcore_doctor.clients import ClientTrouble, troubles
from oauthcore_doctor.finding import Finding, Severity
from oauthcore_doctor.observations import Exchange, Observations, Target, TlsObservation
from oauthcore_doctor.walk import TlsRequest, walk

# As many as a browser opens to one host: a walk is no load test.
AT_ONCE = 6


class Port(Protocol):
    """Carry out one probe; threads share it. What fails is an observation as well, and not raised."""

    def fetch(self, request: Outgoing) -> Exchange:
        """Send a request and return what came of it, following no redirect."""

    def shake_hands(self, request: TlsRequest) -> TlsObservation:
        """Open a TLS connection and return what it showed."""


@attrs.frozen
class Report:
    """Be what a walk has come to."""

    observations: Observations
    findings: tuple[Finding, ...]
    clients: tuple[ClientTrouble, ...]

    def worst(self) -> Severity | None:
        """Return the severity of the worst finding; None if there is none."""
        found = {finding.check.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in found), None)


def examine(target: Target, port: Port, *, ignoring: Collection[str] = ()) -> Report:
    """Walk through a deployment and return what is wrong with it, but for the checks whose ids are ignored."""
    observations = observe(target, port)
    findings = tuple(finding for finding in find(observations) if finding.check.id not in ignoring)
    return Report(observations, findings, tuple(troubles(observations)))


def observe(target: Target, port: Port) -> Observations:
    """Carry out a walk."""
    steps = walk(target)
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="oauthcore-doctor") as threads:
        try:
            batch = next(steps)
            while True:
                hands = threads.map(port.shake_hands, batch.tls)
                exchanges = dict(zip(batch.probes, threads.map(port.fetch, batch.probes.values()), strict=True))
                batch = steps.send((exchanges, tuple(hands)))
        except StopIteration as end:
            observations: Observations = end.value
            return observations


def find(observations: Observations) -> Iterator[Finding]:
    """Return what every check sees, the worst first."""
    found = [Finding(check, text) for check in CHECKS for text in check.look(observations)]
    order = list(Severity)
    yield from sorted(found, key=lambda finding: order.index(finding.check.severity))
