"""Applications whose operator was told one line, and who configured nothing else, sign in at the first try.

The line is `oauthcore client add NAME --redirect-uri … --scope "openid profile email"`. What the libraries do by
themselves differs: no PKCE but a nonce, the secret in the header or in the form, the ID token alone for the e-mail.
"""

from __future__ import annotations

import re
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import anyio
import attrs
import httpx
import pytest
from authlib.integrations.flask_client import OAuth
from authlib.integrations.httpx_client import OAuth2Client
from flask import Flask, jsonify

from tests.core.site import VERIFIER
from tests.h11.installation import Installation, with_any_password
from tests.ports import free_port
from tests.processes import PATIENCE, line_of, running
from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import HERE, INSTALLED, NODE, conversation
from tests.test_openid_page import PAGE, run_blocks

pytestmark = pytest.mark.slow

RP = "http://127.0.0.1:9999"
CALLBACK = f"{RP}/callback"
SCOPE = "openid profile email"
KNOWN = {"name": "Alice Liddell", "email": "alice@example.com", "email_verified": True}


@attrs.frozen
class Operator:
    """Be who runs a provider, and adds clients to it while it serves."""

    installation: Installation
    issuer: str

    def add(self, name: str, *more: str, redirect_uri: str = CALLBACK) -> str:
        """Add a client by the one line; return its secret."""
        line = ("client", "add", name, "--redirect-uri", redirect_uri, "--scope", SCOPE)
        return str(self.installation.ask(*line, *more)["client_secret"])


@pytest.fixture(scope="module")
def operator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operator]:
    """Serve what `init --openid` writes, with one person, who is alice."""
    issuer = f"http://localhost:{free_port()}"
    installation = Installation(tmp_path_factory.mktemp("first"))
    installation.run("init", "--openid", "--issuer", issuer)
    text = installation.config.read_text(encoding="utf-8")
    installation.config.write_text(with_any_password(text), encoding="utf-8")
    claims = ("name=Alice Liddell", "email=alice@example.com", "email_verified=true")
    told = [word for claim in claims for word in ("--claim", claim)]
    installation.run("user", "add", "alice", *told, said="wonderland\n")
    with installation.serving():
        yield Operator(installation, issuer)


@pytest.fixture
def alice(operator: Operator) -> Iterator[Browser]:
    """Return a person's browser that has been nowhere yet."""
    with Browser(operator.issuer, ssl.create_default_context()) as browser:
        yield browser


def flask_app(operator: Operator, client_id: str, secret: str) -> Flask:
    """Make an application as Authlib's documentation for Flask has it: without PKCE."""
    app = Flask("rp")
    app.secret_key = "secret of the session"
    provider = OAuth(app).register(
        "provider",
        server_metadata_url=f"{operator.issuer}/.well-known/openid-configuration",
        client_id=client_id,
        client_secret=secret,
        client_kwargs={"scope": SCOPE},
    )

    @app.get("/")
    def home() -> Any:
        return provider.authorize_redirect(CALLBACK)

    @app.get("/callback")
    def callback() -> Any:
        return jsonify(provider.authorize_access_token()["userinfo"])  # what the ID token says

    return app


def signed_in(app: Flask, alice: Browser) -> tuple[dict[str, str], dict[str, Any]]:
    """Sign in at an application; return what its request had, and what it learnt."""
    rp = app.test_client()
    url = rp.get("/").headers["location"]
    arrived = urlsplit(alice.open(url).url)
    learnt: Any = rp.get(f"{arrived.path}?{arrived.query}").json
    return dict(parse_qsl(urlsplit(url).query)), learnt


def test_authlib_for_flask_sends_no_pkce_and_finds_the_email_in_the_id_token(
    operator: Operator, alice: Browser
) -> None:
    asked, learnt = signed_in(flask_app(operator, "flask", operator.add("flask")), alice)

    assert "code_challenge" not in asked
    assert asked["nonce"] == learnt["nonce"]
    assert {name: learnt.get(name) for name in KNOWN} == KNOWN


def test_an_operator_may_leave_the_email_to_userinfo(operator: Operator, alice: Browser) -> None:
    _, learnt = signed_in(flask_app(operator, "apart", operator.add("apart", "--id-token-claims", "requested")), alice)

    assert learnt["aud"] == "apart"
    assert not KNOWN.keys() & learnt.keys()


def at_auth_js(operator: Operator, alice: Browser, client_id: str, *options: str) -> dict[str, Any]:
    """Sign in at a site with Auth.js, whose client was added with these options; return what it asked and learnt."""
    if NODE is None or not (HERE / "node_modules" / "@auth" / "core").is_dir():
        pytest.skip("Auth.js is not installed: npm ci in tests/relying_parties")
    callback = f"{RP}/auth/callback/provider"
    job = {
        "flow": "signIn",
        "issuer": operator.issuer,
        "client_id": client_id,
        "secret": operator.add(client_id, *options, redirect_uri=callback),
        "redirect_uri": callback,
    }
    piped = subprocess.PIPE
    with running([NODE, str(HERE / "authjs.mjs")], stdin=piped, stdout=piped, stderr=piped) as process:
        return conversation(process, alice, job)


def test_auth_js_finds_the_claims_of_its_scopes_in_the_id_token(operator: Operator, alice: Browser) -> None:
    """OIDC Core section 5.4: it asks UserInfo for nothing, unless its provider has `idToken: false`."""
    learnt = at_auth_js(operator, alice, "authjs")

    assert learnt["asked"]["scope"] == SCOPE
    assert "code_challenge" in learnt["asked"]
    assert {name: learnt["profile"].get(name) for name in KNOWN} == KNOWN
    assert learnt["session"]["user"] == {"name": "Alice Liddell", "email": "alice@example.com"}


