"""What a signature costs, and what it costs the others if the event loop makes it.

The claim: an RSA signature is worth a thread, one of a short elliptic curve is not.

Run `python -m benchmarks.signing`. The second half lets ten requests sign at once, twenty times a second, beside a task
that wants to run every millisecond, and says how late that task came and how long a request waited for its signature.

The conclusion (CPython 3.11, joserfc 1.8, cryptography 46, two shared cores; us):

| | make a key | import it | sign | verify |
|---|---|---|---|---|
| RS256, 2048 bits | 40,000 to 80,000 | 37,000 | 250 | 46 |
| PS256, 2048 bits | 40,000 to 80,000 | 37,000 | 255 | 48 |
| ES256 | 60 | 55 | 39 | 91 |
| ES384 | 220 | 210 | 226 | 510 |
| EdDSA | 73 | 45 | 44 | 128 |

The claim holds for RSA. Signed in place, ten RSA signatures make one in a hundred turns of the event loop 2.2 to 3.8 ms
late, where it is 0.2 to 0.4 ms without any; in one thread it is 0.6 to 1.8 ms, since the library lets go of the
interpreter while it computes. Whoever waits for the signature pays for it: 2.5 to 3.7 ms instead of 1.8 to 2.5. Four
threads are worse than one in both respects. ES384 costs as much as RSA, and gains as much in a quiet run (2.3 to
0.8 ms). Ten signatures of ES256 or EdDSA take half a millisecond, which can't be told from the noise of the machine
here, and a thread doubles the wait.

So hosts with an event loop sign RS*, PS*, ES384 and ES512 in one thread of their own (`oauthcore.jose.jwk.COSTLY`), and
everything else in place. Importing a private RSA key checks its primes and does not let go of the interpreter: a thread
would not help, and it happens once for each key and worker, before a server says that it is ready.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from statistics import median, quantiles
from time import perf_counter

from oauthcore.jose import crypto
from oauthcore.jose.jwk import SERVER_ALGORITHMS, Jwk

CLAIMS = {
    "iss": "https://as.example",
    "sub": "24400320",
    "aud": "s6BhdRkqt3",
    "nonce": "n-0S6_WzA2Mj",
    "exp": 1_800_000_300,
    "iat": 1_800_000_000,
    "auth_time": 1_799_999_990,
    "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
    "sid": "08a5019c-17e1-4977-8f42-65a12843ea02",
}
SIGNATURES = 300
GENERATED = 5
# A burst: that many requests want an ID token at once, every so many seconds, for so long.
BURST = 10
EVERY = 0.05
SECONDS = 2.0
# What is held up: a task that wants to run every millisecond.
TICK = 0.001

Sign = Callable[[Jwk], Awaitable[str]]


async def in_place(key: Jwk) -> str:
    """Sign in the event loop."""
    return crypto.sign_claims(CLAIMS, key, str(key.alg))


async def in_a_thread(executor: ThreadPoolExecutor, key: Jwk) -> str:
    """Sign in a thread."""
    loop = asyncio.get_running_loop()
    return await loop.run_in_executor(executor, crypto.sign_claims, CLAIMS, key, str(key.alg))


def spent(call: Callable[[], object], times: int) -> float:
    """Return the median of what a call takes, in microseconds."""
    taken = []
    for _ in range(times):
        begun = perf_counter()
        call()
        taken.append(perf_counter() - begun)
    return median(taken) * 1e6


def costs(alg: str) -> tuple[float, float, float, float]:
    """Return what it takes to make a key, to import it, to sign and to verify, in microseconds."""
    making = spent(lambda: crypto.generate(alg), GENERATED)
    keys = [crypto.generate(alg) for _ in range(GENERATED)]
    fresh = iter(keys)
    importing = spent(lambda: crypto._key(next(fresh)), GENERATED)
    token = crypto.sign_claims(CLAIMS, keys[0], alg)
    public = [keys[0].public]
    signing = spent(lambda: crypto.sign_claims(CLAIMS, keys[0], alg), SIGNATURES)
    return making, importing, signing, spent(lambda: crypto.verify(token, public, [alg]), SIGNATURES)


async def lateness(sign: Sign | None, key: Jwk) -> tuple[float, float, float, float]:
    """Return how late a task comes (median, 99 %, worst) and how long a signature is waited for, in milliseconds."""
    late: list[float] = []
    waited: list[float] = []
    loop = asyncio.get_running_loop()
    end = loop.time() + SECONDS

    async def tick() -> None:
        while (begun := loop.time()) < end:
            await asyncio.sleep(TICK)
            late.append(loop.time() - begun - TICK)

    async def request(begun: float) -> None:
        if sign is not None:
            await sign(key)
        waited.append(loop.time() - begun)

    ticking = asyncio.ensure_future(tick())
    while loop.time() < end:
        _, _ = await asyncio.gather(asyncio.sleep(EVERY), asyncio.gather(*(request(loop.time()) for _ in range(BURST))))
    await ticking
    return tuple(ms * 1e3 for ms in (median(late), quantiles(late, n=100)[98], max(late), median(waited)))  # type: ignore[return-value]  # four


def main() -> None:
    """Measure and print."""
    print(f"{'':10}{'make':>12}{'import':>10}{'sign':>10}{'verify':>10}   in us")
    for alg in SERVER_ALGORITHMS:
        print(f"{alg:10}" + "{:12.0f}{:10.0f}{:10.0f}{:10.0f}".format(*costs(alg)))
    print(f"\n{BURST} at once every {EVERY * 1e3:.0f} ms; lateness of another task, wait for a signature, in ms")
    print(f"{'':24}{'median':>8}{'99 %':>8}{'worst':>8}{'wait':>8}")
    for alg in ("RS256", "PS256", "ES256", "ES384", "EdDSA"):
        key = crypto.generate(alg)
        crypto.sign_claims(CLAIMS, key, alg)
        for name, threads in (("nothing", 0), ("in place", 0), ("in one thread", 1), ("in four threads", 4)):
            with ThreadPoolExecutor(max(threads, 1)) as executor:
                sign: Sign | None = partial(in_a_thread, executor) if threads else in_place
                figures = asyncio.run(lateness(None if name == "nothing" else sign, key))
            print(f"{alg:8}{name:16}" + "".join(f"{figure:8.2f}" for figure in figures))
            sys.stdout.flush()


if __name__ == "__main__":
    main()
