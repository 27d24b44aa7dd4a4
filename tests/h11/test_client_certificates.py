"""Client certificates in the server's own TLS: of an authority, of their own, and where they are asked for."""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections.abc import Sequence
from pathlib import Path

import attrs
import pytest

from oauthcore import ConfigurationError, Peer, Request, Response
from oauthcore_h11 import Server, Settings, Timeouts
from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.certificates import tls_of
from oauthcore_h11.configuration.tables import Tls
from oauthcore_h11.listener_context import ListenerContext
from tests.core.certificates import Made, certificate, subject
from tests.h11.test_configuration import reading

START = int(time.time())


def made(name: str, issuer: Made | None = None, *, is_ca: bool = False, dns: Sequence[str] = ()) -> Made:
    """Make a certificate that is valid now."""
    return certificate(
        subject(CN=name),
        key=f"EC {name}",
        issuer=issuer,
        is_ca=is_ca,
        dns=dns,
        not_before=START - 3_600,
        not_after=START + 86_400,
    )


SERVER = made("localhost", is_ca=True, dns=["localhost"])
AUTHORITY = made("authority", is_ca=True)
ISSUED = made("client", AUTHORITY)
OWN, OWN_AUTHORITY = made("own"), made("own authority", is_ca=True)
FORGED, OTHER_FORGED = made("client", OWN_AUTHORITY), made("client", OWN)
STRANGER = made("stranger")


@pytest.fixture
def table(tmp_path: Path) -> Tls:
    """Return the settings of a server that takes certificates of an authority, and two that are self-signed."""
    for name, text in (
        ("certificate.pem", SERVER.pem),
        ("key.pem", SERVER.key_pem),
        ("clients.pem", AUTHORITY.pem),
        ("known.pem", f"# ours\n{OWN.pem}\n{OWN_AUTHORITY.pem}"),
    ):
        (tmp_path / name).write_text(text)
    return Tls(
        certificate=tmp_path / "certificate.pem",
        key=tmp_path / "key.pem",
        client_ca=tmp_path / "clients.pem",
        client_self_signed=tmp_path / "known.pem",
        client_certificates="optional",
    )


def showing(folder: Path, shown: Made | None) -> ssl.SSLContext:
    """Return the TLS of a client that shows a certificate, or none."""
    context = ssl.create_default_context(cafile=str(folder / "certificate.pem"))
    if shown is not None:
        (folder / "shown.pem").write_text(shown.pem + shown.key_pem)
        context.load_cert_chain(folder / "shown.pem")
    return context


async def peers_of(tls: ssl.SSLContext, asked: Sequence[tuple[socket.socket, ssl.SSLContext]]) -> list[Peer | None]:
    """Return whom the server sees in each of these requests; None for one that it does not answer."""
    seen: list[Peer | None] = []

    async def remember(request: Request) -> Response:
        seen[-1] = request.peer
        return Response(200, (("Connection", "close"),))

    server = Server(remember, Settings(timeouts=Timeouts(linger=0)))
    addresses = [listening.getsockname() for listening, _ in asked]
    await server.start({listening for listening, _ in asked}, tls)
    for address, (_, context) in zip(addresses, asked, strict=True):
        seen.append(None)
        try:
            reader, writer = await asyncio.open_connection(*address, ssl=context, server_hostname="localhost")
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            await reader.read(-1)
            writer.close()
        except OSError:  # an `SSLError` is one, too
            continue
    await server.stop(grace=0)
    return seen


@pytest.mark.anyio
async def test_a_self_signed_certificate_is_taken_as_it_is_and_vouches_for_no_name(table: Tls) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    shown = [None, ISSUED, OWN, OWN_AUTHORITY, FORGED, OTHER_FORGED, STRANGER]
    asked = [(listening, showing(table.certificate.parent, one)) for one in shown]

    seen = await peers_of(tls_of(table), asked)

    here = Peer("127.0.0.1", is_secure=True)
    assert seen[:2] == [here, attrs.evolve(here, certificate=ISSUED.der, has_trusted_chain=True)]
    assert seen[2:4] == [attrs.evolve(here, certificate=one.der) for one in (OWN, OWN_AUTHORITY)]
    # What a self-signed one has issued has any name in it; at most its key is the client's.
    assert seen[4] == attrs.evolve(here, certificate=FORGED.der)
    assert seen[5:] == [None, None]


def asked_twice(address: tuple[str, int], context: ssl.SSLContext) -> list[bool]:
    """Send two requests in one TLS session, and return whether each was resumed."""
    session, resumed = None, []
    for _ in range(2):
        with (
            socket.create_connection(address, timeout=20) as connected,
            context.wrap_socket(connected, server_hostname="localhost", session=session) as tls,
        ):
            tls.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            while tls.recv(1_024):
                pass
            session = tls.session
            resumed.append(bool(tls.session_reused))
    return resumed


