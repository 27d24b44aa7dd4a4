"""WSGI: environs as values and back, valid by the standard library's own validator."""

from __future__ import annotations

import io
import logging
from typing import Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import attrs
import pytest

from oauthcore import Client, Login, MemoryStorage, Request, ResourceServer, Response, World, run
from oauthcore.testing import Outage
from oauthcore_wsgi import ACCESS, Answer, Bearer, OAuth, ResourceMetadata, head_of
from oauthcore_wsgi.wire import body_of
from tests.asgi.test_application import server
from tests.core.resource.test_server import access, knows

FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded"}


def oauth(world: World | None = None, **more: Any) -> OAuth:
    return OAuth(server(), world or World(MemoryStorage()), **more)


def call(
    app: Any, path: str, method: str = "GET", body: bytes | None = None, **more: Any
) -> tuple[str, dict[str, str], bytes]:
    environ: dict[str, Any] = {
        "PATH_INFO": path,
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
    } | more
    if body is not None:
        environ |= {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}
    setup_testing_defaults(environ)
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        started[:] = [status, dict(headers)]
        return None

    pieces = validator(app)(environ, start_response)
    answer = b"".join(pieces)
    pieces.close()  # type: ignore[attr-defined]  # the validator's has it
    return started[0], started[1], answer


@pytest.mark.parametrize(
    ("path", "method", "status"),
    [
        ("/t/token", "GET", "405 Method Not Allowed"),
        ("/t/token", "OPTIONS", "204 No Content"),
        ("/t/token", "POST", "400 Bad Request"),
        ("/t/authorize", "GET", "400 Bad Request"),
        ("/t/nothing", "GET", "404 Not Found"),
        ("/t/.well-known/oauth-authorization-server", "GET", "200 OK"),
        ("/t/.well-known/oauth-authorization-server", "HEAD", "200 OK"),
    ],
)
def test_every_answer_is_valid(path: str, method: str, status: str) -> None:
    """PEP 3333, by `wsgiref.validate`."""
    got, headers, body = call(oauth(), path, method)

    assert got == status
    if method not in {"HEAD", "OPTIONS"}:
        assert headers["Content-Length"] == str(len(body))


def test_answer_without_a_body_has_a_type_all_the_same() -> None:
    world = World(MemoryStorage())
    client = Client(client_id="phone", token_endpoint_auth_method="none", redirect_uris=["https://app.example/cb"])
    run(server().clients.register(client), world)

    asked = f"client_id=phone&response_type=code&code_challenge={'c' * 43}&code_challenge_method=S256"
    status, headers, body = call(oauth(world), "/t/authorize", QUERY_STRING=asked)

    assert (status, headers["Content-Type"], body) == ("303 See Other", "text/plain; charset=utf-8", b"")


def test_redirect_is_valid_too() -> None:
    assert call(Answer(Response(303, (("Location", "/"), ("Content-Type", "text/plain")))), "/")[0] == "303 See Other"


@pytest.mark.parametrize(("script", "path"), [("/t", "/token"), ("", "/t/token"), ("/t/token", "")])
def test_endpoint_is_found_wherever_it_is_mounted(script: str, path: str) -> None:
    assert call(oauth(), path, SCRIPT_NAME=script)[0].startswith("405")


def test_body_is_read() -> None:
    assert b"invalid_client" in call(oauth(), "/t/token", "POST", b"grant_type=x", **FORM)[2]


def test_well_known_is_the_metadata_and_nothing_else() -> None:
    app = oauth().well_known

    assert call(app, "/.well-known/oauth-authorization-server/t")[0] == "200 OK"
    assert call(app, "/t/token")[0] == "404 Not Found"


@attrs.frozen
class Gone:
    error: Exception

    def read(self, size: int) -> bytes:
        raise self.error


@pytest.mark.parametrize(
    ("environ", "body"),
    [
        ({}, b""),
        ({"CONTENT_LENGTH": ""}, b""),
        ({"CONTENT_LENGTH": "4"}, b"abcd"),
        ({"wsgi.input_terminated": True}, b"abcd"),
        ({"CONTENT_LENGTH": "5"}, 400),
        ({"CONTENT_LENGTH": "-1"}, 400),
        ({"CONTENT_LENGTH": "4", "wsgi.input": Gone(ConnectionResetError())}, 400),
        ({"wsgi.input_terminated": True, "wsgi.input": Gone(ValueError("no chunk"))}, 400),
        ({"CONTENT_LENGTH": "65537"}, 413),
        ({"wsgi.input_terminated": True, "wsgi.input": io.BytesIO(b"a" * 65_537)}, 413),
    ],
)
def test_body_is_whole_or_refused(environ: dict[str, Any], body: bytes | int) -> None:
    got = body_of({"wsgi.input": io.BytesIO(b"abcd")} | environ)

    assert (got.status if isinstance(got, Response) else got) == body


