"""ID-JAGs: the second leg, as the authorization server of the resource; names begin with the ids for MCP.

draft-ietf-oauth-identity-assertion-authz-grant, and SEP-990.
"""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Secret
from oauthcore.grants.jwt_bearer import GRANT_TYPE, ID_JAG_PROFILE
from oauthcore.records.actor import MAX_ACTORS
from tests.core.assertions.issuing import IDP, KEY, NOW, assertion
from tests.core.assertions.trusting import API, APP, ISSUERS, MAIL, People, id_jag, present, presenting, trusting_site
from tests.core.site import ISSUER, Drive, Site, basic, members, refused


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a site that trusts an enterprise's identity provider, under each driver."""
    return trusting_site(drive)


def test_h2_id_jag_is_exchanged_for_a_token_of_its_user_at_its_resource(site: Site) -> None:
    answer = members(present(site, id_jag()))

    assert set(answer) == {"access_token", "token_type", "expires_in", "scope"}
    found = site.introspect(answer["access_token"], "resource")
    assert (found["sub"], found["client_id"]) == ("alice", "app")
    assert (found["aud"], found["scope"]) == ([API.uri], "read write")


TOO_MANY: dict[str, Any] = {"sub": "0"}
for _ in range(MAX_ACTORS):
    TOO_MANY = {"sub": "agent", "act": TOO_MANY}
WRONG: dict[str, dict[str, Any]] = {
    "typ of a plain JWT": {"typ": "JWT"},
    "typ of an access token": {"typ": "at+jwt"},
    "two audiences": {"aud": [ISSUER, "https://other.example"]},
    "the issuer twice": {"aud": [ISSUER, ISSUER]},
    "audience with a slash": {"aud": ISSUER + "/"},
    "audience that a plain assertion may have": {"aud": ISSUER + "/token"},
    "no audience": {"aud": None},
    "another client": {"client_id": "other"},
    "no client": {"client_id": None},
    "a list of clients": {"client_id": ["app"]},
    "unknown iss": {"iss": "https://evil.example"},
    "iss with a slash": {"iss": "https://enterprise.example/tenant/"},
    "another tenant": {"iss": "https://enterprise.example/other"},
    "an issuer that is trusted for other assertions": {"iss": IDP},
    "no sub": {"sub": None},
    "unknown user": {"sub": "carol"},
    "a client as its user": {"sub": "app@clients"},
    "no jti": {"jti": None},
    "no exp": {"exp": None},
    "expired": {"exp": NOW - 60},
    "a huge exp": {"exp": NOW + 86_400},
    "no iat": {"iat": None},
    "iat in the future": {"iat": NOW + 61},
    "not valid yet": {"nbf": NOW + 61},
    "bound to a key": {"cnf": {"jkt": "k"}},
    "rich": {"authorization_details": [{"type": "payment"}]},
    "unknown resource": {"resource": "https://unknown.example"},
    "one unknown resource": {"resource": [API.uri, "https://unknown.example"]},
    "resource that is none": {"resource": 7},
    "empty resource": {"resource": ""},
    "empty list of resources": {"resource": []},
    "resource with a fragment": {"resource": API.uri + "#x"},
    "scope that is none": {"scope": ["read"]},
    "scope with quotes": {"scope": 'a"b'},
    "act that is none": {"act": "agent"},
    "act without sub": {"act": {"iss": "https://agents.example"}},
    "act with another act that is none": {"act": {"sub": "agent", "act": 7}},
    "act without end": {"act": TOO_MANY},
    "act of this server": {"act": {"sub": "bob", "iss": ISSUER}},
    "act of this server, spelled otherwise": {"act": {"sub": "bob", "iss": ISSUER.upper() + "/"}},
    "act of this server before": {"act": {"sub": "agent", "act": {"sub": "bob", "iss": ISSUER}}},
    "act of an issuer without a name": {"act": {"sub": "agent", "iss": ""}},
    "act with a line end": {"act": {"sub": "agent\nbob"}},
    "act of an issuer with a line end": {"act": {"sub": "agent", "iss": "https://agents.example\n"}},
    "act that is too long": {"act": {"sub": "a" * 256}},
}  # fmt: skip


@pytest.mark.parametrize("changes", WRONG.values(), ids=WRONG)
def test_h2_wrong_id_jag_is_an_invalid_grant(changes: dict[str, Any]) -> None:
    site = trusting_site()

    response = present(site, id_jag(**changes))

    assert (response.status, refused(response, "invalid_grant")) == (400, True)
    assert site.events == []


def test_h2_jti_is_used_once(site: Site) -> None:
    text = id_jag()
    assert present(site, text).status == 200

    assert refused(present(site, text), "invalid_grant", "used before")


def test_h2_other_client_can_not_use_it_and_does_not_use_it_up(site: Site) -> None:
    other = attrs.evolve(APP, client_id="other-app", secrets=())
    site.drive(site.server.clients.register(other, Secret("other-app-secret")), site.world)
    text = id_jag()
    mine = presenting(text)
    stolen = attrs.evolve(mine, headers=(mine.headers[0], basic("other-app", "other-app-secret")))

    assert refused(site.handle(stolen), "invalid_grant", "another client")
    assert present(site, text).status == 200


