"""An assertion is taken from an issuer that is trusted, for this server alone, in time, and as what it is."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import MemoryStorage, Outgoing, Response, World, run
from oauthcore.assertions.trusted_issuer import AllowReuse, TrustedIssuer, Use, as_trusted_issuers
from oauthcore.assertions.verified import ID_JAG_TYPES, VerifiedAssertion, verify_assertion
from oauthcore.documents import FAILED_FOR, FRESH_FOR
from oauthcore.errors import InvalidGrant, TemporarilyUnavailable
from oauthcore.flow.transact import with_documents
from oauthcore.jose.crypto import sign_as_given
from oauthcore.jose.jwk import set_of
from tests.core.assertions.issuing import (
    DISCOVERY,
    GIVEN,
    IDP,
    JWKS,
    KEY,
    NOW,
    OAUTH_DISCOVERY,
    OTHER_KEY,
    IssuerServer,
    as_json,
    assertion,
)
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, Site, make_site

GIVEN_ISSUER = TrustedIssuer(issuer=IDP, keys=GIVEN)
FOUND_ISSUER = TrustedIssuer(issuer=IDP)
SIGNED = assertion()
SITE = make_site()


@pytest.fixture
def site() -> Site:
    """Return a site at the second at which assertions are made."""
    return make_site()


def verify(
    site: Site,
    text: str,
    *issuers: TrustedIssuer,
    use: Use = "jwt-bearer",
    server: IssuerServer | None = None,
    **settings: Any,
) -> VerifiedAssertion:
    """Verify an assertion, with documents of its issuer's server."""
    trusted = as_trusted_issuers(issuers or (GIVEN_ISSUER,))
    flow = with_documents(lambda: verify_assertion(text, trusted, use, site.server.context(), **settings))
    return run(flow, World(MemoryStorage(), fetch=server or IssuerServer()))


def test_assertion_of_a_trusted_issuer_says_what_it_says(site: Site) -> None:
    found = verify(site, assertion())

    assert (found.issuer, found.type, found.claims["sub"], found.jti) == (GIVEN_ISSUER, "jwt", "a1", "1")
    assert found.expires_at == NOW + 300 + 60


@pytest.mark.parametrize("alg", ["RS256", "PS256", "ES256", "ES384", "EdDSA", "Ed25519"])
def test_issuer_may_sign_with_any_asymmetric_algorithm(site: Site, alg: str) -> None:
    key = key_for(alg)

    assert verify(site, assertion(key), TrustedIssuer(issuer=IDP, keys=[key])).claims["iss"] == IDP


@pytest.mark.parametrize("at", [DISCOVERY, OAUTH_DISCOVERY])
def test_keys_are_found_by_the_issuers_metadata(site: Site, at: str) -> None:
    server = IssuerServer(at=at)

    assert verify(site, assertion(), FOUND_ISSUER, server=server).claims["sub"] == "a1"
    assert server.asked[-1] == JWKS


def test_metadata_that_was_found_at_one_place_is_not_looked_for_at_others(site: Site) -> None:
    server = IssuerServer(at=OAUTH_DISCOVERY)
    _ = verify(site, assertion(), FOUND_ISSUER, server=server)
    asked = len(server.asked)
    site.clock.now += 120  # what was not at the first place is not believed to be missing any more

    _ = verify(site, assertion(jti="2"), FOUND_ISSUER, server=server)

    assert len(server.asked) == asked


def test_keys_at_a_named_place_need_no_metadata(site: Site) -> None:
    server = IssuerServer()

    _ = verify(site, assertion(), TrustedIssuer(issuer=IDP, jwks_uri=JWKS), server=server)

    assert server.asked == [JWKS]


def test_new_key_of_the_issuer_is_fetched_once_an_assertion_names_it(site: Site) -> None:
    server = IssuerServer()
    _ = verify(site, assertion(), FOUND_ISSUER, server=server)
    server.publish(KEY, OTHER_KEY)
    site.clock.now += 60

    assert verify(site, assertion(OTHER_KEY), FOUND_ISSUER, server=server).jti == "1"