@pytest.mark.anyio
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize(("shown", "is_issued"), [(ISSUED, True), (OWN, False), (FORGED, False)])
async def test_a_session_that_is_resumed_has_the_certificate_that_it_began_with(
    table: Tls, version: ssl.TLSVersion, shown: Made, is_issued: bool
) -> None:
    seen: list[Peer | None] = []

    async def remember(request: Request) -> Response:
        seen.append(request.peer)
        return Response(200, (("Connection", "close"),))

    listening = socket.create_server(("127.0.0.1", 0))
    address, context = listening.getsockname(), showing(table.certificate.parent, shown)
    context.maximum_version = version
    server = Server(remember, Settings(timeouts=Timeouts(linger=0)))
    await server.start([listening], tls_of(table))
    resumed = await asyncio.to_thread(asked_twice, address, context)
    await server.stop(grace=0)

    assert resumed == [False, True]
    assert seen == [Peer("127.0.0.1", True, shown.der, is_issued)] * 2


def test_of_very_many_certificates_the_oldest_is_forgotten() -> None:
    context = ListenerContext(ssl.PROTOCOL_TLS_SERVER)
    for number in range(5_000):
        assert context.is_issued(b"%d" % number, b"authority")

    assert not context.is_issued(b"0", None)
    assert context.is_issued(b"4999", None)


@pytest.mark.anyio
async def test_certificates_are_asked_for_where_the_file_says_so_and_nowhere_else(table: Tls) -> None:
    here, there = socket.create_server(("127.0.0.1", 0)), socket.create_server(("127.0.0.1", 0))
    at = f"127.0.0.1:{here.getsockname()[1]}"
    shown = showing(table.certificate.parent, ISSUED)

    seen = await peers_of(tls_of(attrs.evolve(table, client_certificates_at=(at,))), [(here, shown), (there, shown)])

    assert [peer and peer.certificate for peer in seen] == [ISSUED.der, None]


@pytest.mark.anyio
async def test_self_signed_certificates_need_no_authority_beside_them(table: Tls) -> None:
    listening = socket.create_server(("127.0.0.1", 0))
    asked = [(listening, showing(table.certificate.parent, one)) for one in (OWN, ISSUED)]

    seen = await peers_of(tls_of(attrs.evolve(table, client_ca=None, client_certificates="required")), asked)

    assert [peer and (peer.certificate, peer.has_trusted_chain) for peer in seen] == [(OWN.der, False), None]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "none",
        OWN.pem.replace("\n", "\n*", 1),
        OWN.pem + OWN.key_pem[:0] + "-----BEGIN CERTIFICATE-----\n!\n-----END CERTIFICATE-----\n",
    ],
)
def test_a_file_without_readable_certificates_is_named(table: Tls, text: str) -> None:
    assert table.client_self_signed is not None
    table.client_self_signed.write_text(text)

    with pytest.raises(ConfigurationError, match=r"tls\.client_self_signed"):
        tls_of(table)


LEAST = (
    f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\nbind = ["[::1]:8000", "[::1]:8443"]\n'
)
TLS = '[tls]\ncertificate = "c.pem"\nkey = "k.pem"\n'


@pytest.mark.parametrize(
    ("lines", "setting"),
    [
        ('client_certificates = "optional"', "client_certificates"),
        ('client_ca = "a.pem"', "client_ca"),
        ('client_self_signed = "a.pem"', "client_self_signed"),
        ('client_certificates_at = ["[::1]:8443"]', "client_certificates_at"),
        (
            'client_certificates = "optional"\nclient_ca = "a.pem"\nclient_certificates_at = ["[::1]:1"]',
            "tls.client_certificates_at",
        ),
    ],
)
def test_settings_that_belong_together_are_taken_together(tmp_path: Path, lines: str, setting: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        reading(tmp_path, LEAST + TLS + lines)
    assert setting in raised.value.setting


def test_a_port_that_two_addresses_have_can_not_be_told_apart(tmp_path: Path) -> None:
    lines = 'client_certificates = "optional"\nclient_ca = "a.pem"\nclient_certificates_at = ["[::1]:8443"]'
    assert reading(tmp_path, LEAST + TLS + lines).tls is not None

    with pytest.raises(ConfigurationError, match="no other address"):
        reading(tmp_path, LEAST.replace('"[::1]:8000"', '"127.0.0.1:8443"') + TLS + lines)


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ('format = "nginx"\n', "trusted"),
        ('format = "other"\n', "format"),
        ('format = "nginx"\nchains = "X-A"\nrefuses_unverified = true\n', "chains"),
    ],
)
def test_proxies_hand_on_certificates_as_one_of_the_formats_has_it(tmp_path: Path, lines: str, problem: str) -> None:
    trusted = '[proxies]\ntrusted = ["10.0.0.1"]\n' if problem != "trusted" else ""

    with pytest.raises(ConfigurationError, match=problem):
        reading(tmp_path, f"{LEAST}{trusted}[proxies.client_certificate]\n{lines}")
