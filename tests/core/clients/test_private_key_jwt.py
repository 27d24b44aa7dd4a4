"""`private_key_jwt` (OIDC Core section 9, RFC 7523 section 3): taken as it should be, refused where it should not."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import attrs
import pytest

from oauthcore import Allowance, Client, ClientAssertions, ConfigurationError, MemoryStorage, Policy, Response
from oauthcore.client_assertions import MAX_LIFETIME
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.documents import FAILED_FOR, SOONEST_AGAIN
from oauthcore.jose import crypto
from oauthcore.jose.compact import MAX_LENGTH
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.jose.registered_claims import SKEW
from oauthcore.records.token import SpentAssertion
from tests.core.clients.asserting import (
    JWKS_URI,
    KEY,
    KEYED,
    NOW,
    PUBLISHING,
    RSA,
    SHARED,
    Publisher,
    ask,
    asserting_site,
    assertion,
    body,
    claims_of,
    mac,
    reason,
)
from tests.core.signing_keys import key_for
from tests.core.site import CLIENTS, VERIFIER, Drive, Site, basic, form, members, refused


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site with clients that authenticate by assertions, under each driver."""
    return asserting_site(drive)


@pytest.mark.parametrize(
    "text",
    [
        assertion(),
        assertion(key=RSA, alg="RS256"),
        assertion(aud=["https://as.example"]),
        assertion(iat=None),
        assertion(nbf=NOW),
        assertion(typ="client-authentication+jwt"),
        assertion(typ="application/client-authentication+jwt"),
        assertion(exp=NOW + MAX_LIFETIME + SKEW),
        assertion(exp=NOW - SKEW + 1),
        assertion(exp=NOW + 60.5),
        assertion(aud="https://as.example", unknown={"claims": ["are", "ignored"]}),
    ],
)
def test_who_signs_with_a_registered_key_is_that_client(site: Site, text: str) -> None:
    answer = ask(site, text)

    assert answer.status == 200, answer.refusal
    token = members(answer)["access_token"]
    assert site.introspect(token, "resource")["client_id"] == "keyed"


def test_the_client_id_may_stand_in_the_form_too(site: Site) -> None:
    assert ask(site, assertion(), client_id="keyed").status == 200


def test_another_client_id_in_the_form_is_refused(site: Site) -> None:
    """RFC 7521 section 4.2."""
    assert refused(ask(site, assertion(), client_id="confidential"), "invalid_request", "client_id")


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"iss": None}, "iss and sub"),
        ({"sub": None}, "iss and sub"),
        ({"sub": ""}, "iss and sub"),
        ({"iss": "confidential"}, "iss and sub"),
        ({"sub": "confidential"}, "iss and sub"),
        ({"iss": ["keyed"]}, "wrong type"),
        ({"iss": "\ud800", "sub": "\ud800"}, ""),
        ({"iss": "a\0b", "sub": "a\0b"}, "no client_id"),
        ({"iss": "nobody", "sub": "nobody"}, "unknown"),
        ({"iss": "confidential", "sub": "confidential"}, "not the method"),
        ({"iss": "public", "sub": "public"}, "not the method"),
        ({"iss": "shared", "sub": "shared"}, "not the method"),
        ({"jti": None}, "no jti"),
        ({"jti": ""}, "no jti"),
        ({"jti": 7}, "wrong type"),
        ({"exp": None}, "never expires"),
        ({"exp": NOW - SKEW}, "has expired"),
        ({"exp": NOW + MAX_LIFETIME + SKEW + 1}, "too long"),
        ({"exp": 1e300}, "wrong type"),
        ({"exp": "soon"}, "wrong type"),
        ({"exp": True}, "wrong type"),
        ({"iat": NOW + SKEW + 1}, "in the future"),
        ({"nbf": NOW + SKEW + 1}, "not valid yet"),
        ({"aud": None}, "somebody else"),
        ({"aud": []}, "somebody else"),
        ({"aud": ""}, "somebody else"),
        ({"aud": "https://as.example/"}, "somebody else"),
        ({"aud": "https://as.example/token"}, "somebody else"),
        ({"aud": "https://evil.example"}, "somebody else"),
        ({"aud": ["https://as.example", "https://evil.example"]}, "others as well"),
        ({"aud": ["https://as.example", "https://as.example/token"]}, "others as well"),
        ({"aud": {"https://as.example": 1}}, "wrong type"),
        ({"aud": [["https://as.example"]]}, "wrong type"),
        ({"aud": 1}, "wrong type"),
        ({"typ": "oauth-authz-req+jwt"}, "something else"),
        ({"typ": "at+jwt"}, "something else"),
        ({"typ": "logout+jwt"}, "something else"),
    ],
)
def test_an_assertion_that_says_it_wrong_is_refused(site: Site, changes: dict[str, Any], why: str) -> None:
    assert why in reason(ask(site, assertion(**changes)))


