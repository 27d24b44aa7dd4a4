"""TLS of a listener that may ask clients for certificates, and what they have shown; no file is read here."""

from __future__ import annotations

import ssl
import sys

# Certificates of clients that have connected; one that is forgotten counts as no authority's where it is resumed.
_REMEMBERED = 4_096


class ListenerContext(ssl.SSLContext):
    """A context that may ask clients for certificates, and takes some that no authority has issued.

    `self_signed` are those, in DER: they are good as they are, and vouch for no other. With `ports`, this context is
    for connections to those ports, and `elsewhere` for all others, where no browser is to be asked for a certificate.
    """

    self_signed: frozenset[bytes] = frozenset()
    ports: frozenset[int] = frozenset()
    elsewhere: ssl.SSLContext | None = None

    def __init__(self, _: int) -> None:
        # What became of each certificate in a handshake: a session that is resumed has it, and no chain.
        self._issued: dict[bytes, bool] = {}

    def at(self, port: int) -> ssl.SSLContext:
        """Return the context for connections to a port."""
        return self if self.elsewhere is None or port in self.ports else self.elsewhere

    def is_issued(self, shown: bytes, root: bytes | None) -> bool:
        """Return whether an authority has issued a certificate whose chain ends at `root`, None if it is resumed.

        What goes back to a self-signed one is of no authority: it may have issued others in anybody's name. Sessions
        are resumed by the context that has seen their handshake, and by no other process.
        """
        if root is None:
            return self._issued.get(shown, False)
        if len(self._issued) >= _REMEMBERED and shown not in self._issued:
            del self._issued[next(iter(self._issued))]
        self._issued[shown] = root not in self.self_signed
        return self._issued[shown]


def shown_certificate(connection: ssl.SSLObject, context: ssl.SSLContext) -> tuple[bytes | None, bool]:
    """Return the certificate that a client has shown, and whether one of the authorities has issued it."""
    shown = connection.getpeercert(binary_form=True)
    # Python asks for a certificate only to verify it, so that whatever was shown goes back to one that it was told to
    # trust: to an authority, where there is nothing else.
    if shown is None or not isinstance(context, ListenerContext) or not context.self_signed:
        return shown, shown is not None
    return shown, context.is_issued(shown, _root_of(connection))


def _root_of(connection: ssl.SSLObject) -> bytes | None:
    """Return the end of the verified chain, None in a session that is resumed.

    That the method is public is new in Python 3.13, and not that there is one.
    """
    if sys.version_info >= (3, 13):
        found = connection.get_verified_chain()
        return found[-1] if found else None
    chain = connection._sslobj.get_verified_chain()  # type: ignore[attr-defined]  # it is there since 3.10
    return ssl.PEM_cert_to_DER_cert(chain[-1].public_bytes()) if chain else None
