"""The spelling of a response's head: what h11 itself would send, or nothing."""

from __future__ import annotations

import asyncio
from email.utils import formatdate
from http import HTTPStatus

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from oauthcore import AsyncWorld, AuthorizationServer, MemoryStorage, Request, Response, arun
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore.wire.http import Headers
from oauthcore.wire.text import ascii_lower
from oauthcore_h11 import Close, Connection, Send
from oauthcore_h11.response_head import USUAL, UnsendableResponse, field_lines
from tests.core.site import TOKEN_KEY

NOW = 784_111_777
FRAMING = {"content-length", "transfer-encoding", "date"}

NAMES = st.sampled_from(["Content-Type", "Cache-Control", "Location", "Set-Cookie", "X-A", "x-a", "Connection", "Date"])
ODD_NAMES = st.text(st.characters(max_codepoint=0x100), max_size=4)
VALUES = st.one_of(
    st.sampled_from(["application/json", "no-store", "close", "Close, X-A", "keep-alive", "", "a b\tc", "\xff"]),
    st.text(st.characters(max_codepoint=0xFF), max_size=8),
    st.text(max_size=4),
)
USUAL_PAIRS = st.sampled_from(sorted(USUAL))
PAIRS = st.one_of(USUAL_PAIRS, st.tuples(NAMES, VALUES), st.tuples(ODD_NAMES, VALUES))
HEADERS = st.lists(PAIRS, max_size=5).map(tuple)
STATUSES = st.one_of(st.sampled_from([200, 204, 303, 304, 400, 499, 503]), st.integers(-1, 1_100))


def head_of(method: str, version: str, connection: str | None) -> bytes:
    option = "" if connection is None else f"Connection: {connection}\r\n"
    return f"{method} / HTTP/{version}\r\nHost: a\r\n{option}\r\n".encode()


def kept(headers: Headers) -> list[tuple[str, str]]:
    """Return what of an application's headers is sent."""
    return [pair for pair in headers if ascii_lower(pair[0]) not in FRAMING]


