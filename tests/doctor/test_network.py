"""Probes over real sockets: TLS as it is shown, and answers as they come."""

from __future__ import annotations

import datetime
import ssl
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from socket import create_server, socket
from threading import Thread

import pytest
import trustme

from oauthcore import Outgoing
from oauthcore.errors import ConfigurationError
from oauthcore_doctor import Target, TlsObservation, TlsRequest, examine
from oauthcore_doctor.network import NetworkPort, check_ca_file
from tests.h11.serving import serving

PATIENCE = 30.0
DAY = 86_400
AUTHORITY = trustme.CA()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of an authority of our own."""
    path = tmp_path_factory.mktemp("authority") / "authority.pem"
    AUTHORITY.cert_pem.write_to_path(path)
    return path


@contextmanager
def listening(context: ssl.SSLContext) -> Iterator[int]:
    """Shake hands with whoever comes, and hang up."""
    with create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=shake_hands, args=(listener, context))
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            listener.shutdown(2)
            thread.join(PATIENCE)
            assert not thread.is_alive()


def shake_hands(listener: socket, context: ssl.SSLContext) -> None:
    """Accept connections until the listener is shut down."""
    with suppress(OSError):
        while True:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()


def server_context(issued: trustme.LeafCert) -> ssl.SSLContext:
    """Return what a server speaks TLS with."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    issued.configure_cert(context)
    return context


def look(context: ssl.SSLContext, ca_file: Path | None) -> TlsObservation:
    """Look at a server that speaks TLS so."""
    with listening(context) as port:
        return NetworkPort(["localhost"], timeout=PATIENCE, ca_file=ca_file).shake_hands(TlsRequest("localhost", port))


def test_a_good_certificate_has_its_expiry_and_no_failure(authority: Path) -> None:
    seen = look(server_context(AUTHORITY.issue_cert("localhost")), authority)

    assert (seen.failure, seen.old_version) == (None, None)
    assert seen.expires_at is not None
    assert seen.expires_at > seen.at + DAY


@pytest.mark.parametrize(
    ("issued", "trusted", "reason"),
    [
        (AUTHORITY.issue_cert("localhost"), False, "unable to get local issuer certificate"),
        (AUTHORITY.issue_cert("other.example"), True, "Hostname mismatch"),
        (
            AUTHORITY.issue_cert("localhost", not_after=datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)),
            True,
            "certificate has expired",
        ),
    ],
    ids=["of an unknown authority", "for another name", "that has expired"],
)
def test_a_certificate_fails(issued: trustme.LeafCert, trusted: bool, reason: str, authority: Path) -> None:
    seen = look(server_context(issued), authority if trusted else None)

    assert reason in (seen.failure or "")


def test_a_server_that_takes_tls_1_0_is_seen_to(authority: Path) -> None:
    context = server_context(AUTHORITY.issue_cert("localhost"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")

    assert look(context, authority).old_version == "TLSv1.1"


def test_nobody_who_listens_is_seen() -> None:
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    port_seen = NetworkPort(["127.0.0.1"], timeout=PATIENCE)
    assert "refused" in (port_seen.shake_hands(TlsRequest("127.0.0.1", port)).failure or "")
    exchange = port_seen.fetch(Outgoing("GET", f"http://127.0.0.1:{port}/"))
    assert (exchange.response, exchange.failure) == (None, "127.0.0.1: NewConnectionError")


def test_a_file_without_certificates_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "authority.pem"
    file.write_text("no certificate")

    with pytest.raises(ConfigurationError, match="--ca-file"):
        check_ca_file(file)


def test_a_demo_is_good_over_a_socket() -> None:
    with serving() as demo:
        report = examine(Target(demo.server.issuer), NetworkPort(["localhost"], timeout=PATIENCE))

    assert {finding.check.id for finding in report.findings} == {"registration"}


def test_metadata_leads_nowhere_in_the_network_around() -> None:
    exchange = NetworkPort(["as.example"]).fetch(Outgoing("GET", "https://127.0.0.1:1/latest/meta-data"))

    assert exchange.response is None
    assert "is not public; allow it by name" in exchange.failure
    seen = NetworkPort(["as.example"]).shake_hands(TlsRequest("127.0.0.1", 1))
    assert "is not public; allow it by name" in (seen.failure or "")
