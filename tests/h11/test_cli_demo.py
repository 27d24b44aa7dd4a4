"""The command line: what it prints, and how it ends."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from oauthcore_h11.cli import main
from oauthcore_h11.loopback import port_of
from tests import processes
from tests.processes import PATIENCE, limited, line_of

pytestmark = pytest.mark.slow


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Run `python -m oauthcore_h11 demo` until the block ends."""
    command = [sys.executable, "-m", "oauthcore_h11", "demo", "--port", "0", *arguments]
    with processes.running(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        yield process


first_line = line_of


def end(process: subprocess.Popen[str], number: signal.Signals = signal.SIGTERM) -> tuple[str, str]:
    """End it; give what else it printed, and its log. Not `communicate`, which forgets what is buffered here."""
    assert process.stdout is not None
    assert process.stderr is not None
    process.send_signal(number)
    with limited(process):
        said = process.stdout.read(), process.stderr.read()
    process.wait(PATIENCE)
    return said


def complaint(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that has to fail; give the one line it says why."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    said, complained = capsys.readouterr()
    assert said == ""
    (line,) = complained.splitlines()
    return line


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda number: number.name)
def test_demo_prints_one_line_of_json_once_it_listens_and_ends_well(number: signal.Signals) -> None:
    with running("--json") as process:
        addresses = json.loads(first_line(process))
        document = httpx.get(addresses["metadata"], trust_env=False).json()
        rest, log = end(process, number)

    assert document["issuer"] == addresses["issuer"]
    assert document["token_endpoint"] == addresses["token_endpoint"] == f"{addresses['issuer']}/oauth/tokenize"
    assert (process.returncode, rest, log) == (0, "", "")


def test_demo_logs_refusals_and_neither_queries_nor_secrets() -> None:
    with running("--json") as process:
        addresses = json.loads(first_line(process))
        httpx.get(addresses["authorization_endpoint"] + "?client_id=nobody&state=hush", trust_env=False)
        form = {"grant_type": "authorization_code", "code": "hush"}
        httpx.post(addresses["token_endpoint"], data=form, auth=("test_client", "hush"), trust_env=False)
        _, log = end(process)

    assert "INFO GET /oauth/authorize: 400 invalid_request: the client is unknown" in log
    assert "INFO POST /oauth/tokenize: 401 invalid_client: " in log
    assert "hush" not in log


def test_demo_prints_the_quick_start_for_people() -> None:
    with running() as process:
        first = first_line(process)
        issuer = first.split()[-1]
        rest, _ = end(process)

    assert first == f"oauthcore demo at {issuer}\n"
    assert "In memory, on the loopback interface only" in rest
    assert "sign in as admin with the password admin" in rest
    assert (
        f"\n   {issuer}/oauth/authorize?client_id=test_client&redirect_uri=https%3A%2F%2Fwww.example.com%2Fredirect"
        "&response_type=code&state=somestate&scope=email\n"
    ) in rest
    assert rest.count(f"\n   curl {issuer.removeprefix('http://')}/oauth/tokenize \\\n") == 4
    assert "-u 'test_client:password'" in rest
    assert "-u 'gateway_client:gateway-password'" in rest


def test_demo_serves_an_mcp_endpoint_where_it_is_asked_for() -> None:
    with running("--json", "--mcp") as process:
        addresses = json.loads(first_line(process))
        challenge = httpx.post(addresses["mcp"], trust_env=False).headers["www-authenticate"]
        end(process)

    assert challenge.startswith(f'Bearer realm="{addresses["mcp"]}", scope="read", resource_metadata="')


@pytest.mark.parametrize(
    ("host", "issuer"),
    [("localhost", "http://localhost:"), ("LOCALHOST", "http://localhost:"), ("127.0.0.2", "http://127.0.0.2:")],
)
def test_issuer_has_the_host_that_was_asked_for_and_the_real_port(host: str, issuer: str) -> None:
    with running("--json", "--host", host, "--legacy") as process:
        addresses = json.loads(first_line(process))
        document = httpx.get(addresses["metadata"], trust_env=False).json()

    assert addresses["issuer"].startswith(issuer)
    assert document["issuer"] == addresses["issuer"]
    assert "password" in document["grant_types_supported"]


def test_port_in_use_is_one_line_with_a_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = port_of(other)

        line = complaint(capsys, "demo", "--port", str(port))

    assert line == f"oauthcore: --port = {port}: it is in use; choose another, or 0 for any free port"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--port", "65536"), "oauthcore: --port = 65536: use a number from 1 to 65535, or 0 for any free port"),
        (
            ("--host", "0.0.0.0"),
            "oauthcore: --host = '0.0.0.0': the demo listens on loopback only; "
            "use localhost, ::1 or an address in 127.0.0.0/8",
        ),
    ],
)
def test_setting_that_can_not_be_is_one_line_with_a_remedy(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], line: str
) -> None:
    assert complaint(capsys, "demo", *arguments) == line


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("demo", "--port", "many"), ("--port", "many")),
        (("demo", "--colour"), ("--colour",)),
        (("demo", "--port"), ("--port",)),
        (("demonstrate",), ("demonstrate",)),
    ],
)
def test_command_that_can_not_be_read_is_one_line_naming_what_is_wrong(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], named: tuple[str, ...]
) -> None:
    line = complaint(capsys, *arguments)

    assert line.startswith("oauthcore: ")
    assert line.endswith("See oauthcore --help.")
    assert all(name in line for name in named)


def test_help_names_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["demo", "--help"])

    said = capsys.readouterr().out
    assert caught.value.code == 0
    assert all(option in said for option in ("--port", "--host", "--json", "--legacy", "--mcp"))
