"""`self_signed_tls_client_auth`: a certificate whose key the client has registered (RFC 8705 section 2.2).

No authority is asked: the handshake has proven that the client has the key, and the registration that it is the
client's. So it makes no difference who signed the certificate.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable

from oauthcore.clients.presented import Presented
from oauthcore.clients.tls_client_auth import not_shown, shown_certificate
from oauthcore.context import Context
from oauthcore.jose.certificate import Certificate
from oauthcore.jose.jwk import Jwk, is_key_set
from oauthcore.oidc.client_keys import keys_in, keys_of
from oauthcore.records.client import Client


def prove_registered_key(presented: Presented, client: Client, context: Context) -> None:
    """Check that the certificate is one of the client's; raises `InvalidClient`, and `DocumentNeeded`."""
    shown = shown_certificate(presented, context)
    assert presented.peer is not None and presented.peer.certificate is not None  # it was shown
    der = presented.peer.certificate
    if _is_among(keys_of(client, context), der, shown):
        return
    # As with a signature that no key fits: the client may have published a new certificate since.
    if client.jwks is None and client.jwks_uri is not None:
        newer = context.documents_of(client).get_newer(client.jwks_uri, context.now, is_key_set)
        if _is_among(keys_in(newer.body), der, shown):
            return
    raise not_shown("the certificate is none that the client has registered").by_setting("client.jwks")


def _is_among(keys: Iterable[Jwk], der: bytes, shown: Certificate) -> bool:
    return any(_is_of(key, der, shown) for key in keys)


def _is_of(key: Jwk, der: bytes, shown: Certificate) -> bool:
    """Return whether a registered key says that it has this certificate, or is its key and says nothing of one."""
    if key.use == "enc":
        return False
    chain = key.members.get("x5c")
    if chain is None:
        return shown.key is not None and key.thumbprint == shown.key.thumbprint
    # RFC 7517 section 4.7: the first is the key's own, in base64 (not base64url) of its DER.
    if not isinstance(chain, list) or not chain or not isinstance(chain[0], str):
        return False
    try:
        return base64.b64decode(chain[0], validate=True) == der
    except ValueError:
        return False
