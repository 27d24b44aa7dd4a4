"""What a provider costs a test suite: to start it once, and then for each test.

The claim: it listens 150 ms after it is wanted, an issuer for a test takes 5 ms and a token 1 ms; the command answers
300 ms after it was started; and a suite that has the plugin installed and does not use it does not notice.

Run `python -m benchmarks.provider_for_tests`. What is imported counts for itself, in processor time as well, since a
process that waits for other processes has nothing to do with it.

The conclusion (0.1.0, CPython 3.11.7, on two cores that other programs kept busy, at a load of nine; ms, at best and
in the middle):

| | at best | in the middle |
|---|---|---|
| an issuer | 0.29 | 0.34 |
| with a client | 0.46 | 0.53 |
| a token, ES256 | 0.07 | 0.08 |
| a token, RS256 | 0.27 | 0.29 |
| an opaque token | 0.02 | 0.02 |
| a login, by the browser in the process | 0.44 | 0.49 |

It answered the first request over the socket after 37 ms, and had the RSA key, which is made in the background, after
106. To import it all took 281 ms of the processor: a suite pays that once, when the first test wants the provider.
Collecting a suite of one test took 203 ms of the processor with the plugin and 186 without.

The command took 279 to 319 ms of the processor until it had answered: 11 to start Python, 33 for attrs, 190 for the
core (half of that compiles what attrs writes for 246 classes, half of that again their `__repr__`), 28 for asyncio, 25
for h11 and the transport, 22 for the provider. So the claim holds on a processor that has nothing else to do.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter, process_time, sleep
from urllib.error import URLError
from urllib.request import urlopen

ROUNDS = 300
SUITES = 7
EMPTY = "def test_nothing():\n    pass\n"


def milliseconds(function: Callable[[], object], rounds: int = ROUNDS) -> str:
    """Return the best and the median of many calls."""
    taken = []
    for _ in range(rounds):
        began = perf_counter()
        function()
        taken.append((perf_counter() - began) * 1_000)
    return f"{min(taken):6.2f} at best, {median(taken):6.2f} in the middle"


def collected(*options: str) -> float:
    """Return how many milliseconds of the processor pytest takes to collect a suite of one test, at best of several.

    No other plugin is loaded: they would take more time than is to be seen here.
    """
    taken = []
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_nothing.py").write_text(EMPTY, encoding="utf-8")
        command = [sys.executable, "-m", "pytest", "-q", "--collect-only", "-p", "no:cacheprovider", *options, folder]
        environment = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
        for _ in range(SUITES):
            before = getrusage(RUSAGE_CHILDREN)
            subprocess.run(command, check=True, capture_output=True, cwd=folder, env=environment)
            after = getrusage(RUSAGE_CHILDREN)
            taken.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1_000)
    return min(taken)


def started() -> tuple[float, float]:
    """Return how many milliseconds `oauthcore mock` takes until it has answered, and how many of the processor.

    The second counts its main thread alone (on Linux): the RSA key is made in another, which nothing waits for.
    """
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "oauthcore_h11", "mock", "--host", "127.0.0.1", "--port", str(port)]
    began = perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{port}/default/.well-known/openid-configuration") as response:
                    response.read()
                break
            except URLError:
                sleep(0.002)
        taken = perf_counter() - began
        of_the_processor = Path(f"/proc/{process.pid}/task/{process.pid}/schedstat").read_text().split()[0]
        process.terminate()
    return taken * 1_000, int(of_the_processor) / 1_000_000


def main() -> None:
    """Measure, and print."""
    starts = [started() for _ in range(SUITES)]
    wall, main_thread = (min(taken) for taken in zip(*starts, strict=True))
    print(f"the command   {wall:6.0f} ms until it has answered, of the processor {main_thread:.0f}")
    began, busy = perf_counter(), process_time()
    from oauthcore.jose import crypto
    from oauthcore_mock import Browser
    from oauthcore_pytest.serving import served

    crypto.check_installed()
    of_the_processor = (process_time() - busy) * 1_000
    print(f"import        {(perf_counter() - began) * 1_000:6.0f} ms, of the processor {of_the_processor:.0f}")
    began = perf_counter()
    with served() as provider:
        issuer = provider.issuer()
        with urlopen(f"{issuer.url}/.well-known/openid-configuration") as response:
            response.read()
        print(f"start         {(perf_counter() - began) * 1_000:6.0f} ms, until metadata was read over the socket")
        with urlopen(f"{issuer.url}/jwks") as response:
            response.read()
        print(f"first JWK set {(perf_counter() - began) * 1_000:6.0f} ms, with the RSA key that all issuers share")
        issuer.client()
        browser = Browser(provider)
        request = "client_id=test-client&response_type=code&scope=openid&nonce=n&redirect_uri=http://x/"
        url = f"{issuer.url}/authorize?{request}"
        operations: dict[str, Callable[[], object]] = {
            "issuer": provider.issuer,
            "with a client": lambda: provider.issuer().client(),
            "token, ES256": lambda: issuer.token("bob", scope="read"),
            "token, RS256": lambda: issuer.token("bob", scope="read", alg="RS256"),
            "opaque token": lambda: issuer.token("bob", scope="read", opaque=True),
            "login": lambda: browser.authorize(url, "bob"),
        }
        for name, function in operations.items():
            print(f"{name:13} {milliseconds(function)} ms")
    without, with_it = collected(), collected("-p", "oauthcore_pytest.plugin")
    print(f"a suite that does not use it takes {with_it:.0f} ms of the processor to collect, without it {without:.0f}")


if __name__ == "__main__":
    main()
