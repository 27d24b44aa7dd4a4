"""Serving: one process's life, from its configuration to the signal that ends it."""

from __future__ import annotations

import asyncio
import logging
import signal
import ssl
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from socket import socket

import attrs

from oauthcore import ConfigurationError, Peer
from oauthcore.flow.storage import AsyncStorage
from oauthcore.storage.purging import Purging
from oauthcore_h11.application import Application
from oauthcore_h11.assembly import passwords_of
from oauthcore_h11.certificates import tls_of
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.connection import Limits, Refused
from oauthcore_h11.engines import engine_of
from oauthcore_h11.file_words import in_file_words
from oauthcore_h11.issuer_change import look_at_issuer
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.service import application_of
from oauthcore_h11.settings import Settings, Timeouts
from oauthcore_h11.transport import Server
from oauthcore_h11.unnamed_proxies import proxies_of, proxy_warnings

logger = logging.getLogger("oauthcore.server")

# To look whether a key is due takes next to nothing.
LOOK_EVERY = 60.0
# A user who signed out expects to be signed out everywhere; the look-up takes one find.
DELIVER_EVERY = 2.0

Reread = Callable[[], Configuration]


def settings_of(configuration: Configuration, application: Application) -> Settings:
    """Return the transport's settings."""
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
        proxies=proxies_of(configuration),
        too_large=application.too_large,
    )


