"""What a host hands over wrongly is told at once, by the name of the setting, and without showing a secret."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from oauthcore import (
    Allowance,
    AsyncWorld,
    AuthorizationServer,
    Client,
    ConfigurationError,
    Login,
    MemoryStorage,
    Policy,
    Request,
    ResourceServer,
    World,
    arun,
    run,
)
from oauthcore.openid import OpenID
from oauthcore_asgi import Bearer as AsyncBearer
from oauthcore_asgi import OAuth as AsyncOAuth
from oauthcore_asgi.protect import ResourceMetadata as AsyncResourceMetadata
from oauthcore_pages import Pages
from oauthcore_wsgi import Bearer, OAuth
from oauthcore_wsgi.protect import ResourceMetadata
from tests.core.site import ISSUER, TOKEN_KEY, make_site

WRONG_KEY = "a secret that is a text, of 32 B"
REQUEST = Request("GET", "/authorize")


def server(**changes: Any) -> AuthorizationServer:
    """Make a server that is right but for the changes."""
    right: dict[str, Any] = {
        "issuer": ISSUER,
        "clock": time.time,
        "entropy": secrets.token_bytes,
        "token_key": TOKEN_KEY,
    }
    return AuthorizationServer(**(right | changes))


def client(**changes: Any) -> Client:
    return Client(client_id="x", **changes)


def at(kind: Any, *given: Any) -> Any:
    return kind.at(ISSUER, *given, interaction="/x", login=lambda _: None)


# The setting that is named, and what a host did that typed nothing.
MISTAKES: list[tuple[str, Callable[[], object]]] = [
    ("world", lambda: run(server().handle(REQUEST), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: run(server().handle(REQUEST), World)),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: anyio.run(arun, server().handle(REQUEST), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: OAuth(server(), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: AsyncOAuth(server(), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: at(OAuth, MemoryStorage(), TOKEN_KEY)),
    ("world", lambda: at(AsyncOAuth, MemoryStorage(), TOKEN_KEY)),
    ("world", lambda: Bearer(lambda *_: [], ResourceServer(server().tokens), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: AsyncBearer(_app, ResourceServer(server().tokens), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: ResourceMetadata(ResourceServer(server().tokens), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("world", lambda: AsyncResourceMetadata(ResourceServer(server().tokens), MemoryStorage())),  # type: ignore[arg-type]  # the mistake
    ("storage", lambda: World(MemoryStorage)),  # type: ignore[arg-type]  # the mistake
    ("storage", lambda: AsyncWorld(None)),  # type: ignore[arg-type]  # the mistake
    ("storage", lambda: World(World(MemoryStorage()))),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().handle(REQUEST, "alice")),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().handle(REQUEST, login={"subject": "alice"})),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().interactions.find("handle", "alice")),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().interactions.finish("handle", None)),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().sessions.find_logout("handle", "alice")),  # type: ignore[arg-type]  # the mistake
    ("login", lambda: server().sessions.sign_out(REQUEST, "alice")),  # type: ignore[arg-type]  # the mistake
    ("request", lambda: server().handle("/authorize")),  # type: ignore[arg-type]  # the mistake
    ("subject", lambda: Login(subject=7, auth_time=0)),  # type: ignore[arg-type]  # the mistake
    ("auth_time", lambda: Login(subject="alice", auth_time=time.time())),  # type: ignore[arg-type]  # the mistake
    ("amr", lambda: Login(subject="alice", auth_time=0, amr="pwd")),
    ("token_key", lambda: server(token_key=WRONG_KEY)),
    ("token_key", lambda: server(token_key=None)),
    ("token_key", lambda: at(OAuth, World(MemoryStorage()), WRONG_KEY)),
    ("key", lambda: Pages(server(), key=WRONG_KEY, clock=time.time, entropy=secrets.token_bytes)),  # type: ignore[arg-type]  # the mistake
    ("issuer", lambda: server(issuer=None)),
    ("clock", lambda: server(clock=time.time())),
    ("entropy", lambda: server(entropy=secrets.token_bytes(32))),
    ("scopes", lambda: server(scopes="email profile")),
    ("redirect_uris", lambda: client(redirect_uris="https://client.example/cb")),
    ("redirect_uris", lambda: client(redirect_uris=[b"https://client.example/cb"])),
    ("redirect_uris", lambda: client(redirect_uris=[None])),
    ("grant_types", lambda: client(grant_types="authorization_code")),
    ("response_types", lambda: client(response_types="code")),
    ("request_uris", lambda: client(request_uris="https://client.example/r")),
    ("post_logout_redirect_uris", lambda: client(post_logout_redirect_uris="https://client.example/bye")),
    ("default_acr_values", lambda: client(default_acr_values="1")),
    ("allow", lambda: client(allow=Allowance.PLAIN_PKCE)),
    ("allow", lambda: client(allow=["plain_pkce"])),
    ("allow", lambda: Policy.oauth21(allow="plain_pkce")),  # type: ignore[arg-type]  # the mistake
    ("ui_locales", lambda: OpenID(ui_locales="en")),
    ("prompts", lambda: OpenID(prompts="login")),
    ("scope_claims.groups", lambda: OpenID(scope_claims={"groups": "groups"})),  # type: ignore[dict-item]  # the mistake
]


async def _app(*_: object) -> None:
    """Be an application that nobody asks."""


@pytest.mark.parametrize(
    ("setting", "mistake"), MISTAKES, ids=[f"{setting}-{number}" for number, (setting, _) in enumerate(MISTAKES)]
)
def test_a_hosts_mistake_is_told_at_once_and_by_name(setting: str, mistake: Callable[[], object]) -> None:
    with pytest.raises(ConfigurationError) as told:
        mistake()

    assert told.value.setting == setting
    assert WRONG_KEY not in str(told.value)


def test_what_is_right_in_another_way_is_taken() -> None:
    site = make_site()
    pending = site.server.interactions.find("handle", None)

    assert run(pending, AsyncWorld(site.world.storage)) is None  # type: ignore[arg-type]  # its storage is blocking
    assert client(redirect_uris=iter(["https://client.example/cb"])).redirect_uris == ("https://client.example/cb",)
    assert server(token_key=bytearray(TOKEN_KEY)).issuer == ISSUER
    assert OpenID(prompts=["login"]).prompts == {"login"}
    assert client(scope="email", allow=iter([Allowance.PLAIN_PKCE])).allow == {Allowance.PLAIN_PKCE}


def test_what_was_allowed_may_be_a_text_as_scope_is_on_the_wire() -> None:
    site = make_site()
    started = site.authorize(None, scope="email profile")

    finished = site.approve(started, site.alice, "email")
    assert finished.status == 303

    again = site.authorize(None, scope="email profile")
    handle = again.header("location") or ""
    response = site.drive(site.server.interactions.finish(handle.rpartition("=")[2], site.alice, "email"), site.world)
    assert response.status == 303
