"""The rules of OpenID's conformance plan for dynamic providers that concern registrations, each by its test there.

`oidcc-registration-*`: logo-uri, policy-uri, tos-uri, jwks-uri, sector-uri, sector-bad. `oidcc-redirect-uri-*`:
query-OK, query-added, query-mismatch, regfrag; `oidcc-ensure-registered-redirect-uri`. `oidcc-refresh-token-rp-key-
rotation`, `oidcc-userinfo-rs256`, `oidcc-idtoken-unsigned`, `oidcc-request-uri-*`. The plan before it had these as
OP-Registration-* too, and Endpoint, Dynamic, Read, Sub-Public, Sub-Pairwise and Sub-Differ beside them.
"""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import AnyoneMayRegister, Outgoing, Registration, Response, run
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.documents import SOONEST_AGAIN
from oauthcore.errors import EffectFailed
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import Jwk, set_of
from tests.core.oidc.provider import provider
from tests.core.registering import change, configure, register
from tests.core.signing_keys import key_for
from tests.core.site import (
    ISSUER,
    VERIFIER,
    Site,
    basic,
    form,
    location,
    make_site,
    members,
    params,
    refused,
    refused_by_page,
)

CALLBACK = "https://rp.example/cb"
OTHER = "https://other.example/cb"
SECTOR = "https://sector.example/uris.json"
JWKS = "https://rp.example/jwks"
OPEN = Registration(access=AnyoneMayRegister())


@attrs.define
class Web:
    """Be the other servers that a provider asks."""

    pages: dict[str, bytes] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)

    def __call__(self, request: Outgoing) -> Response:
        """Answer with a page, if it is there."""
        self.asked.append(request.url)
        if request.url not in self.pages:
            raise EffectFailed("nothing is there")
        return Response(200, (), self.pages[request.url])


@pytest.fixture
def web() -> Web:
    """Return the other servers."""
    return Web()


@pytest.fixture
def site(web: Web) -> Site:
    """Return a provider where anybody may register."""
    site = provider(run, registration=OPEN, clients=())
    site.world = attrs.evolve(site.world, fetch=web)
    return site


def enrol(site: Site, **metadata: Any) -> dict[str, Any]:
    """Register, and return the answer's members."""
    response = register(site, **({"redirect_uris": [CALLBACK]} | metadata))
    assert response.status == 201, response
    return members(response)


def sign_in(site: Site, registered: dict[str, Any], **changes: str | None) -> dict[str, str]:
    """Log alice in at a client, and return what it is sent."""
    request: dict[str, str | None] = {
        "client_id": registered["client_id"],
        "redirect_uri": registered["redirect_uris"][0],
        "scope": "openid",
        "nonce": "n",
    }
    return params(site.approve(site.authorize(None, **(request | changes))))


def redeem(site: Site, registered: dict[str, Any], code: str, **proof: str) -> Response:
    """Redeem a code, with the client's secret or another proof."""
    secret = () if proof else (basic(registered["client_id"], registered["client_secret"]),)
    body = form(
        grant_type="authorization_code",
        code=code,
        redirect_uri=registered["redirect_uris"][0],
        code_verifier=VERIFIER,
        **proof,
    )
    return site.post("/token", body, *secret)


def subject_at(site: Site, registered: dict[str, Any]) -> str:
    """Return the `sub` by which a client knows alice."""
    answer = members(redeem(site, registered, sign_in(site, registered)["code"]))
    claims: dict[str, str] = json.loads(answer["id_token"])
    return claims["sub"]


def test_registration_endpoint_is_published(site: Site) -> None:
    document = members(site.get("/.well-known/openid-configuration"))

    assert document["registration_endpoint"] == f"{ISSUER}/register"


def test_registration_dynamic(site: Site) -> None:
    registered = enrol(site)

    assert {"client_id", "client_secret", "client_id_issued_at", "client_secret_expires_at"} <= registered.keys()
    assert "openid" in registered["scope"]
    assert subject_at(site, registered) == "alice"


