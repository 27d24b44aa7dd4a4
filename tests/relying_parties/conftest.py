"""The provider that relying parties meet: the reference server, over TLS, with a person and several clients."""

from __future__ import annotations

import json
import os
import shutil
import ssl
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
import trustme

from oauthcore import Secret
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore_h11.passwords import Passwords
from tests.h11.installation import Installation
from tests.ports import free_port
from tests.processes import line_of, running
from tests.relying_parties.browser import Browser

HERE = Path(__file__).parent
NODE = shutil.which("node")
INSTALLED = (HERE / "node_modules" / "openid-client").is_dir()
CALLBACK = "https://rp.example/callback"
GOODBYE = "https://rp.example/goodbye"
PATIENCE = 60.0

# What HMAC-SHA-256 takes at the least (RFC 7518 section 3.2).
SECRET = "a-secret-of-the-client-that-is-long-enough"

TLS = '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"'

Talk: TypeAlias = Callable[..., dict[str, Any]]

CLIENT = """
[[clients]]
client_id = "{client_id}"
{credentials}
redirect_uris = ["{callback}"]
post_logout_redirect_uris = ["{goodbye}"]
grant_types = ["authorization_code", "refresh_token", "implicit"{more_grants}]
response_types = ["code", "id_token", "code id_token"]
scope = "openid profile email offline_access"
{more}
"""


DEVICE = """
[[clients]]
client_id = "device"
token_endpoint_auth_method = "none"
grant_types = ["urn:ietf:params:oauth:grant-type:device_code", "refresh_token"]
response_types = []
scope = "openid profile email offline_access"
"""


@attrs.frozen
class Provider:
    """Be a provider that serves, and what its clients need to know of it beside its issuer."""

    issuer: str
    authority: Path
    signing: Jwk
    decryption: Jwk

    @property
    def trust(self) -> ssl.SSLContext:
        """Trust its certificate."""
        return ssl.create_default_context(cafile=str(self.authority))


def client(client_id: str, credentials: str, *more: str, more_grants: str = "") -> str:
    """Write a client's table."""
    return CLIENT.format(
        client_id=client_id,
        credentials=credentials,
        callback=CALLBACK,
        goodbye=GOODBYE,
        more="\n".join(more),
        more_grants=more_grants,
    )


def clients() -> Iterator[str]:
    """Write every client's table."""
    secret = f'secret = "{SECRET}"'
    post = f'{secret}\ntoken_endpoint_auth_method = "client_secret_post"'
    credentials = ', "client_credentials"'
    yield client("basic", secret)
    yield client("post", post)
    yield client("hmac", f'{secret}\ntoken_endpoint_auth_method = "client_secret_jwt"')
    yield client("asserting", 'token_endpoint_auth_method = "private_key_jwt"\njwks_file = "signing.jwks"')
    yield client("public", 'token_endpoint_auth_method = "none"')
    yield client("pairwise", post, 'subject_type = "pairwise"')
    yield client("signed", post, 'userinfo_signed_response_alg = "RS256"')
    yield client("elliptic", post, 'id_token_signed_response_alg = "ES256"')
    yield client("edwards", post, 'id_token_signed_response_alg = "Ed25519"')
    yield client("service", post, 'access_token_format = "jwt"', "introspects_any = true", more_grants=credentials)
    exchange = ', "urn:ietf:params:oauth:grant-type:token-exchange"'
    yield client("exchanging", post, more_grants=exchange)
    encrypted = ('id_token_encrypted_response_alg = "RSA-OAEP-256"', 'userinfo_signed_response_alg = "RS256"')
    encrypting = ('userinfo_encrypted_response_alg = "RSA-OAEP-256"', 'jwks_file = "decryption.jwks"')
    yield client("encrypted", post, *encrypted, *encrypting)
    keyed = 'token_endpoint_auth_method = "private_key_jwt"\njwks_file = "signing.jwks"'
    strict = ("require_pushed_authorization_requests = true", "require_signed_request_object = true")
    yield client("strict", keyed, *strict, 'authorization_signed_response_alg = "ES256"')
    unreadable = ('authorization_encrypted_response_alg = "RSA-OAEP-256"', 'jwks_file = "decryption.jwks"')
    yield client("unreadable", post, *unreadable)


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """Serve, with all of the clients and one person, who is alice."""
    with serving(tmp_path_factory.mktemp("provider"), *tables()) as provider:
        yield provider


