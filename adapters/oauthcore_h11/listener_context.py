"""TLS of a listener that may ask clients for certificates, and what they have shown; no file is read here."""

from __future__ import annotations

import ssl
import sys


class ListenerContext(ssl.SSLContext):
    """A context that may ask clients for certificates, and takes some that no authority has issued.

    `self_signed` are those, in DER: they are good as they are, and vouch for no other. With `ports`, this context is
    for connections to those ports, and `elsewhere` for all others, where no browser is to be asked for a certificate.
    """

    self_signed: frozenset[bytes] = frozenset()
    ports: frozenset[int] = frozenset()
    elsewhere: ssl.SSLContext | None = None

    def at(self, port: int) -> ssl.SSLContext:
        """Return the context for connections to a port."""
        return self if self.elsewhere is None or port in self.ports else self.elsewhere


def shown_certificate(connection: ssl.SSLObject, context: ssl.SSLContext) -> tuple[bytes | None, bool]:
    """Return the certificate that a client has shown, and whether one of the authorities has issued it."""
    shown = connection.getpeercert(binary_form=True)
    self_signed = context.self_signed if isinstance(context, ListenerContext) else frozenset()
    # Python asks for a certificate only to verify it, so that whatever was shown goes back to one that it was told to
    # trust. What goes back to a self-signed one is of no authority: it may have issued others in anybody's name.
    return shown, shown is not None and (not self_signed or _root_of(connection) not in self_signed)


def _root_of(connection: ssl.SSLObject) -> bytes:
    """Return the end of the verified chain; that the method is public is new in Python 3.13, and not that it is."""
    if sys.version_info >= (3, 13):
        return connection.get_verified_chain()[-1]
    chain = connection._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # it is there since 3.10
    return ssl.PEM_cert_to_DER_cert(chain[-1].public_bytes())
