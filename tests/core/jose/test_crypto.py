"""Signatures, encryption and sealing, done rightly; what attackers send is in test_hostile_tokens.py."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from joserfc.jwk import RSAKey

from oauthcore.errors import ConfigurationError
from oauthcore.jose import crypto
from oauthcore.jose.compact import Flaw, InvalidJwt
from oauthcore.jose.jwk import CONTENT_ENCRYPTIONS, ENCRYPTIONS, SERVER_ALGORITHMS, SYMMETRIC_ALGORITHMS, Jwk, symmetric
from oauthcore.jose.jwt import Encryption, Jwt
from tests.core.signing_keys import RSA_2048, key_for

CLAIMS = {"iss": "https://as.example", "sub": "alice", "aud": ["client"], "exp": 1_800_000_300, "näme": "Älice"}

# As openssl writes them: PKCS #8, SEC 1 and the traditional form.
PEM_P256 = """-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgNH1soIlFbYemWx43
MJz3vPpSr6AywxtoRJGTuP2hyeShRANCAAQSrwGosTjV9d1J2Ppg3fj60hwi+wLL
/uFGrltwT9fHJUJpKfzveL3A8wSNV3NNVQKeTe9fEklauxZvQsTrBMSI
-----END PRIVATE KEY-----
"""
PEM_ED25519 = """-----BEGIN PRIVATE KEY-----
MC4CAQAwBQYDK2VwBCIEILe4e3jv3myMuSFET/eokhu4gIPN1zEoKRTao+8mvVAh
-----END PRIVATE KEY-----
"""
PEM_P384_SEC1 = """-----BEGIN EC PRIVATE KEY-----
MIGkAgEBBDDZhJMeKf8ICIgiar+F26CjdmpJgCM1MLx97fiv1rrdLFrZQ0S4r1lV
MWcRzrMkpNKgBwYFK4EEACKhZANiAATdD4ML5cUsfVFdA3j9ZLI4sRBYThuSPHBx
DUBKNHH2TFcYEv8ea8cWaVxkujF1BazEZxjw72h8FTHDL3vuyDMYC1qZmBFD37B2
j8vo3GVRkWLQIubNo5qqX+dbriuHYs8=
-----END EC PRIVATE KEY-----
"""
PEM_PUBLIC = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEq8BqLE41fXdSdj6YN34+tIcIvsC
y/7hRq5bcE/XxyVCaSn873i9wPMEjVdzTVUCnk3vXxJJWrsWb0LE6wTEiA==
-----END PUBLIC KEY-----
"""


@pytest.mark.parametrize("alg", SERVER_ALGORITHMS)
def test_what_was_signed_is_verified_with_the_public_half(alg: str) -> None:
    token = crypto.sign_claims(CLAIMS, key_for(alg), alg, "logout+jwt")

    verified = crypto.verify(token, [key_for(alg).public], [alg])

    assert verified.claims == CLAIMS
    assert verified.header == {"alg": alg, "typ": "logout+jwt", "kid": key_for(alg).kid}


@pytest.mark.parametrize("alg", SYMMETRIC_ALGORITHMS)
def test_a_shared_secret_signs_and_verifies(alg: str) -> None:
    key = symmetric(b"s" * 64)

    assert crypto.verify(crypto.sign_claims(CLAIMS, key, alg), [key], [alg]).claims == CLAIMS


def test_the_key_that_the_token_names_is_taken() -> None:
    keys = [key_for("ES256", number).public for number in range(20)]

    verified = crypto.verify(crypto.sign_claims(CLAIMS, key_for("ES256", 19), "ES256"), keys, ["ES256"])

    assert verified.header["kid"] == keys[19].kid


def test_a_key_without_a_name_is_tried() -> None:
    """RFC 7515 section 4.1.4: `kid` is a hint, and a client may publish its only key without one."""
    private = Jwk.of({name: value for name, value in key_for("ES256").members.items() if name != "kid"})

    named = crypto.sign_claims(CLAIMS, key_for("ES256"), "ES256")
    unnamed = crypto.sign_claims(CLAIMS, private, "ES256")

    assert crypto.verify(named, [private.public], ["ES256"]).claims == CLAIMS
    assert crypto.verify(unnamed, [key_for("EdDSA").public, key_for("ES256").public], ["ES256"]).claims == CLAIMS


