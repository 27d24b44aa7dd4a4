"""The asyncio transport below `Connection`: it reads, writes, waits and gives up, and decides nothing about HTTP."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from socket import socket
from typing import TypeAlias, assert_never

import attrs

from oauthcore.http import Peer, Request, Response
from oauthcore_h11.connection import LIMITS, Close, Connection, Event, Limits, Phase, Refused, Send, plain_response
from oauthcore_h11.listeners import BACKLOG
from oauthcore_h11.peer import TrustedProxies, connected_from, peer_of
from oauthcore_h11.places import Places

Application: TypeAlias = Callable[[Request], Awaitable[Response]]
Hear: TypeAlias = Callable[[Refused, Peer], None]

logger = logging.getLogger(__name__)

READ_SIZE = 64 * 1024


@attrs.frozen(kw_only=True)
class Timeouts:
    """Say how long to wait, in seconds: for each phase as a whole, so that no trickle of bytes prolongs it.

    `wait` is for a place, where all are taken; `linger` for the client to close once it has been told everything.
    """

    idle: float = 75.0
    head: float = 10.0
    body: float = 20.0
    write: float = 30.0
    wait: float = 5.0
    linger: float = 2.0

    def of(self, phase: Phase) -> float:
        """Give how long a phase may take."""
        return {Phase.IDLE: self.idle, Phase.HEAD: self.head, Phase.BODY: self.body}[phase]


@attrs.frozen(kw_only=True)
class Settings:
    """Say how much anybody may have, and whom to believe."""

    limits: Limits = LIMITS
    timeouts: Timeouts = Timeouts()
    connections: int = 1_000
    proxies: TrustedProxies = attrs.Factory(TrustedProxies)


SETTINGS = Settings()


def log_unreadable(refused: Refused, peer: Peer) -> None:
    """Tell the operator that something came which was no request, or too much of one."""
    logger.info("%s %s: %d, unread", refused.method, refused.path, refused.status)


class Server:
    """Serve an application on sockets that listen already; it runs from `start` to `stop`.

    `hear` is told of each request that was refused before the application could see it.
    """

    def __init__(
        self,
        application: Application,
        settings: Settings = SETTINGS,
        *,
        clock: Callable[[], float] = time.time,
        hear: Hear = log_unreadable,
    ) -> None:
        self._application = application
        self._settings = settings
        self._clock = clock
        self._hear = hear
        self._places = Places(settings.connections, settings.timeouts.wait)
        self._sockets: list[socket] = []
        self._listeners: list[asyncio.Server] = []
        self._conversations: dict[asyncio.Task[None], Conversation] = {}

    async def start(self, sockets: Iterable[socket], tls: ssl.SSLContext | None = None) -> None:
        """Accept connections from now on, by TLS where there is a context for it."""
        self._sockets = list(sockets)
        self._listeners = await self._listen(tls)

    def renew(self, application: Application, settings: Settings) -> None:
        """Answer the requests to come by another application; the settings are for the connections to come."""
        self._application = application
        self._settings = settings
        self._places.limit, self._places.wait = settings.connections, settings.timeouts.wait

    async def relisten(self, tls: ssl.SSLContext | None) -> None:
        """Show another certificate from now on. Nobody is refused meanwhile: the sockets themselves go on listening."""
        old, self._listeners = self._listeners, await self._listen(tls)
        for listener in old:
            listener.close()

    async def stop(self, grace: float = 5.0) -> None:
        """Accept nothing more, let what is being answered be answered within `grace` seconds, then hang up."""
        for listener in self._listeners:
            listener.close()
        for listening in self._sockets:
            listening.close()
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

    async def _listen(self, tls: ssl.SSLContext | None) -> list[asyncio.Server]:
        # Each on a duplicate: closing it leaves the socket itself listening, and who is in its queue there.
        handshake = None if tls is None else self._settings.timeouts.head
        return [
            await asyncio.start_server(
                self._accept, sock=listening.dup(), backlog=BACKLOG, ssl=tls, ssl_handshake_timeout=handshake
            )
            for listening in self._sockets
        ]

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = Conversation(reader, writer, self._answer, self._settings, self._clock, self._hear)
        task = asyncio.ensure_future(self._host(conversation))
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)

    async def _host(self, conversation: Conversation) -> None:
        """Give a conversation a place, and let it talk."""
        try:
            has_place = await self._places.take(conversation)
            await conversation.run(has_place=has_place)
        finally:
            conversation.abort()
            self._places.leave(conversation)

    async def _answer(self, request: Request) -> Response:
        return await self._application(request)


class Conversation:
    """Carry one connection's events out."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        application: Application,
        settings: Settings,
        clock: Callable[[], float],
        hear: Hear,
    ) -> None:
        self._peer = peer_behind(writer)
        find_peer = partial(peer_of, self._peer, proxies=settings.proxies)
        self._connection = Connection(clock, settings.limits, find_peer)
        self._reader = reader
        self._writer = writer
        self._application = application
        self._timeouts = settings.timeouts
        self._hear = hear
        self._is_answering = False
        self._phase: tuple[Phase, float] | None = None
        self._patience: asyncio.Timeout | None = None

    @property
    def waits_for(self) -> tuple[Phase, float] | None:
        """Tell what is waited for, and since when in the event loop's time; None while a request is answered."""
        return None if self._patience is None else self._phase

    def give_way(self) -> None:
        """Lose patience at once."""
        if self._patience is not None:
            self._patience.reschedule(asyncio.get_running_loop().time())

    def finish(self) -> bool:
        """Let what is being answered be the last; False where nothing is."""
        self._connection.finish()
        return self._is_answering

    def abort(self) -> None:
        """Let go of the connection, in whatever state it is."""
        if not self._writer.is_closing():
            self._writer.transport.abort()

    async def run(self, *, has_place: bool) -> None:
        """Talk until either side has had enough."""
        # OSError: the other side is gone, or is too slow a reader (TimeoutError is one).
        with suppress(OSError):
            if has_place:
                await self._talk(await self._listen())
            else:
                await self._talk(self._connection.turn_away())
            await self._hang_up()
            self._writer.close()

    async def _talk(self, events: list[Event]) -> None:
        while True:
            following: list[Event] = []
            for event in events:
                match event:
                    case Send(data):
                        await self._send(data)
                    case Request():
                        following = await self._answer(event)
                    case Refused():
                        self._hear(event, self._peer)
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
                async with asyncio.timeout_at(self._give_up_at()) as self._patience:
                    data = await self._reader.read(READ_SIZE)
            except TimeoutError:
                return self._connection.give_up()
            finally:
                self._patience = None
            events = self._connection.receive(data)
        return events

    def _give_up_at(self) -> float:
        """Give when the phase has lasted too long, counted from when it began."""
        phase = self._connection.phase
        if self._phase is None or self._phase[0] is not phase:
            self._phase = (phase, asyncio.get_running_loop().time())
        return self._phase[1] + self._timeouts.of(phase)

    async def _send(self, data: bytes) -> None:
        self._writer.write(data)
        async with asyncio.timeout(self._timeouts.write):
            await self._writer.drain()

    async def _answer(self, request: Request) -> list[Event]:
        self._is_answering, self._phase = True, None
        try:
            return self._connection.respond(await self._application(request))
        except Exception:  # one request's bug is not the next one's
            logger.exception("%s %s: the application failed", request.method, request.path)
            return self._connection.respond(plain_response(HTTPStatus.INTERNAL_SERVER_ERROR))

    async def _hang_up(self) -> None:
        """Close in two steps: at once, unread bytes would reset the connection and lose the answer (RFC 9112 9.6)."""
        if not self._writer.can_write_eof():  # TLS ends with a message of its own
            return
        self._writer.write_eof()
        with suppress(TimeoutError):
            async with asyncio.timeout(self._timeouts.linger):
                while await self._reader.read(READ_SIZE):
                    pass


def peer_behind(writer: asyncio.StreamWriter) -> Peer:
    """Tell who is connected, as the sockets and TLS know it."""
    tls = writer.get_extra_info("ssl_object")
    certificate = None if tls is None else tls.getpeercert(binary_form=True)
    return Peer(connected_from(writer.get_extra_info("peername")), tls is not None, certificate)
