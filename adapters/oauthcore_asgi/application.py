"""An authorization server inside an ASGI application that has its own users and sessions.

It translates and calls one driver. `Embedded` is the ASGI application for the endpoints, with methods for the
application's own pages; `Framework` says how a framework represents requests and responses.
"""

from __future__ import annotations

import inspect
import logging
import secrets
import time
from collections.abc import Awaitable, Callable, Iterable
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Generic, Self, TypeAlias

import attrs

from oauthcore import (
    AsyncWorld,
    AuthorizationServer,
    Ciba,
    ClientIdMetadata,
    DeviceGrant,
    Dpop,
    Login,
    MutualTls,
    Paths,
    Policy,
    PushedRequests,
    Registration,
    Request,
    RequestObjects,
    Resource,
    Resources,
    Response,
    TokenExchange,
    UserPolicy,
    WebFinger,
    World,
    arun,
)
from oauthcore.errors import ContentTooLarge
from oauthcore.extra_claims import AddClaims
from oauthcore.flow.drivers import check_fetches
from oauthcore.openid import OpenID
from oauthcore.tracebacks import Tracebacks, words_of
from oauthcore.wire.mounting import below, check_prefix, prefixes_of, seen_below
from oauthcore_asgi.facets import Devices, Interactions, Sessions
from oauthcore_asgi.framework import Framework, RequestT, ResponseT
from oauthcore_asgi.signing import signing_aside
from oauthcore_asgi.wire import (
    TOO_LARGE,
    Answer,
    ASGIApplication,
    Receive,
    Scope,
    Send,
    body_of,
    head_of,
    paths_of,
    plain,
    request_from,
    send_response,
    stated_length,
)

if TYPE_CHECKING:
    from oauthcore_pages import Pages

log = logging.getLogger("oauthcore_asgi")

LoginOf: TypeAlias = Callable[[RequestT], Awaitable[Login | None] | Login | None]


PLAIN: Framework[Request, Answer] = Framework(
    request_of=lambda _, request: request, wire_of=lambda request: request, respond=Answer
)