def test_unknown_keys_are_asked_for_once_a_minute(site: Site) -> None:
    server = IssuerServer()
    _ = verify(site, assertion(), FOUND_ISSUER, server=server)
    asked = len(server.asked)

    for number in range(5):
        with pytest.raises(InvalidGrant):
            verify(site, assertion(OTHER_KEY, jti=str(number)), FOUND_ISSUER, server=server)

    assert len(server.asked) == asked


def test_assertion_whose_issuers_keys_are_out_of_reach_is_not_called_wrong(site: Site) -> None:
    """It may be a good one: a client that is told invalid_grant would not try again."""

    def fails(_: Outgoing) -> Response:
        raise OSError("no route")

    flow = with_documents(
        lambda: verify_assertion(assertion(), as_trusted_issuers([FOUND_ISSUER]), "jwt-bearer", site.server.context())
    )
    with pytest.raises(TemporarilyUnavailable):
        run(flow, World(MemoryStorage(), fetch=fails))


PAGE = Response(200, (("Content-Type", "text/html"),), b"<html>Back in a minute.</html>")


@pytest.mark.parametrize("url", [DISCOVERY, JWKS])
@pytest.mark.parametrize("page", [PAGE, as_json({"keys": []}), Response(200)], ids=["page", "no keys", "nothing"])
def test_page_in_the_place_of_a_document_takes_its_issuer_away_for_half_a_minute(
    site: Site, url: str, page: Response
) -> None:
    server = IssuerServer()
    there, server.answers[url] = server.answers[url], page
    with pytest.raises(TemporarilyUnavailable):
        verify(site, assertion(), FOUND_ISSUER, server=server)

    server.answers[url] = there
    site.clock.now += FAILED_FOR

    assert verify(site, assertion(jti="2"), FOUND_ISSUER, server=server).jti == "2"


@pytest.mark.parametrize("page", [PAGE, as_json({"keys": []})], ids=["page", "no keys"])
def test_page_does_not_replace_keys_that_are_known(site: Site, page: Response) -> None:
    """Else an assertion that names an unknown key would, in a bad moment, take the good keys from everybody."""
    server = IssuerServer()
    _ = verify(site, assertion(), FOUND_ISSUER, server=server)
    server.answers[JWKS] = page
    site.clock.now += 120
    with pytest.raises(InvalidGrant):
        verify(site, assertion(OTHER_KEY, jti="2"), FOUND_ISSUER, server=server)

    assert verify(site, assertion(jti="3"), FOUND_ISSUER, server=server).jti == "3"


def test_keys_are_where_they_were_for_a_day_while_the_metadata_fails(site: Site) -> None:
    server = IssuerServer()
    _ = verify(site, assertion(), FOUND_ISSUER, server=server)
    server.answers[DISCOVERY] = PAGE

    site.clock.now += 2 * FRESH_FOR
    found = verify(site, assertion(jti="2", iat=site.now, exp=site.now + 60), FOUND_ISSUER, server=server)
    site.clock.now += 22 * FRESH_FOR
    with pytest.raises(TemporarilyUnavailable):
        verify(site, assertion(jti="3", iat=site.now, exp=site.now + 60), FOUND_ISSUER, server=server)

    assert found.jti == "2"


def test_metadata_of_another_issuer_brings_no_keys(site: Site) -> None:
    """RFC 8414 section 3.3: a host of many tenants may answer with another's."""
    server = IssuerServer()
    server.answers[DISCOVERY] = as_json({"issuer": IDP + "/", "jwks_uri": JWKS})

    with pytest.raises(TemporarilyUnavailable):
        verify(site, assertion(), FOUND_ISSUER, server=server)
    assert JWKS not in server.asked


