"""What a provider costs a test suite: to start it once, and then for each test.

The claim: it listens 150 ms after it is wanted, an issuer for a test takes 5 ms and a token 1 ms; and a suite that has
the plugin installed and does not use it does not notice.

Run `python -m benchmarks.provider_for_tests`. What is imported counts for itself, in processor time as well, since a
process that waits for other processes has nothing to do with it.

The conclusion (0.1.0, CPython 3.11.7, on two cores that other programs kept busy; ms, at best and in the middle):

| | at best | in the middle |
|---|---|---|
| an issuer | 0.45 | 0.75 |
| with a client | 0.79 | 1.4 |
| a token, ES256 | 0.14 | 0.18 |
| a token, RS256 | 0.83 | 1.3 |
| an opaque token | 0.02 | 0.03 |
| a login, by the browser in the process | 1.0 | 2.0 to 6.8 |

It answered the first request over the socket after 61 to 149 ms, and had the RSA key, which is made in the background,
after 160 to 370. So the claims on starting, on issuers and on ES256 hold; a token by RS256 takes as long as RSA does,
and is above a millisecond on a busy machine. To import it all took 1.1 s of the processor there, most of it the core's
own values and joserfc: a suite pays that once, when the first test wants the provider. Collecting a suite of one test
took 907 ms of the processor with the plugin and 895 without, which is within what these runs differ by themselves.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage
from statistics import median
from time import perf_counter, process_time
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


def main() -> None:
    """Measure, and print."""
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
