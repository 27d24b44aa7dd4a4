"""Confirmation: the client's key that a token is bound to, without which a stolen token is useless (RFC 7800)."""

from __future__ import annotations

import hashlib

import attrs

from oauthcore.digest import base64url
from oauthcore.wire.http import Peer


@attrs.frozen(kw_only=True)
class Confirmation:
    """Name the key that the presenter of a token has to prove that they have, by its SHA-256 in base64url.

    `jkt` is the thumbprint of a DPoP key (RFC 9449 section 6.1), `x5t_s256` that of a client certificate (RFC 8705
    section 3.1). A token that is bound to both takes both proofs.
    """

    jkt: str | None = None
    x5t_s256: str | None = None

    @property
    def members(self) -> dict[str, object]:
        """Return the members of the `cnf` claim (RFC 7800 section 3.1)."""
        named = {"jkt": self.jkt, "x5t#S256": self.x5t_s256}
        return {name: value for name, value in named.items() if value is not None}

    def is_met_by(self, proven: Confirmation | None) -> bool:
        """Return whether possession of each key that is named here was proven."""
        if proven is None:
            return False
        return self.jkt in {None, proven.jkt} and self.x5t_s256 in {None, proven.x5t_s256}


def shown_by(peer: Peer | None) -> Confirmation | None:
    """Return the certificate of a connection as a confirmation; None if it has none (RFC 8705 section 3.1)."""
    if peer is None or peer.certificate is None:
        return None
    return Confirmation(x5t_s256=base64url(hashlib.sha256(peer.certificate).digest()))


def token_type(confirmation: Confirmation | None) -> str:
    """Return the token type (RFC 6749 section 7.1): `DPoP` for a token with a DPoP key, otherwise `Bearer`.

    A token that is bound to a certificate is sent as a bearer token; the proof is in the TLS connection (RFC 8705
    section 3).
    """
    return "Bearer" if confirmation is None or confirmation.jkt is None else "DPoP"
