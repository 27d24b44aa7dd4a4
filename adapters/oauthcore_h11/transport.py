"""The asyncio transport: it accepts connections, has as many of them as may be, and ends when it is told to."""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import Awaitable, Callable, Iterable
from socket import socket

from oauthcore.wire.http import Peer, Request, Response
from oauthcore_h11.acceptor import Acceptor
from oauthcore_h11.connection import Refused
from oauthcore_h11.connection_limit import ConnectionLimit
from oauthcore_h11.conversation import Application, Conversation, Hear
from oauthcore_h11.peer import connected_from
from oauthcore_h11.settings import SETTINGS, Settings

logger = logging.getLogger(__name__)


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
        self._tls: ssl.SSLContext | None = None
        self._acceptor = Acceptor(self._accept)
        self._limit = ConnectionLimit(settings.connections, settings.per_source, settings.timeouts.wait)
        self._turned_away = 0
        self._conversations: dict[asyncio.Task[None], Conversation] = {}

    async def start(self, sockets: Iterable[socket], tls: ssl.SSLContext | None = None) -> None:
        """Accept connections from now on, by TLS where there is a context for it."""
        self._tls = tls
        self._acceptor.start(sockets)

    def renew(self, application: Application, settings: Settings, tls: ssl.SSLContext | None) -> None:
        """Answer the requests to come by another application; the settings and TLS are for the connections to come."""
        self._application = application
        self._settings = settings
        self._tls = tls
        self._limit.change(settings.connections, settings.per_source, settings.timeouts.wait)

    def refuse_connections(self) -> None:
        """Accept nothing more from this moment on, whatever else there is to wait for; who is connected stays so."""
        self._acceptor.close()

    async def stop(self, grace: float = 5.0) -> None:
        """Accept nothing more, let what is being answered be answered within `grace` seconds, then hang up."""
        self.refuse_connections()
        tasks = set(self._conversations)
        for task, conversation in list(self._conversations.items()):
            if not conversation.finish():
                task.cancel()
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=grace)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    def _accept(self, connected: socket, address: object) -> None:
        conversation = Conversation(
            connected, connected_from(address), self._answer, self._settings, self._clock, self._hear
        )
        task = asyncio.ensure_future(self._host(conversation))
        self._conversations[task] = conversation
        task.add_done_callback(self._conversations.pop)

    async def _host(self, conversation: Conversation) -> None:
        """Let a conversation take place once it is admitted, or say that it can't be."""
        try:
            if await self._limit.take(conversation):
                await conversation.run(self._tls)
            elif self._turned_away < self._settings.connections:
                await self._turn_away(conversation)
        finally:
            conversation.abort()
            self._limit.leave(conversation)

    async def _turn_away(self, conversation: Conversation) -> None:
        """Refuse a connection in HTTP; that takes a while, too, and so is for a bounded number at a time."""
        self._turned_away += 1
        try:
            await conversation.turn_away(self._tls)
        finally:
            self._turned_away -= 1

    def _answer(self, request: Request) -> Awaitable[Response]:
        return self._application(request)
