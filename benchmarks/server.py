"""The reference server as an operator runs it: its memory, and what group commit gives.

The claims: a worker takes less than 60 MB after its start (resident set, as `ps` has it), and when many clients ask at
once the disk is asked less often than once for each of them.

Measured are token requests by client credentials over loopback, each of which is one commit that has reached the disk
before its answer leaves: first from one connection, then from 32 at once. What a disk takes for one synchronisation
differs between machines more than anything else here, so the ratio is what counts.

Run `python -m benchmarks.server`.

The conclusion (0.1.0, CPython 3.11.7, uvloop, two shared cores, the load on the same two):

| workers | MB a worker after start | MB after the load | 1 at a time | 32 at once |
|---|---|---|---|---|
| 1 | 47.0 | 49.0 | 1076 /s | 2553 /s (2.4 times) |
| 2 | 41.5 | 43.3 | 1080 /s | 2717 /s (2.5 times) |

So a worker has 13 MB to spare, and a second one helps little where the load itself takes one of two cores. With workers
each has less, because the parent has imported most of it for all of them.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter

from rich.console import Console
from rich.table import Table

LIMIT_MB = 60.0
REQUESTS = 2_000
CONCURRENT = 32
CLIENT = """
[logs]
level = "error"

[[clients]]
client_id = "app"
secret = "a-secret-of-the-benchmark-app"
grant_types = ["client_credentials"]
"""


def main() -> None:
    """Measure, print, and say whether the claim holds."""
    table = Table()
    columns = ("workers", "MB a worker after start", "MB after the load", "1 at a time /s", f"{CONCURRENT} at once /s")
    for column in columns:
        table.add_column(column, justify="right")
    worst = 0.0
    for workers in (1, 2):
        with tempfile.TemporaryDirectory() as folder, serving(Path(folder), workers) as (pids, port):
            fresh = max(resident(pid) for pid in pids)
            one = asyncio.run(load(port, 1, REQUESTS // 4))
            many = asyncio.run(load(port, CONCURRENT, REQUESTS))
            used = max(resident(pid) for pid in pids)
        worst = max(worst, fresh)
        table.add_row(str(workers), f"{fresh:.1f}", f"{used:.1f}", f"{one:.0f}", f"{many:.0f} ({many / one:.1f}x)")
    Console().print(table)
    print(f"{'met' if worst < LIMIT_MB else 'NOT MET'}: MB a worker after start: {worst:.1f}, less than {LIMIT_MB:.0f}")


@contextmanager
def serving(folder: Path, workers: int) -> Iterator[tuple[list[int], int]]:
    """Serve from a fresh folder; give the processes that answer, and the port."""
    command = [sys.executable, "-m", "oauthcore_h11"]
    subprocess.run([*command, "init"], cwd=folder, check=True, capture_output=True)
    config = folder / "oauthcore.toml"
    text = config.read_text().replace('bind = ["localhost:8000"]', 'bind = ["127.0.0.1:0"]')
    config.write_text(text + CLIENT)
    serve = [*command, "serve", "--json", "--workers", str(workers)]
    with subprocess.Popen(serve, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        try:
            yield [int(pid) for pid in children] or [process.pid], int(said["bind"][0].rpartition(":")[2])
        finally:
            process.terminate()


def resident(pid: int) -> float:
    """Return a process's resident set in MB."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


async def load(port: int, connections: int, requests: int) -> float:
    """Ask for tokens on so many connections; give the answers a second."""
    left = iter(range(requests))
    body = b"grant_type=client_credentials"
    request = (
        b"POST /token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        b"Authorization: Basic %s\r\nContent-Length: %d\r\n\r\n%s"
        % (b64encode(b"app:a-secret-of-the-benchmark-app"), len(body), body)
    )

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in left:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 "), head
            await reader.readexactly(int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0]))
        writer.close()

    begun = perf_counter()
    await asyncio.gather(*(ask() for _ in range(connections)))
    return requests / (perf_counter() - begun)


if __name__ == "__main__":
    main()
