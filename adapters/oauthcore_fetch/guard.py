"""Where a request of ours may go: to public addresses, unless others are allowed by name.

A URL that somebody else chose could lead into the network this host stands in (server-side request forgery). The
address is looked at, not the name, and it is the address looked at that is connected to: a name that resolves anew,
to something else, in between gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Iterable
from typing import TypeAlias

from oauthcore.errors import ConfigurationError

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], list[str]]

# RFC 6052: the rest of such an address is an IPv4 address, which may be a private one.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Forbidden(Exception):
    """Refuse to ask a server at an address that is not public."""


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a host, by the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def networks(values: Iterable[str]) -> tuple[Network, ...]:
    """Read networks, such as `10.1.0.0/16`; raises `ConfigurationError` for what is none."""
    read = []
    for value in values:
        try:
            read.append(ipaddress.ip_network(value))
        except ValueError:
            raise ConfigurationError("allow", value, "use an address or a network, as in 10.1.0.0/16") from None
    return tuple(read)


def permitted(host: str, port: int, allow: tuple[Network, ...], find: Resolve) -> str:
    """Give an address of the host to connect to; raises `Forbidden` where one of them is not permitted.

    One is enough to refuse: a name that has a public and a private address is not an honest one.
    """
    addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in find(host, port)]
    for address in addresses:
        if not is_public(address) and not is_among(str(address), allow):
            raise Forbidden(f"{host} is at {address}, which is not public; allow it by name if it is meant")
    if not addresses:
        raise Forbidden(f"{host} has no address")
    return str(addresses[0])


def is_among(address: str, allow: tuple[Network, ...]) -> bool:
    """Tell whether an address is in one of some networks."""
    return any(ipaddress.ip_address(address) in network for network in allow)


def is_public(address: Address) -> bool:
    """Tell whether an address is one of the Internet's at large, also where it hides another."""
    if isinstance(address, ipaddress.IPv6Address):
        hidden = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if hidden is None and address in _NAT64:
            hidden = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if hidden is not None:
            return is_public(hidden)
    return address.is_global and not address.is_multicast
