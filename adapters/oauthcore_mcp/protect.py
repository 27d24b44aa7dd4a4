"""The ASGI middleware for an MCP server, with the challenges that its SDK does not send."""

from __future__ import annotations

from collections.abc import Callable, Iterable, MutableMapping
from typing import Any

from oauthcore import Access, Request, Response, arun
from oauthcore.endpoints.endpoint import no_endpoint
from oauthcore_asgi.protect import ACCESS, ResourceMetadata
from oauthcore_asgi.wire import Answer, ASGIApplication, Receive, Scope, Send, head_of, paths_of
from oauthcore_mcp.calls import read_calls
from oauthcore_mcp.resource import McpResource

# Streamable HTTP calls tools by POST only; these methods open or end a stream. The body of any other is parsed: some
# servers and routers ignore the case of a method.
_WITHOUT_CALLS = frozenset({"GET", "HEAD", "OPTIONS", "DELETE"})
# RFC 8414 section 3, OIDC Discovery section 4, RFC 9728 section 3.
_DISCOVERY = frozenset({"oauth-authorization-server", "openid-configuration", "oauth-protected-resource"})


def is_discovery(path: str) -> bool:
    """Return whether this is a metadata URL, requested without a token; a 401 would suggest that it exists."""
    _, found, name = path.partition("/.well-known/")
    return bool(found) and name.partition("/")[0] in _DISCOVERY


def protect_mcp(app: ASGIApplication, resource: McpResource) -> ASGIApplication:
    """Protect an MCP server's application, and serve the metadata that clients fetch before they call it.

    This is the resource's metadata (RFC 9728), and the endpoints of the authorization server if it is in the same
    process. An accepted request has its `Access` in `scope["oauthcore.access"]`, and with a resource of
    `oauthcore_mcp.sdk` also in the SDK's `get_access_token()`.
    """
    return McpProtection(app, resource)


def _path_below(scope: Scope) -> str:
    """Return the path relative to the mount point, as the application's router sees it."""
    path, root = str(scope["path"]), str(scope.get("root_path") or "").rstrip("/")
    return path[len(root) :] if path.startswith(f"{root}/") else path


class McpProtection:
    """The application that `protect_mcp` returns; `protects` says whether a path requires a token."""

    def __init__(
        self, app: ASGIApplication, resource: McpResource, protects: Callable[[str], bool] = lambda path: True
    ) -> None:
        self._bare = app
        self._app = resource.in_context(app)
        self._resource = resource
        self._protects = protects
        self._metadata = ResourceMetadata(resource.resource_server, resource.world)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application, or refuse."""
        if scope["type"] not in {"http", "websocket"}:
            return await self._bare(scope, receive, send)
        oauth, server = self._resource.oauth, self._resource.resource_server
        if scope["type"] == "http" and any(map(server.owns, paths_of(scope))):
            return await self._metadata(scope, receive, send)
        if scope["type"] == "http" and oauth is not None and oauth.path_in(scope) is not None:
            return await oauth(scope, receive, send)
        is_protected = self._protects(_path_below(scope))
        if scope["type"] == "http" and is_protected and is_discovery(scope["path"]):
            return await Answer(no_endpoint(head_of(scope, scope["path"])))(scope, receive, send)
        if not is_protected:
            return await self._bare(scope, receive, send)
        # A DPoP proof is for the URL as the client spells it.
        return await self._guard(head_of(scope, scope["path"]), self._spelled(scope), receive, send)

    async def _guard(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        resource = self._resource
        find = resource.resource_server.find_access
        verdict = await arun(find(request, resource.requirement), resource.world)
        may_call = isinstance(verdict, Access) or verdict.status == 403
        if may_call and resource.tools and (scope["type"] == "websocket" or scope["method"] not in _WITHOUT_CALLS):
            # Messages on a WebSocket are not parsed, so it requires the scopes of all tools.
            tools: Iterable[str] | Response = resource.tools
            # A body is read only after the token was verified, so that strangers can't make the server read it.
            if scope["type"] == "http":
                tools, receive = await read_calls(receive)
            if isinstance(tools, Response):
                return await Answer(tools)(scope, receive, send)
            for requirement in resource.requirements_for(tools):
                if isinstance(verdict, Access):
                    verdict = resource.resource_server.decide(verdict, requirement)
                else:  # so that the challenge names the scopes of the tool, not only those of every request
                    verdict = await arun(find(request, requirement), resource.world)
                # If one call of a batch is refused, the whole batch is, even if another call requires less.
                if not isinstance(verdict, Access):
                    break
        if isinstance(verdict, Access):
            return await self._app({**scope, ACCESS: verdict}, receive, send)
        return await Answer(verdict)(scope, receive, send)

    def _spelled(self, scope: Scope) -> Scope:
        """Return the ASGI scope with the path as in the resource's URL, with or without a final slash.

        Clients differ about the slash. A router would redirect from one form to the other, and a client that follows
        may drop its token or body.
        """
        if not any(path.rstrip("/") == self._resource.path.rstrip("/") for path in paths_of(scope)):
            return scope
        end = "/" if self._resource.path.endswith("/") else ""
        changed: MutableMapping[str, Any] = {**scope, "path": scope["path"].rstrip("/") + end}
        if scope.get("raw_path") is not None:
            changed["raw_path"] = scope["raw_path"].rstrip(b"/") + end.encode("ascii")
        return changed
