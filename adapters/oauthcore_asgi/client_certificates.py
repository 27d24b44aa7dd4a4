"""Client certificates behind a reverse proxy: a middleware that reads the header of a named proxy (RFC 9440)."""

from __future__ import annotations

from collections.abc import Iterable
from ssl import DER_cert_to_PEM_cert
from typing import Any

from oauthcore import Peer
from oauthcore.wire.certificate_headers import CertificateHeader
from oauthcore.wire.trusted_networks import TrustedNetworks
from oauthcore_asgi.wire import ASGIApplication, Receive, Scope, Send


class ClientCertificates:
    """Hand on the certificate that a trusted proxy names, as ASGI's TLS extension, to everything below.

    `trusted` are the addresses and networks of the proxies, and the server must not have replaced theirs by what they
    say of their clients: this goes around what reads `X-Forwarded-For`. From all others the header is taken off.
    """

    def __init__(
        self, app: ASGIApplication, *, trusted: Iterable[str], header: CertificateHeader | None = None
    ) -> None:
        self._app = app
        self._header = header or CertificateHeader()
        self._names = frozenset(name.encode("ascii") for name in self._header.names)
        self._trusted = TrustedNetworks(trusted)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Call the application with what is known of the client."""
        if scope["type"] in {"http", "websocket"}:
            scope = self._known(scope)
        await self._app(scope, receive, send)

    def _known(self, scope: Scope) -> Scope:
        said = [pair for pair in scope["headers"] if pair[0] in self._names]
        headers = [pair for pair in scope["headers"] if pair[0] not in self._names]
        # Whatever the server knows is of the connection between it and the proxy.
        extensions: dict[str, Any] = {**(scope.get("extensions") or {})}
        client = scope.get("client")
        if self._trusted.have(client[0] if client else None):
            extensions.pop("tls", None)
            lines = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in said)
            peer = self._header.peer(Peer(), lines)
            if peer.certificate is not None:
                extensions["tls"] = tls_extension(peer.certificate, peer.has_trusted_chain)
        return {**scope, "headers": headers, "extensions": extensions}


def tls_extension(certificate: bytes, has_trusted_chain: bool) -> dict[str, Any]:
    """Return what ASGI's TLS extension says of a client's certificate."""
    return {
        "client_cert_chain": (DER_cert_to_PEM_cert(certificate),),
        # The extension has the subject here. Nothing reads it but to see that an authority was verified.
        "client_cert_name": "verified" if has_trusted_chain else None,
        "client_cert_error": None if has_trusted_chain else "not verified",
    }
