"""ASGI's messages: a response's headers as they are sent, whatever they are."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from oauthcore import AsyncWorld, AuthorizationServer, MemoryStorage, Response, arun
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore.wire.http import Headers, Request, complete
from oauthcore_asgi import wire
from tests.core.resource.test_server import NOW
from tests.core.site import TOKEN_KEY

NAMES = st.sampled_from(["Content-Type", "content-type", "Cache-Control", "Location", "Set-Cookie", "X-A"])
VALUES = st.text(st.characters(max_codepoint=0xFF), max_size=8)
HEADERS = st.lists(st.one_of(st.sampled_from(wire.USUAL), st.tuples(NAMES, VALUES)), max_size=6).map(tuple)


@given(HEADERS, st.sampled_from([200, 204, 303]))
def test_every_header_is_sent_in_bytes_with_its_name_in_lower_case(headers: Headers, status: int) -> None:
    response = Response(status, headers, b"fine")

    sent = wire.raw_headers(response)

    assert [(name.decode("ascii"), value.decode("latin-1")) for name, value in sent] == [
        (name.lower(), value) for name, value in complete(response)
    ]


def test_nothing_of_what_is_sent_is_remembered() -> None:
    before = dict(wire._ENCODED)

    for number in range(100):
        wire.raw_headers(Response(303, (("Location", f"/?code={number}"), ("Set-Cookie", f"a={number}"))))

    assert before == wire._ENCODED


async def answered() -> Response:
    server = AuthorizationServer(
        issuer="https://as.example", clock=FixedClock(NOW), entropy=SeededEntropy(1), token_key=TOKEN_KEY
    )
    asked = Request("POST", "/token", (("content-type", "application/x-www-form-urlencoded"),), b"grant_type=x")
    return await arun(server.handle(asked), AsyncWorld(MemoryStorage()))


def test_headers_of_the_token_endpoint_are_encoded_beforehand() -> None:
    """Else nothing is wrong, but slow."""
    headers = asyncio.run(answered()).headers

    assert {pair for pair in headers if pair[0] != "WWW-Authenticate"} <= set(wire.USUAL)
