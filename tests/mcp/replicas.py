"""Replicas of what MCP clients meet, behind one origin: each request goes to the next one, and any may be killed.

An authorization server's are processes of `oauthcore serve`, an MCP server's are the official SDK's under uvicorn. One
that is killed is started anew by the time that its turn comes, as an orchestrator does it.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import pkgutil
import re
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, asynccontextmanager, contextmanager
from pathlib import Path
from threading import Lock
from typing import IO, Any, Literal, NoReturn, TypeAlias

import anyio
import attrs
import httpx
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.mcpserver import MCPServer

from oauthcore import AsyncWorld, IntrospectedTokens, JwtTokens, MemoryStorage, Resource, Secret
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_h11 import cli
from oauthcore_h11.assembly import new_token_key
from oauthcore_mcp import oauth_for_mcp, protect_mcp
from oauthcore_mcp.sdk import Verifier
from oauthcore_sqlalchemy import AsyncSqlAlchemyStorage, async_engine_of
from tests.h11.installation import Installation
from tests.mcp.site import SCOPES, SECRET, asgi, authenticate, listening
from tests.processes import PATIENCE, running

ROOT = Path(__file__).parent.parent.parent
COUNT = 3
KEY = bytes(range(32))
METADATA = "/.well-known/oauth-protected-resource"
Kind: TypeAlias = Literal["together", "introspected", "jwt"]


@attrs.frozen
class Replica:
    """Be a process that serves at a port, until it is killed; `held` is what this process has of it."""

    pid: int
    port: int
    held: socket.socket | IO[str]

    def kill(self) -> None:
        """End it as the power failing would."""
        os.kill(self.pid, signal.SIGKILL)
        self.held.close()


@attrs.define
class Forks:
    """Start replicas: each is a fork of a process that has imported everything, which takes seconds."""

    _here: socket.socket
    _one_by_one: Lock = attrs.field(factory=Lock)

    def start_mcp(self, *arguments: str) -> Replica:
        """Start an MCP server by the arguments of `mcp_app`.

        Its socket listens before it runs, so that nobody has to wait for its beginning.
        """
        at = listening()
        return Replica(self._fork(at.fileno(), "mcp", *arguments), at.getsockname()[1], at)

    def start_server(self, folder: Path) -> Replica:
        """Start `oauthcore serve` in a folder with a configuration, and wait until it says that it serves."""
        reading, writing = os.pipe()
        pid, said = self._fork(writing, "serve", str(folder)), os.fdopen(reading, encoding="utf-8")
        os.close(writing)
        line = said.readline()
        assert line, (folder / "log").read_text(encoding="utf-8")
        return Replica(pid, int(json.loads(line)["bind"][0].rpartition(":")[2]), said)

    def _fork(self, descriptor: int, *arguments: str) -> int:
        with self._one_by_one:
            socket.send_fds(self._here, [json.dumps(arguments).encode()], [descriptor])
            return int(self._here.recv(64))


@contextmanager
def forks() -> Iterator[Forks]:
    """Have what is forked until the block ends."""
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    command = [sys.executable, "-m", __name__, str(there.fileno())]
    with here, running(command, cwd=ROOT, pass_fds=[there.fileno()]):
        there.close()
        yield Forks(here)


def fork_for_each(there: socket.socket) -> None:
    """Fork for each descriptor that comes, with what the child is to be; say the child's process id."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how they ended
    mcp_app("together", "http://127.0.0.1", "http://127.0.0.1/mcp", "postgresql+psycopg://127.0.0.1/nowhere")
    for module in pkgutil.iter_modules(cli.__path__):
        importlib.import_module(f"{cli.__name__}.{module.name}")
    while True:
        message, descriptors, _, _ = socket.recv_fds(there, 65_536, 1)
        if not message:
            return
        [descriptor] = descriptors
        if (pid := os.fork()) == 0:
            there.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            become(descriptor, *json.loads(message))
        os.close(descriptor)
        there.send(str(pid).encode())


