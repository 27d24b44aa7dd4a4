"""ASGI: messages as values and back, wherever the application is mounted, and whatever arrives."""

from __future__ import annotations

import logging
from collections.abc import MutableMapping
from typing import Any

import anyio
import attrs
import httpx
import pytest

from oauthcore import (
    AsyncWorld,
    AuthorizationServer,
    Client,
    ExchangeRule,
    Login,
    MemoryStorage,
    Paths,
    Request,
    ResourceServer,
    Response,
    Secret,
    TokenExchange,
    arun,
)
from oauthcore.testing import FixedClock, Outage, SeededEntropy
from oauthcore.token_exchange import GRANT_TYPE, TOKEN_TYPE
from oauthcore_asgi import ACCESS, Answer, Bearer, OAuth, ResourceMetadata
from tests.core.resource.test_server import ISSUER, NOW, access, knows, stored
from tests.core.site import TOKEN_KEY

Message = MutableMapping[str, Any]


@attrs.define
class Exchange:
    """Be an ASGI server for one request: give messages, and keep those that come back."""

    received: list[Message]
    sent: list[Message] = attrs.Factory(list)

    async def receive(self) -> Message:
        return self.received.pop(0)

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])

    @property
    def body(self) -> bytes:
        return b"".join(message.get("body", b"") for message in self.sent)


def server(issuer: str = "https://as.example/t", paths: Paths | None = None) -> AuthorizationServer:
    return AuthorizationServer(
        issuer=issuer, paths=paths, clock=FixedClock(NOW), entropy=SeededEntropy(1), token_key=TOKEN_KEY
    )


def oauth(**more: Any) -> OAuth:
    return OAuth(server(), AsyncWorld(MemoryStorage()), **more)


def scope(path: str, method: str = "GET", **more: Any) -> dict[str, Any]:
    known = {"type": "http", "method": method, "path": path, "raw_path": path.encode(), "headers": []}
    return known | {"query_string": b"", "scheme": "https", "client": ("192.0.2.1", 1)} | more


def call(app: Any, asked: dict[str, Any], *messages: Message) -> Exchange:
    exchange = Exchange(list(messages) or [{"type": "http.request"}])
    anyio.run(app, asked, exchange.receive, exchange.send)
    return exchange


@pytest.mark.parametrize(
    "asked",
    [
        scope("/t/token", root_path="/t"),
        scope("/token", root_path="/t"),
        scope("/token", raw_path=b"/t/token"),
        scope("/t/token"),
        scope("/t/token", raw_path=None),
        scope("/token", raw_path=None, root_path="/t"),
        scope("/t/token", raw_path=b"/t/token?query"),
    ],
)
def test_endpoint_is_found_however_the_host_tells_of_the_prefix(asked: dict[str, Any]) -> None:
    assert call(oauth(), asked).status == 405


def test_path_that_is_spelled_otherwise_is_another() -> None:
    assert call(oauth(), scope("/t/token", raw_path=b"/t/%74oken")).status == 404


def test_body_comes_in_any_pieces() -> None:
    form = [(b"content-type", b"application/x-www-form-urlencoded")]
    pieces: list[Message] = [
        {"type": "http.request", "body": b"grant_", "more_body": True},
        {"type": "http.request", "more_body": True},
        {"type": "http.request", "body": b"type=x"},
    ]

    assert b"invalid_client" in call(oauth(), scope("/t/token", "POST", headers=form), *pieces).body


def test_body_that_is_not_all_there_is_not_acted_on() -> None:
    pieces: list[Message] = [
        {"type": "http.request", "body": b"grant_type", "more_body": True},
        {"type": "http.disconnect"},
    ]

    assert call(oauth(), scope("/t/token", "POST"), *pieces).status == 400


def test_client_that_went_away_is_no_trouble() -> None:
    tried: list[str] = []

    async def gone(message: Message) -> None:
        tried.append(message["type"])
        raise OSError

    async def ask() -> None:
        await oauth()(scope("/t/token"), Exchange([{"type": "http.request"}]).receive, gone)

    anyio.run(ask)

    assert tried == ["http.response.start"]


