"""What attackers send where a token is expected (RFC 8725): refused, each for its own reason."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st
from joserfc.jwk import RSAKey

from oauthcore.jose import crypto
from oauthcore.jose.compact import MAX_KID_LENGTH, MAX_LENGTH, Flaw, InvalidJwt, read_encrypted, read_signed
from oauthcore.jose.crypto import MAX_CANDIDATES
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, ENCRYPTIONS, SERVER_ALGORITHMS, Jwk, symmetric
from oauthcore.jose.jwt import Encryption
from tests.core.signing_keys import RSA_2048, key_for

KEY = key_for("ES256")
RSA = key_for("RS256")
CLAIMS: dict[str, object] = {"iss": "https://as.example", "sub": "alice", "aud": "client", "exp": 1_800_000_300}


def b64(value: bytes | str) -> str:
    """Spell bytes as base64url."""
    return base64.urlsafe_b64encode(value.encode() if isinstance(value, str) else value).rstrip(b"=").decode()


def signed(header: Mapping[str, object] | str, claims: Mapping[str, object] | str | bytes = CLAIMS) -> str:
    """Sign whatever it is with the right key, as an attacker who has one of their own could at another server."""
    head = header if isinstance(header, str) else json.dumps({"alg": "ES256", "kid": KEY.kid, **header})
    body = claims if isinstance(claims, str | bytes) else json.dumps(claims)
    signing_input = f"{b64(head)}.{b64(body)}".encode()
    signature = crypto._signature("ES256").sign(signing_input, crypto._key(KEY))
    return f"{signing_input.decode()}.{b64(signature)}"


def flaw_of(token: str, keys: Any = None, algorithms: Any = SERVER_ALGORITHMS) -> Flaw:
    """Return why a token is refused; that it is taken fails the test."""
    with pytest.raises(InvalidJwt) as refusal:
        crypto.verify(token, [KEY.public, RSA.public] if keys is None else keys, algorithms)
    return refusal.value.flaw


def test_the_token_that_the_others_are_made_from_is_taken() -> None:
    assert crypto.verify(signed({}), [RSA.public, KEY.public], ["ES256"]).claims == CLAIMS


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", ""])
@pytest.mark.parametrize("signature", ["", "AAAA"])
def test_a_token_without_a_signature_is_refused_however_it_is_spelled(alg: str, signature: str) -> None:
    token = f"{b64(json.dumps({'alg': alg}))}.{b64(json.dumps(CLAIMS))}.{signature}"

    assert flaw_of(token) is Flaw.ALGORITHM
    assert flaw_of(token, algorithms=["none", "None", "NONE", "nOnE", ""]) is Flaw.ALGORITHM


def test_a_signature_that_was_cut_off_is_refused() -> None:
    head, body, _ = signed({}).split(".")

    assert flaw_of(f"{head}.{body}.") is Flaw.SIGNATURE
    assert flaw_of(f"{head}.{body}") is Flaw.NOT_COMPACT


@pytest.mark.parametrize("form", [Encoding.PEM, Encoding.DER])
@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_an_hmac_with_the_public_key_is_refused(alg: str, form: Encoding) -> None:
    """RFC 8725 section 2.1: the key confusion. Even where the one who asks takes HMACs as well."""
    public = RSAKey.import_key({name: str(RSA_2048[name]) for name in ("kty", "n", "e")})
    for secret in (
        public.public_key.public_bytes(form, PublicFormat.SubjectPublicKeyInfo),
        RSA.public.text.encode(),
        str(RSA_2048["n"]).encode(),
    ):
        signing_input = f"{b64(json.dumps({'alg': alg, 'kid': RSA.kid}))}.{b64(json.dumps(CLAIMS))}"
        mac = hmac.new(secret, signing_input.encode(), getattr(hashlib, f"sha{alg[2:]}")).digest()
        token = f"{signing_input}.{b64(mac)}"

        assert flaw_of(token) is Flaw.ALGORITHM
        assert flaw_of(token, algorithms=[*SERVER_ALGORITHMS, alg]) is Flaw.UNKNOWN_KEY


@pytest.mark.parametrize("claimed", [*ASYMMETRIC_ALGORITHMS, "HS256", "ES256K", "dir"])
def test_an_algorithm_that_the_key_is_not_for_is_refused(claimed: str) -> None:
    if claimed == "ES256":
        return
    assert flaw_of(signed({"alg": claimed})) in {Flaw.ALGORITHM, Flaw.UNKNOWN_KEY, Flaw.SIGNATURE}


def test_an_algorithm_that_was_not_asked_for_is_refused_though_the_signature_is_right() -> None:
    token = crypto.sign_claims(CLAIMS, RSA, "RS256")

    assert flaw_of(token, algorithms=["PS256"]) is Flaw.ALGORITHM
    assert flaw_of(token, algorithms=[]) is Flaw.ALGORITHM


@pytest.mark.parametrize(
    "own",
    [
        {"jwk": KEY.public.members},
        {"jku": "https://attacker.example/jwks"},
        {"x5u": "https://attacker.example/cert"},
        {"x5c": ["MIIB"]},
        {"jwk": None},
    ],
)
def test_a_token_that_brings_its_key_is_refused_though_it_is_the_right_one(own: Mapping[str, object]) -> None:
    assert flaw_of(signed(own)) is Flaw.OWN_KEY


@pytest.mark.parametrize("extra", [{"crit": ["exp"]}, {"crit": []}, {"crit": None}, {"b64": False}, {"b64": True}])
def test_a_token_that_demands_an_extension_is_refused(extra: Mapping[str, object]) -> None:
    """RFC 7515 section 4.1.11, RFC 7797."""
    assert flaw_of(signed(extra)) is Flaw.CRITICAL


@pytest.mark.parametrize("kid", [1, True, ["a"], {"a": "b"}, 1.5, "k" * (MAX_KID_LENGTH + 1)])
def test_a_kid_that_is_no_short_string_is_refused(kid: object) -> None:
    assert flaw_of(signed({"kid": kid})) is Flaw.HEADER_TYPE


@pytest.mark.parametrize(
    "kid", ["", "../../../../dev/null", "' OR 1=1 --", "$(id)", "a\0b", "🔑", "https://attacker.example", "*"]
)
def test_a_kid_is_compared_and_nothing_else_is_done_with_it(kid: str) -> None:
    assert flaw_of(signed({"kid": kid})) is Flaw.UNKNOWN_KEY


@pytest.mark.parametrize("header", [{"typ": 1}, {"alg": ["ES256"]}, {"alg": None}, {"cty": 5}])
def test_a_header_of_the_wrong_types_is_refused(header: Mapping[str, object]) -> None:
    assert flaw_of(signed(header)) is Flaw.HEADER_TYPE


@pytest.mark.parametrize(
    "header",
    [
        '{"alg": "none", "alg": "ES256"}',
        '{"alg": "ES256", "alg": "ES256"}',
        '{"kid": "a", "alg": "ES256", "k\\u0069d": "b"}',
        '{"kid": "\\ud800", "alg": "ES256"}',
        '["ES256"]',
        "ES256",
        "",
        '{"alg": "ES256", "x": NaN}',
        '{"alg": "ES256", "x": ' + "[" * 5_000 + "]" * 5_000 + "}",
    ],
)
def test_a_header_that_is_no_json_object_with_each_member_once_is_refused(header: str) -> None:
    assert flaw_of(signed(header)) is Flaw.HEADER_NOT_JSON


@pytest.mark.parametrize(
    "claims",
    [
        '{"sub": "alice", "sub": "mallory"}',
        '{"aud": "a", "aud": "b"}',
        '{"sub": "alice", "s\\u0075b": "mallory"}',
        '{"a": {"b": 1, "b": 2}}',
        "[]",
        "alice",
        "",
        b"\xff\xfe",
        '{"exp": Infinity}',
        "[" * 5_000,
    ],
)
def test_claims_that_are_no_json_object_with_each_member_once_are_refused(claims: str | bytes) -> None:
    """RFC 7519 section 4."""
    assert flaw_of(signed({}, claims)) is Flaw.CLAIMS_NOT_JSON


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": 1},
        {"iss": ["https://as.example"]},
        {"sub": 1},
        {"sub": None},
        {"sub": {"alice": 1}},
        {"jti": True},
        {"exp": "1800000300"},
        {"exp": True},
        {"exp": None},
        {"nbf": [1]},
        {"iat": {}},
        {"aud": 1},
        {"aud": {"client": 1}},
        {"aud": ["client", 1]},
        {"aud": [["client"]]},
        {"aud": None},
    ],
)
def test_registered_claims_of_the_wrong_types_are_refused(claims: Mapping[str, object]) -> None:
    assert flaw_of(signed({}, claims)) is Flaw.CLAIM_TYPE


def test_a_time_beyond_all_numbers_is_refused() -> None:
    assert flaw_of(signed({}, '{"exp": 1e999}')) is Flaw.CLAIMS_NOT_JSON


def test_a_huge_token_is_refused_before_it_is_read() -> None:
    token = signed({}, {"a": "a" * MAX_LENGTH})

    assert flaw_of(token) is Flaw.TOO_LARGE
    assert flaw_of("." * 10_000_000) is Flaw.TOO_LARGE


def test_a_token_in_a_token_is_refused_where_none_is_expected() -> None:
    inner = signed({})

    assert flaw_of(signed({"cty": "JWT"}, inner)) is Flaw.NESTED
    assert flaw_of(signed({}, inner)) is Flaw.CLAIMS_NOT_JSON
    assert flaw_of(signed({"cty": "jwt"}, CLAIMS)) is Flaw.NESTED


def test_an_encrypted_token_is_no_signed_one_and_the_other_way_round() -> None:
    encrypted = crypto.encrypt(signed({}), Encryption("RSA-OAEP", "A128GCM", Jwk.of(RSA_2048).public))

    assert flaw_of(encrypted) is Flaw.NOT_COMPACT
    assert decryption_flaw(signed({})) is Flaw.NOT_ENCRYPTED


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token + "=",
        lambda token: token.replace(".", "=.", 1),
        lambda token: " " + token,
        lambda token: token + "\n",
        lambda token: "+" + token[1:],
        lambda token: token[:10] + "/" + token[11:],
        lambda token: token[:10] + "ä" + token[11:],
        lambda token: token + "\0",
        lambda token: token[:-1],
        lambda token: token.replace(".", "A.", 1),
    ],
)
def test_base64url_that_is_not_written_the_one_way_is_refused(spoil: Any) -> None:
    """RFC 7515 section 2. Two spellings of one token would be two, to whoever remembers tokens."""
    assert flaw_of(spoil(signed({}))) in {Flaw.NOT_BASE64URL, Flaw.HEADER_NOT_JSON}


def test_a_signature_has_one_spelling() -> None:
    token = signed({})
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

    taken = [last for last in alphabet if _is_taken(token[:-1] + last)]

    assert taken == [token[-1]]


def _is_taken(token: str) -> bool:
    try:
        crypto.verify(token, [KEY.public], ["ES256"])
    except InvalidJwt:
        return False
    return True


@pytest.mark.parametrize("alg", SERVER_ALGORITHMS)
def test_a_token_that_was_changed_is_refused(alg: str) -> None:
    head, _, signature = crypto.sign_claims(CLAIMS, key_for(alg), alg).split(".")
    forged = b64(json.dumps({**CLAIMS, "sub": "mallory"}))

    assert flaw_of(f"{head}.{forged}.{signature}", [key_for(alg).public]) is Flaw.SIGNATURE


def test_a_signature_of_nothing_but_zeros_is_refused() -> None:
    """The one that a verifier took that forgot to look for zeros (CVE-2022-21449)."""
    head, body, _ = signed({}).split(".")

    assert flaw_of(f"{head}.{body}.{b64(bytes(64))}") is Flaw.SIGNATURE


def test_a_key_that_is_none_is_not_verified_with() -> None:
    off_the_curve = Jwk.of({**KEY.public.members, "y": b64(bytes(32))})

    assert flaw_of(signed({}), [off_the_curve]) is Flaw.SIGNATURE


def test_an_rsa_key_whose_exponent_makes_every_check_slow_verifies_nothing() -> None:
    """FIPS 186-5 section A.1.1. The two exponents of a key change places, so that the signature itself is right."""
    members = {name: int.from_bytes(base64.urlsafe_b64decode(f"{RSA.members[name]}==")) for name in ("n", "e", "d")}
    signing_input = f"{b64(json.dumps({'alg': 'RS256', 'kid': RSA.kid}))}.{b64(json.dumps(CLAIMS))}"
    # RFC 8017 section 9.2, with the prefix of SHA-256 from its note 1.
    encoded = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(signing_input.encode()).digest()
    padded = b"\0\1" + b"\xff" * (256 - 3 - len(encoded)) + b"\0" + encoded
    signature = pow(int.from_bytes(padded), members["e"], members["n"]).to_bytes(256)
    slow = Jwk.of({"kty": "RSA", "n": RSA.members["n"], "e": b64(members["d"].to_bytes(256)), "kid": RSA.kid})

    assert flaw_of(f"{signing_input}.{b64(signature)}", [slow], ["RS256"]) is Flaw.SIGNATURE


@pytest.mark.parametrize("bits", [512, 1024, 16_384])
def test_an_rsa_key_that_is_too_small_or_too_large_verifies_nothing(bits: int) -> None:
    weak = Jwk.of({"kty": "RSA", "n": b64(((1 << bits) - 1).to_bytes(bits // 8, "big")), "e": "AQAB", "kid": RSA.kid})

    assert flaw_of(crypto.sign_claims(CLAIMS, RSA, "RS256"), [weak]) is Flaw.SIGNATURE


def test_no_more_than_some_keys_are_tried() -> None:
    unnamed = [Jwk.of({**key_for("ES256", n).public.members, "kid": None}) for n in range(1, MAX_CANDIDATES + 1)]

    assert flaw_of(signed({}), [*unnamed, Jwk.of({**KEY.public.members, "kid": None})]) is Flaw.SIGNATURE


def decryption_flaw(token: str, algorithms: Any = tuple(ENCRYPTIONS), **encryptions: Any) -> Flaw:
    """Return why an encrypted token is refused."""
    with pytest.raises(InvalidJwt) as refusal:
        crypto.decrypt(token, [Jwk.of(RSA_2048)], algorithms, **encryptions)
    return refusal.value.flaw


def encrypted(**header: object) -> str:
    """Return an encrypted token with another header, which so can't be decrypted."""
    parts = crypto.encrypt(signed({}), Encryption("RSA-OAEP", "A128GCM", Jwk.of(RSA_2048).public)).split(".")
    return ".".join([b64(json.dumps({"alg": "RSA-OAEP", "enc": "A128GCM", **header})), *parts[1:]])