DEMANDING = Policy(
    client_assertions=ClientAssertions(audience_as_string=True, max_lifetime=120, algorithms=["ES256", "HS256"])
)


def test_the_audience_is_one_string_where_that_is_demanded() -> None:
    """FAPI 2.0 Security Profile section 5.3.2.1."""
    site = asserting_site(policy=DEMANDING, clients=(KEYED,))

    assert "a list" in reason(ask(site, assertion(aud=["https://as.example"])))
    assert "somebody else" in reason(ask(site, assertion(aud="https://as.example/token")))
    assert ask(site, assertion(aud="https://as.example")).status == 200


def test_assertions_last_as_long_and_are_signed_as_the_policy_says() -> None:
    site = asserting_site(policy=DEMANDING, clients=(KEYED, SHARED))

    assert "too long" in reason(ask(site, assertion(exp=NOW + 120 + SKEW + 1)))
    assert "algorithm" in reason(ask(site, assertion(key=RSA, alg="RS256")))
    assert "algorithm" in reason(ask(site, mac(alg="HS512")))
    assert ask(site, assertion(exp=NOW + 120 + SKEW)).status == 200
    assert ask(site, mac()).status == 200
    published = members(site.get("/.well-known/oauth-authorization-server"))
    assert set(published["token_endpoint_auth_signing_alg_values_supported"]) == {"ES256", "HS256"}
    with pytest.raises(ConfigurationError, match="token_endpoint_auth_signing_alg"):
        site.server.clients.prepare(attrs.evolve(KEYED, token_endpoint_auth_signing_alg="RS256"))


def test_a_method_without_an_algorithm_is_not_offered() -> None:
    site = asserting_site(policy=Policy(client_assertions=ClientAssertions(algorithms=["PS256"])), clients=())

    published = members(site.get("/.well-known/oauth-authorization-server"))
    assert "client_secret_jwt" not in published["token_endpoint_auth_methods_supported"]
    assert "private_key_jwt" in published["token_endpoint_auth_methods_supported"]
    with pytest.raises(ConfigurationError, match="PS256 alone"):
        site.server.clients.prepare(SHARED)


@pytest.mark.parametrize("settings", [{"max_lifetime": 0}, {"algorithms": ["none"]}, {"algorithms": "ES256"}])
def test_demands_that_can_not_be_met_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=next(iter(settings))):
        ClientAssertions(**settings)


@pytest.mark.parametrize("endpoint", ["/token", "/introspect", "/revoke"])
@pytest.mark.parametrize("named", ["https://as.example/token", "own"])
def test_the_url_of_the_endpoint_is_an_audience_where_that_is_allowed_by_name(endpoint: str, named: str) -> None:
    """RFC 7523 section 3; CVE-2025-27370 is why it has to be."""
    aud = f"https://as.example{endpoint}" if named == "own" else named
    clients = (attrs.evolve(KEYED, client_id="lenient", allow={Allowance.ENDPOINT_AUDIENCE}), KEYED)
    site = asserting_site(clients=clients)
    sent = {"token": "unknown"}

    assert site.post(endpoint, body(assertion("lenient", aud=aud), **sent)).status == 200
    assert site.post(endpoint, body(assertion("lenient", aud=[aud], jti="j2"), **sent)).status == 200
    both = ["https://as.example", aud]
    assert site.post(endpoint, body(assertion("lenient", aud=both, jti="j3"), **sent)).status == 200
    foreign = site.post(endpoint, body(assertion("lenient", aud=[aud, "https://evil.example"], jti="j4"), **sent))
    assert "others as well" in reason(foreign)
    assert "somebody else" in reason(site.post(endpoint, body(assertion(aud=aud), **sent)))


def test_the_url_of_another_endpoint_is_no_audience_even_so() -> None:
    site = asserting_site(clients=(attrs.evolve(KEYED, allow={Allowance.ENDPOINT_AUDIENCE}),))

    assert "somebody else" in reason(ask(site, assertion(aud="https://as.example/introspect")))


