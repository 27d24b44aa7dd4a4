"""Carry out a walk through a port, and check the observations."""

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

# The number of connections that a browser opens to one host: a walk must not be a load test.
AT_ONCE = 6


class Port(Protocol):
    """Carry out single probes, on several threads. A failure is an observation, and not raised."""

    def fetch(self, request: Outgoing) -> Exchange:
        """Send a request and return the exchange, without following a redirect."""

    def shake_hands(self, request: TlsRequest) -> TlsObservation:
        """Open a TLS connection and return the observation."""


@attrs.frozen
class Report:
    """The result of a walk."""

    observations: Observations
    findings: tuple[Finding, ...]
    clients: tuple[ClientTrouble, ...]

    def worst(self) -> Severity | None:
        """Return the severity of the worst finding; None if there is none."""
        found = {finding.check.severity for finding in self.findings}
        return next((severity for severity in Severity if severity in found), None)


def examine(target: Target, port: Port, *, ignoring: Collection[str] = ()) -> Report:
    """Examine a deployment and return the findings, except those of ignored checks."""
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
    """Return the findings of all checks, the most severe first."""
    found = [Finding(check, text) for check in CHECKS for text in check.look(observations)]
    order = list(Severity)
    yield from sorted(found, key=lambda finding: order.index(finding.check.severity))
