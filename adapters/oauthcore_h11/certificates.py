"""The certificates that the server shows, and those that it asks of clients."""

from __future__ import annotations

import ssl

from oauthcore import ConfigurationError
from oauthcore_h11.configuration.reading import check_readable
from oauthcore_h11.configuration.tables import Tls


def tls_of(tls: Tls) -> ssl.SSLContext:
    """Load the certificates; raises `ConfigurationError` naming the one that can't be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2  # RFC 9325 section 3.1.1
    context.set_alpn_protocols(["http/1.1"])
    check_readable("tls.certificate", tls.certificate)
    check_readable("tls.key", tls.key)
    try:
        context.load_cert_chain(tls.certificate, tls.key, password=_no_password)
    except (ssl.SSLError, ValueError) as error:
        words = getattr(error, "reason", None) or str(error)
        remedy = f"it does not go with its key, or one of them is no PEM ({words}); name a pair of PEM files"
        raise ConfigurationError("tls.certificate", str(tls.certificate), remedy) from None
    if tls.client_ca is not None:
        check_readable("tls.client_ca", tls.client_ca)
        try:
            context.load_verify_locations(tls.client_ca)
        except ssl.SSLError:
            raise ConfigurationError(
                "tls.client_ca", str(tls.client_ca), "there is no certificate in it; name a PEM file"
            ) from None
        optional = tls.client_certificates == "optional"
        context.verify_mode = ssl.CERT_OPTIONAL if optional else ssl.CERT_REQUIRED
    return context


def _no_password() -> str:
    raise ValueError("the key has a password; give it one without")