def phrase_of(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def sent_by_h11(asked: bytes, response: Response) -> tuple[bytes, bool] | None:
    """Return what h11 sends of that response, with the headers that a connection adds, and whether it is the last.

    None if it refuses the response.
    """
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(asked)
    assert [type(connection.next_event()) for _ in range(2)] == [h11.Request, h11.EndOfMessage]
    headers = [*kept(response.headers), ("Date", formatdate(NOW, usegmt=True))]
    has_body = response.status not in {204, 304}
    if has_body:
        headers.append(("Content-Length", str(len(response.body))))
    try:
        encoded = [(name.encode("ascii"), value.encode("latin-1")) for name, value in headers]
        head = h11.Response(status_code=response.status, headers=encoded, reason=phrase_of(response.status))
    except (h11.LocalProtocolError, UnicodeEncodeError):
        return None
    body = [h11.Data(data=response.body)] if has_body and not asked.startswith(b"HEAD") else []
    sent = [connection.send(event) for event in (head, *body, h11.EndOfMessage())]
    return b"".join(filter(None, sent)), connection.our_state is h11.MUST_CLOSE


def options_apart(data: bytes) -> tuple[list[bytes], frozenset[bytes]]:
    """Return the lines of a message but those of `Connection`, and the options that these list."""
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    options = [line.partition(b":")[2] for line in lines if line.lower().startswith(b"connection:")]
    rest = [line for line in lines if not line.lower().startswith(b"connection:")]
    listed = frozenset(option.strip().lower() for option in b",".join(options).split(b",")) - {b""}
    return [*rest, body], listed


@given(
    HEADERS,
    STATUSES,
    st.binary(max_size=20),
    st.sampled_from(["GET", "HEAD", "POST"]),
    st.sampled_from(["1.0", "1.1"]),
    st.sampled_from([None, "close", "keep-alive"]),
)
@example((("Connection", "keep-alive, upgrade"),), 426, b"", "GET", "1.1", "close")
@example((("Location", "/\r\nSet-Cookie: a=b"),), 303, b"", "GET", "1.1", None)
def test_what_is_sent_is_what_h11_would_send_and_what_it_refuses_is_refused(
    headers: Headers, status: int, body: bytes, method: str, version: str, asked: str | None
) -> None:
    request, response = head_of(method, version, asked), Response(status, headers, body)
    connection = Connection(lambda: NOW)
    connection.receive(request)

    expected = sent_by_h11(request, response)
    # h11 lets control characters through, for the sake of what there is (its issue 57).
    if expected is None or not all(is_printable(value) for _, value in kept(headers)):
        with pytest.raises(UnsendableResponse):
            connection.respond(response)
        return
    answer, *others = connection.respond(response)

    assert isinstance(answer, Send)
    data, is_last = expected
    assert options_apart(answer.data) == options_apart(data)
    assert [type(event) for event in others] == ([Close] if is_last else [])


def is_printable(value: str) -> bool:
    """Return whether a text has no control characters but tabs."""
    return all(character == "\t" or (" " <= character != "\x7f") for character in value)


@pytest.mark.parametrize("character", [chr(code) for code in (*range(0x20), 0x7F, 0x100) if code != 0x09])
def test_character_that_may_not_be_in_a_field_is_not_sent(character: str) -> None:
    """RFC 9110 section 5.5."""
    with pytest.raises(UnsendableResponse):
        field_lines((("X-A", f"a{character}b"),))


@pytest.mark.parametrize("value", [" a", "a ", "\ta", "a\t", " "])
def test_white_space_around_a_value_is_not_sent(value: str) -> None:
    """RFC 9110 section 5.5: a field value does not include it."""
    with pytest.raises(UnsendableResponse):
        field_lines((("X-A", value),))


@pytest.mark.parametrize("name", ["", "X A", "X:", "X\n", "\xc4", "X\x00", "(X)", "X\r\nY"])
def test_name_that_is_no_token_is_not_sent(name: str) -> None:
    """RFC 9110 section 5.6.2."""
    with pytest.raises(UnsendableResponse):
        field_lines(((name, "a"),))


def test_option_of_the_connection_is_checked_as_any_other_value() -> None:
    with pytest.raises(UnsendableResponse):
        field_lines((("Connection", "close\r\nSet-Cookie: a=b"),))


@pytest.mark.parametrize("name", ["Content-Length", "TRANSFER-ENCODING", "date"])
def test_framing_that_the_application_sets_is_not_its_own_to_set(name: str) -> None:
    assert field_lines(((name, "chunked"),)) == ([], frozenset())


def test_connection_that_the_application_ends_is_ended() -> None:
    connection = Connection(lambda: NOW)
    connection.receive(head_of("GET", "1.1", None) * 2)

    answer, *others = connection.respond(Response(200, (("Connection", "close"),), b"fine"))

    assert isinstance(answer, Send)
    assert answer.data.count(b"\r\nConnection: close\r\n") == 1
    assert [type(event) for event in others] == [Close]


def test_unsendable_response_leaves_the_connection_as_it_was() -> None:
    connection = Connection(lambda: NOW)
    connection.receive(head_of("GET", "1.1", None))

    with pytest.raises(UnsendableResponse):
        connection.respond(Response(200, (("Connection", "close"), ("X-A", "\n"))))
    answer, *others = connection.respond(Response(200, (), b"fine"))

    assert isinstance(answer, Send)
    assert b"Connection" not in answer.data
    assert others == []


def test_nothing_of_what_is_sent_is_remembered() -> None:
    before = dict(USUAL)

    for number in range(100):
        field_lines((("Location", f"/?code={number}"), ("Set-Cookie", f"a={number}")))

    assert before == USUAL


def test_fields_of_the_token_endpoint_are_spelled_beforehand() -> None:
    """Else nothing is wrong, but slow."""
    server = AuthorizationServer(
        issuer="https://as.example", clock=FixedClock(NOW), entropy=SeededEntropy(1), token_key=TOKEN_KEY
    )
    asked = Request("POST", "/token", (("content-type", "application/x-www-form-urlencoded"),), b"grant_type=x")

    response = asyncio.run(arun(server.handle(asked), AsyncWorld(MemoryStorage())))

    challenged = {pair for pair in response.headers if pair[0] == "WWW-Authenticate"}
    assert set(response.headers) - challenged <= set(USUAL)
