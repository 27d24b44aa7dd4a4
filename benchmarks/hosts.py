"""The servers that `transports.py` measures, each in a process of its own: `python -m benchmarks.hosts NAME`.

All but the reference server as operators run it answer from the same `AuthorizationServer` with one client, and log
nothing; they differ in what carries bytes to it and back, and in the storage. The first is the floor: bare h11 on an
`asyncio.Protocol`, without timeouts, limits or TLS, doing what `floor.py` does.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias, cast

import attrs
import h11
import uvicorn
import uvloop
from typing_extensions import override

from benchmarks.floor import Floor
from benchmarks.operations import CLIENT_ID, INTROSPECT, ISSUER, SCOPE, TOKEN
from benchmarks.wire import RawRequest
from oauthcore import (
    AsyncWorld,
    AuthorizationServer,
    Client,
    MemoryStorage,
    Paths,
    Policy,
    Request,
    Response,
    Scope,
    World,
    arun,
    run,
)
from oauthcore.flow.storage import AsyncStorage, Storage
from oauthcore_asgi import OAuth
from oauthcore_h11 import Server
from oauthcore_sqlite import AsyncSqliteStorage, SqliteStorage

PlainAnswer: TypeAlias = tuple[int, list[tuple[str, str]], bytes]


def plain_answer(status: int, headers: Iterable[tuple[str, str]], body: bytes) -> PlainAnswer:
    """Keep the parts of an answer, for whoever spells it."""
    return status, list(headers), body


class BareConnection(asyncio.Protocol):
    """Speak HTTP/1.1 by h11 alone: the least that a connection has to do."""

    def __init__(self, floor: Floor[PlainAnswer]) -> None:
        self._floor = floor
        self._h11 = h11.Connection(h11.SERVER)
        self._request: h11.Request | None = None
        self._body = b""

    @override
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's are no instances of it

    @override
    def data_received(self, data: bytes) -> None:
        self._h11.receive_data(data)
        while True:
            event = self._h11.next_event()
            if isinstance(event, h11.Request):
                self._request = event
            elif isinstance(event, h11.Data):
                self._body += event.data
            elif isinstance(event, h11.EndOfMessage):
                self._answer()
            else:
                return

    def _answer(self) -> None:
        assert self._request is not None
        request = RawRequest(self._request.method, self._request.target, list(self._request.headers), self._body)
        self._body = b""
        answer = self._floor.introspect if request.target == INTROSPECT.encode() else self._floor.token
        status, headers, body = answer(request)
        head = h11.Response(status_code=status, headers=[*headers, ("Content-Length", str(len(body)))])
        pieces = [self._h11.send(event) for event in (head, h11.Data(data=body), h11.EndOfMessage())]
        self._transport.write(b"".join(piece for piece in pieces if piece))
        self._h11.start_next_cycle()


@attrs.frozen
class Host:
    """Hold what serves on a listening socket, from when it is called, and the secret of its client."""

    secret: str
    serve: Callable[[socket.socket], None]


def bare() -> Host:
    """Serve the floor by bare h11."""
    floor = Floor(plain_answer)

    async def serve(listening: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: BareConnection(floor), sock=listening)
        await server.serve_forever()

    return Host(floor.secret, lambda listening: uvloop.run(serve(listening)))


def core(storage: Storage) -> tuple[AuthorizationServer, str]:
    """Make the server with one client, and give the client's secret."""
    server = AuthorizationServer(
        issuer=ISSUER,
        clock=time.time,
        entropy=secrets.token_bytes,
        token_key=secrets.token_bytes(32),
        policy=Policy.oauth21(),
        paths=Paths(token=TOKEN, introspection=INTROSPECT),
    )
    client = Client(client_id=CLIENT_ID, grant_types=("client_credentials",), scope=Scope(SCOPE.split(" ")))
    secret = run(server.clients.register(client), World(storage)).secret
    assert secret is not None
    return server, secret.reveal()


def by_h11(server: AuthorizationServer, storage: Storage | AsyncStorage, secret: str) -> Host:
    """Serve by the reference server's transport."""
    world = AsyncWorld(storage)

    async def application(request: Request) -> Response:
        return await arun(server.handle(request), world)

    async def serve(listening: socket.socket) -> None:
        await Server(application).start([listening])
        await asyncio.Event().wait()

    return Host(secret, lambda listening: uvloop.run(serve(listening)))


def h11_memory() -> Host:
    """Serve by h11 from memory."""
    storage = MemoryStorage()
    server, secret = core(storage)
    return by_h11(server, storage, secret)


def h11_sqlite() -> Host:
    """Serve by h11 from a file in which every commit is on the disk before it is answered."""
    blocking = SqliteStorage(Path(tempfile.mkdtemp()) / "oauthcore.db", synchronous="FULL")
    server, secret = core(blocking)
    return by_h11(server, AsyncSqliteStorage(blocking), secret)


def asgi() -> Host:
    """Serve by ASGI on httptools from memory."""
    storage = MemoryStorage()
    server, secret = core(storage)
    app = OAuth(server, AsyncWorld(storage))
    settings = uvicorn.Config(app, http="httptools", loop="uvloop", access_log=False, log_level="error", lifespan="off")
    return Host(secret, lambda listening: uvicorn.Server(settings).run([listening]))


HOSTS: dict[str, Callable[[], Host]] = {"bare": bare, "h11": h11_memory, "asgi": asgi, "sqlite": h11_sqlite}


def main() -> None:
    """Serve one of them, and print in a line of JSON where and with what secret."""
    host = HOSTS[sys.argv[1]]()
    listening = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(json.dumps({"port": listening.getsockname()[1], "secret": host.secret}), flush=True)
    host.serve(listening)


if __name__ == "__main__":
    main()