def test_registration_read(site: Site) -> None:
    registered = enrol(site, id_token_signed_response_alg="RS256", default_max_age=60, subject_type="pairwise")

    read = members(configure(site, "GET", registered))

    assert read == {n: v for n, v in registered.items() if not n.startswith("client_secret")}
    assert (read["default_max_age"], read["subject_type"]) == (60, "pairwise")


@pytest.mark.parametrize("name", ["logo_uri", "policy_uri", "tos_uri", "initiate_login_uri"])
def test_registration_logo_policy_tos_uri(site: Site, name: str) -> None:
    registered = enrol(site, **{name: "https://rp.example/page"})

    assert registered[name] == "https://rp.example/page"
    assert members(configure(site, "GET", registered))[name] == "https://rp.example/page"
    for hostile in ("http://rp.example/", "javascript:alert(1)", "https://bank.example@rp.example/", "https://a b/"):
        assert refused(register(site, redirect_uris=[CALLBACK], **{name: hostile}), "invalid_client_metadata")


def test_registration_jwks_uri_and_rp_key_rotation(site: Site, web: Web) -> None:
    """oidcc-registration-jwks-uri, oidcc-refresh-token-rp-key-rotation; OIDC Core section 10.1.1."""
    registered = enrol(site, jwks_uri=JWKS, token_endpoint_auth_method="private_key_jwt")
    assert "client_secret" not in registered
    for key in (key_for("ES256"), key_for("ES384")):
        web.pages[JWKS] = set_of([key])
        site.clock.advance(SOONEST_AGAIN)
        code = sign_in(site, registered)["code"]

        answer = redeem(
            site,
            registered,
            code,
            client_assertion_type=ASSERTION_TYPE,
            client_assertion=assertion_of(site, registered["client_id"], key),
        )

        assert answer.status == 200, answer
    assert web.asked == [JWKS, JWKS]


def assertion_of(site: Site, client_id: str, key: Jwk) -> str:
    """Return a client's assertion, signed by a key."""
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": site.now + 60, "jti": f"j{site.now}"}
    alg = "ES256" if key.members["crv"] == "P-256" else "ES384"
    return sign_claims(claims, key, alg)


def test_registration_sector_uri(site: Site, web: Web) -> None:
    """OIDC Core section 8.1: one sector, one subject; another sector, another."""
    web.pages[SECTOR] = json.dumps([CALLBACK, OTHER]).encode()
    of_sector = {"subject_type": "pairwise", "sector_identifier_uri": SECTOR}

    one, other = enrol(site, **of_sector), enrol(site, redirect_uris=[OTHER], **of_sector)

    assert subject_at(site, one) == subject_at(site, other) != "alice"
    assert web.asked == [SECTOR]


@pytest.mark.parametrize(
    "page", [b'["https://other.example/cb"]', b"{}", b"[]", b"<html>", b"[1]", b'["https://rp.example/cb/"]', None]
)
def test_registration_sector_bad(site: Site, web: Web, page: bytes | None) -> None:
    if page is not None:
        web.pages[SECTOR] = page

    response = register(site, redirect_uris=[CALLBACK], subject_type="pairwise", sector_identifier_uri=SECTOR)

    assert refused(response, "invalid_client_metadata", "sector_identifier_uri")


def test_a_change_is_held_against_the_sector_too(site: Site, web: Web) -> None:
    web.pages[SECTOR] = json.dumps([CALLBACK]).encode()
    metadata = {"subject_type": "pairwise", "sector_identifier_uri": SECTOR}
    registered = enrol(site, **metadata)

    assert change(site, registered, redirect_uris=[OTHER], **metadata).status == 400


def test_registration_sub_public_pairwise_differ(site: Site) -> None:
    public, pairwise = enrol(site), enrol(site, redirect_uris=[OTHER], subject_type="pairwise")

    assert subject_at(site, public) == "alice"
    assert subject_at(site, pairwise) != "alice"


def test_redirect_uri_query(site: Site) -> None:
    """oidcc-redirect-uri-query-OK, -query-added, -query-mismatch."""
    registered = enrol(site, redirect_uris=[f"{CALLBACK}?foo=bar"])

    answer = site.approve(
        site.authorize(None, client_id=registered["client_id"], redirect_uri=f"{CALLBACK}?foo=bar", scope="openid")
    )

    assert location(answer).startswith(f"{CALLBACK}?foo=bar&")
    for uri in (CALLBACK, f"{CALLBACK}?foo=bar&baz=qux", f"{CALLBACK}?foo=baz", OTHER):
        assert refused_by_page(site.authorize(None, client_id=registered["client_id"], redirect_uri=uri))


