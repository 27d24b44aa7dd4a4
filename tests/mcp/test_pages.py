"""The pages on MCP: their code runs, and real clients log in at what it makes."""

from __future__ import annotations

import importlib.util
import re
import sys
from pathlib import Path
from typing import Any

import anyio
import pytest
from mcp.server.mcpserver import MCPServer

from oauthcore import Client, ConfigurationError, JwtTokens, MemoryStorage, Resource, Secret, World, run
from oauthcore_mcp import oauth_for_mcp
from oauthcore_mcp.sdk import add_login, verifier
from tests.mcp.site import Host, Site, asgi, authenticate, listening, origin

DOCS = Path(__file__).parent.parent.parent / "docs"
PAGE = (DOCS / "mcp.md").read_text(encoding="utf-8")
MIGRATION = (DOCS / "mcp-migration.md").read_text(encoding="utf-8")
EXAMPLES = ("mcp_sdk", "mcp_fastmcp")
HERE = "http://localhost:8000"


@pytest.mark.parametrize("name", EXAMPLES)
def test_page_shows_the_example_that_is_tested(name: str) -> None:
    code = (DOCS / "examples" / f"{name}.py").read_text(encoding="utf-8")

    assert f"<!-- example: {name} -->\n```python\n{code}```" in PAGE


def made(name: str, here: str) -> Any:
    """Return an example as a module, as it is for another port than the page's."""
    code = (DOCS / "examples" / f"{name}.py").read_text(encoding="utf-8").replace(HERE, here)
    spec = importlib.util.spec_from_loader(f"example_{name}", None)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, name, "exec"), vars(module))
    finally:
        del sys.modules[module.__name__]
    return module


async def log_in(module: Any, app: Any, at: Any, first: str) -> None:
    """Let a client log in, call, and step up."""
    here = origin(at)
    server = module.oauth.server
    site = Site(issuer=here, url=f"{here}/mcp", server=server, world=module.world, requests=[])
    async with asgi(app, at):
        host = Host(site)

        assert await host.call("read", "delete") == [first, "a.txt is gone"]

        assert [asked["scope"] for asked in host.person.asked] == ["files:read", "files:read files:write"]


@pytest.mark.slow
@pytest.mark.parametrize("name", EXAMPLES)
def test_client_logs_in_at_the_example_and_steps_up(name: str) -> None:
    at = listening()
    module = made(name, origin(at))

    anyio.run(log_in, module, module.app, at, "a.txt, read by alice")


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize(("username", "password"), [("alice", "other"), ("nobody", ""), ("", ""), ("alice", "")])
def test_nobody_else_signs_in_at_the_example(name: str, username: str, password: str) -> None:
    assert made(name, HERE).authenticate(username, Secret(password)) is None


def blocks(page: str) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page, re.DOTALL)


def test_servers_elsewhere_are_taken_as_the_page_says() -> None:
    [block] = [block for block in blocks(PAGE) if "by_reading" in block]
    names: dict[str, Any] = {}

    exec(compile(block, "mcp.md", "exec"), names)

    for resource in (names["by_asking"], names["by_reading"]):
        assert str(resource.auth_settings.issuer_url) == "https://login.example"


def test_login_of_ones_own_is_put_in_as_the_page_says() -> None:
    [block] = [block for block in blocks(PAGE) if "login=login" in block]
    names: dict[str, Any] = {"KEY": bytes(32), "world": World(MemoryStorage()), "login": lambda request: None}

    exec(compile(block, "mcp.md", "exec"), names)

    assert "/authorize" in names["oauth"].seen_paths


def test_client_of_before_keeps_its_id_and_secret_as_the_page_says() -> None:
    [block] = [block for block in blocks(MIGRATION) if "the_old_secret" in block]
    world = World(MemoryStorage())
    oauth = oauth_for_mcp(HERE, world, bytes(32), [Resource(f"{HERE}/mcp")])

    names = {"run": run, "oauth": oauth, "Client": Client, "Secret": Secret, "world": world, "the_old_secret": "s" * 32}
    exec(compile(block, "mcp-migration.md", "exec"), names)

    assert run(oauth.server.clients.find("old"), world) is not None


@pytest.mark.slow
def test_server_that_runs_itself_has_the_login_added_as_the_page_says() -> None:
    [block] = [block for block in blocks(MIGRATION) if "add_login" in block]
    at = listening()
    here = origin(at)
    names: dict[str, Any] = {"oauth_for_mcp": oauth_for_mcp, "verifier": verifier, "add_login": add_login}
    names |= {"world": World(MemoryStorage(), authenticate=authenticate), "KEY": bytes(32)}
    names |= {"Resource": Resource, "MCPServer": MCPServer}
    exec(compile(block.replace(HERE, here), "mcp-migration.md", "exec"), names)

    @names["mcp"].tool()  # type: ignore[untyped-decorator]  # of a name in a page
    def read(path: str) -> str:
        """Read a file."""
        return path

    async def scenario() -> list[str]:
        site = Site(issuer=here, url=f"{here}/mcp", server=names["oauth"].server, world=names["world"], requests=[])
        async with asgi(names["mcp"].streamable_http_app(), at):
            return await Host(site).call("read")

    assert anyio.run(scenario) == ["a.txt"]


def test_login_is_added_only_where_it_is() -> None:
    resource = verifier(JwtTokens("https://login.example", clock=lambda: 0), f"{HERE}/mcp")

    with pytest.raises(ConfigurationError, match="of this process"):
        add_login(MCPServer("Files"), resource)
