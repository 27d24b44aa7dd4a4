"""Certificates of clients: by ASGI's TLS extension, and by the header of a proxy that is named."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request as StarletteRequest
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from oauthcore import AsyncWorld, ConfigurationError, MemoryStorage, Peer
from oauthcore.wire.certificate_headers import CertificateHeader, VerifiedChains
from oauthcore_asgi.client_certificates import ClientCertificates
from oauthcore_asgi.starlette import BearerBackend
from oauthcore_asgi.wire import Receive, Scope, Send, head_of
from tests.asgi.test_application import bearer, call, scope
from tests.core.certificates import certificate, subject
from tests.core.grants.test_certificate_bound_tokens import thumbprint
from tests.core.resource.test_server import access, knows
from tests.core.wire.test_certificate_headers import BASE64, MADE

VERIFIED = {"client_cert_chain": (MADE.pem,), "client_cert_name": "CN=client", "client_cert_error": None}


@pytest.mark.parametrize(
    ("tls", "shown", "is_trusted"),
    [
        (VERIFIED, True, True),
        ({**VERIFIED, "client_cert_error": "self-signed certificate"}, True, False),
        ({**VERIFIED, "client_cert_name": None}, True, False),
        ({**VERIFIED, "client_cert_chain": [MADE.pem, "another"]}, True, True),
        ({**VERIFIED, "client_cert_chain": ()}, False, False),
        ({**VERIFIED, "client_cert_chain": ("none",)}, False, False),
        ({**VERIFIED, "client_cert_chain": (b"none",)}, False, False),
        ({"client_cert_chain": None}, False, False),
        ({}, False, False),
    ],
)
def test_what_a_server_knows_of_a_certificate_is_in_the_request(
    tls: dict[str, Any], shown: bool, is_trusted: bool
) -> None:
    asked = {**scope("/"), "client": ("192.0.2.1", 1), "extensions": {"tls": tls}}

    peer = head_of(asked, "/").peer

    assert peer == Peer("192.0.2.1", True, MADE.der if shown else None, is_trusted)


def test_a_server_without_the_extension_has_none() -> None:
    several: list[dict[str, Any]] = [{}, {"extensions": {}}, {"extensions": None}]
    for extensions in several:
        peer = head_of({**scope("/"), **extensions}, "/").peer
        assert peer is not None and peer.certificate is None


def seen_behind(middleware: Any, asked: Scope) -> tuple[Peer | None, list[tuple[bytes, bytes]]]:
    """Return what an application behind the middleware sees of a request: its peer, and its headers."""
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    asyncio.run(middleware(app)(asked, None, None))
    return head_of(seen[0], "/").peer, seen[0]["headers"]


def from_address(address: str | None, *headers: tuple[str, str], tls: object = None) -> Scope:
    """Return a request from an address."""
    lines = [(name.encode(), value.encode()) for name, value in headers]
    extensions = {} if tls is None else {"extensions": {"tls": tls}}
    return {**scope("/"), "client": None if address is None else (address, 1), "headers": lines, **extensions}


def believing(app: Any) -> ClientCertificates:
    """Believe what proxies in a network say."""
    return ClientCertificates(app, trusted=["10.0.0.0/8", "::1"], header=CertificateHeader(chains=VerifiedChains()))


SHOWN = ("client-cert", f":{BASE64}:")


@pytest.mark.parametrize("address", ["10.1.2.3", "::1", "::ffff:10.1.2.3"])
def test_a_named_proxy_hands_a_certificate_on(address: str) -> None:
    peer, headers = seen_behind(believing, from_address(address, SHOWN, ("accept", "*/*")))

    assert peer is not None and (peer.certificate, peer.has_trusted_chain) == (MADE.der, True)
    assert headers == [(b"accept", b"*/*")]


def test_without_verified_chains_no_name_in_it_is_believed() -> None:
    peer, _ = seen_behind(lambda app: ClientCertificates(app, trusted=["10.0.0.1"]), from_address("10.0.0.1", SHOWN))

    assert peer is not None and (peer.certificate, peer.has_trusted_chain) == (MADE.der, False)


def test_the_certificate_of_the_proxy_is_not_the_clients() -> None:
    peer, _ = seen_behind(believing, from_address("10.0.0.1", tls=VERIFIED))

    assert peer is not None and peer.certificate is None


_VALUES = st.sampled_from([f":{BASE64}:", BASE64, "", "SUCCESS"]) | st.text(max_size=20)
_NAMES = st.sampled_from(
    ["client-cert", "client-cert-chain", "x-ssl-client-cert", "x-ssl-client-verify", "x-forwarded-for"]
)


@given(
    st.sampled_from([None, "192.0.2.1", "2001:db8::1", "11.0.0.1", "testclient", "unix:"]),
    st.lists(st.tuples(_NAMES, _VALUES), max_size=5),
    st.sampled_from([None, VERIFIED]),
)
def test_what_anyone_else_says_of_a_certificate_has_no_effect(
    address: str | None, headers: list[tuple[str, str]], tls: object
) -> None:
    """Their own connection may have one, which is theirs."""
    peer, left = seen_behind(believing, from_address(address, *headers, tls=tls))

    assert peer == head_of(from_address(address, tls=tls), "/").peer
    assert b"client-cert" not in dict(left)


@pytest.mark.parametrize("trusted", [[], ["nowhere"], "10.0.0.1", ["10.0.0.1/8"]])
def test_proxies_that_can_not_be_are_refused(trusted: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise NotImplementedError

    with pytest.raises(ConfigurationError, match="trusted"):
        ClientCertificates(app, trusted=trusted)


def test_what_is_no_request_is_passed_on() -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    asked: Scope = {"type": "lifespan"}
    asyncio.run(believing(app)(asked, None, None))  # type: ignore[arg-type]  # nothing is sent
    assert seen == [asked]


SECRET = [(b"authorization", b"Bearer a")]
BOUND = access(cnf={"x5t#S256": thumbprint(MADE.der)})
STRANGER = {**VERIFIED, "client_cert_chain": (certificate(subject(CN="other"), key="EC other").pem,)}


@pytest.mark.parametrize(
    ("tls", "status"), [(VERIFIED, 200), ({"client_cert_chain": (MADE.pem,)}, 200), (STRANGER, 401), ({}, 401)]
)
def test_a_middleware_takes_a_bound_token_with_its_certificate_alone(tls: dict[str, Any], status: int) -> None:
    """RFC 8705 section 3."""
    asked = scope("/me", headers=SECRET, extensions={"tls": tls})

    assert call(bearer(knows(BOUND)), asked).status == status
    # What the first of two checks has proven, the second one, of a route, takes as proven.
    backend = BearerBackend(knows(BOUND), AsyncWorld(MemoryStorage()))

    @backend.protect("read")
    async def route(request: StarletteRequest) -> PlainTextResponse:
        return PlainTextResponse("inside")

    app = Starlette(routes=[Route("/me", route)], middleware=[backend.middleware])
    assert call(app, asked).status == status


def test_a_bound_token_is_taken_behind_a_named_proxy_with_what_that_hands_on() -> None:
    for address, status in (("10.0.0.1", 200), ("192.0.2.1", 401)):
        asked = {**from_address(address, SHOWN), "path": "/me"}
        asked["headers"] = [*asked["headers"], *SECRET]
        assert call(believing(bearer(knows(BOUND))), asked).status == status
