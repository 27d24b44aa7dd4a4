"""What carries requests to the core, side by side: requests answered for each second of the server's CPU.

The claim: the reference server is at least 0.85 times as fast as bare h11 that does the floor's work; ASGI on httptools
1.40 times for tokens and 1.62 for introspections; the reference server on a durable file 0.42 and 0.65 times. (On the
machine where the aims were set, bare h11 answered 7,150 and 7,390 requests, so these are 10,000 and 12,000, and 3,000
and 4,800.)

Each server (hosts.py) is a process pinned to the first core, and who asks is pinned to the last, with 32 requests under
way at once. A round asks each server in turn for some hundred tokens, by client credentials, and then as many
introspections; servers that are not asked wait. What counts is the CPU time that the server's threads have got, not
the clock's: so other programs disturb little, and a ratio is of the same round.

node-oidc-provider is measured in the same rounds where Node and npm are (node.py installs it).

The conclusion (0.1.0, CPython 3.11.7, Node 20; times the floor, medians of nine rounds and their quartiles, in one run
beside the checkout before any of this was made faster; on two cores that had much else to do, so that the quartiles say
more than the medians):

| | token before | token | introspection before | introspection |
|---|---|---|---|---|
| h11 | 0.48 (0.40 to 0.59) | 0.77 (0.58 to 0.91) | 0.52 (0.50 to 0.66) | 0.82 (0.78 to 0.84) |
| ASGI on httptools | 0.93 (0.85 to 1.00) | 1.03 (0.86 to 1.09) | 0.95 (0.80 to 1.41) | 1.07 (0.89 to 1.30) |
| h11, SQLite (durable) | 0.36 (0.25 to 0.44) | 0.43 (0.39 to 0.50) | 0.46 (0.36 to 0.57) | 0.47 (0.42 to 0.61) |
| node-oidc-provider | | 0.31 (0.22 to 0.34) | | 0.34 (0.27 to 0.36) |

So tokens on a durable file are where they should be, h11 is near its aim, and ASGI is not: there uvicorn by itself,
with an application that does the floor's work, is at 1.9, and the core takes two thirds of what comes on top of that.
A later run of fifteen rounds, on two cores with four times as much to do as they could: h11 0.66 and 0.72, ASGI 1.05
and 1.05, the durable file 0.42 and 0.52, node-oidc-provider 0.48 and 0.48.

Run `python -m benchmarks.transports`; `--beside PATH` measures the servers of another checkout in the same rounds.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import attrs
import uvloop
from typing_extensions import override

from benchmarks import node
from benchmarks.operations import INTROSPECT, client_request, credentials_request, members_of
from benchmarks.wire import RawRequest

ROOT = Path(__file__).parent.parent
CONCURRENT = 32
FLOOR = "bare"
NAMES = {
    "bare": "bare h11, the floor",
    "h11": "h11",
    "asgi": "ASGI on httptools",
    "sqlite": "h11, SQLite (durable)",
    "node": "node-oidc-provider",
}
OPERATIONS = ("token", "introspection")
# Times the floor: see above.
AIMS = {"h11": (0.85, 0.85), "asgi": (1.40, 1.62), "sqlite": (0.42, 0.65)}


@attrs.frozen
class Running:
    """Hold a server that runs, where, and the secret of its client."""

    pid: int
    port: int
    secret: str

    def cpu(self) -> float:
        """Return the seconds of CPU that its threads have had (proc(5), schedstat)."""
        threads = Path(f"/proc/{self.pid}/task").iterdir()
        return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


class Asking(asyncio.Protocol):
    """Ask the same thing again and again, as long as there are any left to ask."""

    _LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)

    def __init__(self, request: bytes, left: Iterator[int]) -> None:
        self._request = request
        self._left = left
        self._received = b""
        self.done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no instances of it
        self._transport.write(self._request)

    @override
    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        length = None if end < 0 else self._LENGTH.search(self._received, 0, end + 2)
        if length is None or len(self._received) < end + 4 + int(length[1]):
            return
        answer, self._received = self._received, b""
        if answer.startswith(b"HTTP/1.1 200 ") and next(self._left, None) is not None:
            self._transport.write(self._request)
        else:
            self._transport.close()
            self.done.set_result(answer)

    @override
    def connection_lost(self, failure: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(failure or ConnectionError("the server has hung up"))


async def ask(port: int, request: bytes, times: int, at_once: int = CONCURRENT) -> bytes:
    """Ask so often, over so many connections; give the last answer. Raises `RuntimeError` for a refusal."""
    # What each connection asks first is none of these.
    left = iter(range(times - at_once))
    loop = asyncio.get_running_loop()
    connected = [await loop.create_connection(lambda: Asking(request, left), "127.0.0.1", port) for _ in range(at_once)]
    answers = await asyncio.gather(*(asking.done for _, asking in connected))
    if not all(answer.startswith(b"HTTP/1.1 200 ") for answer in answers):
        raise RuntimeError(f"refused: {answers[-1]!r}")
    return answers[-1]


def spelled(request: RawRequest) -> bytes:
    """Write a request as HTTP/1.1."""
    headers = b"".join(b"%s: %s\r\n" % pair for pair in request.headers)
    return b"%s %s HTTP/1.1\r\n%s\r\n%s" % (request.method, request.target, headers, request.body)


def command_of(name: str) -> list[str]:
    """Return what starts a server, after its installation where it has to be installed."""
    if name == "node":
        command = node.command()
        assert command is not None, "the servers were chosen without it"
        return command
    return [sys.executable, "-m", "benchmarks.hosts", name]


@contextmanager
def running(name: str, tree: Path) -> Iterator[Running]:
    """Run a server of a checkout on the first core."""
    # The working directory comes first, so that this is the checkout's own whatever is installed.
    surroundings = {**os.environ, "PYTHONPATH": str(tree / "adapters")}
    # Node's provider warns at length that it is not fit for production; a server that does not start says why.
    quiet = subprocess.DEVNULL if name == "node" else None
    with subprocess.Popen(
        command_of(name), cwd=tree, env=surroundings, stdout=subprocess.PIPE, stderr=quiet, text=True
    ) as process:
        try:
            os.sched_setaffinity(process.pid, {min(os.sched_getaffinity(0) | {0})})
            assert process.stdout is not None
            said = json.loads(process.stdout.readline())
            yield Running(process.pid, said["port"], said["secret"])
        finally:
            process.terminate()


async def request_for(what: str, server: Running) -> bytes:
    """Make what is asked: for a token, or about a fresh one, since they don't live as long as this may take."""
    token = spelled(credentials_request(server.secret))
    if what == "token":
        return token
    access_token = members_of(await ask(server.port, token, 1, at_once=1))["access_token"]
    return spelled(client_request(server.secret, INTROSPECT, {"token": str(access_token)}))


