"""JSON Web Tokens as values (RFC 7519): what is to be signed, and to which key it is encrypted.

A decision returns the claims. The key and the serialization are added by `signing`, after the decision. This module
knows no keys of the server and no cryptography; `oauthcore.jose.crypto` does.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.jose.jwk import Jwk


@attrs.frozen
class Encryption:
    """Say to which public key of a client a token is encrypted, by the algorithms it registered (RFC 7516)."""

    alg: str
    enc: str
    key: Jwk


@attrs.frozen
class Jwt:
    """Hold the claims of a token, the algorithm of its signature, and the encryption around it, if any.

    `typ` goes into the header (RFC 8725 section 3.11), so that a token can't be used as one of another kind.
    """

    claims: Mapping[str, object]
    alg: str
    typ: str = "JWT"
    encryption: Encryption | None = None