def test_an_encrypted_token_is_refused_for_its_header_before_any_key_is_used() -> None:
    assert decryption_flaw(encrypted(jwk=KEY.public.members)) is Flaw.OWN_KEY
    assert decryption_flaw(encrypted(zip="DEF")) is Flaw.COMPRESSED
    assert decryption_flaw(encrypted(crit=["exp"])) is Flaw.CRITICAL
    assert decryption_flaw(encrypted(enc=None)) is Flaw.HEADER_TYPE
    assert decryption_flaw(b64(json.dumps({"alg": "RSA-OAEP"})) + ".AA.AA.AA.AA") is Flaw.HEADER_TYPE
    assert decryption_flaw(encrypted(kid=1)) is Flaw.HEADER_TYPE
    assert decryption_flaw(encrypted(alg="RSA1_5")) is Flaw.ALGORITHM
    assert decryption_flaw(encrypted(alg="dir")) is Flaw.ALGORITHM
    assert decryption_flaw(encrypted(enc="A192GCM")) is Flaw.ALGORITHM
    assert decryption_flaw(encrypted(), algorithms=["ECDH-ES"]) is Flaw.ALGORITHM
    assert decryption_flaw(encrypted(), encryptions=["A256GCM"]) is Flaw.ALGORITHM
    assert decryption_flaw(encrypted(alg="ECDH-ES")) is Flaw.UNKNOWN_KEY