def test_an_issuer_with_a_path_has_its_endpoints_below_it() -> None:
    keyed = attrs.evolve(KEYED, allow={Allowance.ENDPOINT_AUDIENCE})
    site = asserting_site(clients=(keyed,), issuer="https://as.example/a")

    assert site.post("/a/token", body(assertion(aud="https://as.example/a/token"))).status == 200
    unknown = body(assertion(aud="https://as.example/a/introspect", jti="j2"), token="unknown")
    assert site.post("/a/introspect", unknown).status == 200


@pytest.mark.parametrize("kind", ["urn:ietf:params:oauth:client-assertion-type:saml2-bearer", "jwt-bearer"])
def test_an_assertion_of_another_type_is_refused(site: Site, kind: str) -> None:
    assert "client_assertion_type" in reason(ask(site, assertion(), client_assertion_type=kind))


@pytest.mark.parametrize("name", ["client_assertion", "client_assertion_type"])
def test_half_of_the_two_parameters_is_refused(site: Site, name: str) -> None:
    assert refused(ask(site, assertion(), **{name: None}), "invalid_request", "must be sent together")


def test_a_second_method_in_one_request_is_refused(site: Site) -> None:
    """RFC 6749 section 2.3."""
    posted = ask(site, assertion(), client_id="keyed", client_secret="confidential-secret")
    headed = site.post("/token", body(assertion()), basic("confidential", "confidential-secret"))

    assert refused(posted, "invalid_request", "two methods")
    assert refused(headed, "invalid_request", "two methods")


def test_a_client_that_has_keys_is_not_served_without_them(site: Site) -> None:
    """Nor by a secret: it has none, and no blank one either."""
    assert "not the method" in reason(site.post("/token", form(grant_type="client_credentials", client_id="keyed")))
    answer = site.post("/token", form(grant_type="client_credentials"), basic("keyed", "x"))
    assert "not the method" in reason(answer)


def test_an_assertion_is_used_up_by_what_it_was_used_for(site: Site) -> None:
    assert ask(site, assertion()).status == 200

    assert "used before" in reason(ask(site, assertion()))
    assert "used before" in reason(ask(site, assertion(key=RSA, alg="RS256", exp=NOW + 120)))
    assert ask(site, assertion(jti="j2")).status == 200


@pytest.mark.parametrize("endpoint", ["/introspect", "/revoke"])
def test_an_introspection_and_a_revocation_use_it_up_though_they_change_nothing(site: Site, endpoint: str) -> None:
    first = site.post(endpoint, body(assertion(), token="unknown"))
    again = site.post(endpoint, body(assertion(), token="unknown"))

    assert first.status == 200
    assert "used before" in reason(again)
    assert "used before" in reason(ask(site, assertion()))


def test_a_refusal_that_leaves_no_trace_does_not_use_it_up(site: Site) -> None:
    assert refused(ask(site, assertion(), scope="more"), "invalid_scope")

    assert ask(site, assertion()).status == 200


def test_one_client_s_jti_is_nothing_to_another(site: Site) -> None:
    assert ask(site, assertion()).status == 200

    assert ask(site, assertion("publishing")).status == 200


def test_its_use_is_remembered_until_it_would_be_refused_anyhow(site: Site) -> None:
    assert ask(site, assertion(exp=NOW + 60.5)).status == 200

    storage = site.world.storage
    assert isinstance(storage, MemoryStorage)
    kept = [record for record in storage._records.values() if isinstance(record, SpentAssertion)]
    assert [(spent.client_id, spent.expires_at) for spent in kept] == [("keyed", NOW + 61 + SKEW)]
    assert "j1" not in repr(kept)
    site.clock.advance(61 + SKEW)
    assert storage.purge(site.now + 1, 100) == 1
    assert "has expired" in reason(ask(site, assertion(exp=NOW + 60.5)))


def test_a_client_that_is_disabled_is_refused(site: Site) -> None:
    site = asserting_site(site.drive, clients=(attrs.evolve(KEYED, enabled=False),))

    assert "disabled" in reason(ask(site, assertion()))


def test_a_registered_algorithm_is_the_only_one(site: Site) -> None:
    registered = attrs.evolve(KEYED, client_id="strict", token_endpoint_auth_signing_alg="RS256")
    site = asserting_site(site.drive, clients=(registered,))

    assert "algorithm" in reason(ask(site, assertion("strict")))
    assert ask(site, assertion("strict", key=RSA, alg="RS256")).status == 200


def test_somebody_else_s_key_is_none_of_the_client_s(site: Site) -> None:
    other = key_for("ES256", 1)

    assert "none of the keys" in reason(ask(site, assertion(key=other)))
    posing = other.of({**other.members, "kid": KEY.kid})
    assert "signature is wrong" in reason(ask(site, assertion(key=posing)))


