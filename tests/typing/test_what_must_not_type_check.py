"""What must not type-check: evidence can't be left out, and a secret can't be stored.

Each snippet has one line marked `# error: <code>`, where mypy must object with that code, and nowhere else.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from mypy import api

ROOT = Path(__file__).parent.parent.parent

SNIPPETS = {
    "a redirect that was not validated": """
from oauthcore.authorization.response_mode import answer
from oauthcore.authorization.validated import Redirectable
from oauthcore.context import Context
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest

def redirect(request: AuthorizationRequest, client: Client, context: Context) -> None:
    asked = Redirectable(request, client, "https://attacker.example")  # error: arg-type
    answer(asked, "query", {}, context)
""",
    "an error sent to an unproven request": """
from oauthcore.authorization.response_mode import refuse
from oauthcore.context import Context
from oauthcore.errors import InvalidRequest
from oauthcore.records.interaction import AuthorizationRequest

def redirect(request: AuthorizationRequest, context: Context) -> None:
    refuse(request, InvalidRequest("no"), context)  # error: arg-type
""",
    "checks that come after the redirect, of a request without a proven one": """
from oauthcore.authorization.checks import validate
from oauthcore.authorization.validated import ValidatedRequest
from oauthcore.context import Context
from oauthcore.records.interaction import AuthorizationRequest

def skip(request: AuthorizationRequest, context: Context) -> ValidatedRequest:
    return validate(request, "authorization", context)  # error: arg-type
""",
    "an approval of what only its redirect was checked of": """
from oauthcore.authorization.approve import Approval, approve
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.validated import Redirectable
from oauthcore.context import Context

def skip(redirectable: Redirectable, approval: Approval, facts: AuthorizationFacts, context: Context) -> object:
    return approve(redirectable, approval, facts, context)  # error: arg-type
""",
    "checks at an endpoint that has no column": """
from oauthcore.authorization.checks import validate
from oauthcore.authorization.validated import Redirectable, ValidatedRequest
from oauthcore.context import Context

def anywhere(redirectable: Redirectable, context: Context) -> ValidatedRequest:
    return validate(redirectable, "authorisation", context)  # error: arg-type
""",
    "a code issued for a redirect that was not validated": """
from oauthcore.authorization.response_type import Approved
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant

def approve(client: Client, grant: Grant) -> Approved:
    return Approved(client, "https://attacker.example", None, None, grant)  # error: arg-type
""",
    "a client that was not authenticated": """
from oauthcore.grants.token_request import TokenRequest
from oauthcore.records.client import Client
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters

def ask(client: Client, parameters: Parameters, request: Request) -> TokenRequest:
    return TokenRequest(client, parameters, request)  # error: arg-type
""",
    "a plaintext token in a record": """
from oauthcore.digest import Digest
from oauthcore.records.token import RefreshToken

def remember(value: str, grant: Digest) -> RefreshToken:
    return RefreshToken(key=value, client_id="", subject="", grant=grant, issued_at=0, expires_at=1)  # error: arg-type
""",
    "a secret in a record": """
from oauthcore.digest import Digest, Secret
from oauthcore.records.token import RefreshToken

def remember(value: Secret, grant: Digest) -> RefreshToken:
    return RefreshToken(key=value, client_id="", subject="", grant=grant, issued_at=0, expires_at=1)  # error: arg-type
""",
    "an assignment to what is made at each request": """
from oauthcore import Response

def change(response: Response) -> None:
    response.status = 500  # error: misc
""",
    "a secret used as text": """
from oauthcore.digest import Secret

def show(secret: Secret) -> str:
    return "token: " + secret  # error: operator
""",
    "a flow that is run without a world": """
from oauthcore import AuthorizationServer, Request, Response, run

def answer(server: AuthorizationServer, request: Request) -> Response:
    return run(server.handle(request))  # error: call-arg
""",
    "an async storage under the blocking driver": """
from oauthcore import World
from oauthcore.flow.storage import AsyncStorage

def world(storage: AsyncStorage) -> World:
    return World(storage)  # error: arg-type
""",
}


@pytest.fixture(scope="module")
def objections(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[int, str]]]:
    """Run mypy once over all the snippets; give the lines and codes of its errors, by snippet."""
    folder = tmp_path_factory.mktemp("snippets")
    names = {f"snippet_{number}.py": name for number, name in enumerate(SNIPPETS)}
    for file, name in names.items():
        (folder / file).write_text(SNIPPETS[name], encoding="utf-8")
    options = ["--config-file", str(ROOT / "pyproject.toml"), "--cache-dir", str(folder / "cache")]
    stdout, stderr, _ = api.run([*options, "--no-error-summary", *(str(folder / file) for file in names)])
    assert not stderr, stderr
    found: dict[str, list[tuple[int, str]]] = {name: [] for name in SNIPPETS}
    for file, line, code in re.findall(r"(snippet_\d+\.py):(\d+): error: .*\[([a-z-]+)\]", stdout):
        found[names[file]].append((int(line), code))
    return found


@pytest.mark.slow
@pytest.mark.parametrize("name", SNIPPETS)
def test_mypy_objects_to(name: str, objections: dict[str, list[tuple[int, str]]]) -> None:
    expected = [
        (number, code)
        for number, line in enumerate(SNIPPETS[name].splitlines(), 1)
        for code in re.findall(r"# error: ([a-z-]+)", line)
    ]

    assert expected != []
    assert objections[name] == expected
