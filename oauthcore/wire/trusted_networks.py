"""Networks of reverse proxies that a host believes, by the address that a connection comes from."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import as_strings, check_strings


def _networks(values: Iterable[str]) -> tuple[IPv4Network | IPv6Network, ...]:
    names = as_strings(values)
    check_strings("trusted", names)
    try:
        return tuple(map(ip_network, names))
    except ValueError as error:
        raise ConfigurationError("trusted", list(names), f"use addresses and networks: {error}") from None


@attrs.frozen
class TrustedNetworks:
    """Name addresses and networks, as in `["10.0.0.0/8", "::1"]`; raises `ConfigurationError`."""

    networks: tuple[IPv4Network | IPv6Network, ...] = attrs.field(converter=_networks)

    def __attrs_post_init__(self) -> None:
        if not self.networks:
            raise ConfigurationError("trusted", [], "name the proxies that are believed")

    def have(self, address: str | None) -> bool:
        """Return whether an address is one of them; a connection without an address never is."""
        return address is not None and _is_in(address, self.networks)


@lru_cache(maxsize=1_024)
def _is_in(address: str, networks: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    # A socket for both families spells IPv4 as IPv6 (RFC 4291 section 2.5.5.2).
    if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
        found = found.ipv4_mapped
    return any(found in network for network in networks)
