"""Asking other servers: what is asked, where it may go, and when it is given up."""

from __future__ import annotations

import ssl
from pathlib import Path
from socket import socketpair
from threading import Event
from time import monotonic

import anyio
import pytest
import trustme

from oauthcore import ConfigurationError, Outgoing, Response
from oauthcore_fetch import AsyncFetcher, Fetcher, FetchFailed
from oauthcore_fetch.deadline import until
from oauthcore_fetch.fetcher import At
from oauthcore_fetch.guard import Allowed, Forbidden, allowed, permitted
from tests.fetch.elsewhere import elsewhere
from tests.processes import PATIENCE

LOOPBACK = ("127.0.0.0/8",)


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


def test_no_more_is_read_than_a_byte_beyond_what_the_request_has_a_use_for() -> None:
    with elsewhere() as port:
        fetcher, url = Fetcher(allow=LOOPBACK, timeout=PATIENCE), f"http://127.0.0.1:{port}"

        assert fetcher(Outgoing("GET", f"{url}/large", max_size=100)).body == b"x" * 101
        assert fetcher(Outgoing("GET", f"{url}/large", max_size=1000)).body == b"x" * 1000
        assert len(fetcher(Outgoing("GET", f"{url}/pour", max_size=100)).body) == 101


@pytest.mark.parametrize("path", ["/pour", "/drip-head", "/drip-body"])
def test_answer_that_takes_too_long_is_given_up(path: str) -> None:
    fetcher = Fetcher(allow=LOOPBACK, timeout=0.3, max_size=10**12)
    with elsewhere() as port, pytest.raises(FetchFailed, match="Timeout"):
        fetcher(Outgoing("GET", f"http://127.0.0.1:{port}{path}"))


def test_what_comes_after_the_deadline_is_not_read() -> None:
    ours, theirs = socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        late = until(monotonic())(ours)
        with pytest.raises(TimeoutError, match="deadline"):
            late.begin()
        late.close()


def test_async_host_waits_no_longer_for_a_name() -> None:
    go_on = Event()

    def resolve_slowly(host: str, port: int) -> list[str]:
        go_on.wait(PATIENCE)
        return []

    async def ask() -> None:
        try:
            await AsyncFetcher(Fetcher(timeout=0.1, resolve=resolve_slowly))(Outgoing("GET", "https://slow.example/"))
        finally:
            go_on.set()

    with pytest.raises(FetchFailed, match=r"within 0\.1 seconds"):
        anyio.run(ask)


def test_next_address_is_tried_where_nobody_listens_at_the_first() -> None:
    with elsewhere() as port:
        fetcher = Fetcher(allow=["localhost"], resolve=lambda *_: ["127.77.0.1", "::1", "127.0.0.1"])
        assert fetcher(Outgoing("GET", f"http://localhost:{port}/")).body == f"localhost:{port}".encode()


def test_address_that_does_not_answer_leaves_the_next_one_its_time() -> None:
    timeout = At("127.0.0.1", 80, "as.example", None, tries=2).pool(monotonic() + 100).timeout

    assert timeout.connect_timeout == pytest.approx(50, abs=1)
    assert timeout.read_timeout == pytest.approx(100, abs=1)


@pytest.mark.parametrize(
    "url", ["ftp://as.example/", "https:///a", "https://[::1", "a", "https://a:99999/", "file:///a"]
)
def test_url_that_is_none_of_http_is_no_answer(url: str) -> None:
    with pytest.raises(FetchFailed, match="the URL"):
        Fetcher(allow=LOOPBACK)(Outgoing("GET", url))


def test_name_that_no_resolver_takes_is_no_answer() -> None:
    with pytest.raises(FetchFailed):
        Fetcher()(Outgoing("GET", f"https://{'a' * 70}.example/"))


def test_header_with_another_in_it_is_not_sent() -> None:
    with elsewhere() as port, pytest.raises(FetchFailed, match="ValueError"):
        Fetcher(allow=LOOPBACK)(Outgoing("GET", f"http://127.0.0.1:{port}/", (("X-Own", "a\r\nX-Other: b"),)))


def test_user_in_a_url_is_told_to_nobody() -> None:
    with elsewhere() as port:
        assert (
            Fetcher(allow=LOOPBACK)(Outgoing("GET", f"http://me:pw@127.0.0.1:{port}/")).body == b"127.0.0.1:%d" % port
        )


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
        "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fec0::1", "fc00::1", "ff02::1", "::ffff:10.0.0.1",
        "::10.0.0.1", "64:ff9b::a00:1", "64:ff9b:1::a00:1", "2002:0a00:0001::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_address_that_is_not_public_is_forbidden(address: str) -> None:
    with pytest.raises(Forbidden, match="not public"):
        permitted("a.example", 443, True, Allowed(), lambda *_: [address])


@pytest.mark.parametrize("address", ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::808:808"])
def test_public_address_is_permitted(address: str) -> None:
    assert permitted("a.example", 443, True, Allowed(), lambda *_: [address]) == [address]


@pytest.mark.parametrize("host", ["0", "0x7f.1", "127.1", "2130706433", "017700000001"])
def test_address_in_disguise_is_seen_through(host: str) -> None:
    with pytest.raises(FetchFailed, match="Forbidden"):
        Fetcher()(Outgoing("GET", f"https://{host}/"))


def test_name_with_one_private_address_is_forbidden() -> None:
    with pytest.raises(Forbidden):
        permitted("a.example", 443, True, Allowed(), lambda *_: ["93.184.215.14", "10.0.0.1"])


def test_name_without_an_address_is_forbidden() -> None:
    with pytest.raises(Forbidden, match="no address"):
        permitted("a.example", 443, True, Allowed(), lambda *_: [])


def test_address_that_was_looked_at_is_the_one_connected_to() -> None:
    """A name is resolved once: what it would resolve to the next time does not matter."""
    answers = iter([["127.0.0.1"], ["169.254.169.254"]])
    with elsewhere() as port:
        fetcher = Fetcher(allow=LOOPBACK, resolve=lambda *_: next(answers))
        assert fetcher(Outgoing("GET", f"http://as.example:{port}/")).body == f"as.example:{port}".encode()


@pytest.mark.parametrize("allow", ["10.0.0.0/8", "10.0.0.1", "rp.internal", "RP.internal"])
def test_private_address_may_be_allowed(allow: str) -> None:
    assert permitted("rp.internal", 80, False, allowed([allow]), lambda *_: ["10.0.0.1"]) == ["10.0.0.1"]


def test_host_that_is_allowed_opens_no_other() -> None:
    with pytest.raises(Forbidden):
        permitted("other.internal", 443, True, allowed(["rp.internal"]), lambda *_: ["10.0.0.1"])


@pytest.mark.parametrize(
    ("setting", "settings"),
    [
        ("timeout", {"timeout": 0}),
        ("max_size", {"max_size": 0}),
        ("allow", {"allow": ["some where"]}),
        ("allow", {"allow": ["10.1.0.0/33"]}),
        ("allow", {"allow": ["10.1.0.300"]}),
        ("ca_file", {"ca_file": "/nowhere"}),
    ],
)
def test_setting_that_can_not_be_is_named(setting: str, settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=setting):
        Fetcher(**settings)  # type: ignore[arg-type]  # that is the point


def test_number_of_threads_that_can_not_be_is_named() -> None:
    with pytest.raises(ConfigurationError, match="at_once"):
        AsyncFetcher(at_once=0)
