"""Client certificates, read by cryptography (`pip install "oauthcore[oidc]"`), which only this module imports.

Nothing here verifies a certificate. That its holder has the private key, the TLS handshake has proven, and whether an
authority has issued it is for the host to say (`oauthcore.wire.http.Peer`). The import happens at the first use.
"""

from __future__ import annotations

import ipaddress
import re
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.jose.crypto import public_key_in
from oauthcore.jose.jwk import Jwk
from oauthcore.wire.text import ascii_lower

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography import x509

DistinguishedName: TypeAlias = tuple[frozenset[tuple[str, str]], ...]
"""Relative names from the root on, each a set of object identifiers and values (RFC 4514 section 2)."""

# A certificate with many names has some kilobytes; what is longer is not worth parsing.
MAX_LENGTH = 32_768

# What OpenSSL calls attributes, beside the names of RFC 4514 section 3, which cryptography knows.
_ATTRIBUTES = {
    "emailAddress": "1.2.840.113549.1.9.1",
    "serialNumber": "2.5.4.5",
    "organizationIdentifier": "2.5.4.97",
    "businessCategory": "2.5.4.15",
    "postalCode": "2.5.4.17",
    "SN": "2.5.4.4",
    "GN": "2.5.4.42",
    "title": "2.5.4.12",
    "jurisdictionC": "1.3.6.1.4.1.311.60.2.1.3",
    "jurisdictionST": "1.3.6.1.4.1.311.60.2.1.2",
    "jurisdictionL": "1.3.6.1.4.1.311.60.2.1.1",
}

# RFC 4514 section 2.4: a value of an attribute without a name is its DER in hexadecimal. These are strings of ASN.1.
_HEX = re.compile(
    r"(^|(?<!\\)[,+])((?:[0-9.]+|[A-Za-z][A-Za-z0-9-]*)=)#(0[cC]|13|16)([0-9A-Fa-f]{2})((?:[0-9A-Fa-f]{2})*)"
)
_SPECIAL = re.compile(r'([\\ #="+,;<>])')


@attrs.frozen
class Certificate:
    """Hold what is said of a certificate's holder; times are in seconds since the epoch.

    `names_dns` are in lower case. `key` is the holder's public key, None if it is of a kind that is not known here.
    """

    subject: DistinguishedName
    names_dns: frozenset[str]
    names_uri: frozenset[str]
    names_ip: frozenset[str]
    names_email: frozenset[str]
    not_before: int
    not_after: int
    key: Jwk | None


@lru_cache(256)
def read_certificate(der: bytes) -> Certificate:
    """Read a certificate; raises `ValueError`, and `ConfigurationError` without the library."""
    library = _library()
    if len(der) > MAX_LENGTH:
        raise ValueError("the certificate is too long")
    try:
        read = library.load_der_x509_certificate(der)
        return _certificate(read, _names(read))
    except ConfigurationError:
        raise
    except Exception as error:  # of several kinds: cryptography parses most of a certificate when it is asked for it
        raise ValueError("the certificate can't be read") from error


def _certificate(read: x509.Certificate, names: x509.SubjectAlternativeName | None) -> Certificate:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
    from cryptography.x509 import DNSName, IPAddress, RFC822Name, UniformResourceIdentifier

    def of_kind(kind: Any) -> frozenset[str]:
        """Return the names of one kind."""
        return frozenset() if names is None else frozenset(map(str, names.get_values_for_type(kind)))

    pem = read.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
    try:
        key = public_key_in(pem)
    except ValueError:
        key = None
    return Certificate(
        _pairs(read.subject),
        frozenset(map(ascii_lower, of_kind(DNSName))),
        of_kind(UniformResourceIdentifier),
        of_kind(IPAddress),
        frozenset(map(comparable_email, of_kind(RFC822Name))),
        int(read.not_valid_before_utc.timestamp()),
        int(read.not_valid_after_utc.timestamp()),
        key,
    )


def _names(read: x509.Certificate) -> x509.SubjectAlternativeName | None:
    from cryptography.x509 import ExtensionNotFound, SubjectAlternativeName

    try:
        return read.extensions.get_extension_for_class(SubjectAlternativeName).value
    except ExtensionNotFound:
        return None


@lru_cache(256)
def distinguished_name(text: str) -> DistinguishedName:
    """Read a distinguished name as RFC 4514 writes it, as in `CN=client,O=Example,C=DE`; raises `ValueError`."""
    library = _library()
    known = {name: library.ObjectIdentifier(oid) for name, oid in _ATTRIBUTES.items()}
    try:
        return _pairs(library.Name.from_rfc4514_string(_HEX.sub(_as_text, text), known))
    except Exception as error:  # ValueError without a word, IndexError, UnicodeDecodeError
        raise ValueError("it is not a distinguished name, as in CN=client,O=Example (RFC 4514)") from error


def _as_text(match: re.Match[str]) -> str:
    """Return an attribute whose value is the DER of a short string, with the string in its place."""
    before, name, _, length, value = match.groups()
    octets = bytes.fromhex(value)
    if len(octets) > 127 or bytes.fromhex(length) != bytes([len(octets)]):
        raise ValueError("the value is cut off")
    return before + name + _SPECIAL.sub(r"\\\1", octets.decode("utf-8"))


def _pairs(name: x509.Name) -> DistinguishedName:
    return tuple(
        frozenset(
            (each.oid.dotted_string, each.value if isinstance(each.value, str) else each.value.hex()) for each in rdn
        )
        for rdn in name.rdns
    )


def comparable_ip(text: str) -> str:
    """Return an IP address in its one usual spelling; raises `ValueError`."""
    return str(ipaddress.ip_address(text))


def comparable_email(text: str) -> str:
    """Return an address whose domain is in lower case; the part before it is its host's to compare (RFC 5321)."""
    local, at, domain = text.rpartition("@")
    return local + at + ascii_lower(domain)


@cache
def _library() -> ModuleType:
    try:
        from cryptography import x509
    except ImportError:
        remedy = 'certificates need cryptography: pip install "oauthcore[oidc]"'
        raise ConfigurationError("mutual_tls", None, remedy) from None
    return x509
