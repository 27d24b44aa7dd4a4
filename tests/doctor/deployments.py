"""Deployments to be examined: good ones in this process without a socket, and what is broken in them by one change."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from functools import cache
from typing import TypeAlias
from urllib.parse import urlsplit

import attrs

from oauthcore import Outgoing, Peer, Request, Response
from oauthcore.wire.http import complete
from oauthcore.wire.text import ascii_lower
from oauthcore_doctor import Exchange, Report, Target, TlsObservation, TlsRequest, examine
from oauthcore_h11.demo import Demo, make_demo
from tests.mcp_clients.site import make_site

NOW = 1_800_000_000.0
DATE = "Fri, 15 Jan 2027 08:00:00 GMT"

Change: TypeAlias = Callable[[Outgoing, Response], Response]


def unchanged(request: Outgoing, response: Response) -> Response:
    """Leave an answer as it is."""
    return response


@cache
def answer_of(demo: Demo, request: Outgoing) -> Response:
    """Return what a good server answers: nothing that a walk sends changes it, so that once is enough."""
    parts = urlsplit(request.url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path or "/"
    headers = (("host", parts.netloc), *((ascii_lower(name), value) for name, value in request.headers))
    peer = Peer("192.0.2.1", is_secure=parts.scheme == "https")
    response = asyncio.run(demo(Request(request.method, target, headers, request.body, peer)))
    return attrs.evolve(response, headers=(*complete(response), ("Date", DATE)))


@attrs.frozen
class Deployment:
    """Be a server in this process, what is changed of its answers, and how it speaks TLS: a port for a walk."""

    issuer: str
    demo: Demo
    change: Change = unchanged
    tls: TlsObservation | None = None
    resource: str | None = None

    def fetch(self, request: Outgoing) -> Exchange:
        """Answer as the server does, by way of the change."""
        try:
            return Exchange(request, self.change(request, answer_of(self.demo, request)), NOW)
        except ConnectionError as error:
            return Exchange(request, None, NOW, str(error))

    def shake_hands(self, request: TlsRequest) -> TlsObservation:
        """Show a good certificate and no old version, or what this was made with."""
        return self.tls or TlsObservation(request.host, NOW, expires_at=NOW + 60 * 86_400)

    def examine(self, target: Target | None = None) -> Report:
        """Examine it, and its resource if it has one."""
        return examine(target or Target(self.issuer, self.resource), self)


@cache
def good(kind: str) -> Deployment:
    """Return a good deployment: an OpenID Provider at the root, a server below a path, or a demo."""
    match kind:
        case "root, openid, mcp":
            return deployment("https://as.example", "")
        case "path, no openid, mcp":
            return deployment("https://as.example", "/tenant")
        case "demo":
            return Deployment("http://localhost:8000", make_demo("localhost", 8000))
        case "demo --mcp":
            demo = make_demo("localhost", 8000, mcp=True)
            return Deployment("http://localhost:8000", demo, resource="http://localhost:8000/mcp")
    raise AssertionError(kind)


def deployment(origin: str, path: str) -> Deployment:
    """Return what the clients of MCP are tested with."""
    demo = make_site(origin, path).demo
    assert demo.mcp is not None
    return Deployment(origin + path, demo, resource=demo.mcp.url)


def with_document(response: Response, members: Mapping[str, object]) -> Response:
    """Return an answer with another JSON object."""
    return attrs.evolve(response, body=json.dumps(members).encode())


def with_header(response: Response, name: str, value: str | None) -> Response:
    """Return an answer with a header in place of those of that name; None takes them away."""
    kept = tuple(header for header in response.headers if ascii_lower(header[0]) != ascii_lower(name))
    return attrs.evolve(response, headers=kept if value is None else (*kept, (name, value)))


def page(status: int, body: bytes = b"<!doctype html><title>An application</title>") -> Response:
    """Return a page in HTML."""
    return Response(status, (("Content-Type", "text/html"),), body)
