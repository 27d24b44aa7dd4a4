"""Tokens that a test makes by hand, and each thing that can be wrong with one."""

from __future__ import annotations

import time
from typing import get_args

import pytest

from oauthcore import (
    Access,
    ConfigurationError,
    JwtTokens,
    MemoryStorage,
    Outgoing,
    Request,
    ResourceServer,
    Response,
    run,
)
from oauthcore import World as CoreWorld
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.crypto import verify
from oauthcore.jose.jwk import parse_set
from oauthcore.jose.strict_json import parse_object
from oauthcore_mock import FLAWS, FlawName, Issuer, Provider, RegisteredClient
from tests.plugin.relying_party import claims_of, get, header_of, post

API = "https://api.example"


def resource_server(issuer: Issuer, provider: Provider) -> tuple[ResourceServer, CoreWorld]:
    """Return a resource server that knows the issuer by its metadata alone, as anybody's does."""

    def fetch(request: Outgoing) -> Response:
        """Ask the provider in this process."""
        return provider.handle(Request(request.method, request.url.removeprefix(provider.url))).response

    tokens = JwtTokens(issuer.url, clock=time.time)
    return ResourceServer(tokens, resource=API), CoreWorld(MemoryStorage(), fetch=fetch)


def shown(token: str, issuer: Issuer, provider: Provider, scope: str = "") -> Access | Response:
    """Show a token to that resource server."""
    server, world = resource_server(issuer, provider)
    return run(server.verify(Request("GET", "/", (("Authorization", f"Bearer {token}"),)), scope), world)


def test_a_token_is_signed_by_a_published_key(issuer: Issuer, provider: Provider) -> None:
    token = issuer.token("bob", aud=API, scope="read", claims={"tenant": "acme"})

    access = shown(token, issuer, provider, "read")

    assert isinstance(access, Access)
    assert (access.subject, access.scope.text, access.claims["tenant"]) == ("bob", "read", "acme")
    assert header_of(token)["alg"] == "ES256"


@pytest.mark.parametrize("alg", ["ES256", "RS256", "PS256", "ES384", "EdDSA"])
def test_a_token_is_signed_by_whatever_algorithm(alg: str, issuer: Issuer, provider: Provider) -> None:
    token = issuer.token(aud=API, alg=alg)

    assert header_of(token)["alg"] == alg
    assert isinstance(shown(token, issuer, provider), Access)


def test_two_issuers_have_the_same_rsa_key_and_elliptic_ones_of_their_own(provider: Provider) -> None:
    one, other = provider.issuer().jwks["keys"], provider.issuer().jwks["keys"]

    kids = [{key["kty"]: key["kid"] for key in keys} for keys in (one, other)]
    assert kids[0]["RSA"] == kids[1]["RSA"]
    assert kids[0]["EC"] != kids[1]["EC"]


def test_a_token_has_expired_where_its_lifetime_is_negative(issuer: Issuer) -> None:
    said = claims_of(issuer.token(expires_in=-1))

    assert said["iat"] < said["exp"] < time.time()


def test_claims_are_added_replaced_and_taken_out(issuer: Issuer) -> None:
    said = claims_of(issuer.token(claims={"roles": ["a"], "client_id": "other", "jti": None}))

    assert (said["roles"], said["client_id"]) == (["a"], "other")
    assert "jti" not in said


def test_a_token_names_the_key_that_the_test_names(issuer: Issuer) -> None:
    assert header_of(issuer.token(kid="key-1"))["kid"] == "key-1"


def test_a_token_of_a_foreign_issuer_is_refused(issuer: Issuer, provider: Provider) -> None:
    foreign = provider.issuer().token(aud=API)

    refused = shown(foreign, issuer, provider)

    assert isinstance(refused, Response)
    assert refused.status == 401


@pytest.mark.parametrize("opaque", [True, False])
def test_a_token_made_by_hand_is_known_to_the_issuer(issuer: Issuer, client: RegisteredClient, *, opaque: bool) -> None:
    token = issuer.token("bob", aud=issuer.url, scope="openid", opaque=opaque)

    answer = parse_object(post(issuer, "/introspect", client, token=token).body)
    assert (answer["active"], answer["sub"], answer["scope"]) == (True, "bob", "openid")
    assert get(issuer, "/userinfo", token).status == 200