@pytest.mark.parametrize("path", ["/t/token", "/t/nothing"])
def test_websocket_is_closed(path: str) -> None:
    asked = {**scope(path), "type": "websocket"}
    del asked["method"]

    assert call(oauth(), asked, {"type": "websocket.connect"}).sent == [{"type": "websocket.close", "code": 1008}]


def test_body_that_says_it_is_too_large_is_not_read() -> None:
    exchange = Exchange([])

    anyio.run(
        oauth(), scope("/t/token", "POST", headers=[(b"content-length", b"65537")]), exchange.receive, exchange.send
    )

    assert exchange.status == 413


def test_lifespan_is_answered_where_it_is_asked() -> None:
    exchange = call(oauth(), {"type": "lifespan"}, {"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})

    assert [message["type"] for message in exchange.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_well_known_is_the_metadata_and_nothing_else() -> None:
    app = oauth().well_known

    assert call(app, scope("/.well-known/oauth-authorization-server/t")).status == 200
    assert call(app, scope("/t/.well-known/oauth-authorization-server")).status == 200
    assert call(oauth(), scope("/t/token")).status == 405


async def _later(request: Request) -> Login:
    return Login(subject="alice", auth_time=NOW)


@pytest.mark.parametrize("login", [_later, lambda _: Login(subject="alice", auth_time=NOW), None])
def test_login_may_be_awaited_or_not_or_be_none(login: Any) -> None:
    exchange = call(oauth(login=login), scope("/t/authorize"))

    assert exchange.status == 400


def test_login_is_asked_by_the_authorization_endpoint_alone() -> None:
    def login(_: Request) -> Login | None:
        raise AssertionError("nobody needs to know")

    assert call(oauth(login=login), scope("/t/token", "POST")).status == 400


def test_refusal_is_logged_without_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "oauthcore_asgi")

    call(oauth(), scope("/t/authorize", query_string=b"state=secret"))

    (record,) = caplog.records
    assert record.levelno == logging.INFO
    assert "invalid_request" in record.getMessage()
    assert "secret" not in record.getMessage()


def test_trouble_is_logged_with_its_cause(caplog: pytest.LogCaptureFixture) -> None:
    app = OAuth(server(), AsyncWorld(Outage(MemoryStorage(), 0)))

    exchange = call(app, scope("/t/authorize", query_string=b"client_id=a"))

    assert exchange.status == 503
    assert caplog.records[0].exc_info is not None


def test_the_same_trouble_again_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(MemoryStorage(), 0)
    app = OAuth(server(), AsyncWorld(outage))

    for _ in range(2):
        outage.calls = 0
        call(app, scope("/t/authorize", query_string=b"client_id=a"))

    first, second = caplog.records
    assert first.exc_info is not None
    assert not second.exc_info
    assert "EffectFailed: Find failed: Down" in second.getMessage()


def test_application_finishes_in_its_own_framework() -> None:
    async def finish() -> tuple[Any, Answer, Answer]:
        app = oauth()
        return (
            await app.interactions.find("x"),
            await app.interactions.finish("x", subject="alice"),
            await app.interactions.deny("x", subject=None),
        )

    pending, finished, denied = anyio.run(finish)

    assert pending is None
    assert (finished.response.status, denied.response.status) == (400, 400)


def test_server_is_made_by_its_issuer_and_key() -> None:
    made = OAuth.at("https://as.example", AsyncWorld(MemoryStorage()), TOKEN_KEY, interaction="/ask", login=_later)

    assert made.server.paths.interaction == "/ask"
    assert made.server.policy == server().policy
    assert call(made, scope("/token")).status == 405


async def _inside(scope: Any, receive: Any, send: Any) -> None:
    await Answer(Response(200, (), scope.get(ACCESS).subject.encode()))({**scope, "method": "GET"}, receive, send)


def bearer(resource_server: ResourceServer | None = None) -> Bearer:
    return Bearer(_inside, resource_server or knows(access()), AsyncWorld(MemoryStorage()), ["read"])


def test_middleware_lets_through_who_has_a_token() -> None:
    exchange = call(bearer(), scope("/me", headers=[(b"authorization", b"Bearer a")]))

    assert (exchange.status, exchange.body) == (200, b"alice")


def test_middleware_challenges_everybody_else() -> None:
    exchange = call(bearer(), scope("/me"))

    assert exchange.status == 401
    assert (b"www-authenticate", b'Bearer realm="api", scope="read"') in exchange.sent[0]["headers"]


def test_middleware_closes_a_websocket_that_has_no_token() -> None:
    assert call(bearer(), {**scope("/me"), "type": "websocket"}).sent == [{"type": "websocket.close", "code": 1008}]


def test_middleware_serves_the_metadata() -> None:
    resource_server = ResourceServer(server().tokens, resource=ISSUER)

    assert call(bearer(resource_server), scope("/.well-known/oauth-protected-resource")).status == 200


def test_metadata_is_served_where_something_else_protects() -> None:
    resource_server = ResourceServer(server().tokens, resource="https://api.example/a")
    app = ResourceMetadata(resource_server, AsyncWorld(stored()))

    assert call(app, scope("/.well-known/oauth-protected-resource/a")).status == 200
    assert call(app, scope("/oauth-protected-resource/a", root_path="/.well-known")).status == 200
    assert call(app, scope("/.well-known/other")).status == 404


def test_middleware_leaves_the_lifespan_alone() -> None:
    seen = []

    async def inside(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["type"])

    call(Bearer(inside, knows(None), AsyncWorld(stored())), {"type": "lifespan"})

    assert seen == ["lifespan"]


@pytest.mark.anyio
async def test_a_host_signs_its_people_in_and_out() -> None:
    embedded = oauth()

    login = await embedded.sessions.sign_in("alice", amr=("pwd",))
    again = await embedded.sessions.sign_in("alice", before=login.sid)
    assert again.sid == login.sid
    answer = await embedded.sessions.sign_out(Request("POST", "/bye"), again)

    assert b"You are signed out." in answer.response.body
    assert await arun(embedded.server.sessions.of("alice"), embedded.world) == ()
    assert await embedded.sessions.find_logout("made up", None) is None
    assert await embedded.sessions.deliver_logouts() == 0


def test_a_token_is_exchanged_where_the_host_lets_it_be() -> None:
    """RFC 8693, by the keyword of `at`."""
    client = Client(
        client_id="gateway", grant_types=["client_credentials", GRANT_TYPE], response_types=[], scope="read"
    )
    rule = ExchangeRule(client_ids=["gateway"], audience=["https://api.example"])
    world, key = AsyncWorld(MemoryStorage()), b"k" * 32
    made = OAuth.at(
        "https://as.example",
        world,
        key,
        interaction="/consent",
        login=lambda _: None,
        token_exchange=TokenExchange(rules=[rule]),
    )

    async def both() -> tuple[httpx.Response, httpx.Response]:
        _ = await arun(made.server.clients.register(client, Secret("gateway-secret")), world)
        transport, auth = httpx.ASGITransport(made), ("gateway", "gateway-secret")
        async with httpx.AsyncClient(transport=transport, base_url="https://as.example", auth=auth) as http:
            own = await http.post("/token", data={"grant_type": "client_credentials"})
            form = {"grant_type": GRANT_TYPE, "subject_token_type": TOKEN_TYPE + "access_token"}
            return own, await http.post("/token", data={**form, "subject_token": own.json()["access_token"]})

    own, exchanged = anyio.run(both)

    assert (own.status_code, exchanged.status_code) == (200, 200)
    assert exchanged.json()["issued_token_type"] == TOKEN_TYPE + "access_token"
