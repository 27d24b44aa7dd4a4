"""Client certificates as tests have them: of an authority or of their own, with any names and times."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache

import attrs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from oauthcore import Peer

NOW = 1_800_000_000

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
Names = Sequence[Sequence[tuple[x509.ObjectIdentifier, str]]]


@attrs.frozen
class Made:
    """Hold a certificate and its key."""

    certificate: x509.Certificate
    key: PrivateKey

    @property
    def der(self) -> bytes:
        """Return the certificate in DER."""
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def pem(self) -> str:
        """Return the certificate in PEM."""
        return self.certificate.public_bytes(Encoding.PEM).decode()

    @property
    def key_pem(self) -> str:
        """Return the private key in PEM."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    @property
    def issued(self) -> Peer:
        """Return a client that has shown it to a host that trusts its authority."""
        return Peer("192.0.2.1", is_secure=True, certificate=self.der, has_trusted_chain=True)

    @property
    def unverified(self) -> Peer:
        """Return a client that has shown it to a host that verifies no chain."""
        return attrs.evolve(self.issued, has_trusted_chain=False)


@cache
def private_key(name: str = "EC") -> PrivateKey:
    """Return a private key, the same for the same name."""
    if name.startswith("RSA"):
        return rsa.generate_private_key(65537, 2048)
    return ed25519.Ed25519PrivateKey.generate() if name.startswith("Ed") else ec.generate_private_key(ec.SECP256R1())


def subject(**names: str) -> Names:
    """Return a subject with one attribute in each relative name: `subject(O="Example", CN="client")`."""
    return [[(getattr(NameOID, _OIDS[name]), value)] for name, value in names.items()]


_OIDS = {"CN": "COMMON_NAME", "O": "ORGANIZATION_NAME", "OU": "ORGANIZATIONAL_UNIT_NAME", "C": "COUNTRY_NAME"}


def certificate(
    names: Names | None = None,
    *,
    dns: Sequence[str] = (),
    uri: Sequence[str] = (),
    ip: Sequence[str] = (),
    email: Sequence[str] = (),
    key: str = "EC",
    not_before: int = NOW - 86_400,
    not_after: int = NOW + 86_400,
    issuer: Made | None = None,
    is_ca: bool = False,
) -> Made:
    """Make a certificate, signed by itself without an `issuer`."""
    own = private_key(key)
    named = subject(O="Example", CN="client") if names is None else names
    name = x509.Name(
        [x509.RelativeDistinguishedName([x509.NameAttribute(oid, text) for oid, text in rdn]) for rdn in named]
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name if issuer is None else issuer.certificate.subject)
        .public_key(own.public_key())
        .serial_number(7)
        .not_valid_before(datetime.fromtimestamp(not_before, UTC))
        .not_valid_after(datetime.fromtimestamp(not_after, UTC))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    )
    alternative: list[x509.GeneralName] = [
        *map(x509.DNSName, dns),
        *map(x509.UniformResourceIdentifier, uri),
        *(x509.IPAddress(ipaddress.ip_address(each)) for each in ip),
        *map(x509.RFC822Name, email),
    ]
    if alternative:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternative), critical=False)
    signing = own if issuer is None else issuer.key
    made = builder.sign(signing, None if isinstance(signing, ed25519.Ed25519PrivateKey) else SHA256())
    return Made(made, own)
