"""Where an issuer publishes its keys, by its metadata: OAuth's (RFC 8414 section 3) or OpenID's (OIDC Discovery 4)."""

from __future__ import annotations

from urllib.parse import urlsplit

import attrs

from oauthcore.documents import FRESH_FOR, Document
from oauthcore.errors import ConfigurationError
from oauthcore.redirect_uri import LOOPBACK_HOSTS

# An issuer whose keys were found once is looked up again each FRESH_FOR. While that fails, they are where they were.
DISCOVERED_FOR = 24 * FRESH_FOR


def is_private_channel(url: str) -> bool:
    """Return whether a document from there can't be changed on its way: https, or plain http on the same machine."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS)
        )
    except ValueError:  # brackets that are no IPv6 address
        return False


def metadata_urls(issuer: str) -> tuple[str, ...]:
    """Return where the metadata of an issuer may be, in the order to look.

    A slash at its end is left out (RFC 8414 section 3.1, OIDC Discovery section 4.1). Raises `ConfigurationError`.
    """
    parts = urlsplit(issuer) if is_private_channel(issuer) else None
    # RFC 8414 section 2: an https URL with no query or fragment.
    if parts is None or parts.query or parts.fragment or "@" in parts.netloc:
        raise ConfigurationError(
            "issuer", issuer, "use the https URL in the iss of its tokens, without query and fragment"
        )
    host, path = f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")
    return tuple(
        dict.fromkeys(
            (
                f"{host}/.well-known/oauth-authorization-server{path}",
                f"{host}{path}/.well-known/openid-configuration",
                # As RFC 8414 section 5 has it for servers of both kinds; clients of MCP look there, too.
                f"{host}/.well-known/openid-configuration{path}",
            )
        )
    )


@attrs.frozen
class IsMetadataOf:
    """Recognise the metadata of an issuer, with the URL of its keys in it."""

    issuer: str

    def __call__(self, body: bytes) -> bool:
        """Return whether a body is that."""
        return jwks_uri_in(Document("", body, 0), self.issuer) is not None


def jwks_uri_in(document: Document, issuer: str) -> str | None:
    """Return the URL of an issuer's keys, None if the document is another issuer's or has no such URL.

    `issuer` must be exactly equal (RFC 8414 section 3.3). A host with many tenants, or a page that answers on every
    path, may return another issuer's metadata, and with its keys that one could sign for this issuer.
    """
    members = document.members() or {}
    jwks_uri = members.get("jwks_uri")
    # RFC 8414 section 3.3: if `issuer` is not identical, the metadata MUST NOT be used (mix-up).
    if members.get("issuer") != issuer or not isinstance(jwks_uri, str) or not is_private_channel(jwks_uri):
        return None
    return jwks_uri
