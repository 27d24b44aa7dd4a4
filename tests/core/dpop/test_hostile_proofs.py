"""Proofs that prove nothing, one a row: each is refused, for its own reason (RFC 9449 sections 4.3 and 11)."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from math import gcd
from typing import Any

import pytest

from oauthcore.digest import Secret, base64url
from oauthcore.dpop.proof import MAX_JTI_LENGTH, MAX_LENGTH, DpopProof, Expected, read_proof
from oauthcore.dpop.settings import ALGORITHMS, LIFETIME, SKEW
from oauthcore.errors import InvalidDpopProof
from oauthcore.jose import crypto
from oauthcore.jose.crypto import sign_as_given, verify_own_key
from oauthcore.jose.jwk import Jwk
from tests.core.dpop.proving import TOKEN_URL, ath, key, proof, public_members
from tests.core.signing_keys import RSA_2048, key_for

NOW = 1_800_000_000
TOKEN = "t" * 43


def expected(access_token: str | None = None, method: str = "POST") -> Expected:
    """Return what is expected of a proof."""
    secret = None if access_token is None else Secret(access_token)
    return Expected(method, TOKEN_URL, NOW, ALGORITHMS, LIFETIME, SKEW, secret)


def read(text: str, of: Expected | None = None) -> DpopProof:
    """Read a proof."""
    return read_proof(text, of or expected(), verify_own_key)


def with_header(**members: Any) -> Callable[[], str]:
    """Return a proof with such a header, rightly signed under it."""
    return lambda: proof(NOW, header=members)


def with_claims(**members: Any) -> Callable[[], str]:
    """Return a proof with such claims, rightly signed."""
    return lambda: proof(NOW, **members)


def without(name: str) -> Callable[[], str]:
    """Return a proof that lacks a header parameter or claim."""
    return lambda: proof(NOW, without=name)


def with_key(**members: Any) -> Callable[[], str]:
    """Return a proof whose public key has such members."""
    return lambda: proof(NOW, header={"jwk": {**public_members(key()), **members}})


def parts(change: Callable[[list[str]], list[str]]) -> Callable[[], str]:
    """Return a proof whose parts were changed after it was signed."""
    return lambda: ".".join(change(proof(NOW).split(".")))


def unsigned() -> str:
    """Return a proof with `alg` none."""
    header = {"typ": "dpop+jwt", "alg": "none", "jwk": public_members(key())}
    return f"{encoded(header)}.{encoded({'jti': 'a', 'htm': 'POST', 'htu': TOKEN_URL, 'iat': NOW})}."


def encoded(members: Mapping[str, object]) -> str:
    """Return a part of a JWT."""
    return base64url(json.dumps(members).encode())


def by_secret() -> str:
    """Return a proof that was signed with the public key as an HMAC secret (RFC 8725 section 2.1)."""
    secret = Jwk.of({"kty": "oct", "k": base64url(json.dumps(public_members(key())).encode())})
    header = {"typ": "dpop+jwt", "alg": "HS256", "jwk": public_members(key())}
    return sign_as_given(header, {"jti": "a", "htm": "POST", "htu": TOKEN_URL, "iat": NOW}, secret, "HS256")


def twice(name: str, header: bool) -> str:
    """Return a proof with a member twice."""
    head, claims, signature = proof(NOW).split(".")
    part = head if header else claims
    text = base64.urlsafe_b64decode(part + "==").decode().rstrip("}") + f', "{name}": "x"}}'
    if header:
        # The closing brace of `jwk` was cut as well.
        text = base64.urlsafe_b64decode(part + "==").decode()[:-1] + f', "{name}": "x"}}'
    changed = base64url(text.encode())
    return ".".join([changed, claims, signature] if header else [head, changed, signature])


def small_rsa() -> dict[str, object]:
    """Return a public RSA key of 1024 bits."""
    return {"kty": "RSA", "e": "AQAB", "n": base64url(b"\xc3" * 128)}


OTHER = public_members(key(1))
POINT = public_members(key())

HOSTILE: Mapping[str, tuple[Callable[[], str], str]] = {
    "blank": (lambda: "", "compact"),
    "no JWT": (lambda: "proof", "compact"),
    "two parts": (parts(lambda found: found[:2]), "compact"),
    "four parts": (parts(lambda found: [*found, "x"]), "compact"),
    "five parts, encrypted": (parts(lambda found: [*found, "x", "x"]), "compact"),
    "two proofs joined by a comma": (lambda: f"{proof(NOW)}, {proof(NOW)}", "compact"),
    "too long": (with_claims(jti="a", padding="x" * MAX_LENGTH), "too long"),
    "padded base64": (parts(lambda found: [found[0] + "=", *found[1:]]), "base64url"),
    "header is no JSON": (parts(lambda found: [base64url(b"{"), *found[1:]]), "header is not"),
    "header has a member twice": (lambda: twice("typ", True), "header is not"),
    "claims have a member twice": (lambda: twice("htm", False), "signature|payload"),
    "no typ": (without("typ"), "typ"),
    "typ JWT": (with_header(typ="JWT"), "typ"),
    "typ at+jwt": (with_header(typ="at+jwt"), "typ"),
    "typ of another profile": (with_header(typ="oauth-client-attestation-pop+jwt"), "typ"),
    "typ that begins so": (with_header(typ="dpop+jwt2"), "typ"),
    "typ is a number": (with_header(typ=1), "wrong type"),
    "alg none": (unsigned, "algorithm"),
    "alg None": (with_header(alg="None"), "algorithm"),
    "alg is symmetric": (by_secret, "algorithm"),
    "alg is not of the list": (lambda: proof(NOW, alg="ES512", by=key_for_es512()), "algorithm"),
    "alg of another key": (with_header(alg="EdDSA"), "bring the public key"),
    "no key": (without("jwk"), "bring the public key"),
    "key is text": (with_header(jwk="key"), "bring the public key"),
    "key is a list": (with_header(jwk=[POINT]), "bring the public key"),
    "key of unknown kind": (with_header(jwk={"kty": "AKP", "pub": "x"}), "bring the public key"),
    "private key": (lambda: proof(NOW, header={"jwk": key().members}), "bring the public key"),
    "private RSA key without d": (
        lambda: proof(
            NOW,
            alg="RS256",
            header={"jwk": {name: value for name, value in RSA_2048.items() if name != "d"}},
        ),
        "bring the public key",
    ),
    "symmetric key": (with_header(jwk={"kty": "oct", "k": "AAAA"}), "bring the public key"),
    "key for encryption": (with_key(use="enc"), "bring the public key"),
    "key for another algorithm": (with_key(alg="ES384"), "bring the public key"),
    "key on another curve": (with_key(crv="P-384"), "bring the public key"),
    "key without a coordinate": (with_key(y=None), "bring the public key"),
    "coordinate with a zero in front": (
        with_key(x=base64url(b"\0" + base64.urlsafe_b64decode(str(POINT["x"]) + "="))),
        "bring the public key",
    ),
    "coordinate that is padded": (with_key(x=f"{POINT['x']}="), "bring the public key"),
    "point that is not on the curve": (with_key(x=base64url(bytes(31) + b"\x05")), "signature"),
    "RSA key of 1024 bits": (
        lambda: proof(NOW, alg="RS256", header={"jwk": small_rsa()}, by=key_for("RS256")),
        "signature",
    ),
    "another key than it was signed with": (with_header(jwk=OTHER), "signature"),
    "signed by another key": (lambda: proof(NOW, signed_by=key(1)), "signature"),
    "claims changed after the signature": (
        parts(lambda found: [found[0], encoded({"jti": "b", "htm": "POST", "htu": TOKEN_URL, "iat": NOW}), found[2]]),
        "signature",
    ),
    "no signature": (parts(lambda found: [*found[:2], ""]), "signature"),
    "key by URL": (with_header(jku="https://evil.example/keys"), "own key"),
    "certificate by URL": (with_header(x5u="https://evil.example/key.pem"), "own key"),
    "certificate chain": (with_header(x5c=["MIIB"]), "own key"),
    "critical extension": (with_header(crit=["b64"], b64=False), "extension"),
    "nested token": (with_header(cty="JWT"), "another token"),
    "no jti": (without("jti"), "jti"),
    "blank jti": (with_claims(jti=""), "jti"),
    "jti is a number": (with_claims(jti=1), "wrong type"),
    "jti is too long": (with_claims(jti="a" * (MAX_JTI_LENGTH + 1)), "jti"),
    "no htm": (without("htm"), "htm"),
    "htm of another method": (with_claims(htm="GET"), "htm"),
    "htm in lower case": (with_claims(htm="post"), "htm"),
    "htm is a list": (with_claims(htm=["POST"]), "htm"),
    "no htu": (without("htu"), "htu"),
    "htu of another endpoint": (with_claims(htu="https://as.example/userinfo"), "htu"),
    "htu of another server": (with_claims(htu="https://evil.example/token"), "htu"),
    "htu by http": (with_claims(htu="http://as.example/token"), "htu"),
    "htu with a user": (with_claims(htu="https://as.example@evil.example/token"), "htu"),
    "htu is a list": (with_claims(htu=[TOKEN_URL]), "htu"),
    "htu is a path": (with_claims(htu="/token"), "htu"),
    "no iat": (without("iat"), "iat"),
    "iat is text": (with_claims(iat=str(NOW)), "wrong type"),
    "iat is true": (with_claims(iat=True), "wrong type"),
    "iat too long ago": (with_claims(iat=NOW - LIFETIME - 1), "too old"),
    "iat in the future": (with_claims(iat=NOW + SKEW + 1), "future"),
    "expired": (with_claims(exp=NOW - SKEW), "expired"),
    "not yet valid": (with_claims(nbf=NOW + SKEW + 1), "not valid yet"),
    "nonce is a number": (with_claims(nonce=1), "nonce"),
}


def key_for_es512() -> Jwk:
    """Return a key for ES512, which no server signs with."""
    from joserfc.jwk import ECKey

    return Jwk.of(ECKey.generate_key("P-521").as_dict(private=True))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_proof_is_refused(name: str) -> None:
    make, reason = HOSTILE[name]

    with pytest.raises(InvalidDpopProof, match=reason):
        read(make())


@pytest.mark.parametrize(
    "hash_",
    [None, "", ath("u" * 43), ath(TOKEN).lower(), [ath(TOKEN)], TOKEN, f"{ath(TOKEN)}="],
    ids=["none", "blank", "another token", "another case", "a list", "the token", "padded"],
)
def test_proof_for_another_token_is_refused(hash_: object) -> None:
    """Section 4.3 step 12: else a proof that was seen with one token is one for any token of the key."""
    with pytest.raises(InvalidDpopProof, match="ath"):
        read(proof(NOW, ath=hash_) if hash_ is not None else proof(NOW), expected(TOKEN))


def test_proof_for_the_token_is_taken() -> None:
    assert read(proof(NOW, ath=ath(TOKEN)), expected(TOKEN)).jkt == key().thumbprint


@pytest.mark.parametrize("alg", ALGORITHMS)
def test_a_right_proof_of_each_algorithm_is_taken(alg: str) -> None:
    by = key_for(alg)

    found = read(proof(NOW, by, alg=alg, jti="j", nonce="n"))

    assert found == DpopProof(by.thumbprint, "j", NOW + LIFETIME + 1, "n")


@pytest.mark.parametrize(
    "changes",
    [
        {"iat": NOW - LIFETIME},
        {"iat": NOW + SKEW},
        {"iat": NOW + 0.5},
        {"htu": f"{TOKEN_URL}?a=b#c"},
        {"htu": "HTTPS://AS.EXAMPLE:443/%74oken"},
        {"exp": NOW + 1},
        {"anything": ["else"]},
    ],
)
def test_what_honest_clients_do_is_taken(changes: Mapping[str, Any]) -> None:
    assert read(proof(NOW, **changes)).jkt == key().thumbprint


@pytest.mark.parametrize("typ", ["dpop+jwt", "DPoP+JWT", "application/dpop+jwt"])
def test_the_type_is_a_media_type(typ: str) -> None:
    """RFC 7515 section 4.1.9: in any case, with or without the prefix."""
    assert read(proof(NOW, header={"typ": typ})).jkt == key().thumbprint


def test_the_key_counts_and_not_what_is_said_of_it() -> None:
    described = {**public_members(key()), "kid": "mine", "use": "sig", "alg": "ES256", "key_ops": ["verify"]}

    assert read(proof(NOW, header={"jwk": described})).jkt == key().thumbprint


def test_a_proof_is_remembered_for_as_long_as_it_could_be_used() -> None:
    """Else it could be used once more, in the second after it was forgotten."""
    ahead = NOW + SKEW
    found = read(proof(NOW, iat=ahead))

    last = Expected("POST", TOKEN_URL, ahead + LIFETIME, ALGORITHMS, LIFETIME, SKEW)
    assert read(proof(NOW, iat=ahead), last).expires_at == found.expires_at > last.now


def test_one_jti_of_two_keys_is_two_proofs() -> None:
    one, other = (read(proof(NOW, key(number), jti="same")) for number in (0, 1))

    assert one.identity != other.identity


def slow_rsa() -> Jwk:
    """Return a private RSA key whose exponent makes it slow to verify with; it signs as any other."""
    first, second = (int.from_bytes(base64.urlsafe_b64decode(str(RSA_2048[name]) + "==")) for name in ("p", "q"))
    exponent = next(e for e in range(2**40 + 1, 2**41, 2) if gcd(e, (first - 1) * (second - 1)) == 1)
    private = pow(exponent, -1, (first - 1) * (second - 1))
    numbers = {"n": first * second, "e": exponent, "d": private, "p": first, "q": second}
    numbers |= {"dp": private % (first - 1), "dq": private % (second - 1), "qi": pow(second, -1, first)}
    return Jwk.of(
        {"kty": "RSA", **{name: base64url(number.to_bytes(256).lstrip(b"\0")) for name, number in numbers.items()}}
    )


def test_a_key_that_is_slow_to_verify_with_is_refused() -> None:
    """Anybody may send one, to have a server spend its time."""
    assert read(proof(NOW, key_for("RS256"), alg="RS256")).jti

    with pytest.raises(InvalidDpopProof, match="signature is wrong"):
        read(proof(NOW, slow_rsa(), alg="RS256"))


@pytest.mark.parametrize(("bits", "taken"), [(4_096, True), (4_097, False), (8_192, False)])
def test_a_long_rsa_key_is_refused_before_it_is_used(bits: int, taken: bool) -> None:
    long = Jwk.of({"kty": "RSA", "e": "AQAB", "n": base64url((2**bits - 1).to_bytes(bits // 8 + 1).lstrip(b"\0"))})

    with nullcontext() if taken else pytest.raises(ValueError, match=f"RSA key of {bits} bits"):
        crypto._strangers_key(long)
