"""An authorization server and an MCP server, in this process's event loop, by loopback sockets."""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager, suppress
from functools import partial
from threading import Thread
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

import anyio
import attrs
import httpx2
import uvicorn
import waitress  # type: ignore[import-untyped]  # it has no types
from fastmcp import FastMCP
from flask import Flask
from mcp import Client as McpClient
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import (
    AuthorizationCodeResult,
    OAuthClientInformationFull,
    OAuthClientMetadata,
    OAuthToken,
)

from oauthcore import (
    AsyncWorld,
    AuthorizationServer,
    Client,
    IntrospectedTokens,
    JwtTokens,
    MemoryStorage,
    Outgoing,
    Request,
    Resource,
    Response,
    Secret,
    TrustedIssuer,
    World,
    arun,
    run,
)
from oauthcore.openid import OpenID
from oauthcore_asgi import OAuth
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_h11 import Server as H11Server
from oauthcore_mcp import protect_mcp, server_for_mcp
from oauthcore_mcp.fastmcp import McpAuth
from oauthcore_mcp.sdk import Verifier
from oauthcore_pages import Pages
from oauthcore_wsgi import OAuth as BlockingOAuth
from oauthcore_wsgi.flask import OAuth as FlaskOAuth
from tests.processes import PATIENCE
from tests.relying_parties.browser import Browser

CALLBACK = "http://127.0.0.1:9/callback"  # nobody listens there: the browser stops before it
SCOPES = ("files:read", "files:write")
SECRET = "s3cret/with+all=of&it"
Kind = Literal["protect", "settings", "fastmcp"]
Tokens = Literal["shared", "introspected", "jwt"]
HostName = Literal["asgi", "h11", "wsgi", "flask"]


def authenticate(username: str, password: Secret) -> str | None:
    """Know alice."""
    return "alice" if (username, password.reveal()) == ("alice", "wonderland") else None


@attrs.frozen(kw_only=True)
class Site:
    """Hold what runs: the authorization server, and the MCP server that it is for."""

    issuer: str
    url: str
    server: AuthorizationServer
    world: World
    requests: list[str]

    def register(self, client_id: str, method: str = "none", **more: Any) -> OAuthClientInformationFull:
        """Register a client as an operator does; return what they tell its user."""
        kinds: dict[str, Any] = {"grant_types": ("authorization_code", "refresh_token"), "redirect_uris": (CALLBACK,)}
        client = Client(
            client_id=client_id,
            token_endpoint_auth_method=method,
            scope=" ".join(SCOPES),
            **(kinds | more),
        )
        has_secret = method.startswith("client_secret")
        run(self.server.clients.register(client, Secret(SECRET) if has_secret else None), self.world)
        told: dict[str, Any] = {"client_id": client_id, "token_endpoint_auth_method": method, "issuer": self.issuer}
        return OAuthClientInformationFull.model_validate(
            told | {"redirect_uris": [CALLBACK], "client_secret": SECRET if has_secret else None}
        )

    def count(self, line: str) -> int:
        """Return how often the authorization server was asked so, at a path below its own: `POST /token`."""
        method, path = line.split(" ")
        return self.requests.count(f"{method} {urlsplit(self.issuer).path}{path}")


def listening() -> socket.socket:
    """Listen on any port."""
    return socket.create_server(("127.0.0.1", 0))


