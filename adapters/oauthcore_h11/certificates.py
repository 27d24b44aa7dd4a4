"""The certificates that the server shows, and those that it asks of clients."""

from __future__ import annotations

import re
import ssl
from pathlib import Path

from oauthcore import ConfigurationError
from oauthcore.wire.certificate_headers import der_of_pem
from oauthcore_h11.configuration.reading import check_readable
from oauthcore_h11.configuration.tables import Tls
from oauthcore_h11.listener_context import ListenerContext
from oauthcore_h11.listeners import host_and_port

_BLOCK = re.compile(r"-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----")


def tls_of(tls: Tls) -> ssl.SSLContext:
    """Load the certificates; raises `ConfigurationError` naming the one that can't be."""
    context = context_of(tls)
    if tls.client_certificates == "none":
        return context
    if tls.client_ca is not None:
        _trust("tls.client_ca", tls.client_ca, context)
    if tls.client_self_signed is not None:
        _trust("tls.client_self_signed", tls.client_self_signed, context)
        context.self_signed = certificates_in("tls.client_self_signed", tls.client_self_signed)
    context.verify_mode = ssl.CERT_OPTIONAL if tls.client_certificates == "optional" else ssl.CERT_REQUIRED
    if tls.client_certificates_at:
        context.ports = frozenset(host_and_port(bind)[1] for bind in tls.client_certificates_at)
        context.elsewhere = context_of(tls)
    return context


def context_of(tls: Tls) -> ListenerContext:
    """Load what the server shows of itself, and ask clients for nothing."""
    context = ListenerContext(ssl.PROTOCOL_TLS_SERVER)
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
    return context


def _trust(setting: str, path: Path, context: ssl.SSLContext) -> None:
    check_readable(setting, path)
    try:
        context.load_verify_locations(path)
    except ssl.SSLError:
        raise ConfigurationError(setting, str(path), "there is no certificate in it; name a PEM file") from None


def certificates_in(setting: str, path: Path) -> frozenset[bytes]:
    """Return the certificates in a PEM file, in DER; raises `ConfigurationError`."""
    blocks = _BLOCK.findall(path.read_text(encoding="ascii", errors="replace"))
    found = frozenset(der for der in map(der_of_pem, blocks) if der is not None)
    if not found or len(found) != len(set(blocks)):
        raise ConfigurationError(setting, str(path), "a certificate in it can't be read; name a PEM file")
    return found


def _no_password() -> str:
    raise ValueError("the key has a password; give it one without")