def test_h2_public_client_may_not_present_one(site: Site) -> None:
    """Section 8.1 of the draft."""
    response = present(site, id_jag(client_id="browserless"), "browserless")

    assert refused(response, "unauthorized_client", "public")


def test_h2_client_has_to_authenticate(site: Site) -> None:
    response = present(site, id_jag(), None)

    assert (response.status, refused(response, "invalid_client")) == (401, True)


@pytest.mark.parametrize(
    ("claimed", "asked", "granted"),
    [
        ("read write", None, "read write"),
        ("read", None, "read"),
        ("read write", "read", "read"),
        ("read", "read write", None),
        ("read admin", None, "read"),
        ("admin", None, None),
        ("read", "admin", None),
        (None, "read", "read"),
        ("read openid offline_access", None, "read"),
        ("openid", None, None),
        ("read email", None, "read"),
    ],
)
def test_h2_scope_is_of_the_assertion_and_the_policy(
    site: Site, claimed: str | None, asked: str | None, granted: str | None
) -> None:
    response = present(site, id_jag(scope=claimed), **({} if asked is None else {"scope": asked}))

    if granted is None:
        assert refused(response, "invalid_scope")
    else:
        assert members(response)["scope"] == granted


@pytest.mark.parametrize(
    ("claimed", "asked", "audience"),
    [
        (API.uri, None, [API.uri]),
        (API.uri, API.uri, [API.uri]),
        ([API.uri], None, [API.uri]),
        ([API.uri, MAIL.uri], None, [API.uri, MAIL.uri]),
        ([API.uri, MAIL.uri], [API.uri], [API.uri]),
        ("https://API.example:443/mcp", None, [API.uri]),
        (None, API.uri, [API.uri]),
        (None, None, [ISSUER]),
    ],
)
def test_h2_token_is_bound_to_the_resource_of_the_assertion(
    site: Site, claimed: Any, asked: Any, audience: list[str]
) -> None:
    values = {} if asked is None else {"resource": asked}

    answer = members(present(site, id_jag(resource=claimed, scope=None), **values))

    assert site.introspect(answer["access_token"], "resource")["aud"] == audience


@pytest.mark.parametrize("asked", [MAIL.uri, [API.uri, MAIL.uri], ISSUER])
def test_h2_client_can_not_name_another_resource_than_the_assertion(site: Site, asked: Any) -> None:
    assert refused(present(site, id_jag(), resource=asked), "invalid_target")


def test_h2_id_jag_for_a_resource_is_refused_where_tokens_have_no_resource(drive: Drive) -> None:
    """Its token would be good everywhere."""
    site = trusting_site(drive, resources=None)

    assert refused(present(site, id_jag()), "invalid_grant", "resource")
    assert present(site, id_jag(resource=ISSUER, jti="2")).status == 200
    assert present(site, id_jag(resource=None, jti="3")).status == 200


def test_who_acts_for_the_user_is_in_the_token(site: Site) -> None:
    """RFC 8693 section 4.1: a name of its issuer's, who is named as well."""
    act = {"sub": "agent", "act": {"sub": "broker", "iss": "https://agents.example"}}

    answer = members(present(site, id_jag(act=act)))

    assert site.introspect(answer["access_token"], "resource")["act"] == {
        "sub": "agent",
        "iss": "https://enterprise.example/tenant",
        "act": {"sub": "broker", "iss": "https://agents.example"},
    }


def test_user_who_is_disabled_has_no_token_any_more(drive: Drive) -> None:
    people = People("alice")
    site = trusting_site(drive, people)
    token = members(present(site, id_jag()))["access_token"]

    people.subjects.clear()

    assert not site.is_active(token)
    assert refused(present(site, id_jag(jti="2")), "invalid_grant", "disabled")


def test_issuer_of_id_jags_is_trusted_for_nothing_else(site: Site) -> None:
    """Its ID tokens are plain JWTs, too."""
    assert refused(present(site, id_jag(typ="JWT")), "invalid_grant", "not trusted")
    plain = assertion(KEY, "oauth-id-jag+jwt", client_id="app")
    assert refused(present(site, plain), "invalid_grant", "not trusted")


def test_typ_is_compared_without_case_and_with_its_long_name(site: Site) -> None:
    """RFC 7515 section 4.1.9."""
    assert present(site, id_jag(typ="application/OAuth-ID-JAG+jwt")).status == 200


def test_metadata_says_that_id_jags_are_taken(site: Site) -> None:
    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert metadata["authorization_grant_profiles_supported"] == [ID_JAG_PROFILE]
    assert GRANT_TYPE in metadata["grant_types_supported"]


def test_metadata_says_nothing_of_id_jags_where_none_are_taken() -> None:
    site = trusting_site(trusted_issuers=ISSUERS[:1])

    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert "authorization_grant_profiles_supported" not in metadata
