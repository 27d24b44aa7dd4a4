"""Documents of clients are fetched from public addresses alone, whatever a name resolves to (F2)."""

from __future__ import annotations

import pytest

from oauthcore import Request, World, run
from oauthcore_fetch import Fetcher
from tests.core.clients.publishing import published
from tests.processes import PATIENCE

CLASSES = {
    "loopback": "127.0.0.1",
    "loopback, elsewhere in its block": "127.53.0.9",
    "loopback v6": "::1",
    "private 10": "10.0.0.1",
    "private 172.16": "172.31.255.254",
    "private 192.168": "192.168.1.1",
    "private v6": "fd00::1",
    "link-local": "169.254.1.1",
    "metadata of clouds": "169.254.169.254",
    "metadata of AWS v6": "fd00:ec2::254",
    "link-local v6": "fe80::1",
    "CGNAT": "100.64.0.1",
    "metadata of Alibaba": "100.100.100.200",
    "multicast": "224.0.0.1",
    "multicast v6": "ff02::1",
    "this network": "0.0.0.0",
    "this network, elsewhere in its block": "0.1.2.3",
    "unspecified v6": "::",
    "broadcast": "255.255.255.255",
    "IPv4 in IPv6": "::ffff:10.0.0.1",
    "NAT64": "64:ff9b::a00:1",
    "NAT64 of a network": "64:ff9b:1::a00:1",
    "6to4": "2002:a00:1::1",
    "Teredo": "2001:0:a00:1::1",
}


@pytest.mark.parametrize("address", CLASSES.values(), ids=list(CLASSES))
def test_f2_no_document_is_fetched_from_an_address_that_is_not_public(address: str) -> None:
    at = published()
    asked: list[str] = []

    def resolve(host: str, port: int) -> list[str]:
        """Lead into the network that this host stands in; beside a public address, for good measure."""
        asked.append(host)
        return ["93.184.216.34", address]

    world = World(at.site.world.storage, fetch=Fetcher(resolve=resolve, timeout=PATIENCE))
    target = at.site.authorize_target(
        client_id="https://evil.example/client.json", redirect_uri="https://evil.example/cb"
    )

    response = run(at.site.server.handle(Request("GET", target)), world)

    assert response.status == 503
    assert at.found("https://evil.example/client.json") is None
    # The name is resolved once, and what was looked at is what would be connected to.
    assert asked == ["evil.example"]


@pytest.mark.parametrize("host", ["metadata.google.internal", "localhost", "metadata", "169.254.169.254", "[::1]"])
def test_f2_hosts_that_are_no_names_of_the_internet_are_not_even_looked_up(host: str) -> None:
    at = published()
    asked: list[str] = []

    def resolve(name: str, port: int) -> list[str]:
        """Note that somebody asks."""
        asked.append(name)
        return ["169.254.169.254"]

    world = World(at.site.world.storage, fetch=Fetcher(resolve=resolve, timeout=PATIENCE))
    target = at.site.authorize_target(
        client_id=f"https://{host}/computeMetadata/v1", redirect_uri="https://a.example/cb"
    )

    response = run(at.site.server.handle(Request("GET", target)), world)

    assert response.header("location") is None
    # A name of several labels is one, until its address is known.
    assert asked == (["metadata.google.internal"] if host.endswith(".internal") else [])