def test_redirect_uri_regfrag(site: Site) -> None:
    assert refused(register(site, redirect_uris=[f"{CALLBACK}#foobar"]), "invalid_redirect_uri")


def test_userinfo_rs256(site: Site) -> None:
    registered = enrol(site, userinfo_signed_response_alg="RS256")

    token = members(redeem(site, registered, sign_in(site, registered)["code"]))["access_token"]
    answer = site.post("/userinfo", b"", ("Authorization", f"Bearer {token}"))

    assert answer.header("content-type") == "application/jwt"


@pytest.mark.parametrize(
    "metadata",
    [
        {"id_token_signed_response_alg": "none"},
        {"id_token_signed_response_alg": "HS256"},
        {"userinfo_signed_response_alg": "none"},
        {"request_object_signing_alg": "none"},
        {"id_token_encrypted_response_alg": "RSA-OAEP"},
        {"subject_type": "other"},
        {"subject_type": "pairwise", "redirect_uris": [CALLBACK, OTHER]},
        {"default_max_age": True},
        {"default_max_age": -1},
        {"default_max_age": "60"},
        {"backchannel_logout_uri": "http://rp.example/"},
        {"backchannel_logout_session_required": "yes"},
        {"frontchannel_logout_uri": "https://other.example/out"},
        {"frontchannel_logout_uri": "javascript:alert(1)"},
        {"post_logout_redirect_uris": ["javascript:alert(1)"]},
        {"request_uris": ["http://rp.example/object"]},
        {"jwks": {"keys": []}, "jwks_uri": JWKS},
        {"response_types": ["id_token"], "grant_types": ["authorization_code"]},
    ],
)
def test_what_a_provider_could_not_do_is_refused(site: Site, metadata: dict[str, Any]) -> None:
    """oidcc-idtoken-unsigned among them: nobody is sent an ID token that anybody could have made."""
    response = register(site, **({"redirect_uris": [CALLBACK]} | metadata))

    assert refused(response, "invalid_client_metadata")


def test_request_uri_is_taken_of_those_that_are_registered(site: Site, web: Web) -> None:
    """oidcc-request-uri-*."""
    uri = "https://rp.example/object.jwt"
    registered = enrol(site, request_uris=[uri], jwks={"keys": [dict(key_for("ES256").public.members)]})
    claims = {"iss": registered["client_id"], "aud": ISSUER, "nonce": "n", "state": "from the object"}
    web.pages[uri] = sign_claims(claims, key_for("ES256"), "ES256").encode()

    answer = sign_in(site, registered, request_uri=uri)
    assert answer["state"] == "from the object"
    # A client that an operator has approved is told of errors at once (RFC 9700 section 4.11.2).
    _ = run(site.server.clients.approve(registered["client_id"]), site.world)
    refused_one = site.authorize(None, client_id=registered["client_id"], redirect_uri=CALLBACK, request_uri=OTHER)
    assert "invalid_request_uri" in location(refused_one)
    assert web.asked == [uri]


def test_what_openid_knows_is_ignored_where_it_is_off() -> None:
    """Else it would lie there unchecked, until it is turned on."""
    site = make_site(run, registration=attrs.evolve(OPEN, scope="email"))
    hostile = {
        "frontchannel_logout_uri": "javascript:alert(1)",
        "id_token_signed_response_alg": "none",
        "post_logout_redirect_uris": ["javascript:alert(1)"],
        "sector_identifier_uri": SECTOR,
        "subject_type": "pairwise",
    }

    registered = members(register(site, redirect_uris=[CALLBACK], **hostile))

    client = run(site.server.clients.find(registered["client_id"]), site.world)
    assert client is not None
    assert (client.frontchannel_logout_uri, client.id_token_signed_response_alg) == (None, "RS256")
    assert (client.post_logout_redirect_uris, client.subject_type) == ((), "public")
    assert not hostile.keys() & registered.keys()