@pytest.mark.parametrize(
    ("key", "alg"),
    [
        (key_for("ES256").public, "ES256"),
        (key_for("ES256"), "ES384"),
        (key_for("ES256"), "none"),
        (key_for("ES256"), "HS256"),
        (symmetric(b"short"), "HS256"),
    ],
)
def test_a_key_that_does_not_fit_signs_nothing(key: Jwk, alg: str) -> None:
    with pytest.raises(ConfigurationError, match="private key that is meant for it"):
        crypto.sign_claims(CLAIMS, key, alg)


def receiver(alg: str) -> Jwk:
    """Return a private key to encrypt to."""
    return Jwk.of(RSA_2048) if alg.startswith("RSA") else Jwk.of({**key_for("ES256").members, "alg": alg, "use": "enc"})


@pytest.mark.parametrize("enc", CONTENT_ENCRYPTIONS)
@pytest.mark.parametrize("alg", ENCRYPTIONS)
def test_a_token_for_one_reader_alone_is_signed_and_then_encrypted(alg: str, enc: str) -> None:
    private = receiver(alg)
    jwt = Jwt(CLAIMS, "EdDSA", encryption=Encryption(alg, enc, private.public))

    (token,) = crypto.sign([(jwt, key_for("EdDSA"))])

    assert token.count(".") == 4
    inner = crypto.decrypt(token, [key_for("EdDSA"), private], [alg])
    assert crypto.verify(inner, [key_for("EdDSA").public], ["EdDSA"]).claims == CLAIMS


@pytest.mark.parametrize(("alg", "enc"), [("RSA1_5", "A128GCM"), ("ECDH-ES", "A128GCM"), ("RSA-OAEP", "A192GCM")])
def test_nothing_is_encrypted_by_other_algorithms_or_to_other_keys(alg: str, enc: str) -> None:
    with pytest.raises(ConfigurationError, match="register known algorithms"):
        crypto.encrypt("a.b.c", Encryption(alg, enc, Jwk.of(RSA_2048).public))


def test_a_key_that_can_not_be_used_encrypts_nothing() -> None:
    """It is a client's, who registered a point that is not on the curve."""
    members = {"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ"}

    with pytest.raises(ConfigurationError, match="register a key that can be used"):
        crypto.encrypt("a.b.c", Encryption("ECDH-ES", "A128GCM", Jwk.of(members)))


def test_a_sealed_text_is_opened_with_its_key_and_no_other() -> None:
    sealed = crypto.seal("a secret, ä", b"k" * 32)

    assert "secret" not in sealed
    assert crypto.unseal(sealed, b"k" * 32) == "a secret, ä"
    assert crypto.seal("a secret, ä", b"k" * 32) != sealed
    for wrong in (sealed[:-4] + "AAAA", "", "a.b.c.d.e", sealed.replace(".", "")):
        with pytest.raises(ValueError, match="another key"):
            crypto.unseal(wrong, b"k" * 32)
    with pytest.raises(ValueError, match="another key"):
        crypto.unseal(sealed, b"x" * 32)


@pytest.mark.parametrize(
    ("text", "alg"), [(PEM_P256, "ES256"), (PEM_P384_SEC1, "ES384"), (PEM_ED25519, "EdDSA"), ("\n" + PEM_P256, "ES256")]
)
def test_a_key_from_a_file_is_named_by_its_thumbprint_and_used_as_usual(text: str, alg: str) -> None:
    key = crypto.import_private(text.encode())

    assert (key.alg, key.use, key.kid) == (alg, "sig", key.thumbprint)
    assert crypto.verify(crypto.sign_claims(CLAIMS, key, alg), [key.public], [alg]).claims == CLAIMS


def test_a_key_from_a_file_keeps_its_name_and_may_be_for_another_algorithm() -> None:
    key = crypto.import_private(Jwk.of({**RSA_2048, "kid": "2026"}).text, "PS256")

    assert (key.kid, key.alg) == ("2026", "PS256")
    assert crypto.import_private(Jwk.of(RSA_2048).text).alg == "RS256"
    assert crypto.import_private(PEM_ED25519, "Ed25519").alg == "Ed25519"


