"""docs/jwt-bearer.md says what is true: its code runs, its file means the same, its modules and tests exist."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import AuthorizationServer, Request, Response, TrustedIssuer, World, run
from oauthcore.grants.jwt_bearer import GRANT_TYPE
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import set_of
from oauthcore_h11.assembly import new_token_key, trusted_issuers_of
from oauthcore_h11.configuration import read
from tests.core.signing_keys import key_for
from tests.core.site import FORM, basic, form, members

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "jwt-bearer.md").read_text(encoding="utf-8")
KEY = key_for("ES256").named("ES256")


def block(language: str) -> str:
    """Return the one block of code in a language."""
    (found,) = re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    return str(found)


@cache
def names() -> dict[str, Any]:
    """Run the code of the page."""
    found: dict[str, Any] = {}
    exec(compile(block("python"), "jwt-bearer.md", "exec"), found)
    return found


def server() -> AuthorizationServer:
    """Return the server of the page, which has its issuers' keys at hand."""
    found = names()["server"]
    issuers = {name: attrs.evolve(issuer, keys=set_of([KEY])) for name, issuer in found.trusted_issuers.items()}
    found._grants[GRANT_TYPE] = attrs.evolve(found._grants[GRANT_TYPE], issuers=issuers)
    assert isinstance(found, AuthorizationServer)
    return found


def presented(claims: dict[str, Any], typ: str = "JWT", client: str | None = None) -> Response:
    """Present an assertion with these claims."""
    made = server()
    now = int(made.instruments.clock())
    text = sign_claims({"iat": now, "exp": now + 60, "aud": "https://as.example"} | claims, KEY, "ES256", typ)
    headers = (FORM,) if client is None else (FORM, basic(client, f"a secret of the {client}'s own"))
    world: World = names()["world"]
    request = Request("POST", "/token", headers, form(grant_type=GRANT_TYPE, assertion=text))
    return run(made.handle(request), world)


RUN = {
    "iss": "https://token.actions.githubusercontent.com",
    "sub": "repo:acme/api:environment:production",
    "repository": "acme/api",
    "ref": "refs/heads/main",
    "environment": "production",
}
ID_JAG = {
    "iss": "https://idp.example",
    "sub": "alice",
    "client_id": "agent",
    "resource": "https://api.example/mcp",
    "scope": "files:read",
}


def test_ci_job_of_the_page_is_the_deployer() -> None:
    assert members(presented(RUN | {"jti": "1"}))["scope"] == "deploy"
    assert presented(RUN | {"jti": "2", "ref": "refs/heads/other"}).status == 400


def test_pod_of_the_page_may_read_its_token_again_and_again() -> None:
    pod = {"iss": "https://cluster.example", "sub": "system:serviceaccount:prod:billing"}

    assert [presented(pod).status for _ in range(2)] == [200, 200]


def test_id_jag_of_the_page_is_taken_of_the_agent() -> None:
    answer = presented(ID_JAG | {"jti": "3"}, "oauth-id-jag+jwt", "agent")

    assert members(answer)["scope"] == "files:read"
    assert presented(ID_JAG | {"jti": "4"}, "JWT", "agent").status == 400


def test_file_of_the_page_trusts_the_same_issuers(tmp_path: Path) -> None:
    path = tmp_path / "oauthcore.toml"
    path.write_text(f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n{block("toml")}')

    found = trusted_issuers_of(read(path, {}))

    assert found == (names()["ci"], names()["cluster"], names()["enterprise"])


def test_numbers_of_the_page_are_those_of_the_code() -> None:
    issuer = TrustedIssuer(issuer="https://idp.example")

    assert f"`exp` may be: {issuer.max_lifetime} " in PAGE
    assert f"fetched again: {issuer.keys_lifetime} " in PAGE
    assert f"clock may differ: {issuer.skew} " in PAGE


ROWS = re.findall(r"^\| ((?:RFC|ID-JAG|both|real)[^|]*) \| [^|]* \| `([^`]*)` \| `([^`]*)` \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("section", "module", "test"), ROWS, ids=[row[0] for row in ROWS])
def test_module_and_test_of_a_section_exist(section: str, module: str, test: str) -> None:
    file, _, name = test.partition("::")
    tree = ast.parse((ROOT / "tests" / file).read_text(encoding="utf-8"))

    assert (ROOT / "oauthcore" / module).is_file()
    assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_sections_of_the_page_are_read() -> None:
    assert len(ROWS) == 17
