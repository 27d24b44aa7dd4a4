"""An authorization server as MCP clients need it: what they rely on is on, in one call."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from oauthcore import AnyoneMayRegister, AsyncWorld, AuthorizationServer, ClientIdMetadata, Policy, Registration, World
from oauthcore.policy import UnknownScope
from oauthcore.resources import Resource, Resources
from oauthcore.scope import as_scope
from oauthcore_asgi import OAuth


def server_for_mcp(
    issuer: str, key: bytes, resources: Resources | Iterable[Resource], *, fetches: bool = False, **settings: Any
) -> AuthorizationServer:
    """Make an authorization server by the system's clock and chance, for MCP servers that are its `resources`.

    Clients register themselves (RFC 7591), which MCP clients do that nobody has told of this server, and may ask people
    for all of the resources' scopes. A scope that nobody knows is left out: the clients of the official SDK ask for
    `offline_access` wherever the metadata has it. A request that names no resource, as of clients of revision
    2025-03-26, is for the only one, if there is only one. Where the world `fetches`, clients may publish what they are
    (client ID metadata documents) instead of registering, as Claude and ChatGPT do.

    `key` is 32 secret random bytes, the same for every worker and after every restart. The `settings` are those of
    `AuthorizationServer`, and go before these.
    """
    known = resources if isinstance(resources, Resources) else _resources(tuple(resources))
    scopes = as_scope(dict.fromkeys((*known.published_scopes, *settings.get("scopes", ()))))
    offered = Policy.oauth21() if settings.get("openid") is None else Policy.openid()
    defaults: dict[str, Any] = {
        "clock": time.time,
        "entropy": secrets.token_bytes,
        "policy": attrs.evolve(offered, unknown_scope=UnknownScope.IGNORE),
        "registration": Registration(access=AnyoneMayRegister(), scope=scopes),
        "client_id_metadata": ClientIdMetadata(scope=scopes) if fetches else None,
    }
    return AuthorizationServer(issuer=issuer, token_key=key, resources=known, **defaults | settings)


def _resources(listed: tuple[Resource, ...]) -> Resources:
    only = listed[0].uri if len(listed) == 1 else None
    return Resources(listed, default=only, trailing_slash="ignored")


def oauth_for_mcp(
    issuer: str,
    world: World | AsyncWorld,
    key: bytes,
    resources: Resources | Iterable[Resource],
    *,
    scope_texts: Mapping[str, str | Mapping[str, str]] | None = None,
    **settings: Any,
) -> OAuth:
    """Make the same with pages to log in and to allow, as an ASGI application.

    `scope_texts` says of scopes what people read on the consent page: a text, or one for each language.

    Whose a name and a password are is asked of the world's `authenticate`. A world without `fetch` gets an
    `AsyncFetcher`, which connects to public addresses alone. An application with a login of its own takes
    `server_for_mcp`, and the `OAuth` of its framework.
    """
    # They need Jinja2 and urllib3, for which an application with pages of its own may have no use.
    from oauthcore_fetch import AsyncFetcher
    from oauthcore_pages import Pages, Templates

    if world.fetch is attrs.fields(type(world)).fetch.default:
        world = AsyncWorld(**attrs.asdict(world, recurse=False) | {"fetch": AsyncFetcher()})
    server = server_for_mcp(issuer, key, resources, fetches=True, **settings)
    templates = Templates(scopes=scope_texts)
    pages = Pages(server, key=key, clock=time.time, entropy=secrets.token_bytes, templates=templates)
    return OAuth(server, world, pages=pages)
