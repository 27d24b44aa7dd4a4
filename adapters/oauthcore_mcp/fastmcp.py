"""FastMCP: an `auth` provider with this project's challenges and metadata."""

from __future__ import annotations

from functools import cached_property
from typing import Any, cast

from fastmcp.server.auth import AccessToken, AuthProvider
from pydantic import AnyHttpUrl
from starlette.middleware import Middleware
from starlette.routing import Route

from oauthcore import Access
from oauthcore_asgi.protect import ResourceMetadata
from oauthcore_mcp.protect import McpProtection
from oauthcore_mcp.sdk import Verifier


class FastMcpVerifier(Verifier):
    """Verify tokens for FastMCP, as `oauthcore_mcp.sdk` does, with FastMCP's own `AccessToken`."""

    def access_token(self, token: str, access: Access) -> AccessToken:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return an access as FastMCP's type."""
        return AccessToken.model_validate(self.members_of(token, access))


class McpAuth(AuthProvider):
    """The `auth` of a `FastMCP` server: `FastMCP("Files", auth=McpAuth(oauth, "https://api.example/mcp", "files"))`.

    The arguments are those of `McpResource`. The endpoints of an `oauth` in the same process become routes of the
    application. Its custom routes stay open, as FastMCP documents for any `auth`.
    """

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        self.resource = FastMcpVerifier(*arguments, **settings)
        super().__init__(base_url=self.resource.url, required_scopes=list(self.resource.requirement.scope))

    async def verify_token(self, token: str) -> AccessToken | None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return what a token allows; None if it is not valid."""
        return cast("AccessToken | None", await self.resource.verify_token(token))

    def get_middleware(self) -> list[Middleware]:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return middleware for the whole application, which protects the path of the MCP server."""
        return [Middleware(cast("Any", McpProtection), resource=self.resource, protects=self._protects)]

    def get_routes(self, mcp_path: str | None = None) -> list[Route]:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return routes for the metadata, and for the authorization server if it is in this process.

        FastMCP's own metadata would add a slash to an issuer without a path, and clients compare the issuer with that
        of the authorization server's metadata as a string (RFC 8414 section 3.3).
        """
        self.set_mcp_path(mcp_path)
        metadata = ResourceMetadata(self.resource.resource_server, self.resource.world)
        paths = dict.fromkeys(self.resource.resource_server.metadata_paths, cast("Any", metadata))
        if self.resource.oauth is not None:
            paths |= dict.fromkeys(self.resource.oauth.seen_paths, self.resource.oauth)
        return [Route(path, app, include_in_schema=False) for path, app in paths.items()]

    def _get_resource_url(self, path: str | None = None) -> AnyHttpUrl | None:  # type: ignore[explicit-override]  # typing.override is 3.12's
        return self._url

    @cached_property
    def _url(self) -> AnyHttpUrl:
        return AnyHttpUrl(self.resource.url)

    def _protects(self, path: str) -> bool:
        # Anything else that needs a token is refused by FastMCP itself, which finds no user in the ASGI scope.
        return self._mcp_path is not None and path.rstrip("/") == self._mcp_path.rstrip("/")
