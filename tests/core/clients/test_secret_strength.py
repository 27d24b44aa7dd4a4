"""Secrets that somebody chose: what they can be worth at most (RFC 6749 section 10.10)."""

from __future__ import annotations

import base64
import random
import string

import pytest

from oauthcore import Client, Secret
from oauthcore.clients.registration import Registered
from oauthcore.clients.secret_strength import secret_problem


@pytest.mark.parametrize(
    "secret",
    ["s", "correct horse", "letmein123", "0123456789" * 3, "a" * 200, "ab" * 60, "deadbeef" * 3],
)
def test_a_chosen_secret_below_128_bits_has_a_problem_that_does_not_show_it(secret: str) -> None:
    problem = secret_problem(Secret(secret))

    assert problem is not None
    assert "128" in problem
    assert secret not in problem.split()


@pytest.mark.parametrize(
    ("alphabet", "length"),
    [
        (string.digits, 39),
        ("0123456789abcdef", 32),
        ("0123456789ABCDEF", 32),
        (string.ascii_lowercase + string.digits, 26),
        (string.ascii_letters + string.digits + "-_", 22),
        (string.ascii_letters + string.digits + string.punctuation, 22),
        ("äöüßéèêñçøåæœ✓§µ", 16),
    ],
)
def test_a_random_secret_of_128_bits_has_no_problem(alphabet: str, length: int) -> None:
    chance = random.Random(6749)

    for _ in range(200):
        assert secret_problem(Secret("".join(chance.choices(alphabet, k=length)))) is None


def test_what_openssl_rand_gives_has_no_problem() -> None:
    secret = base64.b64encode(random.Random(1).randbytes(32)).decode()

    assert secret_problem(Secret(secret)) is None


def test_a_host_hears_of_the_problem_with_the_registration() -> None:
    client = Client(client_id="app")

    assert Registered(client, None).secret_problem is None
    assert Registered(client, Secret("hush")).secret_problem is not None