def become(descriptor: int, what: str, *arguments: Any) -> NoReturn:
    """Serve until the end: an MCP server at a socket, or `oauthcore serve` with its standard output in a pipe."""
    if what == "mcp":
        asyncio.run(_serve(mcp_app(*arguments), socket.socket(fileno=descriptor)))
    else:
        os.chdir(arguments[0])
        os.dup2(descriptor, 1)
        os.dup2(os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT), 2)
        sys.argv = ["oauthcore", "serve", "--json"]
        cli.main(sys.argv[1:])
    os._exit(0)


async def _serve(app: Any, at: socket.socket) -> None:
    async with asgi(app, at):
        await asyncio.Event().wait()  # until it is killed


def mcp_app(kind: Kind, issuer: str, url: str, storage: str = "", fetcher: Fetcher | None = None) -> Any:
    """Return an MCP server that any of its replicas may be asked of, as docs/mcp.md has it."""
    found: Any
    world = AsyncWorld(MemoryStorage(), fetch=AsyncFetcher(fetcher or Fetcher(allow=["127.0.0.1"])))
    if kind == "together":
        world = AsyncWorld(AsyncSqlAlchemyStorage(async_engine_of(storage)), authenticate=authenticate)
        found = oauth_for_mcp(issuer, world, KEY, [Resource(url, scopes=SCOPES)])
    elif kind == "introspected":
        found = IntrospectedTokens(
            f"{issuer}/introspect", client_id="files", client_secret=Secret(SECRET), clock=time.time, issuer=issuer
        )
    else:
        found = JwtTokens(issuer, clock=time.time)
    elsewhere = None if kind == "together" else world
    verifier = Verifier(found, url, "files:read", scopes=SCOPES, tools={"delete": "files:write"}, world=elsewhere)
    mcp = MCPServer("Files")

    @mcp.tool()
    def read(path: str) -> str:
        """Read a file."""
        token = get_access_token()
        return f"{path} for {token and token.subject}"

    @mcp.tool()
    def delete(path: str) -> str:
        """Delete a file."""
        return f"{path} is gone"

    return protect_mcp(mcp.streamable_http_app(stateless_http=True, json_response=True), verifier)


