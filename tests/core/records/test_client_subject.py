"""A client's identifier is never taken for a person's subject (RFC 9700 section 4.15, RFC 9068 section 5)."""

from __future__ import annotations

import json

import attrs
import pytest

from oauthcore import Access, ConfigurationError, Login, Policy, ResourceServer, run
from oauthcore import Request as CoreRequest
from oauthcore.records.client import AccessTokenFormat
from oauthcore.records.client_subject import client_subject
from oauthcore.resource.introspected import access_of
from oauthcore.signing.keys import GivenKeys
from tests.core.oidc.provider import sign_as_json
from tests.core.resource.test_introspected import NOW, told
from tests.core.signing_keys import key_for
from tests.core.site import CONFIDENTIAL, Drive, Site, basic, form, make_site, members

# Called as a person is, by an operator, or by whoever registers it.
NAMESAKE = attrs.evolve(CONFIDENTIAL, client_id="alice", grant_types=("client_credentials",), response_types=())


def own_token(site: Site) -> str:
    """Issue the client a token of its own."""
    body = form(grant_type="client_credentials", scope="read")
    return str(members(site.post("/token", body, basic("alice", "alice-secret")))["access_token"])


def namesake_site(drive: Drive, access_token_format: AccessTokenFormat = "opaque") -> Site:
    """Make a site with that client, whose signatures are left out."""
    client = attrs.evolve(NAMESAKE, access_token_format=access_token_format)
    keys = GivenKeys([key_for("RS256")])
    site = make_site(drive, clients=(client,), secrets={"alice": "alice-secret"}, keys=keys)
    site.world = attrs.evolve(site.world, sign=sign_as_json)
    return site


def test_a_clients_own_jwt_names_the_client_as_no_person_is_named(drive: Drive) -> None:
    claims = json.loads(own_token(namesake_site(drive, "jwt")))

    assert (claims["sub"], claims["client_id"]) == ("alice@clients", "alice")


def test_a_clients_own_token_is_nobodys_for_a_resource(drive: Drive) -> None:
    site = namesake_site(drive)
    request = CoreRequest("GET", "/", (("Authorization", f"Bearer {own_token(site)}"),))

    found = site.drive(ResourceServer(site.server.tokens).verify(request), site.world)

    assert isinstance(found, Access)
    assert (found.subject, found.identity) == (None, "alice@clients")


def test_a_person_is_their_subject_for_a_resource(site: Site) -> None:
    request = CoreRequest("GET", "/", (("Authorization", f"Bearer {site.tokens()['access_token']}"),))

    found = site.drive(ResourceServer(site.server.tokens).verify(request), site.world)

    assert isinstance(found, Access)
    assert found.identity == "alice"


@pytest.mark.parametrize("sub", ["app", "app@clients"])
def test_another_servers_name_for_the_client_is_no_person(sub: str) -> None:
    """Many servers put the client's identifier into `sub` of its own tokens (RFC 9068 section 2.2)."""
    found = access_of(told(sub=sub), None, NOW)

    assert found is not None
    assert (found.subject, found.identity) == (None, "app@clients")


def test_a_person_whose_subject_a_client_could_have_is_refused_to_the_host() -> None:
    with pytest.raises(ConfigurationError, match="subject = 'app@clients': use one that does not end in @clients"):
        Login(subject=client_subject("app"), auth_time=1)
    site = make_site()
    with pytest.raises(ConfigurationError, match="subject"):
        run(site.server.sessions.sign_in("app@clients"), site.world)


def test_a_password_is_nobodys_whose_subject_a_client_could_have(drive: Drive) -> None:
    client = attrs.evolve(CONFIDENTIAL, grant_types=("password",), response_types=())
    site = make_site(drive, policy=Policy.oauth20(), clients=(client,))
    site.world = attrs.evolve(site.world, authenticate=lambda name, secret: "app@clients")

    answer = site.token(grant_type="password", username="a", password="b")

    assert answer.status == 500
    assert answer.refusal is not None and isinstance(answer.refusal.cause, ConfigurationError)
