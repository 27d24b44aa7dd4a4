"""Worker processes that share the listening sockets, and the parent that watches over them.

The parent forks before it has any thread or event loop, does nothing but wait for signals, and so can't be brought down
by a request. A worker that dies is replaced; one that dies at once again and again is replaced ever more slowly.
"""

from __future__ import annotations

import logging
import os
import select
import signal
import sys
from collections.abc import Callable
from time import monotonic
from typing import NoReturn

import attrs

logger = logging.getLogger("oauthcore.workers")

ENDING = frozenset({signal.SIGTERM, signal.SIGINT})
WATCHED = ENDING | {signal.SIGHUP, signal.SIGCHLD}

# What a worker gives that has said by itself why it can't be, and then its parent: the command line's "bad input".
CAN_NOT_START = 2

# A worker that has lived so long has not died of its configuration.
_LONG_LIFE = 10.0
_LONGEST_PAUSE = 30.0


@attrs.frozen
class Cord:
    """Be what a worker has of its parent: tell it is ready, and notice when the parent is gone."""

    ready: Callable[[], None]
    parent: int
    """A file descriptor that is readable, at its end, once there is no parent any more."""


Work = Callable[[Cord], int]
"""What a worker does, until it is told to end; it gives its exit status."""


@attrs.define
class Worker:
    """Remember a child process."""

    pid: int
    born_at: float


class Parent:
    """Keep `count` workers running until a signal says to end.

    SIGTERM and SIGINT are passed on after `ending` was called, and the workers then have `patience` seconds; SIGHUP is
    passed on after `reloaded` was called. Both are called in the parent, from whose memory the next worker starts.
    """

    def __init__(
        self,
        count: int,
        work: Work,
        *,
        started: Callable[[], None],
        reloaded: Callable[[], None],
        ending: Callable[[], None],
        patience: float,
    ) -> None:
        self._count = count
        self._work = work
        self._started = started
        self._reloaded = reloaded
        self._ending = ending
        self._patience = patience
        self._workers: dict[int, Worker] = {}
        self._lifeline, self._hand = os.pipe()
        self._pause = 0.0
        self._born_late_at: float | None = None
        self._is_to_end = False

    def run(self) -> int:
        """Run until told to end; give the exit status."""
        signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
        reading, writing = os.pipe()
        # One first: what is wrong is then said once, and the others find the storage prepared.
        for count in (1, self._count - 1):
            for _ in range(count):
                self._spawn(writing)
            if not self._all_ready(reading, count):
                ended = self._end()
                return CAN_NOT_START if not self._is_to_end else 0 if ended else 1
        self._started()
        while (number := self._next_signal()) not in ENDING:
            if number == signal.SIGHUP:
                self._reloaded()
                self._tell(signal.SIGHUP)
            self._bury()
            self._replace(writing)
        return 0 if self._end() else 1

    def _all_ready(self, reading: int, count: int) -> bool:
        """Wait until so many workers said so; False where one ended instead, or all are to."""
        living = len(self._workers)
        while count > 0:
            readable, _, _ = select.select([reading], [], [], 0.1)
            if readable:
                count -= len(os.read(reading, count))
            # A worker that waits at its start, for a storage say, must not delay the end.
            if signal.sigtimedwait(ENDING, 0) is not None:
                self._is_to_end = True
                return False
            self._bury()
            if len(self._workers) < living:
                return False
        return True

    def _next_signal(self) -> int | None:
        """Wait for a signal, or until a dead worker's successor is due: None."""
        if self._born_late_at is None:
            return signal.sigwait(WATCHED)
        received = signal.sigtimedwait(WATCHED, max(0.0, self._born_late_at - monotonic()))
        return None if received is None else received.si_signo

    def _spawn(self, writing: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            self._be_worker(writing)
        self._workers[pid] = Worker(pid, monotonic())

    def _be_worker(self, writing: int) -> NoReturn:
        """Live as a worker, and end without a return into the parent's code."""
        status = 1
        try:
            os.close(self._hand)
            # Who is told to end before there is anything to bring to an end ends at once.
            for number in ENDING:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)
            # Other signals stay blocked until there is a handler: one that arrives earlier waits, and isn't lost.
            status = self._work(Cord(lambda: _tell_ready(writing), self._lifeline))
        except BaseException:  # nothing may get out of here into the parent's code
            logger.exception("worker %d failed", os.getpid())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)

    def _bury(self) -> None:
        """Forget the workers that have ended."""
        while self._workers:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            worker = self._workers.pop(pid)
            code = os.waitstatus_to_exitcode(status)
            if code != CAN_NOT_START:
                logger.error("worker ended", extra={"fields": {"pid": pid, "status": code}})
            lived_long = monotonic() - worker.born_at >= _LONG_LIFE
            self._pause = 0.0 if lived_long else min(_LONGEST_PAUSE, self._pause * 2 or 0.05)
            self._born_late_at = monotonic() + self._pause

    def _replace(self, writing: int) -> None:
        """Start the successors that are due."""
        if self._born_late_at is not None and monotonic() >= self._born_late_at:
            self._born_late_at = None
            for _ in range(self._count - len(self._workers)):
                self._spawn(writing)

    def _tell(self, number: signal.Signals) -> None:
        for pid in self._workers:
            os.kill(pid, number)

    def _end(self) -> bool:
        """Have all workers end; False where one had to be killed."""
        self._ending()
        self._tell(signal.SIGTERM)
        deadline = monotonic() + self._patience
        while self._workers and (left := deadline - monotonic()) > 0:
            received = signal.sigtimedwait({signal.SIGCHLD}, left)
            if received is not None:
                self._reap()
        self._reap()
        in_time = not self._workers
        self._tell(signal.SIGKILL)
        for pid in self._workers:
            os.waitpid(pid, 0)
        return in_time

    def _reap(self) -> None:
        """Forget the workers that have ended because they were told to."""
        while self._workers:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            del self._workers[pid]


def _tell_ready(writing: int) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    os.write(writing, b".")
