"""What a certificate says of its holder, and distinguished names as RFC 4514 writes them."""

from __future__ import annotations

import contextlib
import subprocess
import sys

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from oauthcore.errors import ConfigurationError
from oauthcore.jose import certificate as under_test
from oauthcore.jose.certificate import MAX_LENGTH, distinguished_name, read_certificate
from oauthcore.jose.crypto import import_private
from tests.core.certificates import NOW, Names, certificate, subject

EMAIL, ORGANIZATION_IDENTIFIER = x509.ObjectIdentifier("1.2.840.113549.1.9.1"), x509.ObjectIdentifier("2.5.4.97")
CN, OU = NameOID.COMMON_NAME, NameOID.ORGANIZATIONAL_UNIT_NAME


def test_a_certificate_is_read_whole() -> None:
    made = certificate(
        dns=["Client.Example"],
        uri=["spiffe://example/client"],
        ip=["192.0.2.7", "2001:db8::1"],
        email=["Me@Example.COM"],
    )

    read = read_certificate(made.der)

    assert read.subject == distinguished_name("CN=client,O=Example")
    assert read.names_dns == {"client.example"}
    assert read.names_uri == {"spiffe://example/client"}
    assert read.names_ip == {"192.0.2.7", "2001:db8::1"}
    assert read.names_email == {"Me@example.com"}
    assert (read.not_before, read.not_after) == (NOW - 86_400, NOW + 86_400)


@pytest.mark.parametrize("kind", ["EC", "RSA", "Ed25519"])
def test_the_key_of_a_certificate_is_its_holders_public_one(kind: str) -> None:
    made = certificate(key=kind)

    key = read_certificate(made.der).key

    assert key is not None and not key.is_private
    assert key.thumbprint == import_private(made.key_pem).thumbprint


@pytest.mark.parametrize("der", [b"", b"0", b"\x30\x03\x02\x01\x01", certificate().der[:-1], certificate().der + b"0"])
def test_what_is_no_certificate_is_a_value_error(der: bytes) -> None:
    with pytest.raises(ValueError, match="can't be read"):
        read_certificate(der)


def test_a_certificate_without_end_is_not_parsed() -> None:
    with pytest.raises(ValueError, match="too long"):
        read_certificate(b"0" * (MAX_LENGTH + 1))


@given(st.binary(max_size=300), st.integers(0, 600))
def test_no_bytes_are_another_error(inserted: bytes, at: int) -> None:
    der = certificate(dns=["client.example"]).der

    with contextlib.suppress(ValueError):
        read_certificate(der[:at] + inserted + der[at + len(inserted) :])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("CN=client,O=Example", subject(O="Example", CN="client")),
        ("2.5.4.3=client,2.5.4.10=Example", subject(O="Example", CN="client")),
        ("2.5.4.3=#0C06636C69656E74,O=Example", subject(O="Example", CN="client")),
        (r"CN=\63lient,O=Example", subject(O="Example", CN="client")),
        (r"CN=a\,b\+c\=d\#\"e\\", subject(CN='a,b+c=d#"e\\')),
        ("CN=a+OU=b", [[(OU, "b"), (CN, "a")]]),
        ("OU=b+CN=a", [[(OU, "b"), (CN, "a")]]),
        ("CN=Müller", subject(CN="Müller")),
        (r"CN=M\C3\BCller", subject(CN="Müller")),
        ("emailAddress=a@b.example", [[(EMAIL, "a@b.example")]]),
        ("organizationIdentifier=PSDGB-FCA-1", [[(ORGANIZATION_IDENTIFIER, "PSDGB-FCA-1")]]),
        ("2.5.4.97=#0c0b50534447422d4643412d31", [[(ORGANIZATION_IDENTIFIER, "PSDGB-FCA-1")]]),
    ],
)
def test_one_name_may_be_written_in_several_ways(text: str, names: Names) -> None:
    assert read_certificate(certificate(names).der).subject == distinguished_name(text)


@pytest.mark.parametrize(
    "text",
    [
        "CN=client",
        "O=Example,CN=client",
        "CN=client,O=Example,C=DE",
        "CN=Client,O=Example",
        "CN=client,O=Example ",
        "OU=client,O=Example",
        "CN=client+O=Example",
        r"CN=client\,O=Example",
    ],
)
def test_other_names_are_other_names(text: str) -> None:
    try:
        named = distinguished_name(text)
    except ValueError:
        return
    assert read_certificate(certificate().der).subject != named


@pytest.mark.parametrize(
    "text", ["client", "CN", "CN=a,", "CN=a;O=b", "X=a", "CN=#zz", "CN=#0c01", "CN=#0c0161ff", "/O=a/CN=b", "CN="]
)
def test_what_is_no_name_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="RFC 4514"):
        distinguished_name(text)


@given(st.text(max_size=60))
def test_no_text_is_another_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        distinguished_name(f"CN={text}")


def test_the_core_is_imported_without_the_library() -> None:
    """As with joserfc: only what uses certificates needs it."""
    program = "import sys, oauthcore; sys.exit('cryptography' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False, timeout=60).returncode == 0


def test_without_the_library_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography", None)
    under_test._library.cache_clear()
    try:
        with pytest.raises(ConfigurationError, match="pip install"):
            read_certificate(b"any")
    finally:
        under_test._library.cache_clear()
