"""Certificates of clients: as mod_ssl and Gunicorn have them, and by the header of a proxy that is named."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Peer
from oauthcore.wire.certificate_headers import CertificateHeader, VerifiedChains
from oauthcore_wsgi import head_of
from oauthcore_wsgi.client_certificates import ClientCertificates
from tests.core.certificates import certificate, subject
from tests.core.grants.test_certificate_bound_tokens import thumbprint
from tests.core.resource.test_server import access, knows
from tests.core.wire.test_certificate_headers import BASE64, MADE
from tests.wsgi.test_application import bearer, call


@attrs.frozen
class Socket:
    """Be a connection by TLS, whose client has shown a certificate or none."""

    shown: bytes | None

    def getpeercert(self, binary_form: bool) -> bytes | None:
        """Return the certificate."""
        assert binary_form
        return self.shown


def environ(**more: Any) -> dict[str, Any]:
    """Return the environ of a request by TLS."""
    usual = {"REQUEST_METHOD": "GET", "PATH_INFO": "/", "REMOTE_ADDR": "192.0.2.1", "wsgi.url_scheme": "https"}
    return usual | more


@pytest.mark.parametrize(
    ("known", "shown", "is_trusted"),
    [
        ({"SSL_CLIENT_CERT": MADE.pem, "SSL_CLIENT_VERIFY": "SUCCESS"}, True, True),
        ({"SSL_CLIENT_CERT": MADE.pem, "SSL_CLIENT_VERIFY": "GENEROUS"}, True, False),
        ({"SSL_CLIENT_CERT": MADE.pem}, True, False),
        ({"SSL_CLIENT_CERT": "", "SSL_CLIENT_VERIFY": "NONE"}, False, False),
        ({"SSL_CLIENT_VERIFY": "SUCCESS"}, False, False),
        ({"gunicorn.socket": Socket(MADE.der)}, True, True),
        ({"gunicorn.socket": Socket(None)}, False, False),
        ({"gunicorn.socket": object()}, False, False),
        ({"HTTP_SSL_CLIENT_CERT": MADE.pem, "HTTP_SSL_CLIENT_VERIFY": "SUCCESS"}, False, False),
        ({"SSL_CLIENT_CERT": MADE.pem, "SSL_CLIENT_VERIFY": "SUCCESS", "wsgi.url_scheme": "http"}, False, False),
    ],
)
def test_what_a_server_knows_of_a_certificate_is_in_the_request(
    known: dict[str, Any], shown: bool, is_trusted: bool
) -> None:
    peer = head_of(environ(**known)).peer

    assert peer is not None
    assert (peer.certificate, peer.has_trusted_chain) == (MADE.der if shown else None, shown and is_trusted)


def seen_behind(asked: dict[str, Any]) -> tuple[Peer | None, dict[str, Any]]:
    """Return what an application sees behind the middleware: its peer, and its environ."""
    seen: list[dict[str, Any]] = []

    def app(known: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(known)
        return []

    header = CertificateHeader(chains=VerifiedChains())
    ClientCertificates(app, trusted=["10.0.0.0/8"], header=header)(asked, lambda *_: lambda _: None)
    return head_of(seen[0]).peer, seen[0]


def test_a_named_proxy_hands_a_certificate_on() -> None:
    said = {"REMOTE_ADDR": "10.0.0.1", "wsgi.url_scheme": "http", "HTTP_CLIENT_CERT": f":{BASE64}:"}

    peer, seen = seen_behind(environ(**said))

    assert peer == Peer("10.0.0.1", True, MADE.der, True)
    assert "HTTP_CLIENT_CERT" not in seen


def test_the_certificate_of_the_proxy_is_not_the_clients() -> None:
    own = {"SSL_CLIENT_CERT": MADE.pem, "SSL_CLIENT_VERIFY": "SUCCESS", "gunicorn.socket": Socket(MADE.der)}

    peer, _ = seen_behind(environ(REMOTE_ADDR="10.0.0.1", **own))

    assert peer == Peer("10.0.0.1", True)


_VALUES = st.sampled_from([f":{BASE64}:", BASE64, "", "SUCCESS", MADE.pem])
_NAMES = st.sampled_from(
    ["HTTP_CLIENT_CERT", "HTTP_X_SSL_CLIENT_CERT", "HTTP_SSL_CLIENT_CERT", "HTTP_SSL_CLIENT_VERIFY"]
)


@given(st.sampled_from(["192.0.2.1", "", "11.0.0.1", "unix:"]), st.dictionaries(_NAMES, _VALUES))
def test_what_anyone_else_says_of_a_certificate_has_no_effect(address: str, headers: dict[str, str]) -> None:
    peer, seen = seen_behind(environ(REMOTE_ADDR=address, **headers))

    assert peer == Peer(address, True)
    assert "HTTP_CLIENT_CERT" not in seen


OTHER = certificate(subject(CN="other"), key="EC other")


@pytest.mark.parametrize(
    ("shown", "status"), [(MADE.pem, "200 OK"), (OTHER.pem, "401 Unauthorized"), ("", "401 Unauthorized")]
)
def test_a_middleware_takes_a_bound_token_with_its_certificate_alone(shown: str, status: str) -> None:
    """RFC 8705 section 3."""
    bound = knows(access(cnf={"x5t#S256": thumbprint(MADE.der)}))
    https: dict[str, Any] = {"wsgi.url_scheme": "https", "SSL_CLIENT_CERT": shown}

    assert call(bearer(bound), "/me", HTTP_AUTHORIZATION="Bearer a", **https)[0] == status