def test_body_that_is_not_all_there_is_not_acted_on() -> None:
    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": "/t/token", "CONTENT_LENGTH": "9", "wsgi.input": io.BytesIO(b"a")}

    assert oauth().serve(environ, Request("POST", "/t/token")).status == 400


def test_headers_are_those_that_were_sent() -> None:
    environ = {
        "REQUEST_METHOD": "GET",
        "HTTP_X_OWN": "a",
        "CONTENT_TYPE": "b",
        "CONTENT_LENGTH": "",
        "SERVER_NAME": "c",
    }

    assert head_of(environ).headers == (("x-own", "a"), ("content-type", "b"))


def test_path_of_any_bytes_is_spelled_as_the_client_did() -> None:
    environ = {"REQUEST_METHOD": "GET", "SCRIPT_NAME": "/\xc3\xa4", "PATH_INFO": "/a b", "QUERY_STRING": "c=%20"}

    assert head_of(environ).target == "/%C3%A4/a%20b?c=%20"


def test_login_is_asked_by_the_authorization_endpoint_alone() -> None:
    asked = []

    def login(request: Request) -> Login | None:
        asked.append(request.path)
        return None

    call(oauth(login=login), "/t/token", "POST")
    call(oauth(login=login), "/t/authorize")

    assert asked == ["/t/authorize"]


def test_application_finishes_in_its_own_framework() -> None:
    app = oauth()

    assert app.interactions.find("x") is None
    assert app.interactions.finish("x", subject="alice").response.status == 400
    assert app.interactions.deny("x", subject=None).response.status == 400


def test_trouble_is_logged_with_its_cause_and_refusals_without(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "oauthcore_wsgi")

    call(oauth(World(Outage(MemoryStorage(), 0))), "/t/authorize", QUERY_STRING="client_id=secret")
    call(oauth(), "/t/authorize")

    trouble, refusal = caplog.records
    assert trouble.exc_info is not None
    assert refusal.exc_info is None
    assert "secret" not in caplog.text.replace("client_secret", "")


def test_the_same_trouble_again_is_told_in_a_line(caplog: pytest.LogCaptureFixture) -> None:
    outage = Outage(MemoryStorage(), 0)
    app = oauth(World(outage))

    for _ in range(2):
        outage.calls = 0
        call(app, "/t/authorize", QUERY_STRING="client_id=a")

    first, second = caplog.records
    assert first.exc_info is not None
    assert not second.exc_info
    assert "EffectFailed: Find failed: Down" in second.getMessage()


def test_server_is_made_by_its_issuer_and_key() -> None:
    made = OAuth.at("https://as.example", World(MemoryStorage()), bytes(32), interaction="/ask", login=lambda _: None)

    assert made.server.paths.interaction == "/ask"
    assert made.server.policy == server().policy
    assert call(made, "/token")[0].startswith("405")


def _inside(environ: Any, start_response: Any) -> Any:
    headers = (("Content-Type", "text/plain"),)
    return Answer(Response(200, headers, environ[ACCESS].subject.encode()))(environ, start_response)


def bearer(resource_server: ResourceServer | None = None) -> Bearer:
    return Bearer(_inside, resource_server or knows(access()), World(MemoryStorage()), "read")


def test_middleware_lets_through_who_has_a_token() -> None:
    assert call(bearer(), "/me", HTTP_AUTHORIZATION="Bearer a")[2] == b"alice"


def test_middleware_challenges_everybody_else() -> None:
    status, headers, _ = call(bearer(), "/me")

    assert status == "401 Unauthorized"
    assert headers["WWW-Authenticate"] == 'Bearer realm="api", scope="read"'


def test_middleware_serves_the_metadata() -> None:
    resource_server = ResourceServer(server().tokens, resource="https://api.example")

    assert call(bearer(resource_server), "/.well-known/oauth-protected-resource")[0] == "200 OK"


def test_metadata_is_served_where_something_else_protects() -> None:
    resource_server = ResourceServer(server().tokens, resource="https://api.example/a")
    app = ResourceMetadata(resource_server, World(MemoryStorage()))

    assert call(app, "/.well-known/oauth-protected-resource/a")[0] == "200 OK"
    assert call(app, "/other")[0] == "404 Not Found"


def test_a_host_signs_its_people_in_and_out() -> None:
    embedded = oauth()

    login = embedded.sessions.sign_in("alice", amr=("pwd",))
    again = embedded.sessions.sign_in("alice", before=login.sid)
    assert again.sid == login.sid
    answer = embedded.sessions.sign_out(Request("POST", "/bye"), again)

    assert b"You are signed out." in answer.response.body
    assert run(embedded.server.sessions.of("alice"), embedded.world) == ()
    assert embedded.sessions.find_logout("made up", None) is None
    assert embedded.sessions.deliver_logouts() == 0
