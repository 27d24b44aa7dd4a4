"""Tokens of another server, asked about over HTTP: both ends real, in a blocking and in an async host."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from secrets import token_bytes
from threading import Thread
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

import anyio
import attrs
import pytest

from oauthcore import (
    Access,
    AsyncWorld,
    AuthorizationServer,
    Client,
    IntrospectedTokens,
    JwtTokens,
    MemoryStorage,
    Request,
    ResourceServer,
    Response,
    Secret,
    World,
    arun,
    run,
)
from oauthcore.clock import Clock
from oauthcore.jose.crypto import sign_claims
from oauthcore.signing.keys import GivenKeys
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_wsgi import OAuth
from tests.core.signing_keys import key_for
from tests.processes import PATIENCE

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Quiet(WSGIRequestHandler):
    """Log nothing."""

    def log_message(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self, format: str, *args: object
    ) -> None:
        """Say nothing."""


@attrs.frozen
class Elsewhere:
    """Be the server whose tokens they are."""

    server: AuthorizationServer
    world: World

    def post(self, path: str, form: bytes, client: str = "app") -> Response:
        """Post to an endpoint as a client that has the tokens."""
        headers = [("Authorization", "Basic " + b64encode(f"{client}:{client}-secret".encode()).decode())]
        headers.append(("Content-Type", "application/x-www-form-urlencoded"))
        return run(self.server.handle(Request("POST", path, headers, form)), self.world)

    def token(self, client: str = "app") -> str:
        """Return a token for the scope `write`."""
        answer = self.post("/token", b"grant_type=client_credentials&scope=write", client)
        return str(json.loads(answer.body)["access_token"])


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Return a server that serves on loopback."""
    with WSGIServer(("127.0.0.1", 0), Quiet) as http:
        server = AuthorizationServer(
            issuer=f"http://127.0.0.1:{http.server_port}",
            clock=time.time,
            entropy=token_bytes,
            token_key=bytes(32),
            keys=GivenKeys([key_for("ES256")]),
        )
        world = World(MemoryStorage())
        app = Client(client_id="app", grant_types=["client_credentials"], scope="write")
        run(server.clients.register(app, Secret("app-secret")), world)
        api = attrs.evolve(app, client_id="api", introspects_any=True)
        run(server.clients.register(api, Secret("api-secret")), world)
        signed = attrs.evolve(app, client_id="signed", access_token_format="jwt", id_token_signed_response_alg="ES256")
        run(server.clients.register(signed, Secret("signed-secret")), world)
        http.set_app(OAuth(server, world))
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Elsewhere(server, world)
        http.shutdown()
        thread.join(PATIENCE)


Ask = Callable[[ResourceServer, Request], Access | Response]


def blocking(resource_server: ResourceServer, request: Request) -> Access | Response:
    return run(resource_server.verify(request, "read"), World(MemoryStorage(), fetch=Fetcher(allow=["127.0.0.1"])))


def on_a_loop(resource_server: ResourceServer, request: Request) -> Access | Response:
    world = AsyncWorld(MemoryStorage(), fetch=AsyncFetcher(Fetcher(allow=["127.0.0.1"])))
    return anyio.run(arun, resource_server.verify(request, "read"), world)


@pytest.mark.parametrize("ask", [blocking, on_a_loop])
def test_token_of_another_server_is_looked_up_there(elsewhere: Elsewhere, ask: Ask) -> None:
    now = [time.time()]
    resource_server = resource_server_for(elsewhere, lambda: now[0])
    token = elsewhere.token()
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))

    found = ask(resource_server, request)
    elsewhere.post("/revoke", b"token=" + token.encode())
    remembered = ask(resource_server, request)
    now[0] += 31
    refused = ask(resource_server, request)

    assert isinstance(found, Access)
    assert (found.client_id, found.scope.text) == ("app", "write")
    assert remembered == found
    assert isinstance(refused, Response)
    assert refused.status == 401


def test_server_that_may_not_be_asked_is_trouble_of_ours(elsewhere: Elsewhere) -> None:
    request = Request("GET", "/", (("Authorization", "Bearer a"),))

    verdict = run(resource_server_for(elsewhere).verify(request), World(MemoryStorage(), fetch=Fetcher()))

    assert isinstance(verdict, Response)
    assert verdict.status == 503
    assert verdict.header("www-authenticate") is None


def resource_server_for(elsewhere: Elsewhere, clock: Clock = time.time) -> ResourceServer:
    tokens = IntrospectedTokens(
        f"{elsewhere.server.issuer}/introspect", client_id="api", client_secret=Secret("api-secret"), clock=clock
    )
    return ResourceServer(tokens, implies=lambda scope: [*scope, "read"] if "write" in scope else scope)


def verifying(issuer: str, audience: str) -> ResourceServer:
    return ResourceServer(
        JwtTokens(issuer, clock=time.time),
        resource=audience,
        implies=lambda scope: [*scope, "read"] if "write" in scope else scope,
    )


@pytest.mark.parametrize("ask", [blocking, on_a_loop])
def test_signed_token_of_another_server_is_verified_by_the_keys_that_it_publishes(
    elsewhere: Elsewhere, ask: Ask
) -> None:
    """RFC 8414, RFC 9068: each of our servers takes the other's tokens, over HTTP."""
    issuer = elsewhere.server.issuer
    request = Request("GET", "/", (("Authorization", f"Bearer {elsewhere.token('signed')}"),))

    found, refused = ask(verifying(issuer, issuer), request), ask(verifying(issuer, f"{issuer}/other"), request)

    assert isinstance(found, Access)
    assert (found.client_id, found.subject, found.scope.text) == ("signed", None, "write")
    assert isinstance(refused, Response)
    assert refused.status == 401


@pytest.mark.parametrize("ask", [blocking, on_a_loop])
def test_redirect_is_no_metadata(elsewhere: Elsewhere, ask: Ask) -> None:
    """Whoever can have a host answer with a redirect would choose the keys."""
    asked: list[str] = []

    def redirecting(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        asked.append(environ["PATH_INFO"])
        start_response("302 Found", [("Location", f"{elsewhere.server.issuer}{environ['PATH_INFO']}")])
        return []

    with WSGIServer(("127.0.0.1", 0), Quiet) as http:
        http.set_app(redirecting)
        thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        issuer = f"http://127.0.0.1:{http.server_port}"
        presented = sign_claims(
            {"iss": issuer, "aud": issuer, "exp": time.time() + 60, "sub": "a", "client_id": "b", "scope": "read"},
            key_for("ES256"),
            "ES256",
            "at+jwt",
        )
        verdict = ask(verifying(issuer, issuer), Request("GET", "/", (("Authorization", f"Bearer {presented}"),)))
        http.shutdown()
        thread.join(PATIENCE)

    assert isinstance(verdict, Response)
    assert verdict.status == 503
    assert asked == ["/.well-known/oauth-authorization-server", "/.well-known/openid-configuration"]