def test_whatever_is_wrong_within_an_encrypted_token_is_one_refusal() -> None:
    """Which part it was would be an oracle."""
    token = crypto.encrypt(signed({}), Encryption("RSA-OAEP", "A128GCM", Jwk.of(RSA_2048).public))

    assert decryption_flaw(encrypted()) is Flaw.CIPHERTEXT
    for number in range(1, 5):
        for spoilt in ("AAAA" + token.split(".")[number][4:], ""):
            parts = token.split(".")
            parts[number] = spoilt
            assert decryption_flaw(".".join(parts)) is Flaw.CIPHERTEXT


def test_what_was_encrypted_is_not_thereby_signed() -> None:
    """Anybody can encrypt to a public key."""
    unsigned = f"{b64(json.dumps({'alg': 'none'}))}.{b64(json.dumps(CLAIMS))}."
    token = crypto.encrypt(unsigned, Encryption("RSA-OAEP", "A128GCM", Jwk.of(RSA_2048).public))

    assert flaw_of(crypto.decrypt(token, [Jwk.of(RSA_2048)], ["RSA-OAEP"])) is Flaw.ALGORITHM


@given(st.text(max_size=200) | st.from_regex(r"[A-Za-z0-9_-]{0,40}(\.[A-Za-z0-9_-]{0,40}){0,5}", fullmatch=True))
def test_whatever_arrives_is_refused_and_nothing_else_happens(token: str) -> None:
    for read in (read_signed, read_encrypted, lambda text: crypto.verify(text, [KEY.public], SERVER_ALGORITHMS)):
        with pytest.raises(InvalidJwt):
            read(token)


@given(
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "jwk"]), st.none() | st.text(max_size=9) | st.integers()
    )
)
def test_whatever_the_header_says_a_token_without_our_signature_is_refused(header: dict[str, object]) -> None:
    token = f"{b64(json.dumps(header))}.{b64(json.dumps(CLAIMS))}.{b64(bytes(64))}"

    with pytest.raises(InvalidJwt):
        crypto.verify(token, [KEY.public, RSA.public, symmetric(b"s" * 64)], [*SERVER_ALGORITHMS, "HS256"])