class Embedded(Generic[RequestT, ResponseT]):
    """An authorization server in an application, at whatever prefix its issuer and its paths have.

    `login(request)` says who is signed in, and may be async. Where the application has no login, `pages` has one. Each
    `framework` has a subclass.

    The application may live below a part of the issuer's path. Its host says so with each request (`root_path`); where
    it can't, because a proxy removes the prefix and doesn't say so, `prefix` is what was removed. Raises
    `ConfigurationError` for a prefix that the endpoints are not below.
    """

    framework: Framework[RequestT, ResponseT]

    def __init__(
        self,
        server: AuthorizationServer,
        world: World | AsyncWorld,
        *,
        login: LoginOf[RequestT] | None = None,
        pages: Pages | None = None,
        prefix: str = "",
    ) -> None:
        if server.client_id_metadata is not None:
            check_fetches(world)
        self.server = server
        self.paths = server.endpoint_paths + (() if pages is None else pages.all_paths)
        # With the places that have no metadata: clients in a browser have to be able to read their 404.
        self.metadata_paths = server.discovery_paths
        self.prefix = check_prefix(prefix, self.paths)
        self.world = signing_aside(world)
        self.interactions = Interactions(server, self.world, self.framework)
        self.devices = Devices(server, self.world, self.framework)
        self.sessions = Sessions(server, self.world, self.framework)
        self._login = login
        self._pages = pages
        self._tracebacks = Tracebacks()

    @classmethod
    def at(
        cls,
        issuer: str,
        world: World | AsyncWorld,
        token_key: bytes,
        *,
        interaction: str,
        login: LoginOf[RequestT],
        openid: OpenID | None = None,
        registration: Registration | None = None,
        client_id_metadata: ClientIdMetadata | None = None,
        user_policy: UserPolicy | None = None,
        webfinger: WebFinger | None = None,
        extra_claims: AddClaims | None = None,
        resources: Resources | Iterable[Resource] | None = None,
        token_exchange: TokenExchange | None = None,
        device: DeviceGrant | None = None,
        ciba: Ciba | None = None,
        pushed_requests: PushedRequests | None = None,
        request_objects: RequestObjects | None = None,
        mutual_tls: MutualTls | None = None,
        dpop: Dpop | None = None,
        prefix: str = "",
    ) -> Self:
        """Make the server too, by the system's clock and chance, with the defaults for all else.

        `interaction` is the page of the application's that people are sent to, by its path on the host. `openid` makes
        it an OpenID Provider, whose keys are in the storage; with `registration` clients register themselves, and with
        `client_id_metadata` they publish what they are. `resources` are the APIs that tokens are for;
        `token_exchange` says who may exchange them, and `user_policy` who may use which client. With a `device` grant,
        devices without a browser get tokens. With `ciba`, clients ask users who are elsewhere, and with
        `pushed_requests` they push their requests; `request_objects` says what is demanded of signed ones, and
        with `mutual_tls` they use certificates. `extra_claims` adds claims to tokens, and `dpop` binds them to a key.
        `prefix` is what a proxy removes.
        """
        server = AuthorizationServer(
            issuer=issuer,
            clock=time.time,
            entropy=secrets.token_bytes,
            token_key=token_key,
            policy=None if openid is None else Policy.openid(),
            paths=Paths(interaction=interaction),
            openid=openid,
            registration=registration,
            client_id_metadata=client_id_metadata,
            user_policy=user_policy,
            webfinger=webfinger,
            extra_claims=extra_claims,
            resources=resources,
            token_exchange=token_exchange,
            device=device,
            ciba=ciba,
            pushed_requests=pushed_requests,
            request_objects=request_objects,
            mutual_tls=mutual_tls,
            dpop=dpop,
        )
        return cls(server, world, login=login, prefix=prefix)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request for one of the endpoints, wherever this is mounted."""
        await self._serve(scope, receive, send, self._owns)

    @property
    def well_known(self) -> ASGIApplication:
        """Return the application for the metadata alone, which belongs at the host's root (RFC 8414 section 3)."""

        async def well_known(scope: Scope, receive: Receive, send: Send) -> None:
            await self._serve(scope, receive, send, self.metadata_paths.__contains__)

        return well_known

    async def serve(self, head: Request, receive: Receive, asking: RequestT) -> Response:
        """Respond to a request whose body has not been read yet."""
        body = await body_of(head.header("content-length") or "", receive)
        if isinstance(body, Response):
            return self._refused(head, body)
        return await self.answer(attrs.evolve(head, body=body), asking)

    def _refused(self, head: Request, refusal: Response) -> Response:
        """Answer a request whose body can't be read: in the endpoint's own words where that is because of its size."""
        if refusal is not TOO_LARGE:
            return refusal
        page = None if self._pages is None else self._pages.error_page(head)
        refused = self.server.refuse(head.path, ContentTooLarge("the body is too large"), page)
        return self._logged(head, refused or refusal)

    async def answer(self, request: Request, asking: RequestT) -> Response:
        """Answer a complete request; `asking` is the framework's own, from which `login` reads who is signed in."""
        if self._pages is not None and self._pages.owns(request.path):
            return self._logged(request, await arun(self._pages.handle(request), self.world))
        login = await self._who(asking) if self.server.asks_login(request.path) else None
        if self._pages is None:
            return self._logged(request, await arun(self.server.handle(request, login), self.world))
        login, page = login or self._pages.login_of(request), self._pages.error_page(request)
        return self._logged(request, await arun(self.server.handle(request, login, page), self.world))

    @cached_property
    def seen_paths(self) -> tuple[str, ...]:
        """Return the paths that the application's router needs, below any part of their prefix."""
        return seen_below(prefixes_of(self.paths), (*self.paths, *self.metadata_paths))

    def path_in(self, scope: Scope) -> str | None:
        """Return the path of an endpoint that a request is for, whole; None if it is for none of them."""
        candidates = tuple(paths_of(scope, self.prefix))
        owned = next(filter(self._owns, candidates), None)
        if owned is not None:
            return owned
        at_root = below(candidates[0], scope.get("root_path", ""))
        return at_root if at_root in self.metadata_paths else None

    def whole(self, head: Request) -> Request:
        """Return a request for the endpoint's whole path, where only the `prefix` is missing from it."""
        if not self.prefix or self._owns(head.path) or not self._owns(self.prefix + head.path):
            return head
        return attrs.evolve(head, target=self.prefix + head.target)

    def _owns(self, path: str) -> bool:
        return self.server.owns(path) or (self._pages is not None and self._pages.owns(path))

    async def _who(self, asking: RequestT) -> Login | None:
        login = None if self._login is None else self._login(asking)
        return await login if inspect.isawaitable(login) else login

    async def _serve(self, scope: Scope, receive: Receive, send: Send, owns: Callable[[str], bool]) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
            return
        if scope["type"] != "http":
            await Answer(plain(HTTPStatus.NOT_FOUND))(scope, receive, send)
            return
        path = self.path_in(scope)
        if path is None or not owns(path):
            path = next(paths_of(scope))
        # Before there is a value for the request: it is made once, whole.
        body = await body_of(stated_length(scope), receive)
        if isinstance(body, Response):
            response = self._refused(head_of(scope, path), body)
        else:
            request = request_from(scope, path, body)
            response = await self.answer(request, self.framework.request_of(scope, request))
        await send_response(response, scope, send)

    def _logged(self, request: Request, response: Response) -> Response:
        """Log a refusal: never with the query, which may contain secrets.

        A failure is logged with its traceback once a minute for each cause, and in one line otherwise.
        """
        if response.refusal is not None:
            refusal, cause = response.refusal, response.refusal.cause
            words = (request.method, request.path, refusal.code, refusal.reason)
            if cause is None:
                log.info("%s %s: %s, %s", *words)
            elif (repeated := self._tracebacks.repeated(cause, time.monotonic())) is None:
                log.error("%s %s: %s, %s: %s", *words, words_of(cause))
            else:
                log.error("%s %s: %s, %s (%d times since it was last shown)", *words, repeated, exc_info=cause)
        return response


class OAuth(Embedded[Request, Answer]):
    """An authorization server in an application of no framework, or of one that speaks ASGI."""

    framework = PLAIN


async def _live(receive: Receive, send: Send) -> None:
    """An application of its own that has nothing to start or to stop; mounted ones are never asked."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
