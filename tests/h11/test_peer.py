"""Who sent a request: what a trusted proxy says, and what anybody says."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Peer
from oauthcore.wire.certificate_headers import CertificateHeader, VerifiedChains
from oauthcore.wire.http import Headers
from oauthcore_h11.peer import TrustedProxies, connected_from, peer_of
from tests.core.wire.test_certificate_headers import BASE64, DER

PROXIES = TrustedProxies((ip_network("10.0.0.0/8"), ip_network("::1/128")))


def address(connected: str | None, forwarded: str, proxies: TrustedProxies = PROXIES) -> str | None:
    return peer_of(Peer(connected), (("x-forwarded-for", forwarded),), proxies).address


@pytest.mark.parametrize(
    ("connected", "forwarded", "believed"),
    [
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "203.0.113.9, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("10.0.0.1", "[2001:DB8::1]:4711", "2001:db8::1"),
        ("10.0.0.1", "2001:db8::1", "2001:db8::1"),
        ("10.0.0.1", "::ffff:192.0.2.1", "192.0.2.1"),
        # Whom a proxy calls unknown has no address, and least of all the proxy's own.
        ("10.0.0.1", "192.0.2.1, unknown", None),
        ("10.0.0.1", "192.0.2.1, garbage, 10.0.0.2", None),
        ("10.0.0.1", "192.0.2.1,", None),
        ("10.0.0.1", "fe80::1%eth0", "fe80::1"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("::1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.9", "192.0.2.1", "192.0.2.9"),
        (None, "192.0.2.1", None),
    ],
)
def test_address_is_the_nearest_that_is_no_trusted_proxy(
    connected: str | None, forwarded: str, believed: str | None
) -> None:
    assert address(connected, forwarded) == believed


def test_several_headers_are_one_list() -> None:
    headers: Headers = (("x-forwarded-for", "203.0.113.9"), ("x-forwarded-for", "192.0.2.1"))

    assert peer_of(Peer("10.0.0.1"), headers, PROXIES).address == "192.0.2.1"


def test_whoever_connects_by_a_unix_socket_is_believed_if_the_operator_says_so() -> None:
    assert address(None, "192.0.2.1", TrustedProxies(unix=True)) == "192.0.2.1"


@pytest.mark.parametrize(
    ("forwarded", "is_secure"),
    [("https", True), ("http", False), ("http, HTTPS", True), ("https, http", False), ("", True)],
)
def test_scheme_is_what_the_nearest_proxy_says(forwarded: str, is_secure: bool) -> None:
    connected = Peer("10.0.0.1", is_secure=True)

    assert peer_of(connected, (("x-forwarded-proto", forwarded),), PROXIES).is_secure is is_secure


def test_certificate_of_a_proxy_is_not_the_clients() -> None:
    assert peer_of(Peer("10.0.0.1", certificate=b"DER"), (), PROXIES).certificate is None


@given(st.lists(st.tuples(st.sampled_from(["x-forwarded-for", "x-forwarded-proto"]), st.text(max_size=30))))
def test_without_proxies_nothing_of_it_is_read(headers: list[tuple[str, str]]) -> None:
    connected = Peer("10.0.0.1", certificate=b"DER")

    assert peer_of(connected, tuple(headers), TrustedProxies()) is connected
    assert peer_of(Peer("192.0.2.9"), tuple(headers), PROXIES) == Peer("192.0.2.9")


HANDED_ON = TrustedProxies((ip_network("10.0.0.0/8"),), certificate=CertificateHeader(chains=VerifiedChains()))


def test_a_named_proxy_hands_on_the_certificate_of_its_client() -> None:
    headers = (("x-forwarded-for", "192.0.2.1"), ("x-forwarded-proto", "https"), ("client-cert", f":{BASE64}:"))

    peer = peer_of(Peer("10.0.0.1", certificate=b"of the proxy", has_trusted_chain=True), headers, HANDED_ON)

    assert peer == Peer("192.0.2.1", True, DER, True)
    assert peer_of(Peer("10.0.0.1", certificate=b"of the proxy"), headers[:2], HANDED_ON).certificate is None


_CERTIFICATES = st.sampled_from(["client-cert", "x-ssl-client-cert", "x-forwarded-client-cert", "x-ssl-client-verify"])


@given(
    st.sampled_from(["192.0.2.9", "2001:db8::1", "127.0.0.1", "::1"]),
    st.lists(st.tuples(_CERTIFICATES, st.sampled_from([f":{BASE64}:", BASE64, "SUCCESS", "0"]))),
    st.booleans(),
)
def test_what_anyone_else_says_of_a_certificate_has_no_effect(
    address: str, headers: list[tuple[str, str]], has_one: bool
) -> None:
    connected = Peer(address, True, b"own" if has_one else None, has_one)

    for proxies in (HANDED_ON, TrustedProxies(certificate=HANDED_ON.certificate), TrustedProxies()):
        assert peer_of(connected, tuple(headers), proxies) == connected


def test_a_certificate_behind_a_proxy_that_nobody_named_is_nobodys() -> None:
    shown = Peer("127.0.0.1", True, b"of the proxy", True)

    assert peer_of(shown, (("x-forwarded-for", "192.0.2.1"),), TrustedProxies()) == Peer(None, True)


@pytest.mark.parametrize("name", ["x-forwarded-for", "forwarded"])
@pytest.mark.parametrize(("connected", "believed"), [("127.0.0.1", None), ("::1", None), ("192.0.2.9", "192.0.2.9")])
def test_proxy_on_this_machine_that_nobody_named_lends_its_address_to_nobody(
    name: str, connected: str, believed: str | None
) -> None:
    """Elsewhere the header is no evidence: whoever tries passwords would be rid of their address by it."""
    assert peer_of(Peer(connected), ((name, "for=192.0.2.1"),), TrustedProxies()).address == believed


def test_where_a_proxy_must_be_and_none_is_named_nobody_has_an_address() -> None:
    proxies = TrustedProxies(has_unnamed=True)

    for connected in (Peer("127.0.0.1"), Peer("10.0.0.1"), Peer(None)):
        assert peer_of(connected, (), proxies).address is None


@pytest.mark.parametrize(
    ("connected", "proxies", "source"),
    [
        ("192.0.2.1", TrustedProxies(), "192.0.2.1"),
        ("2001:db8::1", TrustedProxies(), "2001:db8::/64"),
        ("2001:db8::ffff:1", TrustedProxies(), "2001:db8::/64"),
        ("127.0.0.1", TrustedProxies(), "127.0.0.1"),
        ("10.0.0.1", PROXIES, None),
        ("192.0.2.1", PROXIES, "192.0.2.1"),
        ("192.0.2.1", TrustedProxies(has_unnamed=True), None),
        (None, TrustedProxies(), None),
    ],
)
def test_connections_are_counted_by_address_or_network_but_for_proxies(
    connected: str | None, proxies: TrustedProxies, source: str | None
) -> None:
    assert proxies.source_of(connected) == source


@pytest.mark.parametrize(
    ("peername", "spelled"),
    [
        (("192.0.2.1", 4711), "192.0.2.1"),
        (("::ffff:192.0.2.1", 4711, 0, 0), "192.0.2.1"),
        (("fe80::1%eth0", 4711, 0, 2), "fe80::1"),
        ("", None),
        (None, None),
    ],
)
def test_address_of_a_socket_is_spelled_as_usual(peername: object, spelled: str | None) -> None:
    assert connected_from(peername) == spelled
