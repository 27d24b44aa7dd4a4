"""Whose an address is, for whatever is counted by address."""

from __future__ import annotations

from ipaddress import ip_address, ip_network


def network_of(address: str) -> str:
    """Return whose address it is: for IPv6 the /64, any address of which one host may take (RFC 4291 section 2.5.1)."""
    parsed = ip_address(address)
    return address if parsed.version == 4 else str(ip_network((parsed, 64), strict=False))
