"""An MCP server as a protected resource: its URL, whose tokens it takes, and what its tools take of them.

No HTTP is here and nothing of an SDK. What a token is good for, the core's `ResourceServer` decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias
from urllib.parse import urlsplit

from oauthcore import AsyncWorld, ConfigurationError, MemoryStorage, ResourceServer, World
from oauthcore.clock import Clock
from oauthcore.flow.drivers import check_world
from oauthcore.resource.access import FindAccess
from oauthcore.resource.introspected import IntrospectedTokens
from oauthcore.resource.jwt_tokens import JwtTokens
from oauthcore.resource.requirement import Requirement
from oauthcore.resource.server import AnyAudience, Implies
from oauthcore_asgi import Embedded
from oauthcore_asgi.wire import ASGIApplication

ToolRequirement: TypeAlias = str | Iterable[str] | Requirement


class McpResource:
    """Say what an MCP server at `url` takes: tokens for all of `scope`, and for a tool in `tools` for more than that.

    `oauth` says whose tokens: the `OAuth` of the same process, whose endpoints are then served beside the MCP server;
    `JwtTokens` or `IntrospectedTokens` for a server elsewhere; or `server.tokens` with the `world` of the server.

    `tools` has for the name of a tool the scope that calling it takes, or a `Requirement` with `acr_values` and
    `max_age` beside it. `implies` widens a token's scope, as `ResourceServer` has it. `scopes` are more scopes for the
    metadata; what `scope` and `tools` have is there anyway. `audience` is what a token must be meant for, by default
    `url`. Of several on one host, give all but one `metadata_at_root=False`.

    Raises `ConfigurationError` for settings that can't be.
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
        )
        issuer = getattr(tokens, "issuer", None)
        issuers = tuple(authorization_servers or ()) or ((issuer,) if isinstance(issuer, str) else ())
        if not issuers:
            # RFC 9728 section 2 leaves them out where it likes; an MCP client then looks for the login at this server.
            raise ConfigurationError("authorization_servers", None, "name the issuer of the tokens")
        self.issuer = issuers[0]
        self.implies = self.resource_server.implies
        self.path = urlsplit(url).path or "/"
        # Where ages can't be known, that is found out now and not by whoever calls the tool.
        for taken in self.tools.values():
            self.resource_server.protect(taken.scope, acr_values=taken.acr_values, max_age=taken.max_age)

    def in_context(self, app: ASGIApplication) -> ASGIApplication:
        """Return the application as it is called with an access: here, with that in the scope and nothing else."""
        return app

    def requirements_for(self, tools: Iterable[str]) -> tuple[Requirement, ...]:
        """Return what a request takes that calls these tools, each with the scope that all of them take.

        MCP 2026-07-28, "Step-Up Authorization Flow": the challenge names all scopes of the operation, so that a client
        that asks for them needs no second one.
        """
        taken = [self.tools[tool] for tool in tools if tool in self.tools] or [self.requirement]
        scope = dict.fromkeys((*self.requirement.scope, *(token for each in taken for token in each.scope)))
        return tuple(Requirement.of(scope, each.acr_values, each.max_age) for each in taken)


def _requirement(taken: ToolRequirement) -> Requirement:
    return taken if isinstance(taken, Requirement) else Requirement.of(taken)


def _world_for(oauth: Embedded[Any, Any] | FindAccess, world: World | AsyncWorld | None) -> World | AsyncWorld:
    """Return the world by which tokens are looked at."""
    if world is not None:
        check_world(world)
        return world
    if isinstance(oauth, Embedded):
        return oauth.world
    if not isinstance(oauth, JwtTokens | IntrospectedTokens):
        raise ConfigurationError("world", None, "pass the world of the server that issued the tokens")
    from oauthcore_fetch import AsyncFetcher  # it needs urllib3, which the same process has no use for

    # Nothing is put into this storage: neither kind of tokens is stored here.
    return AsyncWorld(MemoryStorage(), fetch=AsyncFetcher())
