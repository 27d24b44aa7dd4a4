"""TLS: the certificate, a new one at a reload, and what clients show of themselves."""

from __future__ import annotations

import asyncio
import signal
import socket
import ssl
from pathlib import Path

import httpx
import pytest
import trustme

from oauthcore import ConfigurationError, Peer, Request, Response
from oauthcore_h11 import Server, Settings, Timeouts
from oauthcore_h11.certificates import tls_of
from oauthcore_h11.configuration.tables import Tls
from tests.h11.installation import Installation

AUTHORITY, OTHER_AUTHORITY = trustme.CA(), trustme.CA()


def write_certificate(folder: Path, authority: trustme.CA = AUTHORITY) -> None:
    """Write a server's certificate and key."""
    issued = authority.issue_cert("localhost", "127.0.0.1")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "certificate.pem").write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))


def trusting(*authorities: trustme.CA) -> ssl.SSLContext:
    """Trust these authorities."""
    context = ssl.create_default_context()
    for authority in authorities:
        authority.configure_trust(context)
    return context


CONFIGURATION = '[tls]\ncertificate = "certificate.pem"\nkey = "key.pem"'


@pytest.mark.slow
def test_reload_shows_the_new_certificate_and_keeps_old_connections(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure(CONFIGURATION)
    write_certificate(tmp_path)
    with installation.serving() as running:
        url = "https://" + running.bind
        with httpx.Client(base_url=url, verify=trusting(AUTHORITY), trust_env=False) as old:
            first = old.get("/login")
            write_certificate(tmp_path, OTHER_AUTHORITY)
            running.tell(signal.SIGHUP)
            while "reloaded" not in running.logged():
                assert old.get("/healthz").status_code == 200
            with httpx.Client(base_url=url, verify=trusting(OTHER_AUTHORITY), trust_env=False) as new:
                assert new.get("/healthz").text == "alive\n"
            # The connection from before is still the same one, and still good.
            assert old.get("/healthz").text == "alive\n"

    assert first.headers["strict-transport-security"] == "max-age=31536000"
    assert running.logged().count("worker") == 0


@pytest.mark.slow
def test_client_without_the_certificate_that_is_required_gets_no_answer(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure(CONFIGURATION + '\nclient_ca = "clients.pem"\nclient_certificates = "required"')
    write_certificate(tmp_path)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "clients.pem")
    shown = trusting(AUTHORITY)
    AUTHORITY.issue_cert("client.example").configure_cert(shown)

    with installation.serving() as running:
        url = f"https://{running.bind}/healthz"
        assert httpx.get(url, verify=shown, trust_env=False).text == "alive\n"
        with pytest.raises(httpx.HTTPError):
            httpx.get(url, verify=trusting(AUTHORITY), trust_env=False)


@pytest.mark.anyio
async def test_certificate_that_a_client_shows_is_passed_on_in_der(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "clients.pem")
    table = Tls(
        certificate=tmp_path / "certificate.pem",
        key=tmp_path / "key.pem",
        client_ca=tmp_path / "clients.pem",
        client_certificates="optional",
    )
    issued, shown, peers = AUTHORITY.issue_cert("client.example"), trusting(AUTHORITY), list[Peer | None]()
    issued.configure_cert(shown)

    async def remember(request: Request) -> Response:
        peers.append(request.peer)
        return Response(200, (("Connection", "close"),))

    listening = socket.create_server(("127.0.0.1", 0))
    server = Server(remember, Settings(timeouts=Timeouts(linger=0)))
    await server.start([listening], tls_of(table))
    for context in (shown, trusting(AUTHORITY)):
        reader, writer = await asyncio.open_connection(
            *listening.getsockname(), ssl=context, server_hostname="localhost"
        )
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        await reader.read(-1)
        writer.close()
    await server.stop(grace=0)

    der = ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())
    assert peers == [Peer("127.0.0.1", True, der, True), Peer("127.0.0.1", True, None)]


def test_certificate_that_can_not_be_is_named(tmp_path: Path) -> None:
    table = Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem")

    with pytest.raises(ConfigurationError, match=r"tls\.certificate = .*No such file"):
        tls_of(table)
    write_certificate(tmp_path)
    (tmp_path / "key.pem").write_text("nonsense")
    with pytest.raises(ConfigurationError, match=r"tls\.certificate = .*does not go with its key"):
        tls_of(table)


def test_key_with_a_password_is_refused_rather_than_asked_for(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.serialization import (
        BestAvailableEncryption,
        Encoding,
        PrivateFormat,
        load_pem_private_key,
    )

    write_certificate(tmp_path)
    key = load_pem_private_key((tmp_path / "key.pem").read_bytes(), None)
    locked = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"hush"))
    (tmp_path / "key.pem").write_bytes(locked)

    with pytest.raises(ConfigurationError, match="the key has a password"):
        tls_of(Tls(certificate=tmp_path / "certificate.pem", key=tmp_path / "key.pem"))


def test_authority_of_clients_that_is_none_is_named(tmp_path: Path) -> None:
    write_certificate(tmp_path)
    (tmp_path / "clients.pem").write_text("nonsense")
    table = Tls(
        certificate=tmp_path / "certificate.pem",
        key=tmp_path / "key.pem",
        client_ca=tmp_path / "clients.pem",
        client_certificates="optional",
    )

    with pytest.raises(ConfigurationError, match=r"tls\.client_ca"):
        tls_of(table)
