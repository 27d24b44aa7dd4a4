"""What a DPoP proof costs a token request.

The claim: a request with a proof costs what it costs without one, the verification of the signature, and at most a
quarter more; and a server that takes proofs makes those who send none pay nothing.

Run `python -m benchmarks.dpop`. Each row is the median of single requests for client credentials, to a server whose
storage is in memory, each with a proof of its own that was made before; the signature alone is `verify_own_key`.

The conclusion (CPython 3.11, joserfc 1.8, cryptography 46, two shared cores; us):

| | signature | request without a proof after it | request with the proof | of the sum |
|---|---|---|---|---|
| ES256 | 105 | 38 | 181 | 1.26 |
| EdDSA | 138 | 33 | 203 | 1.18 |

The claim holds, hardly for ES256. A request without a proof takes 19 us where the server offers no DPoP, and 20 where
it does. After a signature it takes twice as long, since the mathematics leave the processor's caches cold; that is
why it is measured so. Reading the proof strictly, and its key, is in the first column.
"""

from __future__ import annotations

import base64
import secrets
import time
from collections.abc import Callable, Iterable
from functools import partial
from statistics import median
from time import perf_counter

from oauthcore import AuthorizationServer, Client, Dpop, MemoryStorage, Request, World, run
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk

ISSUER = "https://as.example"
REQUESTS = 2_000
CLIENT = Client(client_id="robot", grant_types=("client_credentials",), response_types=(), scope="read")
FORM = ("Content-Type", "application/x-www-form-urlencoded")
ALGORITHMS = ("ES256", "EdDSA")


def proof(key: Jwk, alg: str) -> str:
    """Return a proof for a token request that is made within a minute."""
    header = {"typ": "dpop+jwt", "alg": alg, "jwk": key.bare.members}
    claims = {"jti": secrets.token_urlsafe(16), "htm": "POST", "htu": f"{ISSUER}/token", "iat": int(time.time())}
    return crypto.sign_as_given(header, claims, key, alg)


def spent(calls: Iterable[Callable[[], object]]) -> float:
    """Return the median of what calls take, in microseconds."""
    taken = []
    for call in calls:
        begun = perf_counter()
        call()
        taken.append((perf_counter() - begun) * 1e6)
    return median(taken)


class Requests:
    """Send requests for client credentials to a server, with these proofs or without."""

    def __init__(self, dpop: Dpop | None) -> None:
        self._world = World(MemoryStorage())
        self._server = AuthorizationServer(
            issuer=ISSUER, clock=time.time, entropy=secrets.token_bytes, token_key=secrets.token_bytes(32), dpop=dpop
        )
        secret = run(self._server.clients.register(CLIENT), self._world).secret
        assert secret is not None
        pair = base64.b64encode(f"robot:{secret.reveal()}".encode()).decode()
        self._headers = (FORM, ("Authorization", f"Basic {pair}"))

    def sending(self, *proofs: str) -> Callable[[], object]:
        """Return a request that is ready to be sent."""
        headers = (*self._headers, *(("DPoP", one) for one in proofs))
        request = Request("POST", "/token", headers, b"grant_type=client_credentials")

        def send() -> None:
            response = run(self._server.handle(request), self._world)
            assert response.status == 200, response

        return send


def after_signatures(requests: Requests, proofs: Iterable[str], alg: str) -> float:
    """Return the median of what requests without a proof take, each after a signature was verified, in microseconds.

    The mathematics of a signature takes the processor's caches, so that what comes after it is slower.
    """
    taken = []
    for text in proofs:
        send = requests.sending()
        _ = crypto.verify_own_key(text, [alg])
        taken.append(spent([send]))
    return median(taken)


def main() -> None:
    """Print the table."""
    off, on = Requests(None), Requests(Dpop())
    for requests in (off, on):
        _ = spent(requests.sending() for _ in range(200))
    print(f"{'no DPoP':30}{spent(off.sending() for _ in range(REQUESTS)):8.0f} us")
    print(f"{'DPoP offered, no proof':30}{spent(on.sending() for _ in range(REQUESTS)):8.0f} us")
    for alg in ALGORITHMS:
        key = crypto.generate(alg)
        proofs = [proof(key, alg) for _ in range(REQUESTS)]
        verified = spent(partial(crypto.verify_own_key, text, [alg]) for text in proofs)
        whole = spent([on.sending(text) for text in proofs])
        after = after_signatures(on, [proof(key, alg) for _ in range(REQUESTS)], alg)
        print(f"{alg + ', the signature':30}{verified:8.0f} us")
        print(f"{'no proof, after a signature':30}{after:8.0f} us")
        print(f"{alg + ', the request':30}{whole:8.0f} us, {whole / (after + verified):.2f} of the sum")


if __name__ == "__main__":
    main()
