"""JSON Web Tokens as values (RFC 7519): what is to be signed, and for whom it is encrypted.

A decision says what a token says; which key signs it, and how that is spelled, is found out afterwards by whoever
answers the `Sign` effect. Nothing here knows a key of ours or an algorithm's workings: `oauthcore.jose.crypto` does.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.jose.jwk import Jwk


@attrs.frozen
class Encryption:
    """Say for whom a token is encrypted: the public key of a client, and the algorithms it registered (RFC 7516)."""

    alg: str
    enc: str
    key: Jwk


@attrs.frozen
class Jwt:
    """Say what a token says, by which algorithm it is signed, and for whom it is encrypted around that, if for anybody.

    `typ` is the header's (RFC 8725 section 3.11), so that no token is taken for one of another kind.
    """

    claims: Mapping[str, object]
    alg: str
    typ: str = "JWT"
    encryption: Encryption | None = None
