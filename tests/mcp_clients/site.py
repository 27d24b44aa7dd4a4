"""What the clients meet: an authorization server, and beside it the demo's MCP endpoint, on one of two hosts.

Both hosts run in this process, on a thread, so that a test can turn the clock.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from socket import socket
from threading import Thread
from typing import Any

import attrs
import uvicorn

from oauthcore import (
    AuthorizationServer,
    Client,
    Lifetimes,
    MemoryStorage,
    Outgoing,
    Policy,
    Request,
    Response,
    Secret,
    SubjectRule,
    TrustedIssuer,
    World,
    run,
)
from oauthcore.grants.jwt_bearer import GRANT_TYPE as JWT_BEARER
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.openid import OpenID
from oauthcore.signing.keys import GivenKeys
from oauthcore_asgi import OAuth, ResourceMetadata
from oauthcore_asgi.protect import verify
from oauthcore_asgi.wire import Answer, Receive, Scope, Send, body_of, paths_of, request_from, stated_length
from oauthcore_h11.demo import Demo
from oauthcore_h11.demo_mcp import DOCUMENTS, REGISTRATION, make_mcp, resources_of
from oauthcore_h11.loopback import listen, port_of
from oauthcore_pages import Pages
from tests.core.signing_keys import key_for
from tests.h11.serving import serving_on
from tests.processes import PATIENCE

CALLBACK = "http://127.0.0.1:39999/callback"
# Shorter than the clients' assertions last, whose clock is not turned.
LIFETIMES = Lifetimes(access_token_lifetime=60)
ENTERPRISE = "https://idp.enterprise.example"
SECRET = "a-secret-of-the-client-that-is-long-enough"


@attrs.define
class Clock:
    """Be a clock that can be turned on."""

    ahead: float = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return time.time() + self.ahead


@attrs.frozen
class Site:
    """Hold a server that serves, and what its clients need to know of it."""

    origin: str
    demo: Demo
    clock: Clock
    key: Jwk


def authenticate(username: str, password: Secret) -> str | None:
    """Know alice."""
    return username if (username, password.reveal()) == ("alice", "wonderland") else None


def make_site(origin: str, path: str) -> Site:
    """Make a server whose issuer has that path, an OpenID Provider where it has none, and register its clients."""
    clock, key = Clock(), crypto.generate("ES256")
    openid = not path
    server = AuthorizationServer(
        issuer=origin + path,
        clock=clock,
        entropy=secrets.token_bytes,
        token_key=secrets.token_bytes(32),
        scopes=("read", "write"),
        openid=OpenID() if openid else None,
        keys=GivenKeys([key_for("RS256")]) if openid else None,
        policy=(Policy.openid if openid else Policy.oauth21)(lifetimes=LIFETIMES),
        registration=REGISTRATION,
        client_id_metadata=DOCUMENTS,
        resources=resources_of(origin + path),
        trusted_issuers=[
            TrustedIssuer(issuer=ENTERPRISE, keys=[key], uses=["id-jag"], subjects=[SubjectRule(subject_claim="sub")])
        ],
    )
    pages = Pages(server, key=secrets.token_bytes(32), clock=clock, entropy=secrets.token_bytes)
    world = World(MemoryStorage(), authenticate, fetch=lambda outgoing: published(outgoing, key))
    for client, secret in registered(key):
        run(server.clients.register(client, secret), world)
    return Site(origin, Demo(server, pages, world, make_mcp(server)), clock, key)


def registered(key: Jwk) -> Iterator[tuple[Client, Secret | None]]:
    """Return the clients that the operator has registered, one of each way to authenticate, named for it."""
    client = Client(
        client_id="none",
        token_endpoint_auth_method="none",
        redirect_uris=["http://127.0.0.1/callback"],
        grant_types=["authorization_code", "refresh_token"],
        scope="read write offline_access",
    )
    yield client, None
    for method in ("client_secret_basic", "client_secret_post"):
        yield attrs.evolve(client, client_id=method, token_endpoint_auth_method=method), Secret(SECRET)
    keys = {"keys": [dict(key.public.members)]}
    # Whom an enterprise's identity provider lets in, without a page.
    yield (
        attrs.evolve(
            client,
            client_id="cross-app",
            token_endpoint_auth_method="client_secret_basic",
            grant_types=[JWT_BEARER],
            response_types=[],
            redirect_uris=[],
        ),
        Secret(SECRET),
    )
    yield (
        attrs.evolve(client, client_id="private_key_jwt", token_endpoint_auth_method="private_key_jwt", jwks=keys),
        None,
    )


def document_url(method: str) -> str:
    """Return the client identifier of an application that publishes what it is, and authenticates by that method."""
    return f"https://app.example/{method}/client.json"


def published(outgoing: Outgoing, key: Jwk) -> Response:
    """Be the site of that application."""
    method = outgoing.url.split("/")[3]
    document = {
        "client_id": document_url(method),
        **metadata(method, key),
        "redirect_uris": ["http://127.0.0.1/callback"],
    }
    return Response(200, (("Content-Type", "application/json"),), json.dumps(document).encode())


def metadata(method: str, key: Jwk | None) -> dict[str, Any]:
    """Return what the application says of itself."""
    said: dict[str, Any] = {
        "client_name": "Walk",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
    }
    return said | (
        {"jwks": {"keys": [dict(key.public.members)]}} if key is not None and method == "private_key_jwt" else {}
    )


def asgi(site: Site) -> Callable[[Scope, Receive, Send], object]:
    """Mount the server, and the endpoint as an application would that finds each message's scope by itself."""
    demo = site.demo
    mcp = demo.mcp
    assert mcp is not None
    oauth = OAuth(demo.server, demo.world, pages=demo.pages)
    metadata = ResourceMetadata(mcp.resource_server, demo.world)

    async def answer(scope: Scope, receive: Receive) -> Response:
        body = await body_of(stated_length(scope), receive)
        if isinstance(body, Response):
            return body
        request = request_from(scope, scope["path"], body)
        protection = mcp.resource_server.protect(mcp.endpoint.scope_for(body))
        access = await verify(request, protection, demo.world)
        return access if isinstance(access, Response) else mcp.endpoint.answer(request, access)

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not any(map(mcp.owns, paths_of(scope))):
            return await oauth(scope, receive, send)
        if scope["path"].startswith("/.well-known/"):
            return await metadata(scope, receive, send)
        return await Answer(await answer(scope, receive))(scope, receive, send)

    return application


@contextmanager
def on_h11(path: str) -> Iterator[Site]:
    """Serve on the reference server."""
    sockets = listen("localhost", 0)
    site = make_site(f"http://localhost:{port_of(sockets[0])}", path)

    async def answer(request: Request) -> Response:
        return await site.demo(request)

    with serving_on(sockets, answer):
        yield site


@contextmanager
def on_uvicorn(path: str) -> Iterator[Site]:
    """Serve as an ASGI application."""
    sockets: list[socket] = listen("localhost", 0)
    site = make_site(f"http://localhost:{port_of(sockets[0])}", path)
    config = uvicorn.Config(asgi(site), log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = Thread(target=server.run, kwargs={"sockets": sockets})
    # The sockets listen already, so that nobody has to wait until it has begun.
    thread.start()
    try:
        yield site
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


HOSTS: dict[str, Callable[[str], AbstractContextManager[Site]]] = {"h11": on_h11, "uvicorn": on_uvicorn}