def block_of(language: str) -> str:
    """Return the one piece of docs/mcp.md in that language."""
    page = (ROOT / "docs" / "mcp.md").read_text(encoding="utf-8")
    [block] = re.findall(rf"^```{language}\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    return str(block)


def installed(folder: Path, issuer: str, url: str, storage: str, *, jwt: bool) -> Installation:
    """Make an authorization server that alice can sign in at, by the configuration that docs/mcp.md shows."""
    text = block_of("toml")
    changes = {
        'issuer = "https://mcp.example"': f'issuer = "{issuer}"',
        "https://mcp.example/mcp": url,
        '{ env = "FILES_SECRET" }': f'"{SECRET}"',
    }
    if jwt:
        changes |= {'introspected_by = ["files"]': 'access_token_format = "jwt"'}
    for before, after in changes.items():
        assert before in text, before
        text = text.replace(before, after)
    more = f'token_key = "{new_token_key().reveal()}"\nbind = ["127.0.0.1:0"]\nstorage = "{storage}"\n'
    tables = '[logs]\nlevel = "error"\n[passwords]\nminimum_length = 1\nrefuse_common = false\n'
    folder.mkdir()
    installation = Installation(folder)
    installation.config.write_text(more + text + tables + ("[oidc]\n" if jwt else ""), encoding="utf-8")
    installation.run("db", "upgrade")
    installation.run("user", "add", "alice", said="wonderland\n")
    return installation


@attrs.define
class Replicas:
    """Be several processes of one kind, asked in turn; one that is being started is left out."""

    start: Callable[[], Replica]
    starting: Executor
    running: list[Future[Replica]] = attrs.field(factory=list)
    killed: int = 0
    _turn: int = 0
    _stepped: int | None = None

    def begin(self) -> None:
        """Start all of them."""
        self.running.extend(self.starting.submit(self.start) for _ in range(COUNT))

    def next(self, *, step: bool) -> int:
        """Return which of them is asked next: for a step not the one that answered the step before."""
        turns = [(self._turn + number) % COUNT for number in range(1, COUNT + 1)]
        may = [turn for turn in turns if not (step and turn == self._stepped)]
        self._turn = next((turn for turn in may if self.running[turn].done()), may[0])
        self._stepped = self._turn if step else self._stepped
        return self._turn

    def port(self, number: int) -> int:
        """Return where one of them listens, once it does."""
        return self.running[number].result(PATIENCE).port

    def replace(self, number: int) -> None:
        """Kill one of them, and have another started in its place; return once any that was not killed serves."""
        self.running[number].result(PATIENCE).kill()
        self.killed += 1
        others = [one for one in self.running if one is not self.running[number]]
        self.running[number] = self.starting.submit(self.start)
        wait(others, PATIENCE, FIRST_COMPLETED)

    def stop(self) -> None:
        """Kill all of them."""
        while self.running:
            self.running.pop().result(PATIENCE).kill()


@attrs.define
class Balancer:
    """Be the one origin: pass each request on to the next replica, and kill that once it has answered a `step`.

    The answer goes to the client only after that, so that whatever the client does next meets others.
    """

    mcp: Replicas
    server: Replicas
    steps: Sequence[str]
    answered: list[tuple[str, int]] = attrs.field(factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        replicas = self.mcp if scope["path"] == "/mcp" or scope["path"].startswith(METADATA) else self.server
        line = f"{scope['method']} {scope['path']}"
        number = replicas.next(step=line in self.steps)
        port = await anyio.to_thread.run_sync(replicas.port, number)
        target = f"http://127.0.0.1:{port}{scope['raw_path'].decode()}"
        query = scope["query_string"].decode()
        headers = [(name, value) for name, value in scope["headers"] if name != b"connection"]
        async with httpx.AsyncClient(trust_env=False, timeout=PATIENCE) as http:
            url = f"{target}?{query}" if query else target
            request = httpx.Request(scope["method"], url, headers=headers, content=await _body_of(receive))
            response = await http.send(request)
        self.answered.append((line, number))
        if line in self.steps:
            await anyio.to_thread.run_sync(replicas.replace, number)
        await send({"type": "http.response.start", "status": response.status_code, "headers": response.headers.raw})
        await send({"type": "http.response.body", "body": response.content})

    def groups(self, lines: Sequence[str]) -> Iterator[tuple[Replicas, Sequence[str]]]:
        """Return the replicas that are apart, with those of the requests that are theirs."""
        if self.mcp is self.server:
            yield self.mcp, lines
        else:
            yield self.mcp, [line for line in lines if line.endswith("/mcp")]
            yield self.server, [line for line in lines if not line.endswith("/mcp")]

    def replicas_of(self, *lines: str) -> list[int]:
        """Return which replica answered each of those requests, in order."""
        return [number for line, number in self.answered if line in lines]


async def _body_of(receive: Callable[[], Awaitable[Any]]) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


async def _live(receive: Any, send: Any) -> None:
    for _ in range(2):
        message = await receive()
        await send({"type": f"{message['type']}.complete"})


@asynccontextmanager
async def replicated(
    kind: Kind, storage: str, folder: Path, steps: Sequence[str]
) -> AsyncIterator[tuple[str, Balancer]]:
    """Serve three of each kind on one database; return their origin, and what stands before them."""
    at = listening()
    origin = f"http://127.0.0.1:{at.getsockname()[1]}"
    url = f"{origin}/mcp"
    installed(folder, origin, url, storage, jwt=kind == "jwt")
    with ExitStack() as ending:
        starting = ending.enter_context(ThreadPoolExecutor(2 * COUNT))
        forked = ending.enter_context(forks())
        mcp = server = Replicas(lambda: forked.start_mcp(kind, origin, url, storage), starting)
        if kind != "together":
            server = Replicas(lambda: forked.start_server(folder), starting)
        for replicas in (mcp, server) if server is not mcp else (mcp,):
            ending.callback(replicas.stop)
            replicas.begin()
        wait((*mcp.running, *server.running), PATIENCE)
        balancer = Balancer(mcp, server, steps)
        async with asgi(balancer, at):
            yield origin, balancer


if __name__ == "__main__":
    fork_for_each(socket.socket(fileno=int(sys.argv[1])))
