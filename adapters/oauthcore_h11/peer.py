"""The client of a request, if there is a reverse proxy in between that is trusted to name it.

Only with `[proxies]`. Three things are taken from the headers of a named proxy: the address, the scheme, and where that
is configured the client's certificate. Other senders may write anything into these headers; it is ignored.

An address that is not the client's own is not used: if there is a proxy that is not named, or does not know its client,
the address is None, which never counts as a trusted one.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TypeAlias

import attrs

from oauthcore import Peer
from oauthcore.wire.certificate_headers import CertificateHeader
from oauthcore.wire.http import Headers
from oauthcore.wire.network import network_of
from oauthcore.wire.text import ascii_lower, strip_ows

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


FORWARDED_FOR = "x-forwarded-for"
# Each is set by proxies alone (RFC 7239 for the last): no browser or library sends one by itself.
_SET_BY_PROXIES = frozenset({FORWARDED_FOR, "forwarded"})


@attrs.frozen
class TrustedProxies:
    """Name the networks whose proxies are trusted, and whether unix sockets are.

    With `has_unnamed` there is a proxy that is not one of them; then any sender may be that one. `certificate` says how
    they hand on the certificates of clients, None if they don't.
    """

    networks: tuple[Network, ...] = ()
    unix: bool = False
    has_unnamed: bool = False
    certificate: CertificateHeader | None = None

    def trusts(self, address: Address | None) -> bool:
        """Return whether who is at that address, or on a unix socket, is believed."""
        return self.unix if address is None else any(address in network for network in self.networks)

    def source_of(self, connected: str | None) -> str | None:
        """Return the source for which a connection is counted; None if it is unknown or a proxy of many clients."""
        if connected is None or self.has_unnamed or self.trusts(ip_address(connected)):
            return None
        return network_of(connected)


# A connection is asked whose it is at each request, and to read an address takes longer than all the rest of that.
@lru_cache(maxsize=1_024)
def address_named(text: str) -> Address:
    """Return the address of that spelling."""
    return ip_address(text)


def peer_of(connected: Peer, headers: Headers, proxies: TrustedProxies) -> Peer:
    """Return the sender of a request: the connected address, or the client that a trusted proxy names."""
    if connected.address is None and not proxies.unix:
        return connected
    address = None if connected.address is None else address_named(connected.address)
    if proxies.trusts(address):
        forwarded = address_forwarded_for(address, headers, proxies)
        # Without the certificate of the connection, which is the proxy's own.
        client = Peer(
            address=None if forwarded is None else str(forwarded),
            is_secure=is_forwarded_as_secure(headers, connected.is_secure),
        )
        return client if proxies.certificate is None else proxies.certificate.peer(client, headers)
    assert address is not None
    # Only on this machine are the headers evidence against their sender: others would hide behind them from the limits.
    if proxies.has_unnamed or (address.is_loopback and not _SET_BY_PROXIES.isdisjoint([name for name, _ in headers])):
        # A certificate that comes with it may be that proxy's, and stands for none of its clients.
        return Peer(address=None, is_secure=connected.is_secure)
    return connected


def address_forwarded_for(connected: Address | None, headers: Headers, proxies: TrustedProxies) -> Address | None:
    """Follow the proxies back to the first address that is not one: what comes before it may be invented.

    Each proxy appends the address from which it got the request, so the list is read from right to left, as far as it
    is trusted. Returns None if one of them names no address, and so has an unknown client.
    """
    found = connected
    values = ",".join(value for name, value in headers if name == FORWARDED_FOR).split(",")
    while values and proxies.trusts(found):
        text = values.pop()
        if not strip_ows(text) and not values:  # there is no such header, or nothing in it
            break
        found = parsed(text)
        if found is None:
            break
    return found


def is_forwarded_as_secure(headers: Headers, otherwise: bool) -> bool:
    """Return the scheme by which the nearest proxy was reached, if it says so."""
    values = ",".join(value for name, value in headers if name == "x-forwarded-proto").split(",")
    last = ascii_lower(strip_ows(values[-1]))
    return last == "https" if last else otherwise


def parsed(text: str) -> Address | None:
    """Parse an address, with or without a port; None if it is not one."""
    text = strip_ows(text)
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        # A link-local address has its interface after a %: not part of whose it is (RFC 4007 section 11).
        return plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return None


def plain(address: Address) -> Address:
    """Return an IPv4 address by its own name, where a socket for both families spells it as IPv6 (RFC 4291 2.5.5.2)."""
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address


def connected_from(peername: object) -> str | None:
    """Return the address in what a socket calls its peer; None for a unix socket's."""
    if not isinstance(peername, tuple):
        return None
    return str(plain(ip_address(str(peername[0]).partition("%")[0])))
