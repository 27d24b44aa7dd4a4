"""The parent of workers: who dies is replaced, who dies at once ever more slowly; what is told is passed on."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.slow

# In a process of its own: a parent forks, and has signals blocked.
PREAMBLE = """
import logging, os, signal, sys
from oauthcore_h11.workers import Cord, Parent
logging.basicConfig(stream=sys.stdout, format="%(message)s")

def say(*words):
    # One call for the whole line: two workers may be speaking at once.
    os.write(1, (" ".join(map(str, words)) + "\\n").encode())

QUIET = {"reloaded": lambda: None, "ending": lambda: None}

def until(*numbers):
    return signal.sigwait(set(numbers))
"""


def run(program: str) -> tuple[int, list[str]]:
    """Run a program; give its exit status and what it said."""
    done = subprocess.run(
        [sys.executable, "-c", PREAMBLE + textwrap.dedent(program)], capture_output=True, text=True, timeout=60
    )
    return done.returncode, (done.stdout + done.stderr).splitlines()


def test_started_is_told_once_all_are_ready_and_ending_is_passed_on() -> None:
    status, said = run(
        """
        def work(cord):
            def end(*_):
                say("worker ends")
                os._exit(0)

            signal.signal(signal.SIGTERM, end)
            cord.ready()
            while True:
                signal.pause()

        def started():
            say("started")
            os.kill(os.getpid(), signal.SIGTERM)

        sys.exit(Parent(2, work, started=started, **QUIET, patience=30).run())
        """
    )

    assert (status, said) == (0, ["started", "worker ends", "worker ends"])


def test_worker_that_can_not_start_ends_the_parent() -> None:
    status, said = run(
        """
        def work(cord):
            raise ValueError("no")

        sys.exit(Parent(1, work, started=lambda: say("started"), **QUIET, patience=30).run())
        """
    )

    assert status == 2
    assert "started" not in said
    assert "ValueError: no" in said


def test_worker_that_does_not_end_is_killed() -> None:
    status, said = run(
        """
        def work(cord):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            cord.ready()
            until(signal.SIGUSR1)

        def started():
            os.kill(os.getpid(), signal.SIGTERM)

        sys.exit(Parent(1, work, started=started, **QUIET, patience=0.1).run())
        """
    )

    assert (status, said) == (1, [])


def test_worker_that_dies_again_and_again_is_replaced_and_then_waited_with() -> None:
    status, said = run(
        """
        lives = []

        def work(cord):
            cord.ready()
            os.kill(os.getpid(), signal.SIGKILL)
            return 0

        class Watched(Parent):
            def _spawn(self, writing):
                lives.append(self._pause)
                if len(lives) == 4:
                    say("pauses", lives)
                    os.kill(os.getpid(), signal.SIGTERM)
                super()._spawn(writing)

        sys.exit(Watched(1, work, started=lambda: say("started"), **QUIET, patience=30).run())
        """
    )

    # The first may be dead before the parent has counted it ready; then it says so, and ends.
    assert status in {0, 2}
    if status == 0:
        assert "pauses [0.0, 0.05, 0.1, 0.2]" in said


def test_reload_is_done_in_the_parent_and_passed_on() -> None:
    status, said = run(
        """
        def work(cord):
            def reload(*_):
                say("worker reloads")
                os.kill(os.getppid(), signal.SIGTERM)

            signal.signal(signal.SIGHUP, reload)
            signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
            cord.ready()
            while True:
                signal.pause()

        def started():
            os.kill(os.getpid(), signal.SIGHUP)

        heard = {**QUIET, "reloaded": lambda: say("parent reloads")}
        sys.exit(Parent(1, work, started=started, patience=30, **heard).run())
        """
    )

    assert (status, said) == (0, ["parent reloads", "worker reloads"])


def test_ending_closes_what_the_parent_has_open_before_anything_is_waited_for() -> None:
    status, said = run(
        """
        def work(cord):
            def end(*_):
                say("worker ends")
                os._exit(0)

            signal.signal(signal.SIGTERM, end)
            cord.ready()
            while True:
                signal.pause()

        def started():
            os.kill(os.getpid(), signal.SIGTERM)

        heard = {**QUIET, "ending": lambda: say("parent closes")}
        sys.exit(Parent(1, work, started=started, patience=30, **heard).run())
        """
    )

    assert (status, said) == (0, ["parent closes", "worker ends"])


def test_ending_waits_for_no_worker_that_waits_for_something_before_it_is_ready() -> None:
    status, said = run(
        """
        def work(cord):
            os.kill(os.getppid(), signal.SIGTERM)
            until(signal.SIGUSR1)

        sys.exit(Parent(2, work, started=lambda: say("started"), patience=30, **QUIET).run())
        """
    )

    assert (status, said) == (0, [])
