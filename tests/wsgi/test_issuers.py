"""Several issuers on one host, in one process and over one storage: nothing that one gives out is good at another."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from secrets import token_bytes
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from oauthcore import AuthorizationServer, Client, Secret, World, run
from oauthcore.openid import OpenID
from oauthcore.policy import Policy
from oauthcore_pages import Pages
from oauthcore_sqlite import SqliteStorage
from oauthcore_wsgi import OAuth
from tests.hosts.site import REDIRECT
from tests.hosts.visitor import APP, Visitor

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

DOCS = Path(__file__).parents[2] / "docs"
HOST = "http://localhost:8000"
KEY = bytes(range(32))
CLIENT = Client(
    client_id="app",
    redirect_uris=[REDIRECT],
    scope="openid profile email",
    grant_types=["authorization_code", "refresh_token"],
)


def issuer_at(path: str, storage: SqliteStorage) -> OAuth:
    """Make an issuer with a path and pages of its own; all of them have one key, as one configuration has."""
    server = AuthorizationServer(
        issuer=HOST + path,
        clock=time.time,
        entropy=token_bytes,
        token_key=KEY,
        policy=Policy.openid(),
        openid=OpenID(),
    )
    world = World(storage, lambda username, _: username)
    run(server.clients.register(CLIENT, Secret(APP[1]), replace=True), world)
    return OAuth(server, world, pages=Pages(server, key=KEY, clock=time.time, entropy=token_bytes))


class Host:
    """Be the WSGI application of a host on which several issuers are, each at its path."""

    def __init__(self, issuers: dict[str, OAuth]) -> None:
        self.issuers = issuers

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Hand a request to the issuer that it is for."""
        path = environ["PATH_INFO"]
        for prefix, oauth in self.issuers.items():
            if path.startswith(f"{prefix}/") or path in oauth.metadata_paths:
                return oauth(environ, start_response)
        raise AssertionError(f"nobody is at {path}")


PARTITIONS = {"partitions": ("a", "b"), "one partition": ("", "")}


@pytest.fixture(params=PARTITIONS)
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    """Return two issuers over one file, each in a partition of its own, or both in the same."""
    one, other = (
        SqliteStorage(tmp_path / "one.db", synchronous="NORMAL", partition=name) for name in PARTITIONS[request.param]
    )
    yield Host({"/a": issuer_at("/a", one), "/b": issuer_at("/b", other)})
    one.close()
    other.close()


def visitors(host: Host) -> tuple[Visitor, Visitor]:
    """Return one browser, at the one issuer and at the other."""
    browser = httpx.Client(transport=httpx.WSGITransport(host), base_url=HOST)
    at_a, at_b = Visitor(HOST, "/a"), Visitor(HOST, "/b")
    for visitor in (at_a, at_b):
        visitor.http.close()
        visitor.http = browser
    return at_a, at_b


def test_A7_each_of_two_issuers_on_a_host_has_its_metadata_where_clients_look(host: Host) -> None:
    check_metadata(visitors(host)[0].http, "/a")
    check_metadata(visitors(host)[0].http, "/b")


def check_metadata(http: httpx.Client, path: str) -> None:
    """Find the metadata wherever a client looks for it (A1 to A3)."""
    places = (
        f"/.well-known/oauth-authorization-server{path}",
        f"/.well-known/openid-configuration{path}",
        f"{path}/.well-known/openid-configuration",
    )

    documents = [http.get(place).json() for place in places]

    assert [document["issuer"] for document in documents] == [HOST + path] * 3
    assert documents[0]["token_endpoint"] == f"{HOST}{path}/token"
    assert "code" in documents[0]["response_types_supported"]
    assert documents[0]["code_challenge_methods_supported"] == ["S256"]
    assert documents[1]["jwks_uri"] == f"{HOST}{path}/jwks"


def test_what_one_issuer_gives_is_unknown_to_another(host: Host) -> None:
    at_a, at_b = visitors(host)
    code = at_a.answer(scope="openid email")["code"]
    tokens = at_a.tokens(scope="openid email")

    assert at_b.redeem(code).json()["error"] == "invalid_grant"
    assert at_a.redeem(code).status_code == 200, "the other issuer's refusal has spent the code"
    assert (
        at_b.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).json()["error"] == "invalid_grant"
    )
    answer = at_b.http.post("/b/introspect", data={"token": tokens["access_token"]}, auth=APP)
    assert answer.json() == {"active": False}
    bearer = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert [at_a.http.get(f"{path}/userinfo", headers=bearer).status_code for path in ("/a", "/b")] == [200, 401]
    assert at_b.http.post("/b/revoke", data={"token": tokens["refresh_token"]}, auth=APP).status_code == 200
    assert at_a.token(grant_type="refresh_token", refresh_token=tokens["refresh_token"]).status_code == 200


def test_a_page_of_one_issuer_is_no_answer_to_another(host: Host) -> None:
    at_a, at_b = visitors(host)
    shown = at_a.page(at_a.authorize())
    interaction = str(shown.url).partition("?")[2]

    answer = at_b.http.get(f"/b/login?{interaction}")

    assert answer.status_code == 400
    assert at_a.walk(shown).headers["location"].startswith(REDIRECT)


def test_a_browser_is_signed_in_at_both_at_once(host: Host) -> None:
    at_a, at_b = visitors(host)
    at_a.answer(scope="openid email")
    at_b.answer(scope="openid email")

    assert "code" in at_a.answer(prompt="none", scope="openid email")
    assert "code" in at_b.answer(prompt="none", scope="openid email")


@pytest.mark.parametrize(("host", "is_left"), [("partitions", True), ("one partition", False)], indirect=["host"])
def test_what_a_person_withdraws_at_one_issuer_ends_at_the_others_of_its_partition(
    host: Host, *, is_left: bool
) -> None:
    at_a, at_b = visitors(host)
    ended = at_a.tokens()["refresh_token"]
    other = at_b.tokens()["refresh_token"]
    oauth = host.issuers["/a"]

    run(oauth.server.applications.withdraw("alice"), oauth.world)

    assert at_a.token(grant_type="refresh_token", refresh_token=ended).json()["error"] == "invalid_grant"
    assert (at_b.token(grant_type="refresh_token", refresh_token=other).status_code == 200) is is_left


def test_the_page_shows_how_tenants_are_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "embedding.md").read_text(encoding="utf-8").partition("## Several issuers\n")[2]
    (block,) = re.findall(r"```python\n(.*?)```", page.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {"SqliteStorage": SqliteStorage, "AuthorizationServer": AuthorizationServer, "World": World}
    names |= {"time": time, "secrets": secrets, "TOKEN_KEY": KEY}

    exec(compile(block, "embedding.md", "exec"), names)
    (acme, its), (globex, others) = names["issuers"].values()
    run(acme.clients.register(CLIENT), its)

    assert run(acme.clients.find("app"), its) is not None
    assert run(globex.clients.find("app"), others) is None
    assert acme.metadata_paths[0] == "/.well-known/oauth-authorization-server/acme"
