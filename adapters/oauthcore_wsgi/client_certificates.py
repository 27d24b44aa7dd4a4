"""Client certificates behind a reverse proxy: a middleware that reads the header of a named proxy (RFC 9440)."""

from __future__ import annotations

from collections.abc import Iterable
from ssl import DER_cert_to_PEM_cert
from typing import TYPE_CHECKING

from oauthcore import Peer
from oauthcore.wire.certificate_headers import CertificateHeader
from oauthcore.wire.trusted_networks import TrustedNetworks
from oauthcore_wsgi.wire import field_name, headers_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class ClientCertificates:
    """Hand on the certificate that a trusted proxy names, as mod_ssl's variables, to everything below.

    `trusted` are the addresses and networks of the proxies, and the server must not have replaced theirs by what they
    say of their clients: this goes around what reads `X-Forwarded-For`. From all others the header is taken off.
    """

    def __init__(
        self, app: WSGIApplication, *, trusted: Iterable[str], header: CertificateHeader | None = None
    ) -> None:
        self._app = app
        self._header = header or CertificateHeader()
        self._trusted = TrustedNetworks(trusted)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application with what is known of the client."""
        known = {name: value for name, value in environ.items() if field_name(name) not in self._header.names}
        if self._trusted.have(environ.get("REMOTE_ADDR")):
            # Whatever the server knows is of the connection between it and the proxy.
            known.pop("SSL_CLIENT_CERT", None)
            known.pop("SSL_CLIENT_VERIFY", None)
            known.pop("gunicorn.socket", None)
            peer = self._header.peer(Peer(), headers_of(environ))
            if peer.certificate is not None:
                known["wsgi.url_scheme"] = "https"  # the client's TLS ends at the proxy
                known["SSL_CLIENT_CERT"] = DER_cert_to_PEM_cert(peer.certificate)
                known["SSL_CLIENT_VERIFY"] = "SUCCESS" if peer.has_trusted_chain else "FAILED"
        return self._app(known, start_response)