WRONG: dict[str, dict[str, Any]] = {
    "unknown iss": {"iss": "https://other.example"},
    "iss with a slash": {"iss": IDP + "/"},
    "iss in capitals": {"iss": IDP.upper()},
    "no iss": {"iss": None},
    "no sub": {"sub": None},
    "blank sub": {"sub": ""},
    "sub is a number": {"sub": 7},
    "another audience": {"aud": "https://other.example"},
    "audience with a slash": {"aud": ISSUER + "/"},
    "audience is the token endpoint": {"aud": ISSUER + "/token"},
    "two audiences": {"aud": [ISSUER, "https://other.example"]},
    "no audience": {"aud": None},
    "empty audience": {"aud": []},
    "audience is a table": {"aud": {ISSUER: True}},
    "never expires": {"exp": None},
    "expired": {"exp": NOW - 60},
    "expires in words": {"exp": "never"},
    "expires in a century": {"exp": NOW + 100 * 365 * 86_400},
    "expires beyond numbers": {"exp": 10**17},
    "not valid yet": {"nbf": NOW + 61},
    "from the future": {"iat": NOW + 61},
    "no jti": {"jti": None},
    "blank jti": {"jti": ""},
    "jti is a number": {"jti": 1},
    "an access token": {"typ": "at+jwt"},
    "a logout token": {"typ": "logout+jwt"},
    "an ID-JAG": {"typ": "oauth-id-jag+jwt"},
    "an ID token with a nonce": {"nonce": "n"},
    "an ID token beside an access token": {"at_hash": "h"},
    "a security event": {"events": {}},
    "key of another issuer": {"key": OTHER_KEY},
}


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_wrong_assertion_is_refused(site: Site, changes: dict[str, Any]) -> None:
    """RFC 7523 section 3, RFC 8725 section 3; RFC 7521 section 4.1.1: invalid_grant."""
    with pytest.raises(InvalidGrant):
        verify(site, assertion(**changes))


@pytest.mark.parametrize("changes", [{"exp": NOW - 59}, {"nbf": NOW + 60}, {"iat": NOW + 60}, {"exp": NOW + 3_660}])
def test_clocks_may_differ_by_a_minute(site: Site, changes: dict[str, Any]) -> None:
    assert verify(site, assertion(**changes)).jti == "1"


