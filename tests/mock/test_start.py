"""The start of `oauthcore mock`: what it imports, and that a plain command line means what cyclopts reads in it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore_h11.cli import commands, mock_options, mocking
from oauthcore_h11.cli.mock_options import MockOptions
from tests.processes import run

# Starts the command, but for the socket's loop: the first request is answered at once, and the modules are printed.
STARTED = """
import sys
from oauthcore import Request
from oauthcore_h11.cli import main, mock_server

class Server:
    def __init__(self, answer, settings):
        self.answer = answer

async def serve(server, sockets, greeting, **options):
    port = sockets[0].getsockname()[1]
    metadata = "/default/.well-known/openid-configuration"
    response = await server.answer(Request("GET", metadata, headers=(("host", f"localhost:{port}"),)))
    print(response.status, *sys.modules)

mock_server.Server, mock_server.serve_until_signal = Server, serve
main(["mock", "--port", "0", "--user", "alice"])
"""

NAMES = (
    "--port",
    "--host",
    "--url",
    "--user",
    "--config",
    "--https",
    "--form",
    "--strict-clients",
    "--exposed",
    "--json",
)
VALUES = (
    "0",
    "09400",
    "123456",
    "+1",
    " 1",
    "1_0",
    "\u0663",
    "1.0",
    "",
    "-1",
    "--",
    "-",
    "a",
    "--no-form",
    "--help",
    "x y",
)

UNNEEDED = {"cyclopts", "rich", "importlib.metadata", "joserfc", "cryptography"} | {
    *("argon2", "cattrs", "jinja2", "prometheus_client", "redis", "sqlalchemy", "sqlite3", "urllib3"),
    *("oauthcore.testing", "oauthcore.trace", "oauthcore_fetch", "oauthcore_pages"),
}


def test_start_imports_neither_the_command_line_of_others_nor_any_cryptography(tmp_path: Path) -> None:
    said = run([sys.executable, "-c", STARTED], cwd=tmp_path, capture_output=True).stdout.split()
    status, imported = said[0], set(said[1:])

    assert status == "200"
    assert "oauthcore.server" in imported
    assert not imported & UNNEEDED
    assert not any(name.startswith("oauthcore_h11.configuration") for name in imported)


def read_by_cyclopts(line: list[str], monkeypatch: pytest.MonkeyPatch) -> MockOptions:
    """Return what the command would serve."""
    served: list[MockOptions] = []
    monkeypatch.setattr(mocking, "serve_mock", served.append)
    commands.run(["mock", *line])
    return served[0]


@pytest.mark.parametrize(
    "line",
    [
        "",
        "--port 0 --json",
        "--port 9400 --host ::1 --user alice --user bob --config mock.toml",
        "--form --strict-clients --exposed --https ca.pem --url https://mock.test",
    ],
)
def test_plain_line_is_read_without_cyclopts(line: str, monkeypatch: pytest.MonkeyPatch) -> None:
    words = line.split()

    assert mock_options.read(words) == read_by_cyclopts(words, monkeypatch)


@given(st.lists(st.sampled_from(NAMES + VALUES) | st.sampled_from(NAMES).map("{}=1".format), max_size=6))
def test_line_is_read_as_cyclopts_reads_it_or_left_to_it(line: list[str]) -> None:
    read = mock_options.read(line)

    with pytest.MonkeyPatch.context() as monkeypatch:
        assert read is None or read == read_by_cyclopts(line, monkeypatch)


@pytest.mark.parametrize(
    "line",
    [["--help"], ["--port"], ["--port", "x"], ["--port", "1", "--port", "2"], ["--port=1"], ["mock"], ["--user", "-x"]],
)
def test_everything_else_is_left_to_cyclopts(line: list[str]) -> None:
    assert mock_options.read(line) is None