def unsigned(header: dict[str, object], claims: str | None = None, signature: bytes = b"") -> str:
    """Put a token together by hand."""
    parts = (json.dumps(header), claims or json.dumps(claims_of()))
    encoded = [base64.urlsafe_b64encode(part.encode()).rstrip(b"=").decode() for part in parts]
    return ".".join((*encoded, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()))


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", "RS1", "ES256K", "dir"])
def test_no_algorithm_is_none(site: Site, alg: str) -> None:
    assert "algorithm" in reason(ask(site, unsigned({"alg": alg})))


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
def test_an_hmac_with_the_public_key_is_the_wrong_method(site: Site, alg: str) -> None:
    """RFC 8725 section 2.1, the key confusion; it does not even come to the keys."""
    head = unsigned({"alg": alg, "kid": KEY.kid}).rpartition(".")[0]
    assert KEYED.jwks is not None
    for secret in (KEY.public.text, KEYED.jwks):
        digest = hmac.new(secret.encode(), head.encode(), getattr(hashlib, f"sha{alg[2:]}")).digest()
        token = f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"

        assert "not the method" in reason(ask(site, token))


@pytest.mark.parametrize("member", ["jwk", "jku", "x5u", "x5c"])
def test_a_key_that_the_assertion_brings_along_is_refused(site: Site, member: str) -> None:
    header: dict[str, object] = {"alg": "ES256", member: KEY.public.members}

    assert "brings its own key" in reason(ask(site, unsigned(header)))


@pytest.mark.parametrize(
    "kid", ["../../../../dev/null", "' OR 1=1 --", "https://evil.example/key", "x" * 257, "\ud800", "a\0b"]
)
def test_a_kid_is_compared_and_nothing_else(site: Site, kid: str) -> None:
    evil = KEY.of({**key_for("ES256", 1).members, "kid": kid})

    assert reason(ask(site, assertion(key=evil)))
    publisher = Publisher([KEY])
    site.world = attrs.evolve(site.world, fetch=publisher)
    assert reason(ask(site, assertion("publishing", key=evil)))
    assert set(publisher.asked) <= {JWKS_URI}


@pytest.mark.parametrize(
    "text",
    [
        unsigned({"alg": "ES256"}, '{"iss": "keyed", "sub": "confidential", "sub": "keyed", "jti": "j"}'),
        unsigned({"alg": "ES256"}, "[]"),
        unsigned({"alg": "ES256"}, "{" * 8_000),
        unsigned({"alg": "ES256"}, '{"iss": "' + "k" * MAX_LENGTH + '"}'),
        "a.b.c.d.e",
        "a.b",
        "...",
        ".",
        "é",
        "eyJhbGciOiJFUzI1NiJ9",
        assertion() + "=",
        assertion()[:-4],
        crypto.sign_claims(claims_of(), KEY, "ES256").rpartition(".")[0] + ".",
    ],
)
def test_whatever_else_is_sent_is_refused_and_nothing_breaks(site: Site, text: str) -> None:
    assert reason(ask(site, text))


def test_keys_are_fetched_once_and_again_for_a_kid_that_nobody_knows(drive: Drive) -> None:
    """OIDC Core section 10.1.1."""
    publisher = Publisher([KEY])
    site = asserting_site(drive, publisher=publisher)
    fresh = key_for("ES256", 1)

    assert ask(site, assertion("publishing")).status == 200
    assert ask(site, assertion("publishing", jti="j2")).status == 200
    assert publisher.asked == [JWKS_URI]

    publisher.keys = [fresh]
    site.clock.advance(SOONEST_AGAIN)
    late = site.now + 60
    assert ask(site, assertion("publishing", key=fresh, exp=late, jti="j4")).status == 200
    assert publisher.asked == [JWKS_URI, JWKS_URI]
    # The old key is withdrawn, and that is known at once.
    assert "none of the keys" in reason(ask(site, assertion("publishing", exp=late, jti="j3")))


def test_a_client_that_names_no_key_may_have_a_new_one_too(drive: Drive) -> None:
    old, new = (Jwk.of({**key_for("ES256", number).members, "kid": None}) for number in (1, 2))
    publisher = Publisher([old])
    site = asserting_site(drive, publisher=publisher)
    assert ask(site, assertion("publishing", key=old)).status == 200

    publisher.keys = [new]
    assert "signature is wrong" in reason(ask(site, assertion("publishing", key=new, jti="j2")))
    site.clock.advance(SOONEST_AGAIN)
    assert "has expired" in reason(ask(site, assertion("publishing", key=old, exp=NOW - SKEW)))
    assert publisher.asked == [JWKS_URI]
    assert ask(site, assertion("publishing", key=new, exp=site.now + 60, jti="j2")).status == 200
    assert publisher.asked == [JWKS_URI, JWKS_URI]


