"""Monitoring: whether the process is alive, whether it is ready, and metrics.

With several workers each counts for itself; `prometheus_client` then keeps the numbers in files that all of them read,
in the directory that PROMETHEUS_MULTIPROC_DIR names. It reads that variable when it is imported, so it is imported only
if metrics are on.
"""

from __future__ import annotations

import os

from oauthcore import Response
from oauthcore.wire.http import NO_STORE

HEALTH, READINESS, METRICS = "/healthz", "/readyz", "/metrics"
PATHS = frozenset({HEALTH, READINESS, METRICS})

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
# Prometheus's text format; https://prometheus.io/docs/instrumenting/exposition_formats/
_EXPOSITION = (("Content-Type", "text/plain; version=0.0.4; charset=utf-8"), *NO_STORE)
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), *NO_STORE)

# A find takes microseconds and a synchronised commit milliseconds; a login takes a hash, tens of them.
_BUCKETS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10)


class Monitoring:
    """Count, and show the counts."""

    def __init__(self) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

        disable_created_metrics()  # type: ignore[no-untyped-call]  # as many lines again, without use
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "oauthcore_requests",
            "Requests answered, by endpoint, status and OAuth error code.",
            ("endpoint", "status", "error"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "oauthcore_request_seconds",
            "Seconds from a complete request to its response.",
            ("endpoint",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._events = Counter(
            "oauthcore_events", "What was committed, by the audit log's names.", ("event",), registry=self._registry
        )
        self._unreadable = Counter(
            "oauthcore_unreadable_requests",
            "Requests refused before it was known what they were for, by status.",
            ("status",),
            registry=self._registry,
        )

        self._purged = Counter(
            "oauthcore_purged_records", "Expired records that were removed.", registry=self._registry
        )
        self._failed_purges = Counter(
            "oauthcore_failed_purges", "Attempts to remove expired records that failed.", registry=self._registry
        )

    def answered(self, endpoint: str, status: int, error: str, seconds: float) -> None:
        """Count a response."""
        self._requests.labels(endpoint, str(status), error).inc()
        self._seconds.labels(endpoint).observe(seconds)

    def happened(self, event: str) -> None:
        """Count an event of the audit log."""
        self._events.labels(event).inc()

    def purged(self, came: int | Exception) -> None:
        """Count the records that a purge removed, or that it failed."""
        if isinstance(came, Exception):
            self._failed_purges.inc()
        else:
            self._purged.inc(came)

    def unreadable(self, status: int) -> None:
        """Count a request that the connection refused."""
        self._unreadable.labels(str(status)).inc()

    def exposition(self) -> Response:
        """Show the counts, of all workers."""
        from prometheus_client import CollectorRegistry, generate_latest
        from prometheus_client.multiprocess import MultiProcessCollector

        registry = self._registry
        if os.environ.get(MULTIPROCESS):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # it has no types
        return Response(200, _EXPOSITION, generate_latest(registry))


def alive() -> Response:
    """Say that the process answers."""
    return Response(200, _TEXT, b"alive\n")


def ready(*, storage_answers: bool) -> Response:
    """Say whether requests can be answered, too."""
    if storage_answers:
        return Response(200, _TEXT, b"ready\n")
    return Response(503, (*_TEXT, ("Retry-After", "1")), b"the storage does not answer, or takes no writes\n")
