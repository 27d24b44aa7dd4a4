"""FastAPI: what Starlette has, and bearer protection as a security dependency that its OpenAPI document shows."""

from __future__ import annotations

from collections.abc import Mapping

from fastapi import HTTPException, Request
from fastapi.security import OAuth2AuthorizationCodeBearer, SecurityScopes

from oauthcore import Access, AsyncWorld, AuthorizationServer, ResourceServer, World
from oauthcore.flow.drivers import check_world
from oauthcore.wire.text import ascii_lower
from oauthcore_asgi import starlette
from oauthcore_asgi.protect import verify
from oauthcore_asgi.starlette import wire_of

__all__ = ["Access", "OAuth", "Protect"]


class OAuth(starlette.OAuth):
    """Be an authorization server in a FastAPI application: take its `routes`, or mount it, and `well_known`."""

    def protect(self, scopes: Mapping[str, str] | None = None) -> Protect:
        """Make a dependency for this server's tokens; `scopes` says what each is for."""
        return Protect(self.server, self.world, scopes=scopes)


class Protect(OAuth2AuthorizationCodeBearer):
    """Be a dependency that gives the `Access` of a request's token: `Security(protect, scopes=["profile"])`.

    Without a token for all of the scopes it raises `HTTPException` with the challenge (RFC 6750 section 3). `scopes`
    describes them in the OpenAPI document, `server` tells it where tokens come from. It can be overridden in tests:
    `app.dependency_overrides[protect] = lambda: Access(…)`.
    """

    def __init__(
        self,
        server: AuthorizationServer,
        world: World | AsyncWorld,
        *,
        scopes: Mapping[str, str] | None = None,
        resource_server: ResourceServer | None = None,
    ) -> None:
        root = server.issuer.rstrip("/")
        super().__init__(
            authorizationUrl=root + server.paths.authorization,
            tokenUrl=root + server.paths.token,
            scopes=dict(scopes or {}),
            scheme_name="oauth",
        )
        self._resource_server = resource_server or ResourceServer(server.tokens)
        check_world(world)
        self._world = world

    async def __call__(  # type: ignore[override, explicit-override]  # FastAPI's gives the token; any may be given
        self, request: Request, scopes: SecurityScopes
    ) -> Access:
        """Return what the token allows."""
        verdict = await verify(wire_of(request), self._resource_server, self._world, scopes.scopes)
        if isinstance(verdict, Access):
            return verdict
        refusal = verdict.refusal
        detail = (refusal.code if refusal is not None else "") or "a bearer token is needed"
        names = ("www-authenticate", "retry-after", "cache-control")
        headers = {name: value for name, value in verdict.headers if ascii_lower(name) in names}
        raise HTTPException(verdict.status, detail, headers)
