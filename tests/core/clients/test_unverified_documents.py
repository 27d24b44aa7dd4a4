"""What strangers have the server fetch: never at the cost of the clients that the operator has registered."""

from __future__ import annotations

from collections.abc import Callable

import attrs
import pytest

from oauthcore import Client, ClientIdMetadata
from oauthcore.documents import UNVERIFIED_BUDGET, Documents
from oauthcore.openid import OpenID
from oauthcore.records.client import DynamicRegistration
from oauthcore.signing.keys import GivenKeys
from tests.core.clients.asserting import JWKS_URI, NOW, PUBLISHING, Publisher, ask, asserting_site, assertion
from tests.core.registering import OPEN, register
from tests.core.signing_keys import key_for
from tests.core.site import Site

STRANGERS = 5


def register_sectors(site: Site) -> None:
    """Register clients, each of which names a host of its own."""
    for number in range(STRANGERS):
        sector = f"https://{number}.evil.example/sector"
        _ = register(site, redirect_uris=[f"https://{number}.evil.example/cb"], sector_identifier_uri=sector)


def show_assertions(site: Site) -> None:
    """Come as clients that are documents, the keys of each of which are at a host of its own."""
    for number in range(STRANGERS):
        _ = ask(site, assertion(stranger(number).client_id, jti=str(number)))


def stranger(number: int) -> Client:
    """Return one of many clients that have registered themselves."""
    return attrs.evolve(
        PUBLISHING,
        client_id=f"stranger-{number}",
        jwks_uri=f"https://{number}.evil.example/jwks",
        dynamic=DynamicRegistration(registered_at=NOW),
    )


@pytest.fixture
def site() -> Site:
    """Return a site that remembers three documents."""
    clients = (PUBLISHING, *map(stranger, range(STRANGERS)))
    site = asserting_site(
        clients=clients,
        openid=OpenID(),
        keys=GivenKeys((key_for("RS256"),)),
        registration=OPEN,
        client_id_metadata=ClientIdMetadata(),
    )
    few = attrs.evolve(site.server.instruments, documents=Documents(capacity=3))
    site.server = site.server.with_instruments(few)
    return site


@pytest.mark.parametrize("name_hosts", [register_sectors, show_assertions])
def test_strangers_who_name_many_hosts_keep_no_registered_client_from_authenticating(
    site: Site, name_hosts: Callable[[Site], None]
) -> None:
    """RFC 7591 section 5, RFC 9101 section 10.4.1: whoever may register may have the server ask for what they like."""
    name_hosts(site)

    assert ask(site, assertion("publishing")).status == 200


def test_strangers_push_out_nothing_that_a_registered_client_has_published(site: Site) -> None:
    publisher = site.world.fetch
    assert isinstance(publisher, Publisher)
    _ = ask(site, assertion("publishing", jti="1"))

    register_sectors(site)
    show_assertions(site)
    answer = ask(site, assertion("publishing", jti="2"))

    assert answer.status == 200
    assert publisher.asked.count(JWKS_URI) == 1


def test_of_what_strangers_name_so_many_documents_are_fetched_a_minute() -> None:
    site = asserting_site(openid=OpenID(), keys=GivenKeys((key_for("RS256"),)), registration=OPEN)
    publisher = site.world.fetch
    assert isinstance(publisher, Publisher)

    answers = [
        register(site, redirect_uris=["https://e.example/cb"], sector_identifier_uri=f"https://{n}.e.example/sector")
        for n in range(UNVERIFIED_BUDGET + 2)
    ]

    assert len(publisher.asked) == UNVERIFIED_BUDGET
    assert [answer.status for answer in answers[-3:]] == [400, 503, 503]
