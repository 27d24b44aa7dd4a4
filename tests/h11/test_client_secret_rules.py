"""What a client secret in the file may not be (RFC 6749 section 10.10)."""

from __future__ import annotations

from pathlib import Path

import pytest

from oauthcore import ConfigurationError, Secret
from oauthcore_h11.client_secret_rules import check_client_secret
from oauthcore_h11.configuration.tables import ClientSecrets
from tests.h11.test_configuration import reading
from tests.h11.test_oidc import LEAST, records

RULES = ClientSecrets()
SHORT = ClientSecrets(minimum_length=1)


@pytest.mark.parametrize("text", ["", "x", "x7QkpL2tvR9_mZ4"])
def test_short_one_is_refused_unseen_with_the_setting_that_allows_it(text: str) -> None:
    with pytest.raises(ConfigurationError) as refused:
        check_client_secret("clients[1].secret", Secret(text), "app", RULES)

    assert str(refused.value) == (
        "clients[1].secret = Secret(): use at least 16 characters (client_secrets.minimum_length), "
        "as from openssl rand -base64 32"
    )


@pytest.mark.parametrize("text", ["password", "Changeme1", "aaaaaaaaaaaaaaaaaaaa", "app", "my-application1"])
def test_one_that_anybody_would_try_is_refused_unseen(text: str) -> None:
    client_id = "my-application" if text.startswith("my-") else "app"

    with pytest.raises(ConfigurationError, match=r"client_secrets\.refuse_common") as refused:
        check_client_secret("secret", Secret(text), client_id, SHORT)

    assert f"Secret(): {text}" not in str(refused.value)
    assert refused.value.value == Secret(text)


def test_sixteen_characters_are_enough() -> None:
    check_client_secret("secret", Secret("x7QkpL2tvR9_mZ4w"), "app", RULES)


@pytest.mark.parametrize("text", ["password", "aaaaaaaa", "app-secret"])
def test_any_is_taken_where_the_operator_wants_that(text: str) -> None:
    check_client_secret("secret", Secret(text), "app", ClientSecrets(minimum_length=8, refuse_common=False))


@pytest.mark.parametrize("source", ['"letmein"', '{ env = "CHOSEN" }', '{ file = "chosen" }'])
def test_declared_client_is_held_to_it_wherever_its_secret_is(tmp_path: Path, source: str) -> None:
    (tmp_path / "chosen").write_text("letmein\n")
    client = f'[[clients]]\nclient_id = "app"\nsecret = {source}\ngrant_types = ["client_credentials"]\n'

    with pytest.raises(ConfigurationError, match=r"^clients\[1\]\.secret = Secret\(\): use at least 16 characters"):
        records(reading(tmp_path, LEAST + client, CHOSEN="letmein"))


def test_declared_client_without_a_secret_is_not_asked_for_one(tmp_path: Path) -> None:
    client = '[[clients]]\nclient_id = "phone"\ntoken_endpoint_auth_method = "none"\n'
    client += 'redirect_uris = ["https://phone.example/cb"]\n'

    assert len(records(reading(tmp_path, LEAST + client))) == 1
