"""A command in a process that was forked is the command in one that Python has started."""

from __future__ import annotations

import json
import signal
import subprocess
from pathlib import Path

import pytest

from tests.h11 import forked
from tests.h11.installation import Installation
from tests.processes import end, line_of, run

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("arguments", [["--version"], ["client", "list"], ["nothing"]], ids=" ".join)
def test_it_says_the_same_and_ends_alike(arguments: list[str], tmp_path: Path) -> None:
    started = run(Installation(tmp_path).command(*arguments), cwd=tmp_path, capture_output=True)

    found = forked.run(arguments, folder=tmp_path)

    assert (found.returncode, found.stdout, found.stderr) == (started.returncode, started.stdout, started.stderr)


def test_it_runs_in_the_folder_and_hears_what_comes_through_the_pipe(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure()

    added = installation.run("user", "add", "alice", said="wonderland\n")

    assert "alice" in added
    assert [user["username"] for user in installation.ask("user", "list")] == ["alice"]


def test_it_has_the_environment_of_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OAUTHCORE_CONFIG", "elsewhere.toml")

    found = forked.run(["check"], folder=tmp_path)

    assert found.returncode == 2
    assert "elsewhere.toml" in found.stderr


def test_it_ends_as_by_the_signal_it_was_sent(tmp_path: Path) -> None:
    demo = ["demo", "--port", "0", "--json"]
    ended, killed = (forked.serve(demo, folder=tmp_path, log=tmp_path / "log") for _ in range(2))
    said = [json.loads(line_of(process)) for process in (ended, killed)]

    with pytest.raises(subprocess.TimeoutExpired):
        ended.wait(0)

    assert said[0]["issuer"] != said[1]["issuer"]
    assert end(ended, signal.SIGINT) == 0
    assert end(killed, signal.SIGKILL) == -signal.SIGKILL
