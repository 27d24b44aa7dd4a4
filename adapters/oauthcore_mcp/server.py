"""An authorization server for MCP clients: everything that they rely on is on, by one call."""

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
    """Create an authorization server with the system's clock and randomness, for the `resources`, MCP servers.

    Clients register themselves (RFC 7591), as MCP clients do that were not configured for a server, and may request
    all of the resources' scopes. An unknown scope is left out: the clients of the official SDK request
    `offline_access` whenever the metadata lists it. A request without a resource, as from clients of revision
    2025-03-26, is for the only resource, if there is only one. If the world `fetches`, clients may publish a client ID
    metadata document instead of registering, as Claude and ChatGPT do.

    `key` is 32 secret random bytes, the same for every worker and after every restart. The `settings` are those of
    `AuthorizationServer`, and take precedence over these.
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
    """Create the same with login and consent pages, as an ASGI application.

    `scope_texts` describes scopes on the consent page: each by a text, or one for each language.

    A username and password are verified by the world's `authenticate`. A world without `fetch` gets an `AsyncFetcher`,
    which connects only to public addresses. For an application with its own login, use `server_for_mcp` and the `OAuth`
    of its framework.
    """
    # These need Jinja2 and urllib3, which an application with its own pages may not have installed.
    from oauthcore_fetch import AsyncFetcher
    from oauthcore_pages import Pages, Templates

    if world.fetch is attrs.fields(type(world)).fetch.default:
        world = AsyncWorld(**attrs.asdict(world, recurse=False) | {"fetch": AsyncFetcher()})
    server = server_for_mcp(issuer, key, resources, fetches=True, **settings)
    templates = Templates(scopes=scope_texts)
    pages = Pages(server, key=key, clock=time.time, entropy=secrets.token_bytes, templates=templates)
    return OAuth(server, world, pages=pages)
