"""The application: each request to the endpoint or page it is for, with a name in the log and a place in the counts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from time import perf_counter
from typing import Any

import attrs

from oauthcore import (
    AsyncWorld,
    AuthenticatedUser,
    AuthorizationServer,
    Outgoing,
    Peer,
    Request,
    Response,
    Secret,
    Throttled,
    arun,
)
from oauthcore.endpoints.endpoint import is_well_known, no_endpoint
from oauthcore.entropy import Entropy
from oauthcore.errors import ContentTooLarge, ServerError, TemporarilyUnavailable, TooManyAttempts
from oauthcore.flow.outcome import Event
from oauthcore.jose import crypto
from oauthcore.wire.http import see_other
from oauthcore.wire.refusals import refuse_as_page
from oauthcore_h11 import monitoring, signing
from oauthcore_h11.configuration.tables import Network
from oauthcore_h11.declared import WithDeclared
from oauthcore_h11.devices import Browser, Devices
from oauthcore_h11.login_hints import LoginHints
from oauthcore_h11.logs import request_id
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.peer import FORWARDED_FOR, TrustedProxies, address_named
from oauthcore_h11.profiles import known_of
from oauthcore_h11.readiness import Readiness
from oauthcore_h11.refusal_limits import RefusalLimits
from oauthcore_h11.request_hook import RequestHook
from oauthcore_h11.users import Users
from oauthcore_pages import Pages

access = logging.getLogger("oauthcore.access")
audit = logging.getLogger("oauthcore.audit")
errors = logging.getLogger("oauthcore.errors")
server_log = logging.getLogger("oauthcore.server")

# The registered methods (RFC 9110 section 9, RFC 5789); any other is unknown.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"})
# Seconds: a storage that takes longer keeps everybody waiting.
READY_WITHIN = 5.0
_TEXT = (("Content-Type", "text/plain; charset=utf-8"), ("Cache-Control", "no-store"))
# A year, as the preload lists ask for at least (RFC 6797 section 6.1.1). Not the subdomains: they are not ours.
_HSTS = ("Strict-Transport-Security", "max-age=31536000")
_NO_SNIFFING = ("X-Content-Type-Options", "nosniff")


# Seconds that a round of logout notices waits for clients; slower ones continue during the next round.
TELLING_TIME = 1.0


@attrs.frozen(kw_only=True)
class Application:
    """Hold the parts that answer requests."""

    server: AuthorizationServer
    pages: Pages
    storage: WithDeclared
    users: Users
    devices: Devices
    monitoring: Monitoring
    readiness: Readiness
    fetch: Callable[[Outgoing], Awaitable[Response]]
    entropy: Entropy
    metrics_allowed_from: tuple[Network, ...]
    endpoints: Mapping[str, str]
    refusal_limits: RefusalLimits
    login_hints: LoginHints
    proxies: TrustedProxies = attrs.field(factory=TrustedProxies)
    logs_access: bool = True
    request_hook: RequestHook | None = None
    _warned: set[str] = attrs.field(factory=set, init=False)
    _telling: dict[tuple[str, str], asyncio.Future[int]] = attrs.field(factory=dict, init=False, repr=False, eq=False)

    async def __call__(self, request: Request) -> Response:
        """Respond to any request."""
        name = self.entropy(8).hex()
        token = request_id.set(name)
        begun = perf_counter()
        try:
            response = await self._answer_whatever_happens(request)
            self._log(request, response, perf_counter() - begun)
        finally:
            request_id.reset(token)
        return attrs.evolve(response, headers=(*response.headers, *self._headers(request, response, name)))

    def too_large(self, path: str) -> Response | None:
        """Return how the endpoint at a path refuses a request with too large a body; None for any other path."""
        refused = self.server.refuse(path, ContentTooLarge("the body is too large"))
        return None if refused is None else attrs.evolve(refused, headers=(*refused.headers, _NO_SNIFFING))

    async def look_after_keys(self, now: int) -> None:
        """Turn the signing keys where that is due, and have them at hand; raises what keeps them from being had."""
        key_set = self.server.keys.key_set
        if key_set is None:
            return
        world = AsyncWorld(self.storage, audit=self._audit, generate_key=signing.generate_key)
        keys = await arun(key_set.current(now), world)
        for key in keys.signing.values():
            # Its first use takes as long as a hundred others, which no request should have to wait for.
            crypto.check_key(key)

    async def deliver(self) -> int:
        """Notify clients of ended sessions, and of answered requests (CIBA), as far as due; return how many were tried.

        Clients are notified at the same time. A slow client continues during the next call, which leaves it out; so no
        client waits for another that does not answer.
        """
        if self.server.openid is None:
            return 0
        world = AsyncWorld(
            self.storage, audit=self._audit, fetch=self.fetch, sign=signing.sign, generate_key=signing.generate_key
        )
        sessions, backchannel = self.server.sessions, self.server.backchannel
        for logouts in await arun(sessions.due_logouts(), world):
            self._tell("logout", logouts[0].client_id, partial(arun, sessions.deliver_logouts_to(logouts), world))
        if self.server.ciba is not None:
            for pings in await arun(backchannel.due_notifications(), world):
                self._tell("ping", pings[0].client_id, partial(arun, backchannel.notify_client(pings), world))
        return await self._delivered(within=TELLING_TIME)

    def _tell(self, what: str, client_id: str, tell: Callable[[], Coroutine[Any, Any, int]]) -> None:
        """Begin to notify a client, unless it is being notified of the like."""
        if (what, client_id) not in self._telling:
            self._telling[what, client_id] = asyncio.ensure_future(tell())

    async def see_deliveries_through(self) -> int:
        """Wait for the notices that are being sent; return how many clients were tried."""
        if self.request_hook is not None:
            await self.request_hook.see_through()
        return await self._delivered(within=None)

    async def _delivered(self, within: float | None) -> int:
        """Wait for deliveries until the limit; return how many were tried, and raise the failure of any."""
        if not self._telling:
            return 0
        _ = await asyncio.wait(self._telling.values(), timeout=within)
        done = [key for key, telling in self._telling.items() if telling.done()]
        finished = [self._telling.pop(key) for key in done]
        # Each result is read, since asyncio warns of exceptions that are never retrieved.
        failures = [failure for telling in finished if (failure := telling.exception()) is not None]
        if failures:
            raise failures[0]
        return sum(telling.result() for telling in finished)

    async def _answer_whatever_happens(self, request: Request) -> Response:
        """Respond, with a 503 page if the effects fail; the core handles its own failures."""
        try:
            return await self._answer(request)
        except Exception as failure:  # a bug of ours: it ends as a page, a count and a traceback, not as silence
            return refuse_as_page(ServerError("a bug in the server"), self.pages.error_page(request), failure)

    async def _answer(self, request: Request) -> Response:
        """Find who answers."""
        if request.method not in METHODS:
            return Response(501, _TEXT, b"This method is not implemented.\n")
        if request.path in monitoring.PATHS:
            return await self._monitor(request)
        self._warn_of_hidden_client(request)
        try:
            request = await self._by_whom_it_may_be(request)
        except Exception as failure:  # whatever the storage raised: that it failed is what the person is told
            down = TemporarilyUnavailable("whose session it is could not be found out")
            return refuse_as_page(down, self.pages.error_page(request), failure)
        # Clients of the password grant (RFC 6749 section 4.3) are not browsers, so they have no device cookie.
        browser = Browser(self.devices, request) if self.pages.owns(request.path) else None
        world = AsyncWorld(
            self.storage,
            partial(self._authenticate, address_of(request.peer), browser),
            self._audit,
            self.fetch,
            partial(known_of, self.storage),
            signing.sign,
            generate_key=signing.generate_key,
            identify=self.login_hints.identify,
        )
        if browser is not None:
            response = await arun(self.pages.handle(request), world)
            return attrs.evolve(response, headers=(*response.headers, *browser.headers))
        if self.server.owns(request.path):
            return await self._answer_at_endpoint(request, world)
        if request.path == self.pages.home and request.method in {"GET", "HEAD"}:
            return see_other(self.pages.paths.account)
        if is_well_known(request.path):
            return no_endpoint(request)  # which pages of clients may read, unlike a 404 of any other path
        if request.target == "*":  # OPTIONS for the server as a whole (RFC 9110 section 9.3.7)
            return Response(204, (("Allow", "GET, HEAD, POST, OPTIONS"),))
        return Response(404, _TEXT, b"There is nothing here.\n")

    async def _answer_at_endpoint(self, request: Request, world: AsyncWorld) -> Response:
        # Other methods are none of a client that authenticates: a browser's preflight has to pass whatever was refused.
        is_limited = request.method == "POST" and request.path in self.refusal_limits.paths
        if is_limited:
            try:
                self.refusal_limits.check(request)
            except TooManyAttempts as refusal:
                response = self.server.refuse(request.path, refusal)
                assert response is not None  # it owns the path
                return response
        login, error_page = self.pages.login_of(request), self.pages.error_page(request)
        response = await arun(self.server.handle(request, login, error_page), world)
        if is_limited:
            self.refusal_limits.count(request, response)
        return response

    async def _by_whom_it_may_be(self, request: Request) -> Request:
        """Return the request as it was sent, or without its session, if its user is another by now."""
        signed_in = self.pages.signed_in(request)
        if signed_in is None or await self.users.is_current(signed_in.username, signed_in.login):
            return request
        return self.pages.as_nobody(request)

    async def _monitor(self, request: Request) -> Response:
        if request.path == monitoring.METRICS and not self._may_read_metrics(request.peer):
            return Response(404, _TEXT, b"There is nothing here.\n")
        if request.method not in {"GET", "HEAD"}:
            return Response(405, (*_TEXT, ("Allow", "GET, HEAD")), b"Use another method.\n")
        if request.path == monitoring.HEALTH:
            return monitoring.alive()
        if request.path == monitoring.METRICS:
            # With many workers that is dozens of files, and as many milliseconds.
            return await asyncio.to_thread(self.monitoring.exposition)
        return monitoring.ready(storage_answers=await self._storage_answers())

    async def _storage_answers(self) -> bool:
        try:
            async with asyncio.timeout(READY_WITHIN):
                await self.readiness.check()
        except Exception:  # whatever it raised: "not ready" is the answer to the question
            errors.exception("the storage does not answer")
            return False
        return True

    def _warn_of_hidden_client(self, request: Request) -> None:
        """Warn the operator, once, that a proxy does not send clients' addresses: all of them then share the limits."""
        address = address_of(request.peer)
        if address is None:
            self._warn_once("a client has no address: it came by a proxy or a unix socket that [proxies] does not name")
        elif self.proxies.trusts(address_named(address)) and not names_client(request):
            self._warn_once(f"the proxy at {address} sets no X-Forwarded-For: all of its clients have its own address")

    def _warn_once(self, sentence: str) -> None:
        if sentence not in self._warned:
            self._warned.add(sentence)
            server_log.warning("proxies: %s", sentence)

    def _may_read_metrics(self, peer: Peer | None) -> bool:
        if peer is None or peer.address is None:
            return False  # behind a Unix socket, or a proxy that names no client, the request may come from anywhere
        address = address_named(peer.address)
        return any(address in network for network in self.metrics_allowed_from)

    async def _authenticate(
        self, address: str | None, browser: Browser | None, username: str, password: Secret
    ) -> AuthenticatedUser | Throttled | None:
        return await self.users.authenticate(username, password, address, browser)

    def _audit(self, event: Event) -> None:
        """Write an event of the core's into the audit log."""
        fields = {"client_id": event.client_id, "subject": event.subject, "grant": event.grant}
        audit.info(event.name, extra={"fields": fields})
        self.monitoring.happened(event.name)
        if self.request_hook is not None and event.name == "backchannel_requested":
            self.request_hook.begin(event)

    def _log(self, request: Request, response: Response, seconds: float) -> None:
        """Count a response, and log it: never with its query, which may contain secrets."""
        refusal = response.refusal
        endpoint = self.endpoints.get(request.path, "other")
        self.monitoring.answered(endpoint, response.status, "" if refusal is None else refusal.code, seconds)
        if refusal is not None and refusal.cause is not None:
            errors.error("%s %s failed", request.method, request.path, exc_info=refusal.cause)
        if self.logs_access:
            fields = {
                "status": response.status,
                "ms": round(seconds * 1000, 1),
                "bytes": len(response.body),
                "address": address_of(request.peer),
                "error": None if refusal is None else refusal.code,
                "reason": None if refusal is None else refusal.reason,
            }
            # Monitoring requests these every few seconds; they would only fill the log.
            level = logging.DEBUG if request.path in monitoring.PATHS else logging.INFO
            access.log(level, "%s %s", request.method, request.path, extra={"fields": fields})

    def _headers(self, request: Request, response: Response, name: str) -> tuple[tuple[str, str], ...]:
        headers = [("X-Request-Id", name)]
        if request.peer is not None and request.peer.is_secure:
            headers.append(_HSTS)
        if response.header("x-content-type-options") is None:
            headers.append(_NO_SNIFFING)
        return tuple(headers)


def address_of(peer: Peer | None) -> str | None:
    """Return the address that a request came from; None if it is unknown."""
    return None if peer is None else peer.address


def names_client(request: Request) -> bool:
    """Return whether a proxy named its client."""
    return request.header(FORWARDED_FOR) is not None
