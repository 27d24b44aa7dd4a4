"""Authorization responses as JWTs (JARM): who gets one, what is in it, and by which way it travels."""

from __future__ import annotations

import html
import json
import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import attrs
import pytest

from oauthcore import ConfigurationError, PushedRequests, Response, run
from oauthcore.jose import crypto
from oauthcore.jose.jwk import parse_set, set_of
from oauthcore.signing.keys import GivenKeys
from tests.core.oidc.provider import CALLBACK, RP, SECRETS, provider, sign_as_json
from tests.core.pushed.pushing import pushed, use
from tests.core.signing_keys import key_for
from tests.core.site import CONFIDENTIAL, ISSUER, REDIRECT, Drive, Site, make_site, members, params, refused_by_page

NOW = 1_800_000_000
KEY = key_for("ES256")
READ_BY = crypto.generate("ES256").named("ECDH-ES", "enc")
ENCRYPTING = attrs.evolve(
    RP,
    authorization_encrypted_response_alg="ECDH-ES",
    authorization_encrypted_response_enc="A256GCM",
    jwks=set_of([READ_BY]).decode(),
)


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider whose signatures are left out."""
    return provider(drive)


def ask(site: Site, mode: str | None = "jwt", **changes: str | None) -> Response:
    """Send a request that asks for a response mode."""
    usual = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "nonce": "n", "response_mode": mode}
    return site.authorize(None, **(usual | changes))


def sent(response: Response) -> tuple[str, dict[str, str]]:
    """Return by which way a response travels, and its parameters."""
    if response.status == 200:
        fields = re.findall(r'name="([^"]*)" value="([^"]*)"', response.body.decode())
        return "form_post", {html.unescape(name): html.unescape(value) for name, value in fields}
    parts = urlsplit(response.header("location") or "")
    assert bool(parts.query) != bool(parts.fragment), response
    return ("query" if parts.query else "fragment"), dict(parse_qsl(parts.query or parts.fragment))


def said(response: Response) -> dict[str, Any]:
    """Return the claims of a response that is a JWT and nothing else."""
    _, parameters = sent(response)
    assert list(parameters) == ["response"]
    claims = json.loads(parameters["response"])
    assert isinstance(claims, dict)
    return claims


def test_a_response_says_who_answers_whom_with_what_and_until_when(site: Site) -> None:
    """Section 2.1."""
    claims = said(site.approve(ask(site)))

    assert claims["iss"] == ISSUER
    assert claims["aud"] == "rp"
    assert claims["exp"] == NOW + 300
    assert claims["state"] == "s"
    assert claims["alg"] == "RS256"
    assert set(claims) == {"iss", "aud", "exp", "state", "code", "alg", "typ"}


def test_the_code_in_it_is_redeemed(drive: Drive) -> None:
    site = make_site(drive, keys=GivenKeys([key_for("RS256")]))
    site.world = attrs.evolve(site.world, sign=sign_as_json)

    code = said(site.approve(site.authorize(None, response_mode="jwt")))["code"]

    assert site.redeem(code).status == 200


@pytest.mark.parametrize(
    ("mode", "response_type", "way"),
    [
        ("jwt", "code", "query"),
        ("query.jwt", "code", "query"),
        ("fragment.jwt", "code", "fragment"),
        ("form_post.jwt", "code", "form_post"),
        ("jwt", "none", "query"),
        ("jwt", "code id_token", "fragment"),
        ("fragment.jwt", "id_token token", "fragment"),
        ("form_post.jwt", "code id_token token", "form_post"),
    ],
)
def test_it_travels_as_the_mode_says(site: Site, mode: str, response_type: str, way: str) -> None:
    """Sections 2.3.1 to 2.3.4."""
    answer = site.approve(ask(site, mode, response_type=response_type))

    assert sent(answer)[0] == way
    expected = {name for name in ("code", "id_token") if name in response_type.split()}
    assert expected <= set(said(answer))
    assert ("access_token" in said(answer)) == ("token" in response_type.split())


@pytest.mark.parametrize("mode", ["query.jwt", ".jwt", "jwt.jwt", "JWT", "query.jwt.jwt", "xjwt"])
def test_a_mode_that_there_is_not_is_refused(site: Site, mode: str) -> None:
    """Section 2.3.1: query.jwt has no token in it that can be read."""
    answer = ask(site, mode, response_type="id_token")

    assert params(answer)["error"] == "invalid_request"
    assert "response_mode" in params(answer)["error_description"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": "root"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"response_type": "unknown"}, "unsupported_response_type"),
        ({"max_age": "x"}, "invalid_request"),
    ],
)
def test_an_error_is_a_jwt_as_well(site: Site, changes: dict[str, str], error: str) -> None:
    answer = ask(site, "jwt", **changes)

    assert (said(answer)["error"], said(answer)["state"], said(answer)["iss"]) == (error, "s", ISSUER)
    assert said(answer)["exp"] == NOW + 300
    assert answer.refusal is not None
    assert answer.refusal.code == error


def test_a_no_is_a_jwt_as_well(site: Site) -> None:
    started = ask(site, "fragment.jwt")
    handle = params(started)["interaction"]
    denied = site.drive(site.server.interactions.deny(handle, site.alice), site.world)

    answer = site.get(denied.header("location") or "")

    assert sent(answer)[0] == "fragment"
    assert said(answer)["error"] == "access_denied"


def test_an_error_of_a_request_object_is_a_jwt_as_well(site: Site) -> None:
    assert said(ask(site, "jwt", request="x.y.z"))["error"] == "invalid_request_object"


def test_before_the_redirect_uri_is_known_an_error_is_a_page(site: Site) -> None:
    assert refused_by_page(ask(site, "jwt", redirect_uri="https://evil.example/"), "not registered")


def test_a_pushed_request_is_answered_by_a_jwt(drive: Drive) -> None:
    site = make_site(drive, keys=GivenKeys([key_for("RS256")]), pushed_requests=PushedRequests())
    site.world = attrs.evolve(site.world, sign=sign_as_json)

    assert said(site.approve(use(site, pushed(site, response_mode="jwt"))))["code"]


# Signed and encrypted as the client is registered.


def test_it_is_signed_by_a_published_key_with_the_registered_algorithm() -> None:
    keys = GivenKeys([key_for("RS256"), KEY])
    site = provider(keys=keys, clients=(attrs.evolve(RP, authorization_signed_response_alg="ES256"),), secrets=SECRETS)
    site.world = attrs.evolve(site.world, sign=make_site().world.sign)
    text = sent(site.approve(ask(site)))[1]["response"]

    published = parse_set(site.get("/jwks").body)
    verified = crypto.verify(text, published, ["ES256"])

    assert verified.claims["aud"] == "rp"
    assert verified.header["alg"] == "ES256"


def test_it_is_encrypted_to_the_clients_key() -> None:
    """Section 2.2: signed, then encrypted."""
    site = provider(clients=(ENCRYPTING,), secrets=SECRETS)
    site.world = attrs.evolve(site.world, sign=make_site().world.sign)

    text = sent(site.approve(ask(site, "query.jwt", response_type="code id_token")))[1]["response"]

    assert text.count(".") == 4
    inside = crypto.decrypt(text, [READ_BY], ["ECDH-ES"])
    verified = crypto.verify(inside, parse_set(site.get("/jwks").body), ["RS256"])
    assert {"code", "id_token", "iss", "aud", "exp", "state"} <= set(verified.claims)


def test_an_error_is_encrypted_as_well() -> None:
    site = provider(clients=(ENCRYPTING,), secrets=SECRETS)
    site.world = attrs.evolve(site.world, sign=make_site().world.sign)

    inside = crypto.decrypt(sent(ask(site, scope="root"))[1]["response"], [READ_BY], ["ECDH-ES"])

    assert crypto.verify(inside, parse_set(site.get("/jwks").body), ["RS256"]).claims["error"] == "invalid_scope"


def test_without_a_key_to_encrypt_to_nothing_leaves_in_the_clear() -> None:
    client = attrs.evolve(ENCRYPTING, jwks=set_of([key_for("RS256")]).decode())
    site = provider(clients=(client,), secrets=SECRETS)

    assert refused_by_page(ask(site, scope="root"), "no key to encrypt")


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"authorization_signed_response_alg": "ES512"}, "authorization_signed_response_alg"),
        ({"authorization_signed_response_alg": "none"}, "authorization_signed_response_alg"),
        ({"authorization_encrypted_response_alg": "RSA1_5"}, "authorization_encrypted_response_alg"),
        ({"authorization_encrypted_response_alg": "ECDH-ES", "jwks": None}, "authorization_encrypted_response_alg"),
        (
            {"authorization_encrypted_response_alg": "ECDH-ES", "authorization_encrypted_response_enc": "x"},
            "authorization_encrypted_response_enc",
        ),
    ],
)
def test_what_can_not_be_is_not_registered(changes: dict[str, Any], setting: str) -> None:
    """Section 3."""
    site = provider()

    with pytest.raises(ConfigurationError, match=setting):
        run(site.server.clients.register(attrs.evolve(ENCRYPTING, client_id="new", **changes)), site.world)


def test_what_a_server_without_openid_can_not_sign_is_not_registered() -> None:
    site = make_site()
    client = attrs.evolve(CONFIDENTIAL, client_id="new", authorization_signed_response_alg="RS256")

    with pytest.raises(ConfigurationError, match="no keys"):
        run(site.server.clients.register(client), site.world)


# What is offered.


def test_the_metadata_names_modes_and_algorithms(site: Site) -> None:
    """Section 4."""
    document = members(site.get("/.well-known/openid-configuration"))

    modes = ["query", "fragment", "form_post"]
    assert sorted(document["response_modes_supported"]) == sorted([*modes, "jwt", *(f"{mode}.jwt" for mode in modes)])
    assert document["authorization_signing_alg_values_supported"] == ["RS256"]
    assert "ECDH-ES" in document["authorization_encryption_alg_values_supported"]
    assert "A256GCM" in document["authorization_encryption_enc_values_supported"]


def test_a_server_without_keys_signs_nothing(drive: Drive) -> None:
    site = make_site(drive)

    assert params(site.authorize(None, response_mode="jwt"))["error"] == "invalid_request"
    assert not any(
        name.startswith("authorization_s") for name in members(site.get("/.well-known/oauth-authorization-server"))
    )
    assert REDIRECT in (site.authorize(None, response_mode="jwt").header("location") or "")
