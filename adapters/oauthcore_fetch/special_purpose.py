"""Which addresses are the Internet's at large: a table of our own, from the registries of IANA.

`ipaddress.is_global` changes with each release of Python, so that what it let through depended on who ran this. Here
stand the IANA IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), whole blocks without their exceptions. Those
that the registries do call globally reachable are anycast (192.0.0.9 is the nearest router that speaks PCP, RFC 7723)
or sinks for mistakes (AS112, RFC 7535): what answers there belongs to the network around this host, and
no client publishes its keys there.
"""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

_IPV4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network (RFC 791 section 3.2)
            "10.0.0.0/8",  # private use (RFC 1918)
            "100.64.0.0/10",  # shared by carriers (RFC 6598)
            "127.0.0.0/8",  # loopback (RFC 1122 section 3.2.1.3)
            "169.254.0.0/16",  # link-local (RFC 3927), and clouds' metadata
            "172.16.0.0/12",  # private use (RFC 1918)
            "192.0.0.0/24",  # IETF protocol assignments (RFC 6890): DS-Lite, 192.0.0.8, PCP, TURN, NAT64 discovery
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.31.196.0/24",  # AS112 (RFC 7535)
            "192.52.193.0/24",  # AMT relays (RFC 7450)
            "192.88.99.0/24",  # 6to4 and 6a44 relays (RFC 7526, RFC 6751)
            "192.168.0.0/16",  # private use (RFC 1918)
            "192.175.48.0/24",  # AS112 (RFC 7534)
            "198.18.0.0/15",  # benchmarking (RFC 2544)
            "198.51.100.0/24",  # documentation (RFC 5737)
            "203.0.113.0/24",  # documentation (RFC 5737)
            "224.0.0.0/4",  # multicast (RFC 5771)
            "240.0.0.0/4",  # reserved, and broadcast (RFC 1112 section 4, RFC 8190)
        ),
    )
)

# RFC 4291 section 2.4: all that has been given out for the Internet at large. So these need no row below: loopback and
# the unspecified address, local NAT64 (64:ff9b:1::/48), discard and dummy (100::/64, 100:0:0:1::/64), SRv6 (5f00::/16),
# fc00::/7, fe80::/10, site-local (fec0::/10), multicast, and IPv4 in the last bits of ::/96 and ::ffff:0:0:0/96.
_GLOBAL_UNICAST = IPv6Network("2000::/3")
_IPV6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # IETF protocol assignments (RFC 2928): Teredo (RFC 4380), benchmarking, ORCHID, anycast
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4 (RFC 3056, RFC 7526): the relay, and the IPv4 address within, are whose?
            "2620:4f:8000::/48",  # AS112 (RFC 7534)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291 section 2.5.5.2
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052 section 2.1
# RFC 5214 section 6.1: the interface identifiers of ISATAP, before the IPv4 address that such a host is sent to.
_ISATAP = frozenset({0x0000_5EFE, 0x0200_5EFE})


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Return whether an address is one of the Internet's at large, and so is the one that it hides."""
    if isinstance(address, IPv4Address):
        return not _is_in(address, _IPV4)
    # A socket for IPv6 spells IPv4 the first way, and a network without IPv4 reaches it the second way.
    if address in _MAPPED or address in _NAT64:
        return is_public(_last_bits(address))
    if address not in _GLOBAL_UNICAST or _is_in(address, _IPV6):
        return False
    # The prefix is any; on a host or router that speaks ISATAP, the packet goes to the IPv4 address.
    return (int(address) >> 32) & 0xFFFF_FFFF not in _ISATAP or is_public(_last_bits(address))


def _is_in(address: IPv4Address | IPv6Address, blocks: Iterable[IPv4Network] | Iterable[IPv6Network]) -> bool:
    return any(address in block for block in blocks)


def _last_bits(address: IPv6Address) -> IPv4Address:
    return IPv4Address(int(address) & 0xFFFF_FFFF)