def test_auth_js_knows_no_name_where_the_operator_leaves_the_claims_to_userinfo(
    operator: Operator, alice: Browser
) -> None:
    learnt = at_auth_js(operator, alice, "authjs_apart", "--id-token-claims", "requested")

    assert learnt["profile"]["aud"] == "authjs_apart"
    assert not KNOWN.keys() & learnt["profile"].keys()
    assert learnt["session"].get("user", {}) == {}


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_library_sends_the_secret_as_it_likes(operator: Operator, alice: Browser, method: str) -> None:
    secret = operator.add(f"by_{method}")
    settings = {"scope": SCOPE, "redirect_uri": CALLBACK, "token_endpoint_auth_method": method, "trust_env": False}

    with OAuth2Client(f"by_{method}", secret, **settings) as client:
        url, state = client.create_authorization_url(f"{operator.issuer}/authorize", nonce="n-0S6_WzA2Mj")
        arrived = alice.open(url).url
        tokens = client.fetch_token(f"{operator.issuer}/token", authorization_response=arrived, state=state)

    assert "id_token" in tokens


def test_an_application_that_sends_neither_pkce_nor_nonce_reads_what_it_lacks(
    operator: Operator, alice: Browser
) -> None:
    operator.add("bare")
    url = f"{operator.issuer}/authorize?client_id=bare&response_type=code&redirect_uri={CALLBACK}&scope=openid"

    refused = dict(parse_qsl(urlsplit(alice.open(url).url).query))

    assert refused["error"] == "invalid_request"
    assert "code_challenge is missing" in refused["error_description"]


def test_the_sample_for_authlib_shows_the_email(
    operator: Operator, alice: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ISSUER", operator.issuer)
    monkeypatch.setenv("SECRET", operator.add("rp"))
    app = run_blocks("authlib")["app"]

    async def sign_in() -> Any:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=RP) as rp:
            sent = await rp.get("/")
            return (await rp.get(alice.open(sent.headers["location"]).url)).json()

    shown = anyio.run(sign_in)

    assert {name: shown.get(name) for name in KNOWN} == KNOWN


def test_the_sample_for_openid_client_shows_the_email(operator: Operator, alice: Browser, tmp_path: Path) -> None:
    if NODE is None or not INSTALLED:
        pytest.skip("the relying parties are not installed: npm ci in tests/relying_parties")
    port = str(free_port())
    [sample] = re.findall(r"```js\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "rp.mjs").write_text(sample.replace('"rp"', '"node"').replace("9999", port), encoding="utf-8")
    (tmp_path / "node_modules").symlink_to((HERE / "node_modules").resolve())
    secret = operator.add("node", redirect_uri=f"http://127.0.0.1:{port}/callback")

    environment = {"ISSUER": operator.issuer, "SECRET": secret}
    with running([NODE, "rp.mjs"], cwd=tmp_path, stdout=subprocess.PIPE, env=environment) as process:
        opened = line_of(process).removeprefix("open ").strip()
        page = httpx.get(alice.open(opened).url, trust_env=False)
        said, _ = process.communicate(timeout=PATIENCE)

    assert page.text == "signed in\n"
    id_token, userinfo = said.split("UserInfo")
    assert "email: 'alice@example.com'" in id_token
    assert "email: 'alice@example.com'" in userinfo


def test_the_walk_by_hand_goes_as_the_page_says(operator: Operator, alice: Browser) -> None:
    secret = operator.add("by_hand")
    [url] = re.findall(r"^http://localhost:8000(/authorize\?\S+)$", PAGE, re.MULTILINE)
    verifier = re.search(r"code_verifier=(\S+)", PAGE)
    assert verifier is not None
    assert verifier[1] == VERIFIER

    arrived = alice.open(operator.issuer + url.replace("client_id=rp", "client_id=by_hand")).url
    form = {"grant_type": "authorization_code", "code_verifier": VERIFIER}
    form["code"] = dict(parse_qsl(urlsplit(arrived).query))["code"]
    answer = httpx.post(f"{operator.issuer}/token", data=form, auth=("by_hand", secret), trust_env=False).json()
    bearer = {"Authorization": f"Bearer {answer['access_token']}"}
    told = httpx.get(f"{operator.issuer}/userinfo", headers=bearer, trust_env=False).json()

    assert answer["scope"] == "openid email"
    assert told.keys() == {"sub", "email", "email_verified"}


def console(text: str) -> Iterator[tuple[list[str], str]]:
    """Return the commands of `oauthcore` in a page's first console, each with what the page has it say."""
    [block, *_] = re.findall(r"```console\n(.*?)```", text, re.DOTALL)
    for command in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, said = command.partition("\n")
        words = re.findall(r'"[^"]*"|\S+', line.partition("   ")[0])
        if words[0] == "oauthcore":
            yield [word.strip('"') for word in words[1:]], said


def test_the_commands_of_the_page_say_what_it_shows(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    secret = re.compile(r"(?<=client_secret )\S{43}")

    shown = {words[0]: (words, said) for words, said in console(PAGE) if words[0] in {"init", "check", "client"}}
    said = {name: installation.run(*words) for name, (words, _) in shown.items()}

    assert len(said) == 3
    for name, (_, page) in shown.items():
        assert secret.sub("…", said[name]) == secret.sub("…", page)


def test_the_client_of_the_page_about_pkce_is_added_as_it_says(tmp_path: Path) -> None:
    page = (HERE.parent.parent / "docs" / "without-pkce.md").read_text(encoding="utf-8")
    installation = Installation(tmp_path)
    installation.run("init")
    [(words, _)] = console(page)

    assert installation.run(*words).startswith("client_id     old_app\n")
    assert "PKCE" not in installation.run(*words[:2], "other", *words[3:])
