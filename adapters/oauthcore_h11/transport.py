"""The asyncio transport below `Connection`: it reads, writes, waits and gives up, and decides nothing about HTTP."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from socket import socket
from typing import TypeAlias, assert_never

import attrs

from oauthcore.http import Request, Response
from oauthcore_h11.connection import LIMITS, Close, Connection, Event, Limits, Phase, Send, plain_response

Application: TypeAlias = Callable[[Request], Awaitable[Response]]

logger = logging.getLogger(__name__)

READ_SIZE = 64 * 1024


@attrs.frozen(kw_only=True)
class Timeouts:
    """Say how long to wait, in seconds: for each phase as a whole, so that no trickle of bytes prolongs it."""

    idle: float = 60.0
    head: float = 10.0
    body: float = 30.0
    write: float = 30.0
    linger: float = 2.0

    def of(self, phase: Phase) -> float:
        """Give how long a phase may take."""
        return {Phase.IDLE: self.idle, Phase.HEAD: self.head, Phase.BODY: self.body}[phase]


TIMEOUTS = Timeouts()


class Server:
    """Serve an application on sockets that listen already; it runs from `start` to `stop`."""

    def __init__(
        self,
        application: Application,
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits = LIMITS,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self._application = application
        self._clock = clock
        self._limits = limits
        self._timeouts = timeouts
        self._listeners: list[asyncio.Server] = []
        self._conversations: dict[asyncio.Task[None], Conversation] = {}

    async def start(self, sockets: Iterable[socket]) -> None:
        """Accept connections from now on."""
        for listening in sockets:
            self._listeners.append(await asyncio.start_server(self._accept, sock=listening))

    async def stop(self, grace: float = 5.0) -> None:
        """Accept nothing more, let what is being answered be answered within `grace` seconds, then hang up."""
        for listener in self._listeners:
            listener.close()
        tasks = set(self._conversations)
        for task, conversation in list(self._conversations.items()):
            if not conversation.finish():
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        for listener in self._listeners:
            await listener.wait_closed()

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = Connection(self._clock, self._limits)
        conversation = Conversation(connection, reader, writer, self._application, self._timeouts)
        task = asyncio.ensure_future(conversation.run())
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)


class Conversation:
    """Carry one connection's events out."""

    def __init__(
        self,
        connection: Connection,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        application: Application,
        timeouts: Timeouts,
    ) -> None:
        self._connection = connection
        self._reader = reader
        self._writer = writer
        self._application = application
        self._timeouts = timeouts
        self._is_answering = False
        self._deadline: tuple[Phase, float] | None = None

    def finish(self) -> bool:
        """Let what is being answered be the last; False where nothing is."""
        self._connection.finish()
        return self._is_answering

    async def run(self) -> None:
        """Talk until either side has had enough."""
        try:
            await self._talk()
            await self._hang_up()
            self._writer.close()
        except OSError:
            pass  # the other side is gone, or is too slow a reader (TimeoutError is an OSError)
        finally:
            if not self._writer.is_closing():
                self._writer.transport.abort()

    async def _talk(self) -> None:
        events = await self._listen()
        while True:
            following: list[Event] = []
            for event in events:
                match event:
                    case Send(data):
                        await self._send(data)
                    case Request():
                        following = await self._answer(event)
                    case Close():
                        return
                    case _:
                        assert_never(event)
            self._is_answering = bool(following)
            events = following or await self._listen()

    async def _listen(self) -> list[Event]:
        """Wait until there is something to do."""
        events: list[Event] = []
        while not events:
            try:
                async with asyncio.timeout_at(self._give_up_at()):
                    data = await self._reader.read(READ_SIZE)
            except TimeoutError:
                return self._connection.give_up()
            events = self._connection.receive(data)
        return events

    def _give_up_at(self) -> float:
        """Give when the phase has lasted too long, counted from when it began."""
        phase = self._connection.phase
        if self._deadline is None or self._deadline[0] is not phase:
            self._deadline = (phase, asyncio.get_running_loop().time() + self._timeouts.of(phase))
        return self._deadline[1]

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(self._timeouts.write):
            await self._writer.drain()

    async def _answer(self, request: Request) -> list[Event]:
        self._is_answering, self._deadline = True, None
        try:
            response = await self._application(request)
            events = self._connection.respond(response)
        except Exception:  # one request's bug is not the next one's
            logger.exception("%s %s: the application failed", request.method, request.path)
            return self._connection.respond(plain_response(HTTPStatus.INTERNAL_SERVER_ERROR))
        log_refusal(request, response)
        return events

    async def _hang_up(self) -> None:
        """Close in two steps: at once, unread bytes would reset the connection and lose the answer (RFC 9112 9.6)."""
        self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeouts.linger):
                while await self._reader.read(READ_SIZE):
                    pass


def log_refusal(request: Request, response: Response) -> None:
    """Tell the operator why a request was refused: never with its query, which may hold what nobody should read."""
    refusal = response.refusal
    if refusal is None:
        return
    message = (request.method, request.path, response.status, refusal.code, refusal.reason)
    if refusal.cause is None:
        logger.info("%s %s: %d %s: %s", *message)
    else:
        logger.error("%s %s: %d %s: %s", *message, exc_info=refusal.cause)