@pytest.mark.parametrize("opaque", [True, False])
def test_a_revoked_token_is_known_no_more(issuer: Issuer, client: RegisteredClient, *, opaque: bool) -> None:
    of_bob, of_nobody = issuer.token("bob", opaque=opaque), issuer.token(None, opaque=opaque)

    issuer.revoke(of_bob)
    issuer.revoke(of_nobody)

    for token in (of_bob, of_nobody):
        assert parse_object(post(issuer, "/introspect", client, token=token).body) == {"active": False}


def test_what_is_no_token_can_t_be_revoked(issuer: Issuer) -> None:
    with pytest.raises(ConfigurationError, match="an access token that this issuer has issued"):
        issuer.revoke("nothing")


def test_an_opaque_token_says_nothing(issuer: Issuer) -> None:
    with pytest.raises(ConfigurationError, match="an opaque token says nothing"):
        issuer.token(opaque=True, claims={"roles": []})


def test_a_client_s_own_token_is_nobody_s(issuer: Issuer, provider: Provider) -> None:
    access = shown(issuer.token(None, aud=API, client_id="job"), issuer, provider)

    assert isinstance(access, Access)
    assert (access.subject, access.client_id) == (None, "job")


def test_an_id_token_says_what_the_test_wants(issuer: Issuer) -> None:
    token = issuer.id_token("bob", aud="app", nonce="n", claims={"email": "b@example.com"}, access_token="abc")

    said = verify(token, parse_set(provider_keys(issuer)), ["ES256"]).claims
    assert (said["sub"], said["aud"], said["nonce"], said["email"]) == ("bob", "app", "n", "b@example.com")
    assert "at_hash" in said


def provider_keys(issuer: Issuer) -> bytes:
    """Return the JWK set as it is served."""
    return get(issuer, "/jwks").body


def test_a_logout_token_is_one(issuer: Issuer) -> None:
    token = issuer.logout_token("bob", aud="app", sid="s1")

    said = claims_of(token)
    assert header_of(token)["typ"] == "logout+jwt"
    assert (said["sub"], said["sid"], said["aud"]) == ("bob", "s1", "app")
    assert said["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert "nonce" not in said


# RFC 9068 leaves `nbf` and `iat` to the resource server, and asks for nothing but the audience to be its own.
ACCESS_TOKEN_FLAWS = [name for name, flaw in FLAWS.items() if "access_token" in flaw.tokens]


@pytest.mark.parametrize("flaw", ACCESS_TOKEN_FLAWS)
def test_our_own_resource_server_refuses_each_flaw(flaw: FlawName, issuer: Issuer, provider: Provider) -> None:
    refused = shown(issuer.token(aud=API, flaw=flaw), issuer, provider)

    assert isinstance(refused, Response)
    assert refused.status == 401


@pytest.mark.parametrize("flaw", ["bad_signature", "foreign_key", "unknown_kid", "embedded_key", "unsigned"])
def test_no_published_key_has_made_such_a_signature(flaw: FlawName, issuer: Issuer) -> None:
    with pytest.raises(InvalidJwt):
        verify(issuer.token(flaw=flaw), parse_set(provider_keys(issuer)), ["ES256", "RS256"])


def test_every_flaw_has_a_name_that_type_checkers_know() -> None:
    assert set(FLAWS) == set(get_args(FlawName))


def test_keys_are_rotated_and_old_ones_kept(issuer: Issuer, provider: Provider) -> None:
    before = issuer.token(aud=API)

    issuer.rotate_keys()

    after = issuer.token(aud=API)
    assert header_of(before)["kid"] != header_of(after)["kid"]
    assert isinstance(shown(before, issuer, provider), Access)
    assert isinstance(shown(after, issuer, provider), Access)


def test_what_old_keys_signed_can_t_be_verified_where_they_are_not_kept(issuer: Issuer, provider: Provider) -> None:
    before = issuer.token(aud=API)

    issuer.rotate_keys(keep_old=False)

    assert isinstance(shown(before, issuer, provider), Response)
    assert isinstance(shown(issuer.token(aud=API), issuer, provider), Access)


def test_time_passes_at_one_issuer_alone(issuer: Issuer, provider: Provider, client: RegisteredClient) -> None:
    clock = type(issuer.clock)()
    other = provider.issuer(clock=clock)
    theirs = other.client()
    token, kept = other.token(opaque=True), issuer.token(opaque=True)

    clock.advance(3_600)

    assert parse_object(post(other, "/introspect", theirs, token=token).body) == {"active": False}
    assert parse_object(post(issuer, "/introspect", client, token=kept).body)["active"] is True
    clock.reset()
    assert clock() == pytest.approx(time.time(), abs=5)