def unverifiable(header: dict[str, Any], claims: dict[str, Any] | None = None, signature: bytes = b"") -> str:
    """Return a token with whatever header, signed with whatever."""
    body = {"iss": IDP, "sub": "a1", "aud": ISSUER, "exp": NOW + 300, "jti": "1"} | (claims or {})
    parts = [json.dumps(part).encode() for part in (header, body)] + [signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", ""])
def test_unsigned_assertion_is_refused(site: Site, alg: str) -> None:
    """RFC 8725 section 3.2."""
    with pytest.raises(InvalidGrant):
        verify(site, unverifiable({"alg": alg}))


def test_public_key_is_no_secret_to_sign_with(site: Site) -> None:
    """RFC 8725 section 2.1: an RSA public key, used as the secret of an HMAC."""
    key = key_for("RS256")
    text = unverifiable({"alg": "HS256", "kid": key.kid})
    signing_input = text.rpartition(".")[0]
    for secret in (set_of([key]), key.public.text.encode(), str(key.members["n"]).encode()):
        signature = hmac.digest(secret, signing_input.encode(), hashlib.sha256)
        forged = f"{signing_input}.{base64.urlsafe_b64encode(signature).rstrip(b'=').decode()}"
        with pytest.raises(InvalidGrant):
            verify(site, forged, TrustedIssuer(issuer=IDP, keys=[key]))


@pytest.mark.parametrize(
    "header",
    [
        {"jku": "https://evil.example/jwks"},
        {"x5u": "https://evil.example/cert"},
        {"x5c": ["MII"]},
        {"jwk": OTHER_KEY.public.members},
        {"crit": ["exp"]},
        {"cty": "JWT"},
        {"kid": 7},
        {"kid": "../../dev/null"},
        {"kid": "x" * 10_000},
    ],
    ids=lambda header: next(iter(header)),
)
def test_assertion_has_no_say_in_which_key_it_is_verified_with(site: Site, header: dict[str, Any]) -> None:
    """RFC 8725 section 3.10."""
    claims = {"iss": IDP, "sub": "a1", "aud": ISSUER, "exp": NOW + 300, "jti": "1"}
    server = IssuerServer()

    with pytest.raises(InvalidGrant):
        verify(
            site,
            sign_as_given({"alg": "ES256", "typ": "JWT"} | header, claims, OTHER_KEY, "ES256"),
            FOUND_ISSUER,
            server=server,
        )

    assert set(server.asked) <= {DISCOVERY, JWKS}


def test_key_of_one_issuer_makes_no_assertion_of_another(site: Site) -> None:
    other = TrustedIssuer(issuer="https://other.example", keys=[OTHER_KEY])

    with pytest.raises(InvalidGrant):
        verify(site, assertion(OTHER_KEY), GIVEN_ISSUER, other)


def test_member_that_is_there_twice_is_refused(site: Site) -> None:
    """RFC 7519 section 4: two readers could understand it differently."""
    text = assertion()
    header, payload, signature = text.split(".")
    claims = base64.urlsafe_b64decode(payload + "==").replace(b'"sub":"a1"', b'"sub":"a1","sub":"root"')
    twice = base64.urlsafe_b64encode(claims).rstrip(b"=").decode()

    with pytest.raises(InvalidGrant, match="each member once"):
        verify(site, f"{header}.{twice}.{signature}")


@pytest.mark.parametrize("nested", ["[" * 20_000, '{"a":' * 5_000, assertion()])
def test_nested_or_endless_payload_is_refused(site: Site, nested: str) -> None:
    header, _, signature = assertion().split(".")
    payload = base64.urlsafe_b64encode(nested.encode()).rstrip(b"=").decode()

    with pytest.raises(InvalidGrant):
        verify(site, f"{header}.{payload}.{signature}")


def test_issuer_is_trusted_for_what_it_is_named_for_alone(site: Site) -> None:
    id_jag = attrs.evolve(GIVEN_ISSUER, uses=["id-jag"])

    with pytest.raises(InvalidGrant):
        verify(site, assertion(), id_jag)
    with pytest.raises(InvalidGrant):
        verify(site, assertion(typ="oauth-id-jag+jwt"), GIVEN_ISSUER, use="id-jag", types=ID_JAG_TYPES)
    assert verify(site, assertion(typ="oauth-id-jag+jwt"), id_jag, use="id-jag", types=ID_JAG_TYPES).jti == "1"


def test_algorithm_that_the_issuer_is_not_to_use_is_refused(site: Site) -> None:
    with pytest.raises(InvalidGrant):
        verify(site, assertion(), attrs.evolve(GIVEN_ISSUER, algorithms=["RS256"]))


def test_issuer_may_call_the_server_otherwise_where_that_is_said(site: Site) -> None:
    issuer = attrs.evolve(GIVEN_ISSUER, audience=[ISSUER + "/token"])

    for aud in (ISSUER, ISSUER + "/token", [ISSUER, ISSUER + "/token"]):
        assert verify(site, assertion(aud=aud), issuer).jti == "1"


def test_subject_token_of_an_exchange_has_the_audience_that_is_asked_for(site: Site) -> None:
    issuer = attrs.evolve(GIVEN_ISSUER, uses=["token-exchange"])
    text = assertion(aud="app", nonce="n", jti=None)

    assert verify(site, text, issuer, use="token-exchange", audience={"app"}).claims["nonce"] == "n"
    with pytest.raises(InvalidGrant):
        verify(site, assertion(), issuer, use="token-exchange", audience={"app"})


def test_use_of_an_assertion_is_remembered_for_its_issuer_alone(site: Site) -> None:
    other = TrustedIssuer(issuer="https://other.example", keys=GIVEN)
    context = site.server.context()
    mine, others = verify(site, assertion()), verify(site, assertion(iss=other.issuer), other)

    assert mine.key(context) == verify(site, assertion(sub="a2")).key(context)
    assert mine.key(context) != others.key(context)
    spent = mine.spent_by("app", context)
    assert spent is not None
    assert (spent.client_id, spent.expires_at) == ("app", NOW + 360)


def test_assertion_that_may_be_used_again_is_not_remembered(site: Site) -> None:
    found = verify(site, assertion(jti=None), attrs.evolve(GIVEN_ISSUER, reuse=AllowReuse()))

    assert found.spent_by("app", site.server.context()) is None


@given(st.text(max_size=200) | st.just(SIGNED[:-1]))
def test_whatever_comes_is_refused_by_an_oauth_error(text: str) -> None:
    with pytest.raises(InvalidGrant):
        verify(SITE, text)


@given(position=st.integers(0, 10_000), replacement=st.sampled_from("AZaz09-_."))
def test_no_character_of_an_assertion_can_be_changed(position: int, replacement: str) -> None:
    place = position % len(SIGNED)
    changed = SIGNED[:place] + replacement + SIGNED[place + 1 :]
    if changed == SIGNED:
        return
    with pytest.raises(InvalidGrant):
        verify(SITE, changed)
