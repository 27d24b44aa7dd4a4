"""Bearer protection for WSGI: a middleware for a whole application, and the check that frameworks' helpers share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from oauthcore import Access, Request, ResourceServer, Response, World, run
from oauthcore.flow.drivers import check_world
from oauthcore.resource.server import Protection
from oauthcore_wsgi.wire import Answer, head_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

ACCESS = "oauthcore.access"


class Bearer:
    """Let through requests with a bearer token for all of `scope`, of who was authenticated as required (RFC 9470).

    Their `Access` is in `environ["oauthcore.access"]`. Every other gets the challenge (RFC 6750 section 3).
    The metadata is served, where the resource server has any.
    """

    def __init__(
        self,
        app: WSGIApplication,
        resource_server: ResourceServer,
        world: World,
        scope: str | Iterable[str] = (),
        *,
        acr_values: str | Iterable[str] = (),
        max_age: int | None = None,
    ) -> None:
        self._app = app
        self._resource_server = resource_server
        self._world = world
        self._verify = request_verifier(resource_server, world, scope, acr_values=acr_values, max_age=max_age)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Verify the token, then call the application or refuse."""
        request = head_of(environ)
        if self._resource_server.owns(request.path):
            return ResourceMetadata(self._resource_server, self._world)(environ, start_response)
        verdict = self._verify(request)
        if isinstance(verdict, Response):
            return Answer(verdict)(environ, start_response)
        environ[ACCESS] = verdict
        return self._app(environ, start_response)


class ResourceMetadata:
    """The application for a resource's metadata alone, at the resource server's `metadata_paths` (RFC 9728).

    It is for routes that something else than `Bearer` protects.
    """

    def __init__(self, resource_server: ResourceServer, world: World) -> None:
        check_world(world)
        self._resource_server = resource_server
        self._world = world

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer with the metadata, wherever this is mounted."""
        return Answer(run(self._resource_server.handle(head_of(environ)), self._world))(environ, start_response)


def verify(request: Request, protection: Protection, world: World) -> Access | Response:
    """Find out what a request's token allows, or the response to give."""
    return run(protection.verify(request), world)


def request_verifier(
    resource_server: ResourceServer,
    world: World,
    scope: str | Iterable[str] = (),
    *,
    acr_values: str | Iterable[str] = (),
    max_age: int | None = None,
) -> Callable[[Request], Access | Response]:
    """Return what finds out what a request's token allows, for a framework's helper.

    Raises `ConfigurationError` for what is no world, or can't be required.
    """
    check_world(world)
    protection = resource_server.protect(scope, acr_values=acr_values, max_age=max_age)

    def verify_request(request: Request) -> Access | Response:
        return run(protection.verify(request), world)

    return verify_request