@contextmanager
def serving(folder: Path, *more: str, more_at: int | None = None) -> Iterator[Provider]:
    """Serve over TLS what these tables say, of which the first may go on with that of TLS; `more_at` another port, too.

    The server's certificate is in the folder before they are read.
    """
    port, authority = free_port(), trustme.CA()
    signing, decryption = crypto.generate("ES256"), crypto.generate("RS256").named("RSA-OAEP-256", "enc")
    provider = Provider(f"https://localhost:{port}", folder / "authority.pem", signing, decryption)
    authority.cert_pem.write_to_path(provider.authority)
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "certificate.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
    (folder / "signing.jwks").write_bytes(set_of([signing]))
    (folder / "decryption.jwks").write_bytes(set_of([decryption]))
    installation = Installation(folder)
    other = "" if more_at is None else f'", "localhost:{more_at}'
    installation.configure(TLS, *more, bind=f"localhost:{port}{other}")
    text = installation.config.read_text().replace('issuer = "http://localhost:8000"', f'issuer = "{provider.issuer}"')
    installation.config.write_text(text)
    with installation.serving():
        yield provider


def hashed(password: str) -> str:
    """Hash a password, quickly."""
    passwords = Passwords(memory=8, passes=1, at_once=1)
    try:
        return passwords.hash(Secret(password))
    finally:
        passwords.close()


def tables() -> Iterator[str]:
    """Write what the configuration has more than a fresh one."""
    yield '[oidc]\n[oidc.keys]\nalgorithms = ["RS256", "ES256", "Ed25519"]'
    yield f'[[users]]\nusername = "alice"\nsubject = "alice"\npassword_hash = "{hashed("wonderland")}"'
    yield 'claims = { name = "Alice Liddell", email = "alice@wonderland.example", email_verified = true }'
    yield "[registration]\nopen = true"
    yield '[[token_exchange]]\nclient_ids = ["exchanging"]\naudience = ["https://api.example"]'
    yield "[device]\ninterval = 1"
    yield "[pushed_requests]"
    yield DEVICE
    yield from clients()


@pytest.fixture
def browser(provider: Provider) -> Iterator[Browser]:
    """Return a browser that nobody is signed in with."""
    with Browser(provider.issuer, provider.trust) as browser:
        yield browser


@pytest.fixture
def talk(provider: Provider, browser: Browser) -> Talk:
    """Let a Node program be a relying party, and send the browser where it says."""
    return talking(provider, browser)


def talking(provider: Provider, browser: Browser) -> Talk:
    """Return a function that lets a Node program be a relying party of a provider; skips the test without Node."""
    if NODE is None:
        pytest.skip("there is no node here")
    if not INSTALLED:
        pytest.skip("the relying parties are not installed: npm ci in tests/relying_parties")

    def talk_with(program: str, flow: str, client_id: str, **job: Any) -> dict[str, Any]:
        environment = {**os.environ, "NODE_EXTRA_CA_CERTS": str(provider.authority)}
        job |= {"flow": flow, "client_id": client_id, "issuer": provider.issuer, "redirect_uri": CALLBACK}
        command, piped = [str(NODE), str(HERE / program)], subprocess.PIPE
        with running(command, stdin=piped, stdout=piped, stderr=piped, env=environment) as process:
            return conversation(process, browser, {"secret": SECRET, "method": "client_secret_post", **job})

    return talk_with


def conversation(process: subprocess.Popen[str], browser: Browser, job: dict[str, Any]) -> dict[str, Any]:
    """Tell a program what to do, and walk for it until it says what it has got."""
    assert process.stdin is not None
    assert process.stdout is not None
    message: dict[str, Any] = job
    while True:
        process.stdin.write(json.dumps(message) + "\n")
        process.stdin.flush()
        line = line_of(process)
        assert line, process.stderr and process.stderr.read()
        said = json.loads(line)
        assert "error" not in said, said
        if "result" in said:
            result: dict[str, Any] = said["result"]
            return result
        arrival = browser.open(said["url"])
        message = {"callback": arrival.url, "body": arrival.body}
