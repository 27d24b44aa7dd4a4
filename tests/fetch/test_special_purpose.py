"""The Internet's addresses and all others: the same on every Python, with whatever else an address hides."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest

from oauthcore_fetch.special_purpose import is_public

# Each row of IANA's special-purpose registries that lies outside of what is judged by the IPv4 address within, globally
# reachable or not, and multicast, which has registries of its own.
SPECIAL = (
    "0.0.0.0/8", "0.0.0.0/32", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
    "192.0.0.0/24", "192.0.0.0/29", "192.0.0.8/32", "192.0.0.9/32", "192.0.0.10/32", "192.0.0.170/32", "192.0.0.171/32",
    "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.88.99.2/32", "192.168.0.0/16",
    "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    "255.255.255.255/32",
    "::1/128", "::/128", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23", "2001::/32", "2001:1::1/128",
    "2001:1::2/128", "2001:1::3/128", "2001:2::/48", "2001:3::/32", "2001:4:112::/48", "2001:10::/28", "2001:20::/28",
    "2001:30::/28", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20", "5f00::/16", "fc00::/7",
    "fe80::/10", "fec0::/10", "ff00::/8",
)  # fmt: skip


@pytest.mark.parametrize("block", SPECIAL)
def test_special_purpose_block_is_not_public_from_its_first_address_to_its_last(block: str) -> None:
    network = ip_network(block)

    assert not is_public(network[0])
    assert not is_public(network[network.num_addresses // 2])
    assert not is_public(network[-1])


@pytest.mark.parametrize(
    "address",
    [
        "1.0.0.0", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.0",
        "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "191.255.255.255", "192.0.1.0", "192.0.3.0",
        "192.88.98.255", "192.88.100.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0",
        "223.255.255.255", "2001:200::", "2001:db7:ffff::", "2001:db9::", "2003::", "2620:4f:7fff::1", "2620:4f:8001::",
        "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "3fff:1000::",
    ],
)  # fmt: skip
def test_neighbour_of_a_special_purpose_block_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize("address", ["::5db8:d70e", "::ffff:0:5db8:d70e", "1fff:ffff::", "4000::", "8000::1", "e000::"])
def test_address_outside_of_global_unicast_is_not_public(address: str) -> None:
    """RFC 4291 section 2.4. IPv4-compatible and IPv4-translated addresses, of a public one too, are among them."""
    assert not is_public(ip_address(address))


def hiding(prefix: str, hidden: IPv4Address) -> IPv6Address:
    return IPv6Address(int(IPv6Address(prefix)) | int(hidden))


WRAPPERS = [
    pytest.param("::ffff:0:0", id="IPv4-mapped"),
    pytest.param("64:ff9b::", id="NAT64"),
    pytest.param("2606:2800:21f:cb07:0:5efe::", id="ISATAP"),
    pytest.param("2606:2800:21f:cb07:200:5efe::", id="ISATAP-of-a-public-address"),
]


@pytest.mark.parametrize("prefix", WRAPPERS)
@pytest.mark.parametrize(
    "hidden", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.0.0.8", "192.88.99.1", "224.0.0.1"]
)
def test_address_that_hides_another_is_no_more_public_than_that(prefix: str, hidden: str) -> None:
    assert not is_public(hiding(prefix, IPv4Address(hidden)))


@pytest.mark.parametrize("prefix", WRAPPERS)
def test_address_that_hides_a_public_one_is_public(prefix: str) -> None:
    assert is_public(hiding(prefix, IPv4Address("93.184.215.14")))


@pytest.mark.parametrize("address", ["fe80::5efe:5db8:d70e", "fd00::5efe:5db8:d70e", "2001:db8::5efe:5db8:d70e"])
def test_isatap_of_a_public_address_does_not_open_another_prefix(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize(
    "address",
    [
        "2002:5db8:d70e::1",  # 6to4, of 93.184.215.14
        "2002:a00:1::1",  # 6to4, of 10.0.0.1
        "2001:0:5db8:d70e:8000:63bf:a247:28f1",  # Teredo
    ],
)
def test_tunnel_is_not_public_wherever_it_ends(address: str) -> None:
    """RFC 7526, RFC 4380: whose relay takes the packet is not to be known."""
    assert not is_public(ip_address(address))
