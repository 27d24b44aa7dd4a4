"""Clients are told of a logout at the same time: one that does not answer keeps none waiting."""

from __future__ import annotations

import anyio
import attrs
import pytest

from oauthcore import AsyncWorld, Client, Outgoing, Response
from oauthcore.digest import Digest
from oauthcore.flow.outcome import Insert
from oauthcore.oidc.logout_token import queued
from oauthcore_asgi import OAuth
from tests.core.oidc.provider import PAIRWISE, RP, provider
from tests.core.oidc.test_sessions import session_of
from tests.core.site import Site
from tests.processes import PATIENCE

DEAD = attrs.evolve(RP, backchannel_logout_uri="https://dead.example/")
ALIVE = attrs.evolve(PAIRWISE, backchannel_logout_uri="https://alive.example/")


def with_logouts(*client_ids: str) -> Site:
    """Return a provider where these clients have to be told, in that order."""
    site = provider(clients=(DEAD, ALIVE))
    for number, client_id in enumerate(client_ids):
        client = site.world.storage.find(Client, client_id)
        assert client is not None
        delivery = queued(client, session_of(client_id), site.server.context())
        assert site.world.storage.commit([Insert(attrs.evolve(delivery, key=Digest(f"{number:064}")))])
    return site


@attrs.define
class Network:
    """Be the clients' servers: the dead one answers, badly, when the other one has been told so often."""

    until: int
    told: list[str] = attrs.field(factory=list)
    enough: anyio.Event = attrs.field(factory=anyio.Event)

    async def __call__(self, request: Outgoing) -> Response:
        """Answer a client's logout."""
        self.told.append(request.url)
        if request.url == DEAD.backchannel_logout_uri:
            await self.enough.wait()
            raise TimeoutError("nobody answers")
        if self.told.count(request.url) == self.until:
            self.enough.set()
        return Response(200)


@pytest.mark.anyio
async def test_client_that_does_not_answer_keeps_no_other_waiting() -> None:
    site, network = with_logouts("rp", "rp", "rp", "pairwise", "pairwise"), Network(until=2)
    embedded = OAuth(site.server, AsyncWorld(site.world.storage, fetch=network))

    with anyio.fail_after(PATIENCE):
        tried = await embedded.sessions.deliver_logouts()

    assert tried == 3
    assert sorted(network.told) == ["https://alive.example/"] * 2 + ["https://dead.example/"]
