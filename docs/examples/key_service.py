"""Keys in a process of their own, as a key management service has them: the server's process has public halves only.

A PKCS #11 module or a cloud's KMS takes the place of `KeyService.sign`; see docs/embedding.md.
"""

import base64
import json
import secrets
import subprocess
import sys
import threading
import time
from typing import Any

from oauthcore import AuthorizationServer, MemoryStorage, World
from oauthcore.jose.jwk import Jwk
from oauthcore.signing.remote import RemoteKeys, sign_remotely

# What the other process runs. A real service keeps its keys; this one makes a key when it starts.
SERVICE = """
import base64, json, sys
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256

def say(value):
    print(json.dumps(value), flush=True)

def text(number):
    return base64.urlsafe_b64encode(number.to_bytes(32, "big")).rstrip(b"=").decode()

key = ec.generate_private_key(ec.SECP256R1())
point = key.public_key().public_numbers()
say({"kty": "EC", "crv": "P-256", "alg": "ES256", "kid": "service-1", "x": text(point.x), "y": text(point.y)})
for line in sys.stdin:
    say(base64.b64encode(key.sign(base64.b64decode(line), ec.ECDSA(SHA256()))).decode())
"""


class KeyService:
    """Be the client of that process. Most services return an ECDSA signature as DER, and so does this one."""

    def __init__(self) -> None:
        command = [sys.executable, "-c", SERVICE]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._one_at_a_time = threading.Lock()
        self.public_key = Jwk.of(self._read())

    def sign(self, key: Jwk, text: bytes) -> bytes:
        """Return R and S one after the other, as a JWT has them (RFC 7518 section 3.4)."""
        with self._one_at_a_time:
            assert self._process.stdin is not None
            self._process.stdin.write(base64.b64encode(text).decode() + "\n")
            self._process.stdin.flush()
            return joined(base64.b64decode(self._read()))

    def close(self) -> None:
        """Let the process end."""
        self._process.communicate(timeout=10)

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


def joined(der: bytes) -> bytes:
    """Turn an ECDSA signature for P-256 from DER into the form of JWTs."""
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

    r, s = decode_dss_signature(der)
    return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def signing_server(service: KeyService) -> tuple[AuthorizationServer, World]:
    """Return a server whose JWT access tokens are signed by the service."""
    server = AuthorizationServer(
        issuer="https://as.example",
        clock=time.time,
        entropy=secrets.token_bytes,
        token_key=secrets.token_bytes(32),
        keys=RemoteKeys([service.public_key]),
    )
    return server, World(MemoryStorage(), sign=sign_remotely(service.sign))
