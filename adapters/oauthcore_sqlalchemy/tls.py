"""TLS to MySQL and MariaDB: what a URL says of it, as all of their drivers take it.

SQLAlchemy hands `ssl_ca` and its like on as a dictionary, which one driver reads, and another takes for a context, and
fails. A context is what each of them takes.
"""

from __future__ import annotations

import ssl

from sqlalchemy import URL

from oauthcore.errors import ConfigurationError

# The authority that vouches for the server, and what the client shows, both PEM.
NAMES = ("ssl_ca", "ssl_cert", "ssl_key")


def tls_of(address: URL) -> ssl.SSLContext | None:
    """Make what TLS takes, if the URL asks for it; raises `ConfigurationError` for files that can't be read."""
    authority, certificate, key = (_one(address, name) for name in NAMES)
    if authority is None and certificate is None:
        return None
    try:
        context = ssl.create_default_context(cafile=authority)
        if certificate is not None:
            context.load_cert_chain(certificate, key)
    except (OSError, ssl.SSLError) as error:
        files = [file for file in (authority, certificate, key) if file is not None]
        reason = error.strerror or str(error)
        raise ConfigurationError("storage", ", ".join(files), f"use PEM files that can be read: {reason}") from None
    return context


def without_tls(address: URL) -> URL:
    """Return a URL without what `tls_of` has read."""
    return address.difference_update_query(NAMES)


def _one(address: URL, name: str) -> str | None:
    given = address.query.get(name)
    return given if isinstance(given, str) else None
