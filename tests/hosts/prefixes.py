"""Ways for an application to live below a prefix: each is asked over its own interface for the same endpoints."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from io import BytesIO
from typing import Any, TypeAlias

import anyio
import attrs

from oauthcore import Client, MemoryStorage, Secret, World, run
from oauthcore.endpoints.endpoint import NO_DOCUMENT

# Method, the path as the host's root sees it, and the body: the status and the body that come back.
Ask: TypeAlias = Callable[[str, str, bytes], tuple[int, bytes]]

ISSUERS = ("https://as.example/api", "https://as.example/api/auth")
FORM = "application/x-www-form-urlencoded"
BASIC = "Basic " + base64.b64encode(b"app:app-secret-of-the-tests").decode()
MINE = b"the application's own"
TOKEN_KEY = bytes(range(32))


def world_of() -> World:
    """Return a world with nobody in it."""
    return World(MemoryStorage())


def register(oauth: Any) -> None:
    """Register the client that asks."""
    client = Client(client_id="app", redirect_uris=[], grant_types=["client_credentials"], scope="read")
    run(oauth.server.clients.register(client, Secret("app-secret-of-the-tests")), oauth.world)


def check(ask: Ask, issuer: str) -> None:
    """Find the endpoints by the issuer's paths, well-known ones too, and the application's own routes as before."""
    base = issuer.removeprefix("https://as.example")
    status, body = ask("POST", f"{base}/token", b"grant_type=client_credentials")
    assert (status, json.loads(body).get("token_type")) == (200, "Bearer")
    status, body = ask("GET", f"{base}/.well-known/oauth-authorization-server", b"")
    assert (status, json.loads(body).get("issuer")) == (200, issuer)
    assert ask("GET", f"{base}/nothing", b"")[0] == 404
    # Clients look here, too, where OpenID Connect is off. A framework's own 404 has no CORS headers.
    assert ask("GET", f"{base}/.well-known/openid-configuration", b"") == (404, NO_DOCUMENT.body)


def check_root(ask: Ask, issuer: str) -> None:
    """Find the metadata where RFC 8414 section 3.1 has it: at the host's root, in front of the issuer's path."""
    base = issuer.removeprefix("https://as.example")
    status, body = ask("GET", f"/.well-known/oauth-authorization-server{base}", b"")
    assert (status, json.loads(body).get("issuer")) == (200, issuer)
    assert ask("GET", f"/.well-known/openid-configuration{base}", b"") == (404, NO_DOCUMENT.body)


def check_own(ask: Ask, path: str) -> None:
    """Find a route of the application's own that has the same path as the rest of an endpoint's."""
    assert ask("GET", path, b"") == (200, MINE)


@attrs.define
class _Exchange:
    received: list[dict[str, Any]]
    sent: list[Any] = attrs.Factory(list)

    async def receive(self) -> dict[str, Any]:
        if not self.received:
            await anyio.sleep_forever()  # the client stays, and has nothing more to say
        return self.received.pop(0)

    async def send(self, message: Any) -> None:
        self.sent.append(message)


def by_asgi(app: Any, root: str = "", *, cut: str = "", keeps: bool = True) -> Ask:
    """Return how an ASGI server asks: told a root path it `keeps` in the path or not, behind a proxy that `cut`s."""

    def ask(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        seen = path.removeprefix(cut)
        if root and not keeps:
            seen = seen.removeprefix(root)
        headers = [(b"host", b"as.example"), (b"authorization", BASIC.encode())]
        headers += [(b"content-type", FORM.encode()), (b"content-length", str(len(body)).encode())] if body else []
        scope = {
            "type": "http",
            "method": method,
            "path": seen,
            "raw_path": seen.encode(),
            "root_path": root,
            "query_string": b"",
            "scheme": "https",
            "client": ("192.0.2.1", 1),
            "server": ("as.example", 443),
            "headers": headers,
            "http_version": "1.1",
            "asgi": {"version": "3.0"},
            "state": {},
            "extensions": {},
        }
        exchange = _Exchange([{"type": "http.request", "body": body, "more_body": False}])
        anyio.run(app, scope, exchange.receive, exchange.send)
        status = next(message["status"] for message in exchange.sent if message["type"] == "http.response.start")
        return status, b"".join(message.get("body", b"") for message in exchange.sent)

    return ask


def by_wsgi(app: Any, script: str = "", *, cut: str = "") -> Ask:
    """Return how a WSGI server asks, with a `SCRIPT_NAME` or behind a proxy that `cut`s something off."""

    def ask(method: str, path: str, body: bytes) -> tuple[int, bytes]:
        statuses: list[str] = []
        environ = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": script,
            "PATH_INFO": path.removeprefix(cut or script),
            "QUERY_STRING": "",
            "SERVER_NAME": "as.example",
            "SERVER_PORT": "443",
            "HTTP_AUTHORIZATION": BASIC,
            "SERVER_PROTOCOL": "HTTP/1.1",
            "wsgi.url_scheme": "https",
            "wsgi.input": BytesIO(body),
            "wsgi.errors": BytesIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.run_once": False,
            "wsgi.multiprocess": False,
            "CONTENT_TYPE": FORM if body else "",
            "CONTENT_LENGTH": str(len(body)),
        }
        pieces = app(environ, lambda status, headers, *_: statuses.append(status))
        answer = b"".join(pieces)
        if hasattr(pieces, "close"):
            pieces.close()
        return int(statuses[0][:3]), answer

    return ask
