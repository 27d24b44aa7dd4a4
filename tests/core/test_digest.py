"""One-way functions of secrets, and where secrets come from."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Secret
from oauthcore.digest import Derivation, Digester, Kind, Proof, encoded, same, same_digest
from oauthcore.entropy import mint
from oauthcore.testing import SeededEntropy

ISSUER = "https://as.example"
KEY = b"k" * 32
KINDS: tuple[Kind, ...] = ("access_token", "refresh_token", "authorization_code", "grant", "interaction")
PROOFS: tuple[Proof, ...] = ("access_token", "refresh_token", "resume")


def test_a_digest_is_sha256_of_kind_issuer_and_secret() -> None:
    expected = hashlib.sha256(b"access_token\0https://as.example\0value").hexdigest()

    assert Digester(ISSUER)("access_token", Secret("value")) == expected


def test_a_derived_secret_is_keyed_blake2b_of_purpose_issuer_and_secret() -> None:
    digest = hashlib.blake2b(b"resume\0https://as.example\0value", key=KEY, digest_size=32).digest()

    assert Derivation(ISSUER, KEY)("resume", Secret("value")) == encoded(digest)


def test_the_same_secret_has_another_digest_for_each_kind_and_issuer() -> None:
    secret = Secret("value")

    digests = {Digester(issuer)(kind, secret) for kind in KINDS for issuer in (ISSUER, ISSUER + "/")}

    assert len(digests) == 2 * len(KINDS)


def test_a_client_secret_has_the_same_digest_for_each_issuer() -> None:
    """It is the client's, and stays good when the server moves."""
    secret = Secret("value")

    assert Digester(ISSUER)("client_secret", secret) == Digester(ISSUER + "/")("client_secret", secret)


def test_the_same_secret_derives_another_for_each_purpose_issuer_and_key() -> None:
    secret = Secret("value")

    derived = {
        Derivation(issuer, key)(proof, secret).reveal()
        for proof in PROOFS
        for issuer in (ISSUER, ISSUER + "/")
        for key in (KEY, b"l" * 32)
    }

    assert len(derived) == 4 * len(PROOFS)


@given(value=st.text(max_size=20))
def test_digests_are_repeatable_and_take_any_text(value: str) -> None:
    digest, derive = Digester(ISSUER), Derivation(ISSUER, KEY)

    assert digest("access_token", Secret(value)) == Digester(ISSUER)("access_token", Secret(value))
    assert derive("resume", Secret(value)) == Derivation(ISSUER, KEY)("resume", Secret(value))


def test_a_secret_has_no_repr_and_is_given_out_by_name_only() -> None:
    secret = Secret("hunter2")

    assert "hunter2" not in f"{secret!r} {secret} {[secret]}"
    assert secret.reveal() == "hunter2"


def test_a_minted_secret_has_256_bits_and_fits_into_a_url() -> None:
    secret = mint(SeededEntropy()).reveal()

    assert len(secret) == 43
    assert set(secret) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_no_two_minted_secrets_are_the_same() -> None:
    entropy = SeededEntropy()

    assert len({mint(entropy).reveal() for _ in range(100)}) == 100


@pytest.mark.parametrize(("one", "other"), [("a", "a"), ("é", "é"), ("a", "b"), ("a", "ab"), ("", ""), ("\ud800", "a")])
def test_comparing_takes_any_text(one: str, other: str) -> None:
    assert same(one, other) == (one == other)


def test_digests_compare() -> None:
    digest = Digester(ISSUER)("access_token", Secret("a"))

    assert same_digest(digest, digest)
    assert not same_digest(digest, Digester(ISSUER)("access_token", Secret("b")))
