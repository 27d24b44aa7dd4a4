"""Serving: one process's life, from its configuration to the signal that ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from socket import socket

import attrs

from oauthcore import ConfigurationError, Peer
from oauthcore.purging import Purging
from oauthcore.storage import AsyncStorage
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import application_of, passwords_of
from oauthcore_h11.certificates import tls_of
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.connection import Limits, Refused
from oauthcore_h11.engines import engine_of
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.peer import TrustedProxies
from oauthcore_h11.settings import Settings, Timeouts
from oauthcore_h11.transport import Server

logger = logging.getLogger("oauthcore.server")

# To look whether a key is due takes next to nothing.
LOOK_EVERY = 60.0
# Whoever signed out expects to be so everywhere; to look takes one find.
DELIVER_EVERY = 2.0

Reread = Callable[[], Configuration]


def settings_of(configuration: Configuration) -> Settings:
    """Give the transport's settings."""
    table = configuration.limits
    return Settings(
        limits=Limits(target=table.target, head=table.head, body=table.body, requests=table.requests),
        timeouts=Timeouts(
            idle=table.idle_time,
            head=table.head_time,
            body=table.body_time,
            write=table.write_time,
            wait=table.wait_time,
        ),
        connections=table.connections,
        connections_per_address=table.connections_per_address,
        proxies=TrustedProxies(configuration.proxies.trusted, unix=configuration.proxies.trusted_unix),
    )


def check(configuration: Configuration) -> Sequence[str]:
    """Put everything together once, and let go of it; raises `ConfigurationError` for what can't be.

    Gives the concerns about the storage.
    """
    passwords = passwords_of(configuration)

    def put_together(storage: AsyncStorage) -> None:
        application_of(configuration, storage, passwords, Monitoring())
        if configuration.tls is not None:
            tls_of(configuration.tls)

    try:
        return asyncio.run(look_at_storage(configuration, put_together))
    finally:
        passwords.close()


async def look_at_storage(
    configuration: Configuration, use: Callable[[AsyncStorage], None] = lambda storage: None
) -> Sequence[str]:
    """Open the storage, and let go of it; give what in its own configuration may lose something.

    Raises `ConfigurationError` for one that can't be opened.
    """
    served = engine_of(configuration).serve(configuration)
    try:
        use(served.storage)
        return [str(concern) for concern in await served.concerns()]
    finally:
        await served.close()


class Process:
    """Serve on sockets that listen already, until SIGTERM or SIGINT; SIGHUP reads the configuration again."""

    def __init__(self, configuration: Configuration, reread: Reread, sockets: Sequence[socket]) -> None:
        self._configuration = configuration
        self._reread = reread
        self._sockets = sockets
        self._end = asyncio.Event()

    async def run(self, ready: Callable[[], None], parent: int | None = None) -> None:
        """Serve; `ready` is called once requests are answered, and the end of `parent` is the end of this."""
        configuration = self._configuration
        self._served = engine_of(configuration).serve(configuration)
        self._passwords = passwords_of(configuration)
        self._monitoring = Monitoring()
        self._application = self._assembled()
        self._server = Server(self._application, settings_of(configuration), hear=self._hear_refusal)
        tls = None if configuration.tls is None else tls_of(configuration.tls)
        try:
            await self._application.look_after_keys(int(time.time()))
        except BaseException:  # whatever was opened is closed
            await self._close()
            raise
        reloads: set[asyncio.Task[None]] = set()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._end.set)
        loop.add_signal_handler(signal.SIGHUP, lambda: remember(asyncio.ensure_future(self._reload()), reloads))
        if parent is not None:
            loop.add_reader(parent, self._orphaned, parent)
        await self._server.start(self._sockets, tls)
        ready()
        await asyncio.gather(self._purge(), self._keep_keys(), self._deliver_logouts())
        await self._server.stop(self._configuration.limits.drain_time)
        await self._close()

    async def _close(self) -> None:
        self._passwords.close()
        await self._served.close()

    def _assembled(self) -> Application:
        return application_of(self._configuration, self._served.storage, self._passwords, self._monitoring)

    async def _purge(self) -> None:
        """Remove what has expired, until the end, unless that is somebody else's to do."""
        its = self._configuration.purge
        if its.enabled:
            purging = Purging(clock=time.time, told=self._purged, every=its.every, pause=its.pause, batch=its.batch)
            await purging.arun(self._served.storage, self._ends_within)

    def _purged(self, came: int | Exception) -> None:
        """Count what a batch removed."""
        self._monitoring.purged(came)
        if isinstance(came, Exception):
            logger.error("purging failed", exc_info=came)
        elif came:
            logger.debug("purged", extra={"fields": {"removed": came}})

    async def _keep_keys(self) -> None:
        """Turn the signing keys when they are due, until the end."""
        while not await self._ends_within(LOOK_EVERY):
            try:
                await self._application.look_after_keys(int(time.time()))
            except Exception:  # the next time it may be better, and requests say themselves that it is not
                logger.exception("the signing keys can't be looked after")

    async def _ends_within(self, seconds: float) -> bool:
        """Wait so long, and tell whether the end has come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()
        return self._end.is_set()

    async def _deliver_logouts(self) -> None:
        """Tell clients of sessions that have ended, until the end; a try that is under way is seen through."""
        while not self._end.is_set():
            tried = 0
            try:
                tried = await self._application.deliver_logouts()
            except Exception:  # the next time it may be better; what is to be told is in the storage
                logger.exception("logouts can't be delivered")
            if not tried:
                await self._ends_within(DELIVER_EVERY)

    async def _reload(self) -> None:
        """Read the configuration again; what is wrong with it is logged, and the old one stays."""
        before = self._configuration
        try:
            self._configuration = keeping_what_can_not_change(self._reread(), before)
            application = self._assembled()
            await application.look_after_keys(int(time.time()))
            tls = None if self._configuration.tls is None else tls_of(self._configuration.tls)
        except Exception as error:  # whatever it is: what runs goes on as it was
            self._configuration = before
            known = isinstance(error, ConfigurationError)
            logger.error("not reloaded: %s", error, exc_info=None if known else error)
            return
        self._application = application
        self._server.renew(application, settings_of(self._configuration), tls)
        logger.info("reloaded")

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        logger.error("the parent process is gone")
        self._end.set()

    def _hear_refusal(self, refused: Refused, peer: Peer) -> None:
        self._monitoring.unreadable(refused.status)
        fields = {"status": refused.status, "address": peer.address}
        logging.getLogger("oauthcore.access").info("unreadable request", extra={"fields": fields})


def remember(task: asyncio.Task[None], tasks: set[asyncio.Task[None]]) -> None:
    """Keep a task from being collected before it is done (asyncio.create_task)."""
    tasks.add(task)
    task.add_done_callback(tasks.discard)


def keeping_what_can_not_change(new: Configuration, old: Configuration) -> Configuration:
    """Keep what only a restart can change, and say so: the sockets, the storage, the number of workers, the hashing."""
    for name in ("bind", "storage", "synchronous", "workers", "passwords", "purge"):
        if getattr(new, name) != getattr(old, name):
            logger.warning("%s has changed: that takes a restart", name)
            new = attrs.evolve(new, **{name: getattr(old, name)})
    return new


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Give uvloop's, where it is installed; None for asyncio's own."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


def run(process: Process, ready: Callable[[], None], parent: int | None = None) -> None:
    """Run a process's life in an event loop of its own."""
    with asyncio.Runner(loop_factory=event_loop()) as runner:
        runner.run(process.run(ready, parent))