def burst(what: str, server: Running, times: int) -> float:
    """Ask so often, and return the requests answered for each second of the server's CPU."""
    request = uvloop.run(request_for(what, server))
    before = server.cpu()
    answer = members_of(uvloop.run(ask(server.port, request, times)))
    rate = times / (server.cpu() - before)
    assert "access_token" in answer or answer["active"] is True, answer
    return rate


def measure(servers: dict[str, Running], rounds: int, times: int) -> dict[tuple[str, str], list[float]]:
    """Return the requests a second of CPU, round by round."""
    figures: dict[tuple[str, str], list[float]] = {(name, what): [] for name in servers for what in OPERATIONS}
    for turn in range(rounds + 1):
        names = list(servers)
        first = turn % len(names)
        for name in (*names[first:], *names[:first]):
            for what in OPERATIONS:
                figures[name, what].append(burst(what, servers[name], times))
    # In the first, whatever is done once was done.
    return {key: rates[1:] for key, rates in figures.items()}


def quartiles(values: list[float]) -> tuple[float, float, float]:
    """Return lower quartile, median, upper quartile."""
    lower, median, upper = statistics.quantiles(values, n=4, method="inclusive")
    return lower, median, upper


def table(figures: dict[tuple[str, str], list[float]]) -> str:
    """Set the figures as text: one line for each server and operation, with the aims."""
    heading = f"{'requests per second of CPU':<44}{'median':>8}{'quartiles':>18}{'x floor':>9}{'quartiles':>15}  aim"
    lines = [heading, "-" * len(heading)]
    for (name, what), rates in figures.items():
        lower, median, upper = quartiles(rates)
        ratios = [rate / floor for rate, floor in zip(rates, figures[FLOOR, what], strict=True)]
        low, ratio, high = quartiles(ratios)
        kind, _, where = name.partition(" ")
        aim = dict(zip(OPERATIONS, AIMS[kind], strict=True))[what] if kind in AIMS else None
        said = "" if aim is None else f"  {aim:.2f} {'met' if ratio >= aim else 'NOT MET'}"
        shown = f"{NAMES[kind]}{where and f' ({where})'}: {what}"
        spread, of_ratios = f"{lower:,.0f} .. {upper:,.0f}", f"{low:.2f} .. {high:.2f}"
        lines.append(f"{shown:<44}{median:>8,.0f}{spread:>18}{ratio:>9.2f}{of_ratios:>15}{said}")
    return "\n".join(lines)


def main() -> None:
    """Measure, print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.transports", description="Time what serves the core.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}; by default all of them")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--times", type=int, default=400, help="requests of each kind in a round")
    parser.add_argument("--beside", type=Path, metavar="PATH", help="another checkout, measured in the same rounds")
    options = parser.parse_args()
    names = [FLOOR, *(name for name in options.names or NAMES if name != FLOOR)]
    if "node" in names and node.command() is None:
        names.remove("node")
        print("node-oidc-provider is left out: there is no Node here, or no npm", file=sys.stderr)
    with ExitStack() as stack:
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
        servers = {name: stack.enter_context(running(name, ROOT)) for name in names}
        if options.beside is not None:
            other = options.beside.resolve()
            for name in (name for name in names if name not in {FLOOR, "node"}):
                servers[f"{name} {other.name}"] = stack.enter_context(running(name, other))
        print(table(measure(servers, options.rounds, options.times)))


if __name__ == "__main__":
    main()
