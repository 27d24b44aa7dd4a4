"""A client that publishes what it is: each of its requests is recorded with what was fetched, and decided again."""

from __future__ import annotations

from oauthcore import Response
from oauthcore.trace import Recorder, Trace, replay
from tests.core.clients.publishing import CHATGPT, CLAUDE_CODE, WEB, Published, assertion, published
from tests.core.site import members


def recorded() -> tuple[Published, list[Trace]]:
    """Return a site that is listened to, and its traces."""
    at, traces = published(), list[Trace]()
    at.site.server = Recorder(lambda trace: traces.append(Trace.load(trace.dump()))).recorded(at.site.server)
    return at, traces


def test_a_client_from_its_first_request_to_its_refresh_is_decided_again() -> None:
    at, traces = recorded()
    uri = "http://localhost:53123/callback"
    first = at.redeem(at.code(CLAUDE_CODE, uri), CLAUDE_CODE, uri)
    second = at.refresh(members(first)["refresh_token"], CLAUDE_CODE)

    assert (first.status, second.status) == (200, 200)
    assert [replay(trace).differences for trace in traces] == [()] * 5


def test_a_client_with_a_key_is_decided_again() -> None:
    at, traces = recorded()

    assert at.redeem(at.code(CHATGPT), CHATGPT, **assertion()).status == 200
    assert [replay(trace).differences for trace in traces] == [()] * 4


def test_a_document_that_is_gone_or_none_is_refused_again() -> None:
    at, traces = recorded()
    _ = at.authorize()
    at.hosts.answers[WEB] = Response(404, ())
    at.later(300)
    _ = at.authorize()
    at.hosts.publish("https://other.example/client.json", client_id=WEB)
    _ = at.authorize("https://other.example/client.json")
    _ = at.authorize("https://other.example/client.json")

    assert [trace.response["status"] for trace in traces] == [303, 400, 400, 503]
    assert [replay(trace).differences for trace in traces] == [()] * 4
