"""The addresses that requests may go to: public ones, and others only if they are allowed by name.

A URL that a stranger chose could lead into this host's network (server-side request forgery). The address is checked,
not the name, and exactly that address is connected to: a name that resolves to something else in between has no effect
(DNS rebinding).
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Iterable
from typing import TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.wire.text import ascii_lower
from oauthcore_fetch.special_purpose import is_public

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve: TypeAlias = Callable[[str, int], list[str]]

# The last label has a letter in it: what ends in a number is meant as an address, and was no good one.
_HOST = re.compile(r"(?:[a-z0-9_-]{1,63}\.)*(?=[a-z0-9-]*[a-z])[a-z0-9-]{1,63}", re.IGNORECASE | re.ASCII)


class Forbidden(Exception):
    """Refuse to ask a server at an address that is not public."""


@attrs.frozen
class Allowed:
    """Hold the networks and hosts that are allowed although they are not public."""

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()

    def covers(self, host: str, address: Address) -> bool:
        """Return whether a host at an address is among them."""
        return ascii_lower(host) in self.hosts or any(address in network for network in self.networks)


def allowed(values: Iterable[str]) -> Allowed:
    """Read networks, such as `10.1.0.0/16`, and names of hosts; raises `ConfigurationError` for what is neither."""
    networks, hosts = [], set()
    for value in values:
        try:
            networks.append(ipaddress.ip_network(value))
        except ValueError:
            if _HOST.fullmatch(value) is None:
                raise ConfigurationError("allow", value, "use a network, as in 10.1.0.0/16, or a host's name") from None
            hosts.add(ascii_lower(value))
    return Allowed(tuple(networks), frozenset(hosts))


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host, by the system's resolver."""
    return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def permitted(host: str, port: int, is_secure: bool, allow: Allowed, find: Resolve) -> list[str]:
    """Return the addresses of the host that may be connected to; raises `Forbidden` if one of them may not.

    One is enough to refuse: a name with a public and a private address is suspicious. Without TLS the server is not
    authenticated, so that is only for allowed hosts.
    """
    addresses = [ipaddress.ip_address(address.partition("%")[0]) for address in find(host, port)]
    if not addresses:
        raise Forbidden(f"{host} has no address")
    for address in addresses:
        if allow.covers(host, address):
            continue
        if not is_public(address):
            raise Forbidden(f"{host} is at {address}, which is not public; allow it by name if it is meant")
        if not is_secure:
            raise Forbidden(f"{host} is to be asked without TLS; allow it by name if that is meant")
    return [str(address) for address in addresses]
