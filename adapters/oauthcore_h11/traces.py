"""Traces in a directory: each decision of the server as a file, for `oauthcore replay`."""

from __future__ import annotations

import itertools
import logging
import os
import re
import time
from pathlib import Path

from oauthcore import AuthorizationServer, ConfigurationError
from oauthcore.trace import Recorder, Trace

logger = logging.getLogger("oauthcore.traces")
KEPT = 1_000


class TraceFolder:
    """Keep the latest traces, one file each that its owner alone can read; the oldest go when there are many."""

    def __init__(self, folder: Path, kept: int = KEPT) -> None:
        self._folder = folder
        self._kept = kept
        self._numbers = itertools.count(1)

    def __call__(self, trace: Trace) -> None:
        """Write a trace; a failure is logged, and does not affect the response."""
        number = next(self._numbers)
        path = self._folder / f"{self._stamp(trace)}-{os.getpid()}-{number:06}-{_name(trace)}.json"
        try:
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
                _ = file.write(trace.dump())
            if number % max(1, self._kept // 10) == 0:
                self._forget()
        except OSError as error:
            logger.warning("a trace was not kept: %s: %s", path.name, error.strerror)

    def _stamp(self, trace: Trace) -> str:
        now = trace.clock[0] if trace.clock else time.time()
        return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))

    def _forget(self) -> None:
        """Remove the oldest; several workers may be at it, and none minds what is gone already."""
        for path in sorted(self._folder.glob("*T*Z-*.json"))[: -self._kept]:
            path.unlink(missing_ok=True)


def _name(trace: Trace) -> str:
    """Return what was asked and how it ended, as far as it fits a file's name."""
    what = trace.request["target"].partition("?")[0].rpartition("/")[2] if trace.call == "handle" else trace.call
    return f"{re.sub('[^a-z_-]', '', what.lower())[:32] or 'other'}-{trace.response['status']}"


def traced(server: AuthorizationServer, folder: Path | None) -> AuthorizationServer:
    """Return a server that records its decisions in a directory, or the same server without one."""
    if folder is None:
        return server
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigurationError("logs.traces", str(folder), "make it a folder that the server may write to")
    return Recorder(TraceFolder(folder)).recorded(server)
