"""Client certificates in headers, where TLS ends at a reverse proxy: RFC 9440's header, and what some proxies have.

Only a proxy can say in a header what a handshake has proven. A host reads it from proxies that it trusts, and from no
one else; a proxy has to remove the header from what clients send. Nothing here knows who has sent a request.
"""

from __future__ import annotations

import binascii
import re
from functools import lru_cache
from typing import Literal, TypeAlias, get_args
from urllib.parse import unquote

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.wire.http import Headers, Peer
from oauthcore.wire.text import ascii_lower, strip_ows

ProxyFormat: TypeAlias = Literal["rfc9440", "nginx", "haproxy", "envoy"]
FORMATS: tuple[ProxyFormat, ...] = get_args(ProxyFormat)

# A certificate with many names has some kilobytes.
MAX_LENGTH = 65_536

_NAMES = {
    "rfc9440": "client-cert",
    "nginx": "x-ssl-client-cert",
    "haproxy": "x-ssl-client-cert",
    "envoy": "x-forwarded-client-cert",
}
# What `$ssl_client_verify` of nginx and `ssl_c_verify` of HAProxy say of a chain that is verified.
_VERIFIED = frozenset({"SUCCESS", "0"})
_TOKEN = re.compile(r"[a-z0-9!#$%&'*+.^_`|~-]+")
_WHITE_SPACE = re.compile(r"[ \t\r\n]")
_PEM = re.compile(
    r"[ \t\r\n]*-----BEGIN CERTIFICATE-----([A-Za-z0-9+/= \t\r\n]+)-----END CERTIFICATE-----[ \t\r\n]*", re.ASCII
)


@attrs.frozen(kw_only=True)
class VerifiedChains:
    """Believe of every certificate that the proxy hands on that an authority has issued it: it hands on no others."""


def _lower_name(value: str | VerifiedChains | None) -> str | VerifiedChains | None:
    return ascii_lower(value) if isinstance(value, str) else value


@attrs.frozen(kw_only=True)
class CertificateHeader:
    """Say how a trusted proxy hands on the certificate of a client.

    `format` is RFC 9440's `Client-Cert`, the escaped PEM of nginx (`$ssl_client_escaped_cert`), the base64 of HAProxy
    (`ssl_c_der,base64`), or the `x-forwarded-client-cert` of Envoy with `cert: true`. `name` is the header, by default
    `Client-Cert`, `X-SSL-Client-Cert` or `X-Forwarded-Client-Cert`.

    `chains` says whether an authority was verified, which `tls_client_auth` takes: the name of the header with nginx's
    `$ssl_client_verify` or HAProxy's `ssl_c_verify`, or `VerifiedChains()` for a proxy that refuses certificates of no
    authority. By default it counts as not verified. Raises `ConfigurationError`.
    """

    format: ProxyFormat = "rfc9440"
    name: str = attrs.field(default="", converter=ascii_lower)
    chains: str | VerifiedChains | None = attrs.field(default=None, converter=_lower_name)

    def __attrs_post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ConfigurationError("format", self.format, f"use one of {', '.join(FORMATS)}")
        for setting, value in (("name", self.name), ("chains", self.chains)):
            if isinstance(value, str) and value and not _TOKEN.fullmatch(value):
                raise ConfigurationError(setting, value, "use the name of a header, as in X-SSL-Client-Cert")

    @property
    def names(self) -> frozenset[str]:
        """Return the headers that only the proxy may set, in lower case."""
        own = {self.name or _NAMES[self.format]}
        return frozenset(own | ({self.chains} if isinstance(self.chains, str) else set()))

    def peer(self, of: Peer, headers: Headers) -> Peer:
        """Return the sender of a request that the proxy has sent, with the certificate that it hands on, if any."""
        certificate = self.certificate(headers)
        is_verified = certificate is not None and self.is_verified(headers)
        return attrs.evolve(of, certificate=certificate, has_trusted_chain=is_verified)

    def certificate(self, headers: Headers) -> bytes | None:
        """Return the certificate in DER; None if there is none, or nothing that can be read as one."""
        # Of two lines one is not the proxy's. Which one can't be told, so neither is believed.
        value = _only(headers, self.name or _NAMES[self.format])
        if value is None or not value or len(value) > MAX_LENGTH:
            return None
        match self.format:
            case "rfc9440":
                # RFC 8941 section 3.3.5: a byte sequence stands between colons.
                is_sequence = len(value) > 2 and value[0] == value[-1] == ":"
                return _der(value[1:-1]) if is_sequence else None
            case "haproxy":
                return _der(value)
            case "nginx":
                return der_of_pem(unquote(value))
            case "envoy":
                found = _CERT_OF_ENVOY.fullmatch(value)
                return None if found is None else der_of_pem(unquote(found["cert"]))

    def is_verified(self, headers: Headers) -> bool:
        """Return whether the proxy has verified who has issued the certificate."""
        if isinstance(self.chains, VerifiedChains):
            return True
        return self.chains is not None and _only(headers, self.chains) in _VERIFIED


# One element: with several, all but the last are what the client, or a proxy before, has written. Quoted values have no
# comma that could end them (they are URL-encoded), but a subject may have escaped quotes.
_QUOTED = r'"(?:[^"\\]|\\.)*"'
_PAIR = rf'[A-Za-z]+=(?:{_QUOTED}|[^",;= \t\r\n]*)'
_CERT_OF_ENVOY = re.compile(rf'(?:(?!Cert=){_PAIR};)*Cert="(?P<cert>[^"\\,;]*)"(?:;(?!Cert=){_PAIR})*', re.ASCII)


def _only(headers: Headers, name: str) -> str | None:
    """Return the value of a header that is there once."""
    values = [value for key, value in headers if key == name]
    return strip_ows(values[0]) if len(values) == 1 else None


def _der(text: str) -> bytes | None:
    try:
        return binascii.a2b_base64(text, strict_mode=True) or None
    except ValueError:
        return None


@lru_cache(maxsize=256)
def der_of_pem(text: str) -> bytes | None:
    """Return the DER of one certificate in PEM (RFC 7468); None for what is none, or several."""
    found = _PEM.fullmatch(text)
    return None if found is None else _der(_WHITE_SPACE.sub("", found[1]))