@asynccontextmanager
async def asgi(app: Any, at: socket.socket) -> AsyncIterator[None]:
    """Serve an ASGI application by uvicorn, on this event loop."""
    config = uvicorn.Config(app, log_level="warning", lifespan="on", ws="none", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.install_signal_handlers = lambda: None  # type: ignore[attr-defined,unused-ignore]  # of older versions
    task = asyncio.create_task(_serve(server, at))
    while not server.started:
        if task.done():
            await task  # raises what kept it from beginning
            raise AssertionError("the server has ended before it began")
        await anyio.sleep(0.005)
    try:
        yield
    finally:
        server.should_exit = True
        with suppress(asyncio.CancelledError):
            await task


async def _serve(server: uvicorn.Server, at: socket.socket) -> None:
    # What `serve` does without its signal handlers, which are the test runner's.
    await server._serve([at])


@asynccontextmanager
async def h11(app: Callable[[Request], Any], at: socket.socket) -> AsyncIterator[None]:
    """Serve by the reference server's transport."""
    server = H11Server(app)
    await server.start([at])
    try:
        yield
    finally:
        await server.stop()


def blocking(host: HostName, server: AuthorizationServer, world: World, pages: Pages) -> Any:
    """Return the authorization server as a WSGI application, by itself or as the blueprint of a Flask application."""
    if host == "wsgi":
        return BlockingOAuth(server, world, pages=pages)
    app = Flask("login")
    app.register_blueprint(FlaskOAuth(server, world, pages=pages).blueprint)
    return app


@contextmanager
def wsgi(app: Any, requests: list[str], at: socket.socket) -> Iterator[None]:
    """Serve a WSGI application by waitress, on threads of its own."""

    def counting(environ: Any, start_response: Any) -> Any:
        requests.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        return app(environ, start_response)

    server: Any = waitress.create_server(counting, sockets=[at], map={})
    thread = Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.trigger.pull_trigger(server.close)
        thread.join(PATIENCE)


def origin(at: socket.socket) -> str:
    """Return the URL of a socket."""
    return f"http://127.0.0.1:{at.getsockname()[1]}"


def tools(server: Any) -> Any:
    """Add the tools to a server of either SDK."""

    def read(path: str) -> str:
        """Read a file."""
        token = get_access_token()
        assert token is not None
        return f"{path} for {token.subject or token.client_id}"

    def delete(path: str) -> str:
        """Delete a file."""
        return f"{path} is gone"

    for tool in (read, delete):
        server.tool()(tool)
    return server


def served(kind: Kind, oauth: Any, url: str, **settings: Any) -> Any:
    """Return an MCP server's application, protected in one of the ways that there are."""
    settings |= {"scope": "files:read", "scopes": SCOPES}
    if kind == "settings":
        resource = Verifier(oauth, url, **settings)
        return tools(MCPServer("Files", token_verifier=resource, auth=resource.auth_settings)).streamable_http_app()
    settings["tools"] = {"delete": "files:write"}
    if kind == "fastmcp":
        return tools(FastMCP("Files", auth=McpAuth(oauth, url, **settings))).http_app(path="/mcp")
    return protect_mcp(tools(MCPServer("Files")).streamable_http_app(), Verifier(oauth, url, **settings))


@asynccontextmanager
async def site(
    kind: Kind = "protect",
    host: HostName = "asgi",
    prefix: str = "",
    tokens: Tokens = "shared",
    documents: Callable[[Outgoing], Response] | None = None,
    trusted_issuers: Sequence[TrustedIssuer] = (),
) -> AsyncIterator[Site]:
    """Serve both: in one process where the tokens are `shared` and the host is ASGI, and apart otherwise."""
    here, there = listening(), listening()
    together = tokens == "shared" and host == "asgi" and kind != "settings"
    issuer = origin(here) + prefix
    url = origin(here if together else there) + "/mcp"
    key = secrets.token_bytes(32)
    openid = OpenID() if tokens == "jwt" else None
    resources = [Resource(url, scopes=SCOPES)]
    server = server_for_mcp(
        issuer, key, resources, openid=openid, fetches=documents is not None, trusted_issuers=trusted_issuers
    )
    pages = Pages(server, key=key, clock=time.time, entropy=secrets.token_bytes)
    world = World(MemoryStorage(), authenticate=authenticate)
    if documents is not None:
        world = attrs.evolve(world, fetch=documents)
    requests: list[str] = []
    oauth = OAuth(server, world, pages=pages)
    fetch = AsyncFetcher(Fetcher(allow=["127.0.0.1"]))
    asked: dict[str, Any] = {}
    if tokens != "shared":
        asked["world"] = AsyncWorld(MemoryStorage(), fetch=fetch)
    elif not together:
        asked["world"] = world
    found: Any = oauth if together else server.tokens
    if tokens == "introspected":
        # The reference server's own introspection, by a client that may ask about any token.
        rs = Client(client_id="rs", grant_types=(), response_types=(), introspects_any=True)
        run(server.clients.register(rs, Secret(SECRET)), world)
        found = IntrospectedTokens(
            server.issuer + server.paths.introspection,
            client_id="rs",
            client_secret=Secret(SECRET),
            clock=time.time,
            issuer=issuer,
        )
    elif tokens == "jwt":
        found = JwtTokens(issuer, clock=time.time)
    app = served(kind, found, url, **asked)

    async def counting(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            requests.append(f"{scope['method']} {scope['path']}")
        await (app if together else oauth)(scope, receive, send)

    async def by_h11(request: Request) -> Response:
        requests.append(f"{request.method} {request.path}")
        if pages.owns(request.path):
            return await arun(pages.handle(request), world)
        return await arun(server.handle(request, pages.login_of(request), pages.error_page(request)), world)

    async with AsyncExitStack() as stack:
        if host in {"wsgi", "flask"}:
            stack.enter_context(wsgi(blocking(host, server, world, pages), requests, here))
        else:
            await stack.enter_async_context(asgi(counting, here) if host == "asgi" else h11(by_h11, here))
        if together:
            there.close()
        else:
            await stack.enter_async_context(asgi(app, there))
        yield Site(issuer=issuer, url=url, server=server, world=world, requests=requests)


@attrs.define
class Memory:
    """Keep what a client of the official SDK remembers."""

    client: OAuthClientInformationFull | None = None
    tokens: OAuthToken | None = None

    async def get_tokens(self) -> OAuthToken | None:
        """Return the tokens."""
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        """Keep tokens."""
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        """Return who the client is."""
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        """Keep who the client is."""
        self.client = client_info


@attrs.define
class Person:
    """Be the person at the browser, who allows whatever a client asks for."""

    issuer: str
    trust: ssl.SSLContext = attrs.field(factory=ssl.create_default_context)
    asked: list[dict[str, str]] = attrs.field(factory=list)
    _arrived: str = ""

    async def open(self, url: str) -> None:
        """Follow an authorization request's URL through all pages."""
        self.asked.append(dict(parse_qsl(urlsplit(url).query)))
        parts = urlsplit(self.issuer)
        base = f"{parts.scheme}://{parts.netloc}"
        self._arrived = await anyio.to_thread.run_sync(partial(_walk, base, url, self.trust))

    async def callback(self) -> AuthorizationCodeResult:
        """Return what the browser brings to the client."""
        came = dict(parse_qsl(urlsplit(self._arrived).query))
        assert "code" in came, came
        return AuthorizationCodeResult(code=came["code"], state=came.get("state"), iss=came.get("iss"))


def _walk(base: str, url: str, trust: ssl.SSLContext) -> str:
    with Browser(base, trust) as browser:
        return browser.open(url).url


@attrs.define
class Host:
    """Be an application that uses the official SDK's client."""

    site: Site
    memory: Memory = attrs.field(factory=Memory)
    metadata: dict[str, Any] = attrs.field(factory=dict)
    document: str | None = None
    trust: ssl.SSLContext = attrs.field(factory=ssl.create_default_context)
    arguments: dict[str, Any] = attrs.field(factory=lambda: {"path": "a.txt"})
    person: Person = attrs.field(init=False)
    auth: OAuthClientProvider = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.person = Person(self.site.issuer, self.trust)
        self.auth = OAuthClientProvider(
            self.site.url,
            OAuthClientMetadata.model_validate({"client_name": "Host", "redirect_uris": [CALLBACK], **self.metadata}),
            self.memory,
            self.person.open,
            self.person.callback,
            client_metadata_url=self.document,
        )

    async def call(self, tool: str, *more: str) -> list[str]:
        """Connect, call tools and leave; return what they said."""
        said = []
        async with (
            httpx2.AsyncClient(auth=self.auth, timeout=PATIENCE, trust_env=False, verify=self.trust) as http,
            McpClient(streamable_http_client(self.site.url, http_client=http)) as client,
        ):
            for name in (tool, *more):
                result = await client.call_tool(name, self.arguments)
                assert not result.is_error, result
                said.append(json.loads(result.model_dump_json())["content"][0]["text"])
        return said

    def expire(self) -> None:
        """Let the access token's time be over, by the client's own clock."""
        self.auth.context.token_expiry_time = 1
