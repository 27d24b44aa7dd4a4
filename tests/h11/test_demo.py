"""The demo: what it tells its operator, which is never what it was told in confidence."""

from __future__ import annotations

import asyncio
import json
import logging

import anyio
import pytest

from oauthcore import Access, Refusal, Request, Response
from oauthcore.scope import as_scope
from oauthcore_h11 import announcement
from oauthcore_h11.demo import log_refusal, make_demo
from oauthcore_h11.demo_mcp import MAX_NOTE, Notes, whoami

ASKED = Request("GET", "/login?code=hush")


def test_reason_of_a_refusal_is_logged_without_the_query(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    log_refusal(ASKED, Response(400, refusal=Refusal("invalid_grant", "the code is unknown")))

    (record,) = caplog.records
    assert (record.levelno, record.exc_info) == (logging.INFO, None)
    assert record.getMessage() == "GET /login: 400 invalid_grant: the code is unknown"
    assert "hush" not in caplog.text


def test_cause_of_a_refusal_is_logged_with_its_traceback(caplog: pytest.LogCaptureFixture) -> None:
    refusal = Refusal("temporarily_unavailable", "no answer", OSError("disk full"))

    log_refusal(ASKED, Response(503, refusal=refusal))

    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    assert record.getMessage() == "GET /login: 503 temporarily_unavailable: no answer"
    assert "OSError: disk full" in caplog.text


def test_errors_of_the_demo_say_their_reason_and_the_setting() -> None:
    demo = make_demo("127.0.0.1", 8000)
    target = "/oauth/authorize?client_id=test_client&redirect_uri=https://www.example.com/elsewhere"

    response = anyio.run(demo, Request("GET", target))

    assert b"client.redirect_uris = https://www.example.com/redirect" in response.body


def test_what_was_not_refused_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    log_refusal(ASKED, Response(200))

    assert not caplog.records


def ask(path: str, *, mcp: bool, method: str = "GET") -> Response:
    """Ask a demo that has just been made."""
    return asyncio.run(make_demo("localhost", 8000, mcp=mcp)(Request(method, path)))


@pytest.mark.parametrize("path", ["/mcp", "/mcp/"])
def test_mcp_endpoint_sends_who_has_no_token_to_the_metadata(path: str) -> None:
    response = ask(path, mcp=True, method="POST")

    where = "http://localhost:8000/.well-known/oauth-protected-resource/mcp"
    assert response.status == 401
    assert f'scope="read", resource_metadata="{where}"' in (response.header("www-authenticate") or "")


@pytest.mark.parametrize("path", ["/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"])
def test_metadata_of_the_mcp_endpoint_names_the_demo_as_its_authorization_server(path: str) -> None:
    document = json.loads(ask(path, mcp=True).body)

    assert document["resource"] == "http://localhost:8000/mcp"
    assert document["authorization_servers"] == ["http://localhost:8000"]


@pytest.mark.parametrize("mcp", [True, False])
def test_clients_register_themselves_only_beside_the_mcp_endpoint(mcp: bool) -> None:
    document = json.loads(ask("/.well-known/oauth-authorization-server", mcp=mcp).body)

    assert ("registration_endpoint" in document) is mcp
    assert (ask("/oauth/register", mcp=mcp, method="POST").status == 404) is not mcp
    assert (ask("/mcp", mcp=mcp).status == 404) is not mcp


def test_demo_prints_the_line_that_adds_its_endpoint_to_a_client() -> None:
    said = announcement.for_people(make_demo("localhost", 8123, mcp=True))

    assert "\n   claude mcp add --transport http demo http://localhost:8123/mcp\n" in said
    assert '\n   {"mcpServers": {"demo": {"type": "http", "url": "http://localhost:8123/mcp"}}}\n' in said
    assert "sign in as admin with the password admin" in said


def test_demo_names_its_mcp_endpoint_to_programs() -> None:
    addresses = json.loads(announcement.for_programs(make_demo("127.0.0.1", 8123, mcp=True)))

    assert addresses["mcp"] == "http://127.0.0.1:8123/mcp"
    assert addresses["registration_endpoint"] == "http://127.0.0.1:8123/oauth/register"


def access(subject: str | None) -> Access:
    """Return what a token allows."""
    return Access(client_id="app", subject=subject, scope=as_scope("read write"), issued_at=0, expires_at=1)


def test_note_is_read_by_whoever_wrote_it_and_by_nobody_else() -> None:
    notes = Notes()

    notes.write(access("ada"), {"text": "milk"})

    assert notes.read(access("ada"), {}) == "milk"
    assert notes.read(access("bob"), {}) == notes.read(access(None), {}) == "There is no note yet."


@pytest.mark.parametrize("text", [None, 1, "x" * (MAX_NOTE + 1)])
def test_note_that_is_no_text_or_too_long_is_refused(text: object) -> None:
    with pytest.raises(ValueError, match="at most 1000 characters"):
        Notes().write(access("ada"), {"text": text})


def test_whoami_tells_a_person_from_a_client() -> None:
    assert whoami(access("ada"), {}) == "ada, by the client app, with the scope read write"
    assert whoami(access(None), {}) != whoami(access("app"), {})
