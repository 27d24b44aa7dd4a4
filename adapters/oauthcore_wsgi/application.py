"""An authorization server inside a WSGI application that has its own users and sessions.

It translates and calls one driver. `Embedded` is the WSGI application for the endpoints, with methods for the
application's own pages; `Framework` says how a framework represents requests and responses.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Generic, Self, TypeAlias

import attrs

from oauthcore import (
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
    run,
)
from oauthcore.errors import ContentTooLarge
from oauthcore.extra_claims import AddClaims
from oauthcore.flow.drivers import check_fetches, check_world
from oauthcore.openid import OpenID
from oauthcore.tracebacks import Tracebacks, words_of
from oauthcore.wire.mounting import below, check_prefix, prefixes_of, seen_below, whole_paths
from oauthcore_wsgi.facets import Devices, Interactions, Sessions
from oauthcore_wsgi.framework import Framework, RequestT, ResponseT
from oauthcore_wsgi.wire import TOO_LARGE, Answer, body_of, head_of, path_of, plain

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from oauthcore_pages import Pages

log = logging.getLogger("oauthcore_wsgi")

LoginOf: TypeAlias = Callable[[RequestT], Login | None]


PLAIN: Framework[Request, Answer] = Framework(
    request_of=lambda _, request: request, wire_of=lambda request: request, respond=Answer
)


class Embedded(Generic[RequestT, ResponseT]):
    """An authorization server in an application, at whatever prefix its issuer and its paths have.

    `login(request)` says who is signed in. Where the application has no login, `pages` has one. Each
    `framework` has a subclass.

    The application may live below a part of the issuer's path. Its host says so with each request (`SCRIPT_NAME`);
    where it can't, because a proxy removes the prefix and doesn't say so, `prefix` is what was removed. Raises
    `ConfigurationError` for a prefix that the endpoints are not below.
    """

    framework: Framework[RequestT, ResponseT]

    def __init__(
        self,
        server: AuthorizationServer,
        world: World,
        *,
        login: LoginOf[RequestT] | None = None,
        pages: Pages | None = None,
        prefix: str = "",
    ) -> None:
        check_world(world)
        if server.client_id_metadata is not None:
            check_fetches(world)
        self.server = server
        self.paths = server.endpoint_paths + (() if pages is None else pages.all_paths)
        # With the places that have no metadata: clients in a browser have to be able to read their 404.
        self.metadata_paths = server.discovery_paths
        self.prefix = check_prefix(prefix, self.paths)
        self.world = world
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
        world: World,
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

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request for one of the endpoints, wherever this is mounted."""
        asking = self.framework.request_of(environ, head_of(environ))
        return Answer(self.serve(environ, asking))(environ, start_response)

    @property
    def well_known(self) -> WSGIApplication:
        """Return the application for the metadata alone, which belongs at the host's root (RFC 8414 section 3)."""

        def well_known(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
            if self.request_of(environ).path in self.metadata_paths:
                return self(environ, start_response)
            return Answer(plain(HTTPStatus.NOT_FOUND))(environ, start_response)

        return well_known

    def serve(self, environ: WSGIEnvironment, asking: RequestT) -> Response:
        """Respond to a request in an environ whose body has not been read yet; frameworks' views call this."""
        body = body_of(environ)
        if body is TOO_LARGE:
            head = self.request_of(environ)
            page = None if self._pages is None else self._pages.error_page(head)
            refused = self.server.refuse(head.path, ContentTooLarge("the body is too large"), page)
            return self._logged(head, refused or body)
        if isinstance(body, Response):
            return body
        return self.answer(attrs.evolve(self.request_of(environ), body=body), asking)

    def answer(self, request: Request, asking: RequestT) -> Response:
        """Answer a complete request; `asking` is the framework's own, from which `login` reads who is signed in."""
        if self._pages is not None and self._pages.owns(request.path):
            return self._logged(request, run(self._pages.handle(request), self.world))
        asks = self._login is not None and self.server.asks_login(request.path)
        login = self._login(asking) if self._login is not None and asks else None
        if self._pages is None:
            return self._logged(request, run(self.server.handle(request, login), self.world))
        login, page = login or self._pages.login_of(request), self._pages.error_page(request)
        return self._logged(request, run(self.server.handle(request, login, page), self.world))

    @cached_property
    def seen_paths(self) -> tuple[str, ...]:
        """Return the paths that the application's router needs, below any part of their prefix."""
        return seen_below(prefixes_of(self.paths), (*self.paths, *self.metadata_paths))

    def path_in(self, environ: Mapping[str, Any]) -> str | None:
        """Return the path of an endpoint that a request is for, whole; None if it is for none of them."""
        path = path_of(environ)
        at_root = below(path, environ.get("SCRIPT_NAME", ""))
        return next(
            filter(self.owns, whole_paths(path, "", self.prefix)), at_root if at_root in self.metadata_paths else None
        )

    def request_of(self, environ: Mapping[str, Any]) -> Request:
        """Return a request without its body, for the endpoint's whole path where it is for one."""
        head, path = head_of(environ), self.path_in(environ)
        return (
            head if path in {None, head.path} else attrs.evolve(head, target=f"{path}{head.target[len(head.path) :]}")
        )

    def owns(self, path: str) -> bool:
        """Return whether a whole path is one of the endpoints' or the pages'."""
        return self.server.owns(path) or (self._pages is not None and self._pages.owns(path))

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
    """An authorization server in an application of no framework, or of one that speaks WSGI."""

    framework = PLAIN
