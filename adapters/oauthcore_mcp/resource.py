"""An MCP server as a protected resource: its URL, the issuer of its tokens, and the scopes that its tools require.

No HTTP and no SDK is used here. The core's `ResourceServer` decides about tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from oauthcore import AsyncWorld, ConfigurationError, MemoryStorage, ResourceServer, World
from oauthcore.clock import Clock
from oauthcore.flow.drivers import check_world
from oauthcore.resource.access import FindAccess
from oauthcore.resource.dpop import ResourceDpop
from oauthcore.resource.introspected import IntrospectedTokens
from oauthcore.resource.jwt_tokens import JwtTokens
from oauthcore.resource.requirement import Requirement
from oauthcore.resource.server import AnyAudience, Implies
from oauthcore_asgi import Embedded
from oauthcore_asgi.wire import ASGIApplication

ToolRequirement: TypeAlias = str | Iterable[str] | Requirement


class McpResource:
    """Describe an MCP server at `url`: it requires all of `scope`, and more for the tools in `tools`.

    `oauth` says which tokens it accepts: the `OAuth` of the same process, whose endpoints are then served beside the
    MCP server; `JwtTokens` or `IntrospectedTokens` for another server; or `server.tokens` with the server's `world`.

    `tools` maps the name of a tool to the scope that it requires, or to a `Requirement` that also has `acr_values` and
    `max_age`. `implies` is the scope hierarchy, as in `ResourceServer`. `scopes` are further scopes for the metadata,
    besides those in `scope` and `tools`. `audience` is the audience of tokens, by default `url`. If there are several
    resources on one host, give all but one `metadata_at_root=False`. With `dpop`, tokens that are bound to a key are
    taken with a proof (`io.modelcontextprotocol/auth/dpop`).

    Raises `ConfigurationError` for impossible settings.
    """

    def __init__(
        self,
        oauth: Embedded[Any, Any] | FindAccess,
        url: str,
        scope: str | Iterable[str] = (),
        *,
        tools: Mapping[str, ToolRequirement] | None = None,
        scopes: Iterable[str] = (),
        implies: Implies | None = None,
        name: str | None = None,
        audience: str | Iterable[str] | AnyAudience | None = None,
        authorization_servers: Iterable[str] | None = None,
        metadata_at_root: bool = True,
        world: World | AsyncWorld | None = None,
        clock: Clock | None = None,
        dpop: ResourceDpop | None = None,
    ) -> None:
        self.url = url
        self.oauth = oauth if isinstance(oauth, Embedded) else None
        self.world = _world_for(oauth, world)
        self.requirement = Requirement.of(scope)
        self.tools = {tool: _requirement(taken) for tool, taken in (tools or {}).items()}
        tokens = oauth.server.tokens if isinstance(oauth, Embedded) else oauth
        named = (*self.requirement.scope, *(token for taken in self.tools.values() for token in taken.scope), *scopes)
        self.resource_server = ResourceServer(
            tokens,
            resource=url,
            authorization_servers=authorization_servers,
            scopes=tuple(dict.fromkeys(named)),
            name=name,
            audience=audience,
            implies=implies,
            metadata_at_root=metadata_at_root,
            clock=clock,
            dpop=dpop,
        )
        issuer = getattr(tokens, "issuer", None)
        issuers = tuple(authorization_servers or ()) or ((issuer,) if isinstance(issuer, str) else ())
        if not issuers:
            # RFC 9728 section 2 makes them optional, but an MCP client would then look for the issuer at this server.
            raise ConfigurationError("authorization_servers", None, "name the issuer of the tokens")
        self.issuer = issuers[0]
        self.implies = self.resource_server.implies
        self.path = urlsplit(url).path or "/"
        # If the tokens have no `auth_time`, this fails now, at configuration, and not at the first call of the tool.
        for taken in self.tools.values():
            self.resource_server.protect(taken.scope, acr_values=taken.acr_values, max_age=taken.max_age)

    def in_context(self, app: ASGIApplication) -> ASGIApplication:
        """Return the application to call with an access: here with the access in the ASGI scope only."""
        return app

    def requirements_for(self, tools: Iterable[str]) -> tuple[Requirement, ...]:
        """Return the requirement of a request that calls these tools, each with the scopes of every request.

        MCP 2026-07-28, "Step-Up Authorization Flow": the challenge names all scopes of the operation, so that the
        client has to ask the user only once.
        """
        taken = [self.tools[tool] for tool in tools if tool in self.tools] or [self.requirement]
        scope = dict.fromkeys((*self.requirement.scope, *(token for each in taken for token in each.scope)))
        return tuple(Requirement.of(scope, each.acr_values, each.max_age) for each in taken)


def _requirement(taken: ToolRequirement) -> Requirement:
    return taken if isinstance(taken, Requirement) else Requirement.of(taken)


def _world_for(oauth: Embedded[Any, Any] | FindAccess, world: World | AsyncWorld | None) -> World | AsyncWorld:
    """Return the world in which tokens are looked up."""
    if world is not None:
        check_world(world)
        return world
    if isinstance(oauth, Embedded):
        return oauth.world
    if not isinstance(oauth, JwtTokens | IntrospectedTokens):
        raise ConfigurationError("world", None, "pass the world of the server that issued the tokens")
    from oauthcore_fetch import AsyncFetcher  # requires urllib3, which is not needed in the same process

    # The storage stays empty: neither kind of token is stored here.
    return AsyncWorld(MemoryStorage(), fetch=AsyncFetcher())
