"""`client_secret_jwt` (OIDC Core section 9): signed with a secret that is kept sealed, and used once."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import AuthorizationServer, Client, ConfigurationError, Secret
from oauthcore.jose import crypto
from oauthcore.jose.jwk import symmetric
from oauthcore.testing import SeededEntropy
from tests.core.clients.asserting import KEY, SECRET, SHARED, ask, asserting_site, assertion, claims_of, mac, reason
from tests.core.site import ISSUER, Drive, Site, basic, form


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site with clients that authenticate by assertions, under each driver."""
    return asserting_site(drive)


def stored(site: Site, client_id: str = "shared") -> Client:
    """Return a client as it is stored."""
    client = site.world.storage.find(Client, client_id)
    assert isinstance(client, Client)
    return client


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_who_signs_with_the_shared_secret_is_that_client_once(site: Site, alg: str) -> None:
    assert ask(site, mac(alg=alg)).status == 200

    assert "used before" in reason(ask(site, mac(alg=alg)))


def test_another_secret_is_refused(site: Site) -> None:
    assert "signature is wrong" in reason(ask(site, mac("x" * 64)))


def test_the_secret_itself_is_no_way_in_any_more(site: Site) -> None:
    answer = site.post("/token", form(grant_type="client_credentials"), basic("shared", SECRET))

    assert "not the method" in reason(answer)


def test_a_signature_with_a_private_key_is_another_method(site: Site) -> None:
    assert "not the method" in reason(ask(site, assertion("shared", key=KEY)))


def test_a_client_of_another_method_can_not_be_signed_for_with_its_secret(site: Site) -> None:
    """What is stored of its secret is a digest, which is no key."""
    digest = stored(site, "confidential").secrets[0].digest
    for key in (digest, "confidential-secret" + "x" * 32):
        text = crypto.sign_claims(claims_of("confidential"), symmetric(key.encode()), "HS256")
        assert "not the method" in reason(ask(site, text))


def test_the_secret_is_stored_sealed_and_only_for_who_signs_with_it(site: Site) -> None:
    (kept,) = stored(site).secrets

    assert kept.sealed is not None
    assert SECRET not in kept.sealed and SECRET not in repr(stored(site))
    assert stored(site, "confidential").secrets[0].sealed is None


def test_under_another_token_key_a_sealed_secret_is_worth_nothing() -> None:
    site = asserting_site()
    moved = AuthorizationServer(
        issuer=ISSUER, clock=site.clock, entropy=SeededEntropy(), token_key=b"k" * 32, policy=site.server.policy
    )
    site.server = moved

    assert "none of the keys" in reason(ask(site, mac()))


def test_a_rotated_secret_is_sealed_too_and_both_are_good_while_they_overlap(site: Site) -> None:
    fresh = site.drive(site.server.clients.rotate_secret("shared", overlap=30), site.world).reveal()

    assert all(secret.sealed is not None for secret in stored(site).secrets)
    assert ask(site, mac(fresh)).status == 200
    assert ask(site, mac(jti="j2")).status == 200
    site.clock.advance(30)
    assert "signature is wrong" in reason(ask(site, mac(jti="j3")))
    assert ask(site, mac(fresh, jti="j4")).status == 200


@pytest.mark.parametrize(("alg", "length"), [(None, 43), ("HS256", 43), ("HS384", 86), ("HS512", 86)])
def test_a_generated_secret_is_as_long_as_the_algorithm_takes(site: Site, alg: str | None, length: int) -> None:
    """RFC 7518 section 3.2."""
    client = attrs.evolve(SHARED, client_id="new", token_endpoint_auth_signing_alg=alg)
    secret = site.drive(site.server.clients.register(client), site.world).secret.reveal()
    rotated = site.drive(site.server.clients.rotate_secret("new", overlap=0), site.world).reveal()

    assert len(secret) == len(rotated) == length
    text = crypto.sign_claims(claims_of("new"), symmetric(rotated.encode()), alg or "HS256")
    assert ask(site, text).status == 200


@pytest.mark.parametrize(
    ("changes", "secret"),
    [
        ({}, "s" * 31),
        ({"token_endpoint_auth_signing_alg": "HS512"}, "s" * 63),
        ({"token_endpoint_auth_method": "client_secret_basic", "request_object_signing_alg": "HS256"}, "s" * 31),
    ],
)
def test_a_secret_that_is_too_short_to_sign_with_is_refused(changes: dict[str, Any], secret: str) -> None:
    client = attrs.evolve(SHARED, client_id="new", **changes)
    site = asserting_site()

    with pytest.raises(ConfigurationError, match="RFC 7518") as failure:
        site.server.clients.prepare(client, Secret(secret))

    assert secret not in str(failure.value)
    assert site.server.clients.prepare(client, Secret(secret + "s")).client.secrets[0].sealed is not None


def test_a_secret_that_signs_nothing_may_be_shorter() -> None:
    client = attrs.evolve(SHARED, client_id="new", token_endpoint_auth_method="client_secret_basic")

    assert asserting_site().server.clients.prepare(client, Secret("short")).client.secrets[0].sealed is None