def other_half(alg: str) -> str:
    """Return a key whose private half is of one key and whose public half is of another."""
    members = key_for(alg, 1).members
    mixed = {**key_for(alg).members} | {name: members[name] for name in ("x", "y") if name in members}
    return Jwk.of(mixed).text


@pytest.mark.parametrize(
    ("text", "alg"),
    [
        ("", None),
        ("no key", None),
        ("{}", None),
        (PEM_PUBLIC, None),
        (PEM_P256.replace("M", "N"), None),
        (PEM_P256, "ES384"),
        (PEM_P256, "RS256"),
        (PEM_P256, "none"),
        (key_for("ES256").public.text, None),
        (symmetric(b"s" * 64).text, "HS256"),
        (other_half("EdDSA"), None),
        (other_half("ES256"), None),
        (Jwk.of({**RSA_2048, "use": "enc"}).text, None),
    ],
)
def test_a_file_without_a_private_key_for_the_algorithm_is_refused(text: str, alg: str | None) -> None:
    with pytest.raises(ConfigurationError, match=r"^key = "):
        crypto.import_private(text, alg)


def test_a_small_rsa_key_is_refused() -> None:
    """NIST SP 800-131A: 2048 bits at least."""
    small = rsa.generate_private_key(65537, 1024)
    pem = small.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    with warnings.catch_warnings(action="ignore"):
        text = Jwk.of(RSAKey.import_key(pem).as_dict(private=True)).text

        for form in (pem, text):
            with pytest.raises(ConfigurationError, match="too small"):
                crypto.import_private(form)


def test_a_fresh_key_is_for_an_algorithm_that_the_server_signs_with() -> None:
    assert crypto.generate("ES256") != crypto.generate("ES256")
    for alg in ("none", "HS256", "RS512", "ES256K"):
        with pytest.raises(ConfigurationError, match=r"^alg = "):
            crypto.generate(alg)


@pytest.mark.slow
@pytest.mark.parametrize("alg", ["RS256", "PS256"])
def test_a_fresh_rsa_key_signs(alg: str) -> None:
    key = crypto.generate(alg)

    assert crypto.verify(crypto.sign_claims(CLAIMS, key, alg), [key.public], [alg]).claims == CLAIMS


@pytest.fixture
def without_joserfc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Be where the extra `oidc` was not installed."""
    monkeypatch.setitem(sys.modules, "joserfc", None)
    crypto._library.cache_clear()
    crypto._key.cache_clear()
    crypto._sealing_key.cache_clear()
    yield
    crypto._library.cache_clear()


def test_without_joserfc_it_is_said_what_to_install(without_joserfc: None) -> None:
    key = Jwk.of(RSA_2048)
    token = "eyJhbGciOiJSUzI1NiJ9.e30.AAAA"
    encrypted = "eyJhbGciOiJSU0EtT0FFUCIsImVuYyI6IkExMjhHQ00ifQ.AA.AA.AA.AA"

    for use in (
        lambda: crypto.sign_claims({}, key, "RS256"),
        lambda: crypto.verify(token, [key], ["RS256"]),
        lambda: crypto.encrypt(token, Encryption("RSA-OAEP", "A128GCM", key)),
        lambda: crypto.decrypt(encrypted, [key], ["RSA-OAEP"]),
        lambda: crypto.generate("ES256"),
        lambda: crypto.import_private(PEM_P256),
        lambda: crypto.seal("", bytes(32)),
        lambda: crypto.unseal("", bytes(32)),
    ):
        with pytest.raises(ConfigurationError, match=r'pip install "oauthcore\[oidc\]"'):
            use()


def test_what_was_signed_with_an_unknown_key_says_so() -> None:
    """So that a client's keys can be fetched anew."""
    with pytest.raises(InvalidJwt) as refusal:
        crypto.verify(crypto.sign_claims({}, key_for("ES256", 1), "ES256"), [key_for("ES256").public], ["ES256"])

    assert refusal.value.flaw is Flaw.UNKNOWN_KEY
