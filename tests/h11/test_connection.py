"""The connection: whatever bytes come, in whatever pieces, requests come out in order or one refusal does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Peer, Request, Response
from oauthcore.wire.http import Headers
from oauthcore_h11 import Close, Connection, Limits, Refused, Send
from oauthcore_h11.connection import Event, Phase, origin_form
from oauthcore_h11.response_head import UnsendableResponse

Feed = Callable[[Connection, bytes], list[Event]]

GET = b"GET /login?interaction=x HTTP/1.1\r\nHost: localhost\r\n\r\n"
OK = Response(200, (("Content-Type", "text/plain"),), b"fine")


def clock() -> float:
    return 784_111_777.0  # RFC 9110 section 5.6.7: Sun, 06 Nov 1994 08:49:37 GMT


def whole(connection: Connection, data: bytes) -> list[Event]:
    return connection.receive(data)


def byte_by_byte(connection: Connection, data: bytes) -> list[Event]:
    events: list[Event] = []
    for position in range(len(data)):
        if events and isinstance(events[-1], Close):
            break
        events += connection.receive(data[position : position + 1])
    return events


@pytest.fixture(params=[whole, byte_by_byte], ids=["whole", "byte_by_byte"])
def feed(request: pytest.FixtureRequest) -> Feed:
    found: Feed = request.param
    return found


@pytest.fixture
def connection() -> Connection:
    return Connection(clock)


def sent(events: Iterable[Event]) -> bytes:
    return b"".join(event.data for event in events if isinstance(event, Send))


def only_request(events: list[Event]) -> Request:
    (event,) = events
    assert isinstance(event, Request)
    return event


def post(body: bytes, *headers: bytes) -> bytes:
    lines = (b"POST /oauth/tokenize HTTP/1.1", b"Host: localhost", b"Content-Length: %d" % len(body), *headers)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def is_refused(events: list[Event], status: int) -> bool:
    """Return whether the last two events are an answer with that status that says it is the last, and a close."""
    assert isinstance(events[-1], Close), events
    answer = sent(events[-2:])
    return answer.startswith(b"HTTP/1.1 %d " % status) and b"\r\nConnection: close\r\n" in answer


def test_request_without_a_body_comes_out_complete(connection: Connection, feed: Feed) -> None:
    request = only_request(feed(connection, GET))

    assert (request.method, request.target, request.body) == ("GET", "/login?interaction=x", b"")
    assert request.header("host") == "localhost"


def test_body_of_a_stated_length_comes_out_complete(connection: Connection, feed: Feed) -> None:
    request = only_request(feed(connection, post(b"grant_type=refresh_token")))

    assert request.body == b"grant_type=refresh_token"


def test_chunked_body_comes_out_complete(connection: Connection, feed: Feed) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    request = only_request(feed(connection, head + b"5\r\nhello\r\n6;x=y\r\n world\r\n0\r\nTrailer: 1\r\n\r\n"))

    assert request.body == b"hello world"


def test_header_values_are_read_as_latin_1(connection: Connection, feed: Feed) -> None:
    request = only_request(feed(connection, b"GET / HTTP/1.1\r\nHost: localhost\r\nX-Name: J\xfcrgen\r\n\r\n"))

    assert request.header("x-name") == "Jürgen"


def test_every_header_of_a_name_comes_out(connection: Connection, feed: Feed) -> None:
    request = only_request(feed(connection, b"GET / HTTP/1.1\r\nHost: a\r\nCookie: a=1\r\nCookie: b=2\r\n\r\n"))

    assert request.headers_named("cookie") == ["a=1", "b=2"]


def test_response_has_a_date_and_a_length(connection: Connection, feed: Feed) -> None:
    feed(connection, GET)

    answer = sent(connection.respond(OK))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"HTTP/1.1 200 OK",
        b"Content-Type: text/plain",
        b"Date: Sun, 06 Nov 1994 08:49:37 GMT",
        b"Content-Length: 4",
    ]
    assert body == b"fine"


def test_date_follows_the_clock_to_the_second() -> None:
    now = [784_111_777.0]
    connection = Connection(lambda: now[0])
    dates = []
    for now[0] in (784_111_777.0, 784_111_777.9, 784_111_778.0, 784_111_777.5):
        connection.receive(GET)
        lines = sent(connection.respond(OK)).split(b"\r\n")
        dates += [line for line in lines if line.startswith(b"Date:")]

    assert [date[-6:] for date in dates] == [b"37 GMT", b"37 GMT", b"38 GMT", b"37 GMT"]


def test_length_and_date_that_the_application_sets_are_not_sent_twice(connection: Connection) -> None:
    connection.receive(GET)

    answer = sent(connection.respond(Response(200, (("content-length", "99"), ("date", "x")), b"fine")))

    assert answer.lower().count(b"content-length:") == answer.lower().count(b"date:") == 1
    assert b"Content-Length: 4\r\n" in answer


def test_connection_is_kept_for_the_next_request(connection: Connection, feed: Feed) -> None:
    feed(connection, GET)
    (answer,) = connection.respond(OK)

    request = only_request(feed(connection, post(b"a=b")))

    assert b"Connection: close" not in sent([answer])
    assert request.method == "POST"


def test_pipelined_requests_come_out_one_at_a_time_and_in_order(connection: Connection) -> None:
    first = only_request(connection.receive(GET + post(b"a=b") + GET))

    answer, second = connection.respond(OK)
    _, third = connection.respond(OK)
    last = connection.respond(OK)

    assert isinstance(answer, Send)
    assert isinstance(second, Request)
    assert isinstance(third, Request)
    assert [first.method, second.method, third.method] == ["GET", "POST", "GET"]
    assert second.body == b"a=b"
    assert [type(event) for event in last] == [Send]


def test_malformed_request_behind_a_good_one_is_refused_after_its_answer(connection: Connection) -> None:
    only_request(connection.receive(GET + b"nonsense\r\n\r\n"))

    answer, *refusal = connection.respond(OK)

    assert sent([answer]).startswith(b"HTTP/1.1 200 ")
    assert is_refused(refusal, 400)


def test_head_is_answered_with_the_headers_of_get_and_no_body(connection: Connection, feed: Feed) -> None:
    feed(connection, GET.replace(b"GET", b"HEAD"))

    answer = sent(connection.respond(OK))

    assert b"Content-Length: 4\r\n" in answer
    assert answer.endswith(b"\r\n\r\n")


def test_get_after_head_is_answered_with_its_body(connection: Connection) -> None:
    connection.receive(GET.replace(b"GET", b"HEAD"))
    connection.respond(OK)
    connection.receive(GET)

    assert sent(connection.respond(OK)).endswith(b"\r\n\r\nfine")


@pytest.mark.parametrize("status", [204, 304])
def test_response_that_can_have_no_body_has_neither_body_nor_length(connection: Connection, status: int) -> None:
    connection.receive(GET)

    answer = sent(connection.respond(Response(status, (), b"unheard")))

    assert b"Content-Length" not in answer
    assert answer.endswith(b"\r\n\r\n")


def test_client_that_closes_is_told_that_this_was_the_last_answer(connection: Connection, feed: Feed) -> None:
    feed(connection, GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))

    answer, close = connection.respond(OK)

    assert b"\r\nConnection: close\r\n" in sent([answer])
    assert isinstance(close, Close)


def test_http_1_0_is_answered_and_closed(connection: Connection, feed: Feed) -> None:
    feed(connection, b"GET / HTTP/1.0\r\n\r\n")

    answer, close = connection.respond(OK)

    assert b"\r\nConnection: close\r\n" in sent([answer])
    assert isinstance(close, Close)


def test_server_that_is_to_finish_says_that_this_was_the_last_answer(connection: Connection) -> None:
    connection.receive(GET + GET)
    connection.finish()

    answer, close = connection.respond(OK)

    assert b"\r\nConnection: close\r\n" in sent([answer])
    assert isinstance(close, Close)


def test_end_of_what_arrives_closes_an_idle_connection(connection: Connection) -> None:
    assert [type(event) for event in connection.receive(b"")] == [Close]


def test_end_of_what_arrives_after_a_request_closes_once_it_is_answered(connection: Connection) -> None:
    connection.receive(GET)
    connection.respond(OK)

    assert [type(event) for event in connection.receive(b"")] == [Close]


@pytest.mark.parametrize("cut", [20, len(post(b"a=b")) - 1], ids=["in the headers", "in the body"])
def test_end_of_what_arrives_within_a_request_is_refused(connection: Connection, feed: Feed, cut: int) -> None:
    feed(connection, post(b"a=b")[:cut])

    assert is_refused(connection.receive(b""), 400)


def test_client_that_asks_first_is_told_to_go_on(connection: Connection, feed: Feed) -> None:
    """RFC 9110 section 10.1.1."""
    head, _, body = post(b"a=b", b"Expect: 100-continue").partition(b"\r\n\r\n")

    asked = feed(connection, head + b"\r\n\r\n")
    request = only_request(feed(connection, body))

    assert sent(asked) == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert request.body == b"a=b"


def test_client_that_asks_first_for_too_much_is_spared_the_sending(connection: Connection, feed: Feed) -> None:
    events = feed(connection, post(b"", b"Expect: 100-continue").replace(b"Length: 0", b"Length: 65537"))

    assert b"100 Continue" not in sent(events)
    assert is_refused(events, 413)


def test_longest_body_is_taken(connection: Connection) -> None:
    body = b"x" * 65_536

    assert only_request(connection.receive(post(body))).body == body


def test_body_over_the_limit_is_refused_by_its_length(connection: Connection) -> None:
    assert is_refused(connection.receive(post(b"x" * 65_537)), 413)


def test_chunked_body_over_the_limit_is_refused_where_it_gets_over_it(feed: Feed) -> None:
    connection = Connection(clock, Limits(body=8))
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"

    events = feed(connection, head + b"5\r\nhello\r\n5\r\nhello\r\n")

    assert is_refused(events, 413)


def test_longest_head_is_taken_and_one_byte_more_is_refused(feed: Feed) -> None:
    rest = len(GET) + len(b"X: \r\n")
    longest = GET[:-2] + b"X: " + b"x" * (300 - rest) + b"\r\n\r\n"

    taken = feed(Connection(clock, Limits(head=300)), longest)
    refused = feed(Connection(clock, Limits(head=299)), longest)

    assert len(longest) == 300
    assert isinstance(taken[-1], Request)
    assert is_refused(refused, 431)


def test_endless_head_is_refused_before_it_ends(connection: Connection) -> None:
    assert is_refused(connection.receive(b"GET / HTTP/1.1\r\nX: " + b"x" * 16_384), 431)


@pytest.mark.parametrize(
    "data",
    [
        b"nonsense\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX : b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n",
        b"GET /\x80 HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
    ],
    ids=[
        "no request line",
        "TLS",
        "no host",
        "two hosts",
        "space after a name",
        "NUL",
        "no ASCII in the target",
        "length of no digits",
        "two lengths",
        "chunk of no size",
    ],
)
def test_malformed_request_is_refused_and_the_connection_closed(
    connection: Connection, feed: Feed, data: bytes
) -> None:
    assert is_refused(feed(connection, data), 400)


@pytest.mark.parametrize(
    "host",
    [b"a b", b"a/b", b"a@b", b"a:b", b"[::1", b"::1", b"a\xe9", b"a,b:1:2", b'"a"', b"a\r\n Content-Length: 3"],
)
def test_host_that_is_none_is_refused(connection: Connection, feed: Feed, host: bytes) -> None:
    """RFC 9112 section 3.2; the last of them is one line to some readers, and two to others."""
    assert is_refused(feed(connection, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"), 400)


@pytest.mark.parametrize("host", [b"", b"as.example", b"AS.example:8000", b"127.0.0.1:1", b"[::1]:8000", b"a_b%20c:"])
def test_host_that_is_one_is_taken(connection: Connection, feed: Feed, host: bytes) -> None:
    (request,) = feed(connection, b"GET / HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")

    assert isinstance(request, Request) and request.header("host") == host.decode()


def test_length_beside_a_transfer_encoding_is_refused(connection: Connection, feed: Feed) -> None:
    """RFC 9112 section 6.1: it may be an attempt at request smuggling."""
    events = feed(connection, post(b"", b"Transfer-Encoding: chunked") + b"0\r\n\r\n")

    assert is_refused(events, 400)


def test_length_beyond_all_numbers_is_refused(connection: Connection, feed: Feed) -> None:
    events = feed(connection, post(b"").replace(b"Length: 0", b"Length: " + b"9" * 5_000))

    assert is_refused(events, 413) or is_refused(events, 400)


def test_unknown_transfer_encoding_is_refused_as_such(connection: Connection, feed: Feed) -> None:
    """RFC 9112 section 6.1."""
    events = feed(connection, b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n")

    assert is_refused(events, 501)


@pytest.mark.parametrize(
    "response",
    [
        Response(200, (("Location", "/\r\nSet-Cookie: a=b"),)),
        Response(200, (("Location", "/\n"),)),
        Response(200, (("Lo\r\ncation", "/"),)),
        Response(200, (("Löcation", "/"),)),
        Response(200, (("X-Name", "\N{SNOWMAN}"),)),
        Response(103),
    ],
    ids=["CRLF in a value", "LF in a value", "CRLF in a name", "umlaut in a name", "no latin-1", "informational"],
)
def test_unsendable_response_leaves_room_for_another(connection: Connection, response: Response) -> None:
    connection.receive(GET)

    with pytest.raises(UnsendableResponse):
        connection.respond(response)

    assert sent(connection.respond(OK)).startswith(b"HTTP/1.1 200 OK\r\n")


def test_unsendable_response_is_reported_without_its_header(connection: Connection) -> None:
    connection.receive(GET)

    with pytest.raises(UnsendableResponse) as caught:
        connection.respond(Response(303, (("Location", "/?code=hush\r\n"),)))

    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_status_without_a_phrase_is_sent_without_one(connection: Connection) -> None:
    connection.receive(GET)

    assert sent(connection.respond(Response(499))).startswith(b"HTTP/1.1 499 \r\n")


def test_connection_knows_what_it_waits_for(connection: Connection) -> None:
    phases = [connection.phase]
    for piece in (b"PO", post(b"a=b")[2:-3], b"a="):
        connection.receive(piece)
        phases.append(connection.phase)

    assert phases == [Phase.IDLE, Phase.HEAD, Phase.BODY, Phase.BODY]


def test_connection_is_idle_again_after_an_answer(connection: Connection) -> None:
    connection.receive(GET)
    connection.respond(OK)

    assert connection.phase is Phase.IDLE


def test_giving_up_an_idle_connection_says_nothing(connection: Connection) -> None:
    assert [type(event) for event in connection.give_up()] == [Close]


@pytest.mark.parametrize("begun", [b"GET /", post(b"a=b")[:-1]], ids=["in the headers", "in the body"])
def test_giving_up_a_request_that_has_begun_says_so(connection: Connection, begun: bytes) -> None:
    connection.receive(begun)

    assert is_refused(connection.give_up(), 408)


def test_refused_head_request_has_no_body(connection: Connection) -> None:
    events = connection.receive(
        b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    )

    assert is_refused(events, 400)
    assert sent(events).endswith(b"\r\n\r\n")


def test_connect_is_refused_before_what_follows_is_taken_for_http(connection: Connection, feed: Feed) -> None:
    """RFC 9110 section 9.3.6: this is no proxy."""
    assert is_refused(feed(connection, b"CONNECT other:443 HTTP/1.1\r\nHost: other:443\r\n\r\n"), 501)


def test_options_for_the_server_as_a_whole_pass(connection: Connection, feed: Feed) -> None:
    """RFC 9110 section 9.3.7."""
    assert only_request(feed(connection, b"OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n")).target == "*"


def test_longest_target_is_taken_and_one_byte_more_is_refused(feed: Feed) -> None:
    """RFC 9110 section 15.5.15."""
    longest = b"GET /" + b"x" * 99 + b" HTTP/1.1\r\nHost: a\r\n\r\n"

    taken = feed(Connection(clock, Limits(target=100)), longest)
    refused = feed(Connection(clock, Limits(target=99)), longest)

    assert isinstance(taken[-1], Request)
    assert is_refused(refused, 414)


def test_endless_target_is_refused_before_it_ends(connection: Connection) -> None:
    assert is_refused(connection.receive(b"GET /" + b"x" * 16_384), 414)


@pytest.mark.parametrize("coding", [b"gzip", b"identity, br", b"x"])
def test_coded_body_is_refused_with_what_is_taken_instead(connection: Connection, feed: Feed, coding: bytes) -> None:
    """RFC 9110 section 15.5.16."""
    events = feed(connection, post(b"", b"Content-Encoding: " + coding))

    assert is_refused(events, 415)
    assert b"\r\nAccept-Encoding: identity\r\n" in sent(events)


@pytest.mark.parametrize("codings", [(b"gzip", b"identity"), (b"identity", b"gzip"), (b"gzip", b"")])
def test_coding_is_seen_in_each_line_of_its_header(
    connection: Connection, feed: Feed, codings: tuple[bytes, bytes]
) -> None:
    """RFC 9110 section 5.3: the lines are one list."""
    first, second = codings
    events = feed(connection, post(b"", b"Content-Encoding: " + first + b"\r\nContent-Encoding: " + second))

    assert is_refused(events, 415)


def test_expectation_is_seen_in_each_line_of_its_header(connection: Connection, feed: Feed) -> None:
    events = feed(connection, post(b"", b"Expect: miracles\r\nExpect: 100-continue"))

    assert is_refused(events, 417)


def test_coding_that_changes_nothing_is_taken(connection: Connection, feed: Feed) -> None:
    assert only_request(feed(connection, post(b"a=b", b"Content-Encoding: Identity"))).body == b"a=b"


def test_expectation_that_nobody_knows_is_refused(connection: Connection, feed: Feed) -> None:
    """RFC 9110 section 10.1.1."""
    assert is_refused(feed(connection, post(b"", b"Expect: miracles")), 417)


def test_transfer_coding_that_nobody_knows_is_refused(connection: Connection, feed: Feed) -> None:
    """RFC 9112 section 6.1."""
    request = b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n"

    assert is_refused(feed(connection, request), 501)


@pytest.mark.parametrize("version", [b"HTTP/2.0", b"HTTP/0.9"])
def test_other_versions_are_refused(connection: Connection, feed: Feed, version: bytes) -> None:
    """RFC 9110 section 15.6.6."""
    assert is_refused(feed(connection, GET.replace(b"HTTP/1.1", version)), 505)


def test_later_minor_version_is_answered(connection: Connection, feed: Feed) -> None:
    """RFC 9110 section 2.5."""
    assert only_request(feed(connection, GET.replace(b"HTTP/1.1", b"HTTP/1.2"))).method == "GET"


def test_old_version_is_answered_and_then_closed(connection: Connection, feed: Feed) -> None:
    """RFC 9112 section 9.3."""
    feed(connection, b"GET / HTTP/1.0\r\n\r\n")

    *answer, last = connection.respond(OK)

    assert sent(answer).startswith(b"HTTP/1.1 200 OK\r\n")
    assert isinstance(last, Close)


def test_connection_ends_after_its_last_request(feed: Feed) -> None:
    connection = Connection(clock, Limits(requests=2))

    feed(connection, GET)
    first = connection.respond(OK)
    feed(connection, GET)
    second = connection.respond(OK)

    assert b"Connection: close" not in sent(first)
    assert b"\r\nConnection: close\r\n" in sent(second)
    assert isinstance(second[-1], Close)


def test_refusal_is_told_with_what_is_known_of_the_request(connection: Connection, feed: Feed) -> None:
    events = feed(connection, post(b"", b"Content-Encoding: gzip").replace(b"tokenize", b"tokenize?code=hush"))

    assert [event for event in events if isinstance(event, Refused)] == [Refused(415, "POST", "/oauth/tokenize")]


def test_refusal_of_what_is_no_request_is_told_without(connection: Connection) -> None:
    refused, _, _ = connection.receive(b"nonsense\r\n\r\n")

    assert refused == Refused(400, None, None)


def test_connection_without_a_place_is_turned_away_unread(connection: Connection) -> None:
    """RFC 9110 section 15.6.4."""
    events = connection.turn_away()

    assert is_refused(events, 503)
    assert b"\r\nRetry-After: 1\r\n" in sent(events)


def test_request_says_who_sent_it(feed: Feed) -> None:
    def peer_of(headers: Headers) -> Peer:
        return Peer(address=dict(headers)["x-from"])

    connection = Connection(clock, Limits(), peer_of)

    request = only_request(feed(connection, b"GET / HTTP/1.1\r\nHost: a\r\nX-From: 192.0.2.1\r\n\r\n"))

    assert request.peer == Peer("192.0.2.1")
    assert only_request(Connection(clock).receive(GET)).peer is None


@pytest.mark.parametrize(
    ("target", "origin"),
    [
        ("/login?a=b", "/login?a=b"),
        ("http://localhost:8000/login?a=http://x/", "/login?a=http://x/"),
        ("HTTPS://localhost", "/"),
        ("http://localhost?a=b", "/?a=b"),
        ("*", "*"),
    ],
)
def test_target_in_absolute_form_is_read_as_its_path(target: str, origin: str) -> None:
    """RFC 9112 section 3.2.2."""
    assert origin_form(target) == origin


@given(st.binary(max_size=200), st.integers(min_value=0, max_value=200))
def test_any_bytes_give_events_and_never_an_exception(data: bytes, cut: int) -> None:
    connection = Connection(clock)

    for piece in (data[:cut] or b"\r\n", data[cut:] or b"\r\n", b""):
        events = connection.receive(piece)
        while events and isinstance(events[-1], Request):
            events = connection.respond(OK)
        if events and isinstance(events[-1], Close):
            break
    else:
        pytest.fail("the end of what arrives did not close the connection")


HEADERS = st.lists(
    st.tuples(st.sampled_from(["X-A", "Content-Type", "Location", "Set-Cookie"]), st.text(max_size=20)), max_size=4
)


@pytest.mark.slow
@given(HEADERS, st.binary(max_size=50), st.sampled_from(["GET", "HEAD", "POST"]))
def test_what_is_sent_is_read_by_a_client_as_it_was_meant(
    headers: list[tuple[str, str]], body: bytes, method: str
) -> None:
    connection, client = Connection(clock), h11.Connection(h11.CLIENT)
    request = client.send(h11.Request(method=method, target="/", headers=[("Host", "a"), ("Content-Length", "0")]))
    connection.receive(request + client.send(h11.EndOfMessage()))

    try:
        client.receive_data(sent(connection.respond(Response(200, tuple(headers), body))))
    except UnsendableResponse:
        # RFC 9110 section 5.5: a field value has no control characters in it, nor white space around it.
        assert any(not (value.isascii() and value.isprintable() and value == value.strip()) for _, value in headers)
        return

    response = client.next_event()
    assert isinstance(response, h11.Response)
    read = bytearray()
    while isinstance(event := client.next_event(), h11.Data):
        read += event.data
    assert read == (b"" if method == "HEAD" else body)
    assert len(response.headers) == len(headers) + 2
