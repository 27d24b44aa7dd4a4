"""Certificates that proxies hand on in headers: RFC 9440's, nginx's, HAProxy's and Envoy's."""

from __future__ import annotations

import base64
from urllib.parse import quote

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import ConfigurationError, Peer
from oauthcore.wire.certificate_headers import CertificateHeader, ProxyFormat, VerifiedChains, der_of_pem
from oauthcore.wire.text import lower_names
from tests.core.certificates import certificate

MADE = certificate()
DER, PEM, ESCAPED = MADE.der, MADE.pem, quote(MADE.pem, safe="")
BASE64 = base64.b64encode(DER).decode()
XFCC = f'Hash=468ed33be74eee6556d90c0149c1309e9ba61d64;Cert="{ESCAPED}";Subject="CN=\\"a\\",O=b";URI='


@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        ("rfc9440", "Client-Cert", f":{BASE64}:"),
        ("rfc9440", "Client-Cert", f" :{BASE64}: "),
        ("haproxy", "X-SSL-Client-Cert", BASE64),
        ("nginx", "X-SSL-Client-Cert", ESCAPED),
        ("nginx", "X-SSL-Client-Cert", quote(PEM)),
        ("envoy", "X-Forwarded-Client-Cert", XFCC),
        ("envoy", "X-Forwarded-Client-Cert", f'Cert="{ESCAPED}"'),
        (
            "envoy",
            "X-Forwarded-Client-Cert",
            f'By=spiffe://a/b;Hash=0a;Cert="{ESCAPED}";Chain="{ESCAPED}";DNS=a.b;DNS=c',
        ),
    ],
)
def test_the_certificate_is_read_as_each_proxy_writes_it(kind: ProxyFormat, name: str, value: str) -> None:
    header = CertificateHeader(format=kind)

    assert header.names == {name.lower()}
    assert header.certificate(lower_names([(name, value)])) == DER
    assert CertificateHeader(format=kind, name="X-Other").certificate(lower_names([("x-OTHER", value)])) == DER


@pytest.mark.parametrize(
    ("kind", "values"),
    [
        ("rfc9440", []),
        ("rfc9440", [""]),
        ("rfc9440", [BASE64]),
        ("rfc9440", ["::"]),
        ("rfc9440", [":"]),
        ("rfc9440", [f":{BASE64}"]),
        ("rfc9440", [f":{BASE64}:;a=b"]),
        ("rfc9440", [f":{BASE64}:, :{BASE64}:"]),
        ("rfc9440", [f":{BASE64}:", f":{BASE64}:"]),
        ("rfc9440", [f":{BASE64[:-2]}*=:"]),
        ("haproxy", [f":{BASE64}:"]),
        ("haproxy", ["%"]),
        ("haproxy", ["A" * 70_000]),
        ("nginx", [BASE64]),
        ("nginx", [ESCAPED, ESCAPED]),
        ("nginx", [ESCAPED + ESCAPED]),
        ("nginx", ["(null)"]),
        ("nginx", [quote("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----")]),
        ("envoy", [ESCAPED]),
        ("envoy", ["Hash=0a"]),
        ("envoy", [f"{XFCC},{XFCC}"]),
        ("envoy", [f'Hash=0a,Cert="{ESCAPED}"']),
        ("envoy", [f'Cert="{ESCAPED}";Cert="{ESCAPED}"']),
        ("envoy", [f'Subject="a;Cert=\\"{ESCAPED}\\""']),
        ("envoy", [f'Cert="{ESCAPED}']),
    ],
)
def test_what_is_not_exactly_one_certificate_is_none(kind: ProxyFormat, values: list[str]) -> None:
    header = CertificateHeader(format=kind)
    (name,) = header.names

    assert header.certificate(tuple((name, value) for value in values)) is None


@given(st.sampled_from(["rfc9440", "nginx", "haproxy", "envoy"]), st.lists(st.text(max_size=40), max_size=3))
def test_whatever_a_header_says_nothing_breaks(kind: ProxyFormat, values: list[str]) -> None:
    header = CertificateHeader(format=kind, chains=VerifiedChains())
    (name,) = header.names

    peer = header.peer(Peer("192.0.2.1"), tuple((name, value) for value in values))

    assert peer.address == "192.0.2.1"
    assert peer.has_trusted_chain is (peer.certificate is not None)


VERIFY = "x-ssl-client-verify"
BY_HEADER = CertificateHeader(format="nginx", chains="X-SSL-Client-Verify")


@pytest.mark.parametrize(
    ("header", "more", "is_trusted"),
    [
        (CertificateHeader(format="nginx"), [], False),
        (CertificateHeader(format="nginx"), [(VERIFY, "SUCCESS")], False),
        (CertificateHeader(format="nginx", chains=VerifiedChains()), [], True),
        (BY_HEADER, [(VERIFY, "SUCCESS")], True),
        (BY_HEADER, [(VERIFY, "0")], True),
        (BY_HEADER, [], False),
        (BY_HEADER, [(VERIFY, "FAILED:self-signed certificate")], False),
        (BY_HEADER, [(VERIFY, "NONE")], False),
        (BY_HEADER, [(VERIFY, "18")], False),
        (BY_HEADER, [(VERIFY, "success")], False),
        (BY_HEADER, [(VERIFY, "SUCCESS"), (VERIFY, "SUCCESS")], False),
        (BY_HEADER, [(VERIFY, "FAILED"), (VERIFY, "SUCCESS")], False),
    ],
)
def test_an_authority_counts_as_verified_where_the_proxy_says_so(
    header: CertificateHeader, more: list[tuple[str, str]], is_trusted: bool
) -> None:
    sender = Peer("192.0.2.1", is_secure=True)

    peer = header.peer(sender, (("x-ssl-client-cert", ESCAPED), *more))

    assert peer == attrs.evolve(sender, certificate=DER, has_trusted_chain=is_trusted)
    # Without a certificate there is nothing to be verified.
    assert header.peer(sender, tuple(more)) == sender


@pytest.mark.parametrize("settings", [{"format": "apache"}, {"name": "a b"}, {"chains": "a:"}])
def test_a_header_that_can_not_be_is_refused(settings: dict[str, str]) -> None:
    (name,) = settings
    with pytest.raises(ConfigurationError, match=name):
        CertificateHeader(**settings)  # type: ignore[arg-type]  # that is what is refused


def test_one_certificate_is_read_from_pem() -> None:
    assert der_of_pem(PEM) == DER == der_of_pem(PEM.replace("\n", " ")) == der_of_pem(PEM.replace("\n", "\r\n"))
    assert der_of_pem("") is None and der_of_pem(PEM + PEM) is None and der_of_pem(MADE.key_pem) is None
