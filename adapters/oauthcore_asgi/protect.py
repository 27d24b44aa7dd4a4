"""Bearer protection for ASGI: a middleware for a whole application, and the check that frameworks' helpers share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from oauthcore import Access, AsyncWorld, Request, ResourceServer, Response, World, arun
from oauthcore.flow.drivers import check_world
from oauthcore.resource.server import Protection
from oauthcore_asgi.wire import Answer, ASGIApplication, Receive, Scope, Send, head_of, paths_of

ACCESS = "oauthcore.access"


class Bearer:
    """Let through requests with a bearer token for all of `scope`, of who was authenticated as required (RFC 9470).

    Their `Access` is in `scope["oauthcore.access"]`. Every other gets the challenge (RFC 6750 section 3).
    The metadata is served, where the resource server has any.
    """

    def __init__(
        self,
        app: ASGIApplication,
        resource_server: ResourceServer,
        world: World | AsyncWorld,
        scope: str | Iterable[str] = (),
        *,
        acr_values: str | Iterable[str] = (),
        max_age: int | None = None,
    ) -> None:
        self._app = app
        self._resource_server = resource_server
        self._world = world
        self._verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Verify the token, then call the application or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._app(scope, receive, send)
        request = head_of(scope, next(filter(self._resource_server.owns, paths_of(scope)), scope["path"]))
        if scope["type"] == "http" and self._resource_server.owns(request.path):
            return await ResourceMetadata(self._resource_server, self._world)(scope, receive, send)
        verdict = await self._verify(request)
        if isinstance(verdict, Access):
            return await self._app({**scope, ACCESS: verdict}, receive, send)
        return await Answer(verdict)(scope, receive, send)


class ResourceMetadata:
    """The application for a resource's metadata alone, at the resource server's `metadata_paths` (RFC 9728).

    It is for routes that something else than `Bearer` protects.
    """

    def __init__(self, resource_server: ResourceServer, world: World | AsyncWorld) -> None:
        check_world(world)
        self._resource_server = resource_server
        self._world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with the metadata, wherever this is mounted."""
        request = head_of(scope, next(filter(self._resource_server.owns, paths_of(scope)), scope["path"]))
        await Answer(await arun(self._resource_server.handle(request), self._world))(scope, receive, send)


async def verify(request: Request, protection: Protection, world: World | AsyncWorld) -> Access | Response:
    """Find out what a request's token allows, or the response to give."""
    return await arun(protection.verify(request), world)


def request_verifier(
    resource_server: ResourceServer,
    world: World | AsyncWorld,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Request], Awaitable[Access | Response]]:
    """Return what finds out what a request's token allows, for a framework's helper.

    Raises `ConfigurationError` for what is no world, or can't be required.
    """
    check_world(world)
    protection = resource_server.protect(scope, acr_values=acr_values, max_age=max_age)

    async def verify_request(request: Request) -> Access | Response:
        return await arun(protection.verify(request), world)

    return verify_request
