"""What a client may register of its keys and signatures."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Client, ConfigurationError, Secret
from oauthcore.jose import crypto
from oauthcore.jose.jwk import symmetric
from tests.core.clients.asserting import JWKS_URI, KEY, KEYED, SHARED, asserting_site
from tests.core.signing_keys import key_for

BASIC = attrs.evolve(KEYED, jwks=None, token_endpoint_auth_method="client_secret_basic")


def prepared(client: Client = KEYED, **changes: Any) -> Client:
    """Look a client over, as its registration would."""
    secret = Secret("s" * 64) if attrs.evolve(client, **changes).has_secret else None
    return asserting_site().server.clients.prepare(attrs.evolve(client, client_id="new", **changes), secret).client


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"jwks": {"keys": [KEY.public.members]}},
        {"jwks": None, "jwks_uri": JWKS_URI},
        {"token_endpoint_auth_signing_alg": "ES256"},
        {"request_object_signing_alg": "RS256", "require_signed_request_object": True},
        {"request_uris": ["https://keyed.example/request.jwt#hash", "https://keyed.example/other"]},
        {"require_signed_request_object": True},
    ],
)
def test_what_can_be_verified_can_be_registered(changes: dict[str, Any]) -> None:
    assert prepared(**changes).client_id == "new"


@pytest.mark.parametrize("changes", [{"jwks_uri": "http://a.example/"}, {"request_uris": ["http://a.example/"]}])
def test_plain_http_is_fetched_where_it_is_allowed_by_name(changes: dict[str, Any]) -> None:
    insecure = attrs.evolve(BASIC, allow={Allowance.INSECURE_TRANSPORT})

    assert prepared(insecure, **changes).client_id == "new"
    with pytest.raises(ConfigurationError, match="https"):
        prepared(BASIC, **changes)


PRIVATE = json.dumps({"keys": [KEY.members]})


@pytest.mark.parametrize(
    ("client", "changes", "setting", "remedy"),
    [
        (KEYED, {"jwks": None}, "jwks_uri", "set it, or jwks"),
        (KEYED, {"jwks_uri": JWKS_URI}, "jwks_uri", "leave out one"),
        (KEYED, {"jwks": "no JSON"}, "jwks", "JWK set"),
        (KEYED, {"jwks": {}}, "jwks", "JWK set"),
        (KEYED, {"jwks": {"keys": []}}, "jwks", "add the key"),
        (KEYED, {"jwks": PRIVATE}, "jwks", "private"),
        (KEYED, {"jwks": {"keys": [symmetric(b"s" * 32).members]}}, "jwks", "private"),
        (KEYED, {"jwks": {"keys": [{"kty": "magic"}]}}, "jwks", "not known"),
        (KEYED, {"jwks": {"keys": ["x"]}}, "jwks", "not known"),
        (KEYED, {"token_endpoint_auth_signing_alg": "EdDSA"}, "jwks", "add a key for EdDSA"),
        (KEYED, {"token_endpoint_auth_signing_alg": "HS256"}, "token_endpoint_auth_signing_alg", "RS256"),
        (KEYED, {"token_endpoint_auth_signing_alg": "none"}, "token_endpoint_auth_signing_alg", "RS256"),
        (SHARED, {"token_endpoint_auth_signing_alg": "ES256"}, "token_endpoint_auth_signing_alg", "HS256"),
        (BASIC, {"token_endpoint_auth_signing_alg": "magic"}, "token_endpoint_auth_signing_alg", "RS256"),
        (KEYED, {"request_object_signing_alg": "none"}, "request_object_signing_alg", "RS256"),
        (KEYED, {"request_object_signing_alg": "HS256"}, "request_object_signing_alg", "its own key"),
        (KEYED, {"request_object_signing_alg": "ES384"}, "jwks", "add a key for ES384"),
        (BASIC, {"request_object_signing_alg": "RS256"}, "jwks_uri", "set it, or jwks"),
        (BASIC, {"require_signed_request_object": True}, "jwks_uri", "set it, or jwks"),
        (BASIC, {"jwks_uri": "http://new.example/jwks"}, "jwks_uri", "https"),
        (BASIC, {"jwks_uri": "https://new.example/jwks#a"}, "jwks_uri", "no fragment"),
        (BASIC, {"jwks_uri": "https://user@new.example/jwks"}, "jwks_uri", "user information"),
        (BASIC, {"jwks_uri": "https://new.example/a b"}, "jwks_uri", "URI characters"),
        (BASIC, {"request_uris": ["urn:ietf:params:oauth:request_uri:x"]}, "request_uris", "https"),
        (BASIC, {"request_uris": ["file:///etc/passwd"]}, "request_uris", "https"),
    ],
)
def test_what_can_not_be_is_refused_by_name(client: Client, changes: dict[str, Any], setting: str, remedy: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        prepared(client, **changes)

    assert failure.value.setting == setting
    assert remedy in failure.value.remedy
    assert str(KEY.members["d"]) not in str(failure.value)


def test_a_client_with_keys_of_its_own_has_no_secret() -> None:
    with pytest.raises(ConfigurationError, match="a key of its own has no secret"):
        asserting_site().server.clients.prepare(attrs.evolve(KEYED, client_id="new"), Secret("s" * 64))


def test_nor_can_it_be_given_one() -> None:
    site = asserting_site()

    with pytest.raises(ConfigurationError, match="authenticates with a secret"):
        site.drive(site.server.clients.rotate_secret("keyed", overlap=0), site.world)


def test_without_the_library_nobody_registers_for_signatures(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise ConfigurationError("oidc", None, "install it")

    site = asserting_site()
    monkeypatch.setattr(crypto, "check_installed", missing)

    with pytest.raises(ConfigurationError, match="install it"):
        site.server.clients.prepare(attrs.evolve(KEYED, client_id="new"))


def test_keys_of_any_kind_will_do() -> None:
    for alg in ("EdDSA", "ES384", "ES256"):
        keys = {"keys": [key_for(alg).public.members]}
        assert prepared(jwks=keys, token_endpoint_auth_signing_alg=alg).jwks is not None
