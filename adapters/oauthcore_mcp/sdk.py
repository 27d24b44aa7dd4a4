"""The official SDK, `mcp`: its `TokenVerifier` and its `AuthSettings`, in one object."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

from mcp.server.auth.middleware.auth_context import AuthContextMiddleware
from mcp.server.auth.middleware.bearer_auth import AuthenticatedUser
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from starlette.authentication import AuthCredentials

from oauthcore import Access, ConfigurationError, Request
from oauthcore.errors import TemporarilyUnavailable
from oauthcore.resource.access import FindAccess
from oauthcore.resource.bearer import SCHEMES, read_access_token
from oauthcore_asgi import Embedded
from oauthcore_asgi.protect import ACCESS, verify
from oauthcore_asgi.wire import ASGIApplication, Receive, Scope, Send, head_of
from oauthcore_mcp.resource import McpResource


class Verifier(McpResource):
    """The `token_verifier` of an `MCPServer`, beside `auth=verifier.auth_settings`; or protect it by `protect_mcp`.

    The SDK sends no `scope` in its challenges and can't require scopes per tool, so `protect_mcp` is the better way:
    `protect_mcp(server.streamable_http_app(), verifier)`, with neither `token_verifier` nor `auth` for the server.
    """

    @cached_property
    def auth_settings(self) -> AuthSettings:
        """Return the SDK's settings, with which it checks the audience of tokens itself."""
        return AuthSettings.model_validate(
            {
                "issuer_url": self.issuer,
                "resource_server_url": self.url,
                "required_scopes": list(self.requirement.scope),
                "validate_token_resource": True,
            }
        )

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return what a token allows; None if it is not valid.

        Raises `TemporarilyUnavailable` if the token can't be looked up: None would be a 401, on which clients drop a
        token that may be good.
        """
        request = Request("POST", self.path, (("Authorization", f"Bearer {token}"),))
        # Without a scope, which the SDK compares itself, and answers with 403.
        verdict = await verify(request, self.resource_server.protect(), self.world)
        if isinstance(verdict, Access):
            return self.access_token(token, verdict)
        if verdict.status >= 500:
            raise TemporarilyUnavailable("the token could not be looked up")
        return None

    def access_token(self, token: str, access: Access) -> AccessToken:
        """Return an access as the SDK's type."""
        return AccessToken.model_validate(self.members_of(token, access))

    def members_of(self, token: str, access: Access) -> dict[str, Any]:
        """Return an access by the SDK's names of fields."""
        return {
            "token": token,
            "client_id": access.client_id,
            # With implied scopes, since the SDK compares names (MCP 2026-07-28: the server honours its hierarchy).
            "scopes": list(dict.fromkeys((*access.scope, *self.implies(access.scope)))),
            "expires_at": access.expires_at,
            # Verified: the resource server has found it in the token's audience.
            "resource": self.url,
            "subject": access.subject,
            "claims": _claims_of(access),
        }

    def in_context(self, app: ASGIApplication) -> ASGIApplication:  # type: ignore[explicit-override]  # typing.override is 3.12's
        """Return the application with the SDK's own authentication context, for its sessions and tools."""
        within: Any = AuthContextMiddleware(app)

        async def call(scope: Scope, receive: Receive, send: Send) -> None:
            token = read_access_token(head_of(scope, scope["path"]), SCHEMES)
            assert token is not None, "there is an access"
            user = AuthenticatedUser(self.access_token(token.value.reveal(), scope[ACCESS]))
            await within({**scope, "user": user, "auth": AuthCredentials(user.scopes)}, receive, send)

        return call


def _claims_of(access: Access) -> dict[str, object]:
    """Return the claims for which the SDK has no field; it identifies users by `iss` and subject."""
    known: dict[str, object] = {
        "iss": access.issuer,
        "sub": access.subject,
        "acr": access.acr,
        "auth_time": access.auth_time,
    }
    known |= {"aud": list(access.audience), "amr": list(access.amr), "act": dict(access.act or {})}
    return {**{name: value for name, value in known.items() if value}, **access.claims}


def verifier(
    oauth: Embedded[Any, Any] | FindAccess, resource: str, scope: str | Iterable[str] = (), **settings: Any
) -> Verifier:
    """Return a `Verifier` for the MCP server at the URL `resource`; the `settings` are those of `McpResource`."""
    return Verifier(oauth, resource, scope, **settings)


def add_login(server: MCPServer, resource: McpResource) -> None:
    """Add the authorization server's endpoints to an `MCPServer` that runs itself, in place of `auth_server_provider`.

    Use it for a server that is started by its own `run`, with `token_verifier=resource, auth=resource.auth_settings`.
    Raises `ConfigurationError` for a resource whose authorization server is not in this process.
    """
    if resource.oauth is None:
        raise ConfigurationError("resource", resource.url, "make it of the OAuth of this process")
    for path in resource.oauth.seen_paths:
        server.custom_route(path, methods=_METHODS, include_in_schema=False)(_forwarding(resource.oauth))


_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]


def _forwarding(oauth: Embedded[Any, Any]) -> Any:
    async def forward(_: Any) -> Any:
        return oauth  # an ASGI application, which the SDK calls like a response

    return forward
