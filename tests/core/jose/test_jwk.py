"""JSON Web Keys as values."""

from __future__ import annotations

import json

import pytest

from oauthcore.errors import ConfigurationError
from oauthcore.jose.jwk import ENCRYPTIONS, MAX_KEYS, SERVER_ALGORITHMS, SIGNATURES, Jwk, parse_set, set_of, symmetric
from tests.core.signing_keys import RSA_2048, key_for

# RFC 7638 section 3.1.
EXAMPLE = {
    "kty": "RSA",
    "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3o"
    "knjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQ"
    "vRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqD"
    "Kgw",
    "e": "AQAB",
    "alg": "RS256",
    "kid": "2011-04-29",
}


def test_a_thumbprint_is_that_of_the_standard() -> None:
    assert Jwk.of(EXAMPLE).thumbprint == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"


@pytest.mark.parametrize("alg", SERVER_ALGORITHMS)
def test_both_halves_of_a_key_have_one_thumbprint_and_only_one_of_them_is_private(alg: str) -> None:
    key = key_for(alg)

    assert key.is_private and not key.public.is_private
    assert key.thumbprint == key.public.thumbprint == key.kid
    assert key.public.members.keys() <= {"kty", "kid", "alg", "use", "n", "e", "crv", "x", "y"}
    assert key.public.members | {"use": "sig", "alg": alg} == key.public.members


def test_a_private_key_is_in_no_repr() -> None:
    assert str(RSA_2048["d"]) not in repr(Jwk.of(RSA_2048))


def test_a_shared_secret_is_never_published() -> None:
    with pytest.raises(ConfigurationError, match="no public half"):
        _ = symmetric(b"s" * 32).public


@pytest.mark.parametrize("alg", SIGNATURES)
def test_a_key_fits_the_algorithms_of_its_kind_and_no_others(alg: str) -> None:
    """RFC 8725 section 3.1: above all, no HMAC is ever checked with a public key."""
    rsa = Jwk.of(RSA_2048)
    keys = {"RSA": rsa, "oct": symmetric(b"s" * 64)}
    kinds = {kind for kind, key in keys.items() if key.fits_signature(alg)}

    assert kinds == {SIGNATURES[alg][0]} & keys.keys()
    assert Jwk.of({**key_for("ES256").members, "alg": None}).fits_signature(alg) == (alg == "ES256")
    assert Jwk.of({**key_for("ES384").members, "alg": None}).fits_signature(alg) == (alg == "ES384")
    assert Jwk.of({**key_for("EdDSA").members, "alg": None}).fits_signature(alg) == (alg in {"EdDSA", "Ed25519"})


def test_a_key_that_says_what_it_is_for_is_for_nothing_else() -> None:
    rsa = Jwk.of({**RSA_2048, "alg": "PS256"})

    assert rsa.fits_signature("PS256")
    assert not rsa.fits_signature("RS256")
    assert not Jwk.of({**RSA_2048, "use": "enc"}).fits_signature("RS256")
    assert not Jwk.of({**RSA_2048, "use": "sig"}).fits_encryption("RSA-OAEP")
    assert Jwk.of({**RSA_2048, "use": "enc"}).fits_encryption("RSA-OAEP")
    assert not Jwk.of(RSA_2048).fits_encryption("RSA1_5")
    assert not Jwk.of(RSA_2048).fits_signature("none")


@pytest.mark.parametrize("alg", ENCRYPTIONS)
def test_a_key_for_exchange_is_on_a_curve_that_is_known(alg: str) -> None:
    assert Jwk.of({**key_for("ES256").members, "use": None, "alg": None}).fits_encryption(alg) == ("ECDH" in alg)
    assert not key_for("EdDSA").fits_encryption(alg)


@pytest.mark.parametrize(("alg", "length"), [("HS256", 32), ("HS384", 48), ("HS512", 64)])
def test_a_secret_is_at_least_as_long_as_the_hash(alg: str, length: int) -> None:
    """RFC 7518 section 3.2."""
    assert symmetric(b"s" * length).fits_signature(alg)
    assert not symmetric(b"s" * (length - 1)).fits_signature(alg)


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"kty": "XYZ"},
        {"kty": ["RSA"], "n": "a", "e": "b"},
        {"kty": "RSA", "n": "a"},
        {"kty": "RSA", "n": 1, "e": "b"},
        {"kty": "RSA", "n": "a", "e": "b", "kid": 1},
        {"kty": "RSA", "n": "a", "e": "b", "kid": ["a"]},
        {"kty": "RSA", "n": "a", "e": "b", "d": 5},
        {"kty": "EC", "crv": "P-256", "x": "a"},
    ],
)
def test_what_is_no_key_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"."):
        Jwk.of(members)


def test_a_set_is_read_and_what_is_no_public_key_of_a_known_kind_is_passed_over() -> None:
    """RFC 7517 section 5."""
    keys = [key_for("ES256").public, key_for("EdDSA").public]
    strange = [{"kty": "AKP", "pub": "x"}, {"kty": "RSA"}, "key", RSA_2048, symmetric(b"s" * 32).members]
    members = [*strange, *(key.members for key in keys)]

    assert parse_set(json.dumps({"keys": members})) == tuple(keys)
    assert parse_set(set_of([key_for("ES256"), key_for("EdDSA")])) == tuple(keys)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "[]",
        '{"keys": {}}',
        '{"keys": [], "keys": []}',
        json.dumps({"keys": [EXAMPLE] * (MAX_KEYS + 1)}),
    ],
)
def test_what_is_no_set_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse_set(text)
