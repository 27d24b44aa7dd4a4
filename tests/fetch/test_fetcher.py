"""Asking other servers: what is asked, where it may go, and when it is given up."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import anyio
import pytest
import trustme

from oauthcore import ConfigurationError, Outgoing, Response
from oauthcore_fetch import AsyncFetcher, Fetcher, FetchFailed
from oauthcore_fetch.guard import Forbidden, is_public, networks, permitted

LOOPBACK = ("127.0.0.0/8",)


class Handler(BaseHTTPRequestHandler):
    """Answer as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/drip":
            self.send_response(200)
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"a" * 100)
                    self.wfile.flush()
            except OSError:
                self.close_connection = True
        else:
            self.answer(b"x" * 1000 if self.path == "/large" else self.headers["Host"].encode())

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])) + self.headers["X-Own"].encode())

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self, format: str, *args: object
    ) -> None:
        """Say nothing."""


@contextmanager
def elsewhere(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_answer_is_given_as_it_came() -> None:
    with elsewhere() as port:
        url = f"http://127.0.0.1:{port}/echo?a=b"
        got = Fetcher(allow=LOOPBACK)(Outgoing("POST", url, (("X-Own", "!"),), b"body"))

    assert (got.status, got.body) == (200, b"body!")


def test_async_host_waits_on_a_thread() -> None:
    async def ask(port: int) -> Response:
        return await AsyncFetcher(Fetcher(allow=LOOPBACK))(Outgoing("GET", f"http://127.0.0.1:{port}/"))

    with elsewhere() as port:
        assert anyio.run(ask, port).body == f"127.0.0.1:{port}".encode()


def test_certificate_is_checked_for_the_name_that_was_asked(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("as.example").configure_cert(tls)

    def fetcher(**more: str) -> Fetcher:
        return Fetcher(allow=LOOPBACK, resolve=lambda host, _: ["127.0.0.1"], **more)  # type: ignore[arg-type]

    with elsewhere(tls) as port:
        trusting = fetcher(ca_file=str(tmp_path / "ca.pem"))
        assert trusting(Outgoing("GET", f"https://as.example:{port}/")).body == f"as.example:{port}".encode()
        with pytest.raises(FetchFailed, match=r"other\.example"):
            trusting(Outgoing("GET", f"https://other.example:{port}/"))
        with pytest.raises(FetchFailed):
            fetcher()(Outgoing("GET", f"https://as.example:{port}/"))


def test_redirect_is_an_answer_like_any_other() -> None:
    with elsewhere() as port:
        assert Fetcher(allow=LOOPBACK)(Outgoing("GET", f"http://127.0.0.1:{port}/redirect")).status == 302


def test_answer_that_is_too_large_is_given_up() -> None:
    with elsewhere() as port, pytest.raises(FetchFailed, match="more than 100 bytes"):
        Fetcher(allow=LOOPBACK, max_size=100)(Outgoing("GET", f"http://127.0.0.1:{port}/large"))


def test_answer_that_never_ends_is_given_up() -> None:
    fetcher = Fetcher(allow=LOOPBACK, timeout=0.3, max_size=10**12)
    with elsewhere() as port, pytest.raises(FetchFailed, match=r"more than 0\.3 seconds"):
        fetcher(Outgoing("GET", f"http://127.0.0.1:{port}/drip"))


def test_server_that_is_not_there_is_no_answer() -> None:
    with elsewhere() as port:
        pass

    with pytest.raises(FetchFailed, match=r"127\.0\.0\.1"):
        Fetcher(allow=LOOPBACK)(Outgoing("GET", f"http://127.0.0.1:{port}/?secret"))


def test_private_address_is_never_connected_to() -> None:
    with elsewhere() as port, pytest.raises(FetchFailed, match="Forbidden"):
        Fetcher()(Outgoing("GET", f"http://127.0.0.1:{port}/"))


def test_plain_http_is_for_allowed_addresses() -> None:
    with pytest.raises(FetchFailed, match="Forbidden"):
        Fetcher(resolve=lambda host, _: ["93.184.215.14"])(Outgoing("GET", "http://as.example/"))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
        "255.255.255.255", "::1", "::", "fe80::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1", "64:ff9b::a00:1",
        "2002:0a00:0001::1",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_forbidden(address: str) -> None:
    with pytest.raises(Forbidden, match="not public"):
        permitted("a.example", 443, (), lambda *_: [address])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
def test_public_address_is_permitted(address: str) -> None:
    assert permitted("a.example", 443, (), lambda *_: [address]) == address


def test_name_with_one_private_address_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        permitted("a.example", 443, (), lambda *_: ["93.184.215.14", "10.0.0.1"])


def test_name_without_an_address_is_forbidden() -> None:
    with pytest.raises(Forbidden, match="no address"):
        permitted("a.example", 443, (), lambda *_: [])


def test_private_network_may_be_allowed_by_name() -> None:
    assert permitted("a", 1, networks(["10.0.0.0/8"]), lambda *_: ["10.0.0.1"]) == "10.0.0.1"


def test_every_address_is_public_or_not() -> None:
    import ipaddress

    assert not is_public(ipaddress.ip_address("2001:0:4136:e378:8000:63bf:f5ff:fffe"))  # Teredo, of 10.0.0.1


@pytest.mark.parametrize(
    ("setting", "settings"),
    [
        ("timeout", {"timeout": 0}),
        ("max_size", {"max_size": 0}),
        ("allow", {"allow": ["somewhere"]}),
        ("ca_file", {"ca_file": "/nowhere"}),
    ],
)
def test_setting_that_can_not_be_is_named(setting: str, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        Fetcher(**settings)  # type: ignore[arg-type]  # that is the point