def test_kids_that_nobody_knows_do_not_make_us_hammer_a_client(drive: Drive) -> None:
    publisher = Publisher([KEY])
    site = asserting_site(drive, publisher=publisher)
    for number in range(10):
        unknown = KEY.of({**key_for("ES256", 1).members, "kid": f"k{number}"})
        assert "none of the keys" in reason(ask(site, assertion("publishing", key=unknown)))

    assert publisher.asked == [JWKS_URI]


@pytest.mark.parametrize(
    "answer",
    [
        OSError("down"),
        TimeoutError("slow"),
        Response(500),
        Response(302, (("Location", "https://evil.example"),)),
        Response(200, (), b"not JSON"),
        Response(200, (), b'{"keys": {}}'),
        Response(200, (), b'{"keys": [' + b"[]," * 60 + b"[]]}"),
        Response(200, (), b'{"keys": [], "x": "' + b"x" * 10_000_000 + b'"}'),
        Response(200, (), set_of([key_for("ES256", 1)])),
    ],
    ids=["down", "slow", "500", "redirect", "no JSON", "no list", "no keys", "10 MB", "another key"],
)
def test_keys_that_can_not_be_had_refuse_their_client_and_no_other(drive: Drive, answer: Response | Exception) -> None:
    publisher = Publisher([KEY], answer)
    site = asserting_site(drive, publisher=publisher)

    assert "none of the keys" in reason(ask(site, assertion("publishing")))
    assert ask(site, assertion()).status == 200

    publisher.answer = None
    site.clock.advance(max(FAILED_FOR, SOONEST_AGAIN))
    assert ask(site, assertion("publishing", exp=site.now + 60)).status == 200


def test_a_private_key_that_a_client_publishes_is_one_no_longer(drive: Drive) -> None:
    leaked = Response(200, (), json.dumps({"keys": [KEY.members]}).encode())
    site = asserting_site(drive, publisher=Publisher([], leaked))

    assert "none of the keys" in reason(ask(site, assertion("publishing")))


def test_a_code_is_redeemed_with_an_assertion(site: Site) -> None:
    request = {"client_id": "keyed", "redirect_uri": KEYED.redirect_uris[0]}
    code = site.code(**request)
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": KEYED.redirect_uris[0]}

    assert ask(site, assertion(), **sent, code_verifier=VERIFIER).status == 200
    assert "used before" in reason(ask(site, assertion(), **sent, code_verifier=VERIFIER))
    # A replay of the code is one with a new assertion only; it revokes what the first one gave.
    assert refused(ask(site, assertion(jti="j2"), **sent, code_verifier=VERIFIER), "invalid_grant", "redeemed before")
    assert "used before" in reason(ask(site, assertion(jti="j2")))


def test_the_metadata_names_the_methods_and_their_algorithms() -> None:
    document = members(asserting_site(clients=CLIENTS).get("/.well-known/oauth-authorization-server"))

    for endpoint in ("token", "introspection", "revocation"):
        assert {"private_key_jwt", "client_secret_jwt"} <= set(document[f"{endpoint}_endpoint_auth_methods_supported"])
        algorithms = document[f"{endpoint}_endpoint_auth_signing_alg_values_supported"]
        assert {"RS256", "PS256", "ES256", "EdDSA", "HS256"} <= set(algorithms)
        assert "none" not in algorithms


def test_without_the_library_the_methods_are_not_offered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crypto, "find_spec", lambda _: None)
    document = members(asserting_site(clients=CLIENTS).get("/.well-known/oauth-authorization-server"))

    methods = ["client_secret_basic", "client_secret_post", "none"]
    assert document["token_endpoint_auth_methods_supported"] == methods
    assert "token_endpoint_auth_signing_alg_values_supported" not in document


def test_the_type_is_the_registered_one() -> None:
    """RFC 7523 section 2.2."""
    assert ASSERTION_TYPE == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def test_a_client_gets_no_secret_with_its_keys(site: Site) -> None:
    registered = site.drive(
        site.server.clients.register(Client(**{**attrs.asdict(PUBLISHING, recurse=False), "client_id": "new"})),
        site.world,
    )

    assert registered.secret is None and registered.client.secrets == ()
