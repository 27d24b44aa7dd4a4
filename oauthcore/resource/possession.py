"""Proof of possession where a token is used: that who presents it has the key that it is bound to (RFC 7800)."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.records.confirmation import shown_by
from oauthcore.wire.http import Request


def proves_possession(request: Request, cnf: Mapping[str, object], jkt: str | None = None) -> bool:
    """Return whether a request was made with every key that a token names; `jkt` is the key of its DPoP proof.

    A `cnf` that names none, or one in a way that is not known here, is never proven: it would be a bearer token.
    """
    return bool(cnf) and all(_is_proven(request, member, value, jkt) for member, value in cnf.items())


def _is_proven(request: Request, member: str, value: object, jkt: str | None) -> bool:
    if member == "jkt":
        return jkt is not None and value == jkt
    shown = shown_by(request.peer)
    # RFC 8705 section 3: the certificate of the connection has the hash that is in the token. Who issued it, and
    # whether it is over, makes no difference: it is the key's name, which the client has chosen.
    return member == "x5t#S256" and shown is not None and value == shown.x5t_s256
