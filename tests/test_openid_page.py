"""The page on OpenID Connect: its snippets run and say what it says, its configuration is one that is read."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from authlib.integrations.starlette_client import StarletteOAuth2App
from flask import Flask

from oauthcore import Allowance
from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set
from oauthcore_h11.assembly import server_of
from tests.core.site import CHALLENGE, VERIFIER, members
from tests.h11.test_configuration import reading
from tests.pages.html import Page

DOCS = Path(__file__).parent.parent / "docs"
WELL_KNOWN = ("/auth/.well-known/openid-configuration", "/.well-known/openid-configuration/auth")
PAGE = (DOCS / "openid.md").read_text(encoding="utf-8")


def blocks(name: str) -> list[str]:
    """Return the blocks of the page that go by a name."""
    found = re.findall(rf"<!-- run: {name} -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
    assert found
    return found


def run_blocks(name: str) -> dict[str, Any]:
    """Run them one after the other; give what they leave."""
    names: dict[str, Any] = {"__name__": name}
    for block in blocks(name):
        exec(compile(block, f"openid.md ({name})", "exec"), names)
    return names


def test_embedding_gives_an_id_token_and_tells_who_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    names = run_blocks("embedding")

    said, told = capsys.readouterr().out.splitlines()
    claims = ast.literal_eval(said)
    assert [claims[name] for name in ("iss", "sub", "aud", "nonce", "amr")] == [
        *("https://id.example", "alice", "rp", "n-0S6", ["pwd"])
    ]
    assert json.loads(told.replace("True", "true").replace("'", '"')) == {
        "sub": "alice",
        "email": "alice@example.com",
        "email_verified": True,
    }
    assert crypto.verify(names["answer"]["id_token"], keys_of(names), ["ES256"]).claims == claims


def keys_of(names: Mapping[str, Any]) -> Any:
    """Return the keys that the server of the page publishes."""
    request, run = names["Request"], names["run"]
    return parse_set(run(names["server"].handle(request("GET", "/jwks")), names["world"]).body)


def test_authlib_is_told_the_issuer_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    """That it then signs in is for tests/relying_parties."""
    monkeypatch.setenv("ISSUER", "https://op.example")
    monkeypatch.setenv("SECRET", "secret")

    provider = cast(StarletteOAuth2App, run_blocks("authlib")["oauth"].provider)

    assert provider._server_metadata_url == "https://op.example/.well-known/openid-configuration"
    assert provider.server_metadata == {}


def test_an_example_becomes_a_provider_by_three_lines() -> None:
    [lines] = blocks("framework")
    example = (DOCS / "examples" / "flask_app.py").read_text(encoding="utf-8")
    fresh, stale = assignments(lines), assignments(example)
    assert fresh.keys() == {"world", "oauth", "client"}
    for name, statement in fresh.items():
        assert len(set(statement.splitlines()) - set(stale[name].splitlines())) == 1
        example = example.replace(stale[name], statement)
    preamble = lines.partition("world =")[0]
    names: dict[str, Any] = {"__name__": "flask_app"}
    exec(compile(example.replace("world =", f"{preamble}\nworld =", 1), "flask_app.py", "exec"), names)

    granted, keys, told = walk(names["app"])
    documents = [names["app"].test_client().get(path).json for path in WELL_KNOWN]

    claims = crypto.verify(granted["id_token"], parse_set(keys), ["RS256"]).claims
    assert [claims[name] for name in ("iss", "sub", "aud", "nonce")] == [
        *("http://localhost:8000/auth", "alice", "app", "n-0S6")
    ]
    assert told == {"sub": "alice", "name": "Alice", "email": "alice@app.example"}
    assert documents[0]["issuer"] == "http://localhost:8000/auth"
    assert documents == [documents[0]] * 2


def assignments(code: str) -> dict[str, str]:
    """Return the text of every assignment of a module to a name."""
    return {
        node.targets[0].id: ast.get_source_segment(code, node) or ""
        for node in ast.parse(code).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }


def walk(app: Flask) -> tuple[Any, bytes, Any]:
    """Sign in and allow; give what the client got, the keys, and what it was told of the person."""
    browser = app.test_client()
    query = {"client_id": "app", "response_type": "code", "scope": "openid profile email", "nonce": "n-0S6"}
    query |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    url = f"/auth/authorize?{urlencode(query)}"
    response = browser.get(url)
    while not (location := response.headers.get("location", "")).startswith("https://app.example/cb"):
        if location:
            url = location
            response = browser.get(url)
            continue
        page = Page.of(response.text)
        fields = [*page.fields, *page.checkboxes, ("allow", "1")]
        known = [("username", "alice"), ("password", "wonderland")] if "password" in response.text else []
        filled = [(name, value) for name, value in fields if not known or name == "csrf"] + known
        response = browser.post(url, data=urlencode(filled), content_type="application/x-www-form-urlencoded")
    code = dict(parse_qsl(urlsplit(location).query))["code"]
    form = {"grant_type": "authorization_code", "code": code, "code_verifier": VERIFIER}
    granted: Any = browser.post("/auth/token", data=form, auth=("app", "app-secret")).json
    bearer = {"Authorization": f"Bearer {granted['access_token']}"}
    return granted, browser.get("/auth/jwks").data, browser.get("/auth/userinfo", headers=bearer).json


def test_the_conformance_plans_have_a_configuration_that_is_read(tmp_path: Path) -> None:
    [text] = blocks("conformance")

    configuration = reading(tmp_path, text, OAUTHCORE_TOKEN_KEY="k" * 43)

    server = server_of(configuration)
    document = members(server._metadata)
    clients = {client.client_id: client for client in configuration.clients}
    assert all(
        set(client.response_types or ()) | {"none", "token"} == set(document["response_types_supported"])
        and any(urlsplit(uri).query for uri in client.redirect_uris)
        and client.id_token_claims == "requested"
        for client in clients.values()
    )
    assert {"client_secret_basic", "client_secret_post"} <= set(document["token_endpoint_auth_methods_supported"])
    assert clients["third"].token_endpoint_auth_method == "client_secret_post"
    assert Allowance.CONFIDENTIAL_WITHOUT_PKCE in server.policy.allow
    assert configuration.outgoing.private_hosts == ("localhost.emobix.co.uk",)


def test_each_logout_plan_has_a_client_and_an_alias_of_its_own(tmp_path: Path) -> None:
    [text] = blocks("conformance")
    configuration = reading(tmp_path, text, OAUTHCORE_TOKEN_KEY="k" * 43)
    told = {
        client.client_id: (client.backchannel_logout_uri is not None, client.frontchannel_logout_uri is not None)
        for client in configuration.clients
        if client.post_logout_redirect_uris
    }
    aliases = [
        urlsplit(client.post_logout_redirect_uris[0]).path.split("/")[3]
        for client in configuration.clients
        if client.client_id in told
    ]

    assert told == {"rp_initiated": (False, False), "back_channel": (True, False), "front_channel": (False, True)}
    assert len({*aliases, "ALIAS"}) == 4


@pytest.mark.parametrize("framework", sorted(path.stem for path in (DOCS / "frameworks").glob("*.md")))
def test_every_framework_s_page_says_how_to_become_a_provider(framework: str) -> None:
    page = (DOCS / "frameworks" / f"{framework}.md").read_text(encoding="utf-8")

    assert "openid=OpenID()" in page
    assert "claims=" in page
    assert "../openid.md#" in page