def check(configuration: Configuration) -> Sequence[str]:
    """Assemble everything once, and close it again; raises `ConfigurationError` for an invalid configuration.

    Return the warnings about the storage.
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
    """Open the storage, and close it again; return the durability warnings of its configuration.

    Raises `ConfigurationError` for one that can't be opened.
    """
    served = engine_of(configuration).serve(configuration)
    try:
        use(served.storage)
        return [str(warning) for warning in await served.durability_warnings()]
    finally:
        await served.close()


@attrs.frozen
class Renewal:
    """Hold what a configuration that was read again comes to."""

    configuration: Configuration
    application: Application
    tls: ssl.SSLContext | None


class Process:
    """Serve on sockets that listen already, until SIGTERM or SIGINT; SIGHUP reads the configuration again."""

    def __init__(self, configuration: Configuration, reread: Reread, sockets: Sequence[socket]) -> None:
        self._configuration = configuration
        self._reread = reread
        self._sockets = sockets
        self._end = asyncio.Event()
        self._reload_requested = asyncio.Event()

    async def run(self, ready: Callable[[], None], parent: int | None = None) -> None:
        """Serve; `ready` is called once requests are answered, and the end of `parent` is the end of this."""
        configuration = self._configuration
        self._served = engine_of(configuration).serve(configuration)
        self._passwords = passwords_of(configuration)
        self._monitoring = Monitoring()
        self._application = application_of(configuration, self._served.storage, self._passwords, self._monitoring)
        self._server = Server(self._application, settings_of(configuration, self._application), hear=self._hear_refusal)
        tls = None if configuration.tls is None else tls_of(configuration.tls)
        try:
            await settle(self._application)
            await self._application.look_after_keys(int(time.time()))
        except BaseException:  # whatever was opened is closed
            await self._close()
            raise
        # Not before: until then there is nothing to bring to an end, and a signal ends the process by itself.
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self._begin_to_end)
        loop.add_signal_handler(signal.SIGHUP, self._reload_requested.set)
        if parent is not None:
            loop.add_reader(parent, self._orphaned, parent)
        await self._server.start(self._sockets, tls)
        ready()
        work = asyncio.gather(self._purge(), self._keep_keys(), self._deliver(), self._reload_on_request())
        end = asyncio.ensure_future(self._end.wait())
        await asyncio.wait((work, end), return_when=asyncio.FIRST_COMPLETED)
        end.cancel()
        try:
            await self._finish(work)
        finally:
            await self._close()

    def _begin_to_end(self) -> None:
        """Refuse new connections at once; what else has to end may have to wait for the storage."""
        self._server.refuse_connections()
        self._end.set()
        self._reload_requested.set()

    async def _finish(self, work: Awaitable[object]) -> None:
        """See through what runs, requests and the work in the background, for `drain_time` in all."""
        patience = self._configuration.limits.drain_time
        await asyncio.gather(self._server.stop(patience), self._finish_work(work, patience))

    async def _finish_work(self, work: Awaitable[object], patience: float) -> None:
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(work, patience)

    async def _close(self) -> None:
        self._passwords.close()
        await self._served.close()

    async def _purge(self) -> None:
        """Remove expired records until the end, unless another process does."""
        its = self._configuration.purge
        if its.enabled:
            purging = Purging(clock=time.time, report=self._purged, every=its.every, pause=its.pause, batch=its.batch)
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
        """Wait so long, and return whether the end has come."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._end.wait()
        return self._end.is_set()

    async def _deliver(self) -> None:
        """Tell clients of ended sessions and answered requests, until the end; a try under way is seen through."""
        while not self._end.is_set():
            if not await self._tried(self._application.deliver()):
                await self._ends_within(DELIVER_EVERY)
        await self._tried(self._application.see_deliveries_through())

    async def _tried(self, deliveries: Awaitable[int]) -> int:
        """Return how many were tried; what goes wrong is logged, and may be better the next time."""
        try:
            return await deliveries
        except Exception:  # whatever it is: what is to be told is in the storage
            logger.exception("what clients have to be told can't be delivered")
            return 0

    async def _reload_on_request(self) -> None:
        """Read the configuration again whenever that is asked, until the end; once for all that ask meanwhile."""
        while True:
            await self._reload_requested.wait()
            if self._end.is_set():
                return
            self._reload_requested.clear()
            await self._reload()

    async def _reload(self) -> None:
        """Read the configuration again; what is wrong with it is logged, and the old one stays."""
        try:
            # To read and compile templates, catalogues and certificates takes longer than a hundred requests.
            renewal = await asyncio.to_thread(self._renewal)
            await renewal.application.look_after_keys(int(time.time()))
            # Last: it forgets who is declared no more, which a reload that fails after all should not have done.
            # Where the storage can't forget them there is no reload: a client that is taken out now, and put back
            # before the storage returns, would be taken for the one that it was.
            await renewal.application.storage.settle()
        except Exception as error:  # whatever it is: what runs goes on as it was
            if isinstance(error, ConfigurationError):
                logger.error("not reloaded: %s", in_file_words(error))
            else:
                logger.error("not reloaded: %s", error, exc_info=error)
            return
        logged = proxy_warnings(self._configuration)
        self._configuration, self._application = renewal.configuration, renewal.application
        self._server.renew(renewal.application, settings_of(renewal.configuration, renewal.application), renewal.tls)
        for warning in proxy_warnings(renewal.configuration):
            if warning not in logged:
                logger.warning("%s", warning)
        logger.info("reloaded")

    def _renewal(self) -> Renewal:
        configuration = keeping_what_can_not_change(self._reread(), self._configuration)
        application = application_of(configuration, self._served.storage, self._passwords, self._monitoring)
        tls = None if configuration.tls is None else tls_of(configuration.tls)
        if configuration.issuer != self._configuration.issuer:
            for warning in look_at_issuer(configuration, remember=True):
                logger.warning("%s", warning)
        return Renewal(configuration, application, tls)

    def _orphaned(self, parent: int) -> None:
        asyncio.get_running_loop().remove_reader(parent)
        logger.error("the parent process is gone")
        self._begin_to_end()

    def _hear_refusal(self, refused: Refused, peer: Peer) -> None:
        self._monitoring.unreadable(refused.status)
        fields = {"status": refused.status, "address": peer.address}
        logging.getLogger("oauthcore.access").info("unreadable request", extra={"fields": fields})


async def settle(application: Application) -> None:
    """Have the storage tell which registrations the declared clients are; one that is away is asked when it is back."""
    try:
        await application.storage.settle()
    except Exception:  # whatever it is: requests meet it too, and say so
        logger.exception("the storage does not tell which registrations the declared clients are")


def keeping_what_can_not_change(new: Configuration, old: Configuration) -> Configuration:
    """Keep what only a restart can change, and say so: the sockets, the storage, the number of workers, the hashing."""
    for name in ("bind", "storage", "synchronous", "workers", "passwords", "purge"):
        if getattr(new, name) != getattr(old, name):
            logger.warning("%s has changed: that takes a restart", name)
            new = attrs.evolve(new, **{name: getattr(old, name)})
    return new


def event_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return uvloop's, where it is installed; None for asyncio's own."""
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
