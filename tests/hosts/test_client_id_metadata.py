"""Hosts announce clients by their metadata documents only where these can be fetched."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from oauthcore import (
    AuthorizationServer,
    ClientIdMetadata,
    ConfigurationError,
    MemoryStorage,
    Outgoing,
    Response,
    World,
)
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore_asgi import OAuth as AsgiOAuth
from oauthcore_wsgi import OAuth as WsgiOAuth

HOSTS: dict[str, Callable[[AuthorizationServer, World], object]] = {"asgi": AsgiOAuth, "wsgi": WsgiOAuth}


def server(metadata: ClientIdMetadata | None) -> AuthorizationServer:
    """Return a server with that setting."""
    return AuthorizationServer(
        issuer="https://as.example",
        clock=FixedClock(),
        entropy=SeededEntropy(),
        token_key=bytes(32),
        client_id_metadata=metadata,
    )


def fetch(request: Outgoing) -> Response:
    """Be a fetcher."""
    return Response(404)


@pytest.mark.parametrize("host", HOSTS)
def test_a4_a_world_without_a_fetcher_is_refused_where_documents_are_on(host: str) -> None:
    with pytest.raises(ConfigurationError, match="fetcher"):
        HOSTS[host](server(ClientIdMetadata()), World(MemoryStorage()))

    assert HOSTS[host](server(ClientIdMetadata()), World(MemoryStorage(), fetch=fetch))


@pytest.mark.parametrize("host", HOSTS)
def test_a4_it_is_needed_for_nothing_where_documents_are_off(host: str) -> None:
    assert HOSTS[host](server(None), World(MemoryStorage()))
