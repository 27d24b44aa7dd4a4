"""One connection on asyncio: it reads, writes, waits and gives up, and decides nothing about HTTP."""

from __future__ import annotations

import asyncio
import logging
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from http import HTTPStatus
from socket import socket
from typing import TypeAlias, TypeVar, assert_never

from oauthcore.wire.http import Headers, Peer, Request, Response
from oauthcore_h11.byte_stream import ByteStream
from oauthcore_h11.connection import Close, Connection, Event, Phase, Refused, Send, plain_response
from oauthcore_h11.listener_context import ListenerContext, shown_certificate
from oauthcore_h11.patience import Patience
from oauthcore_h11.peer import peer_of
from oauthcore_h11.settings import Settings

T = TypeVar("T")
Application: TypeAlias = Callable[[Request], Awaitable[Response]]
Hear: TypeAlias = Callable[[Refused, Peer], None]

logger = logging.getLogger(__name__)


class Conversation:
    """Carry one connection's events out, from the accepted socket to its end."""

    def __init__(
        self,
        connected: socket,
        address: str | None,
        application: Application,
        settings: Settings,
        clock: Callable[[], float],
        hear: Hear,
    ) -> None:
        self.source = settings.proxies.source_of(address)
        self._proxies = settings.proxies
        self._peer = Peer(address)
        self._connection = Connection(clock, settings.limits, self._find_peer, settings.too_large)
        self._application = application
        self._timeouts = settings.timeouts
        self._hear = hear
        self._socket = connected
        self._stream: ByteStream | None = None
        self._is_opened = False
        self._is_answering = False
        self._has_answered = False
        self._phase: tuple[Phase, float] | None = None
        self._loop = asyncio.get_running_loop()
        self._patience = Patience(self._loop)
        self._gives_way = False

    @property
    def waits_for(self) -> tuple[Phase, float] | None:
        """Return what is waited for, and since when in the event loop's time; None while a request is answered."""
        return self._phase if self._patience.is_waiting else None

    def give_way(self) -> None:
        """Lose patience at once, and have none any more."""
        self._gives_way = True
        self._patience.lose()

    def finish(self) -> bool:
        """Let what is being answered be the last; False where nothing is."""
        self._connection.finish()
        return self._is_answering

    def abort(self) -> None:
        """Let go of the connection, in whatever state it is."""
        self._patience.close()
        if not self._is_opened:
            self._socket.close()
        elif self._stream is not None:
            # Also if it is closing: by itself that goes on for as long as the client does not read what is left.
            self._stream.abort()

    async def run(self, tls: ssl.SSLContext | None) -> None:
        """Talk until either side has had enough."""
        # OSError: the other side is gone, or too slow (TimeoutError is one), or speaks no TLS.
        with suppress(OSError):
            stream = await self._open(tls)
            await self._talk(stream, await self._listen(stream))
            await self._hang_up(stream)

    async def turn_away(self, tls: ssl.SSLContext | None) -> None:
        """Refuse whatever comes, unread."""
        with suppress(OSError):
            stream = await self._open(tls)
            await self._talk(stream, self._connection.turn_away())
            await self._hang_up(stream)

    async def _open(self, tls: ssl.SSLContext | None) -> ByteStream:
        """Agree on TLS, if there is to be any, and learn what that says about the client."""
        self._is_opened = True
        if isinstance(tls, ListenerContext) and tls.elsewhere is not None:
            tls = tls.at(self._socket.getsockname()[1])
        stream = ByteStream()  # not the one that is returned: in TLS, uvloop returns another
        connecting = self._loop.connect_accepted_socket(lambda: stream, self._socket, ssl=tls)
        if tls is None:
            await connecting
        else:
            transport, _ = await self._wait(Phase.HANDSHAKE, asyncio.ensure_future(connecting))
            shown, is_issued = shown_certificate(transport.get_extra_info("ssl_object"), tls)
            self._peer = Peer(self._peer.address, is_secure=True, certificate=shown, has_trusted_chain=is_issued)
        self._stream = stream
        return stream

    async def _talk(self, stream: ByteStream, events: list[Event]) -> None:
        while True:
            following: list[Event] = []
            for event in events:
                match event:
                    case Send(data):
                        stream.write(data)
                        while stream.is_full:
                            await self._wait(Phase.ANSWER, stream.change())
                    case Request():
                        following = await self._answer(event)
                    case Refused():
                        self._hear(event, self._peer)
                    case Close():
                        return
                    case _:
                        assert_never(event)
            self._is_answering = bool(following)
            events = following or await self._listen(stream)

    async def _listen(self, stream: ByteStream) -> list[Event]:
        """Wait until there is something to do."""
        events: list[Event] = []
        while not events:
            try:
                while not stream.is_readable:
                    await self._wait(self._listening_phase(), stream.change())
            except TimeoutError:
                return self._connection.give_up()
            events = self._connection.receive(stream.read())
        return events

    def _listening_phase(self) -> Phase:
        phase = self._connection.phase
        return Phase.FIRST if phase is Phase.IDLE and not self._has_answered else phase

    def _wait(self, phase: Phase, awaited: asyncio.Future[T]) -> Awaitable[T]:
        """Wait for the client, until the phase has lasted too long, or this has to give way; raises `TimeoutError`."""
        now = self._loop.time()
        if self._phase is None or self._phase[0] is not phase:
            self._phase = (phase, now)
        deadline = now if self._gives_way else self._phase[1] + self._timeouts.of(phase)
        return self._patience.wait(awaited, deadline)

    async def _answer(self, request: Request) -> list[Event]:
        self._is_answering, self._has_answered, self._phase = True, True, None
        try:
            return self._connection.respond(await self._application(request))
        except Exception:  # one request's bug is not the next one's
            logger.exception("%s %s: the application failed", request.method, request.path)
            return self._connection.respond(plain_response(HTTPStatus.INTERNAL_SERVER_ERROR))

    async def _hang_up(self, stream: ByteStream) -> None:
        """Close in two steps: at once, unread bytes would reset the connection and lose the answer (RFC 9112 9.6)."""
        if stream.write_end():
            while not stream.is_readable or stream.read():
                await self._wait(Phase.CLOSE, stream.change())
        else:  # TLS ends with a message of its own, behind whatever of the answer is still to be read
            stream.close()
            while not stream.is_lost:
                await self._wait(Phase.ANSWER, stream.change())

    def _find_peer(self, headers: Headers) -> Peer:
        return peer_of(self._peer, headers, self._proxies)
