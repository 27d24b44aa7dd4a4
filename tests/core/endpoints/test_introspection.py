"""The introspection endpoint (RFC 7662)."""

from __future__ import annotations

from functools import partial

import attrs
import pytest

from oauthcore import MemoryStorage, Outgoing, Request, ResourceServer, Response, Secret, World, run
from oauthcore.flow.outcome import Replace
from oauthcore.records.grant import Grant
from oauthcore.resource.introspected import IntrospectedTokens
from tests.core.site import CONFIDENTIAL, ISSUER, SECRETS, Counted, Site, basic, form, make_site, members, refused


def test_a_live_access_token_is_described(site: Site) -> None:
    """RFC 7662 section 2.2."""
    token = site.tokens(scope="profile email")["access_token"]

    described = site.introspect(token)

    assert len(str(described.pop("jti"))) == 32
    assert described == {
        "active": True,
        "iss": "https://as.example",
        "client_id": "confidential",
        "sub": "alice",
        "exp": site.now + 300,
        "iat": site.now,
        "aud": ["https://as.example"],
        "token_type": "Bearer",
        "scope": "profile email",
        "auth_time": site.now,
    }


def test_a_live_access_token_tells_how_its_person_was_authenticated(site: Site) -> None:
    """RFC 9470 section 6.2, without OpenID."""
    token = site.tokens(scope="profile")["access_token"]
    (grant,) = site.world.storage.find_of(Grant, "alice")
    stronger = attrs.evolve(grant, acr="mfa", amr=("pwd", "otp"), auth_time=site.now - 9)
    assert site.world.storage.commit((Replace(grant, stronger),))

    described = site.introspect(token, "resource")

    assert (described["acr"], described["amr"], described["auth_time"]) == ("mfa", ["pwd", "otp"], site.now - 9)


def test_a_live_refresh_token_is_described_and_is_no_bearer_token(site: Site) -> None:
    token = site.tokens()["refresh_token"]

    described = site.introspect(token)

    assert (described["active"], described["sub"], described["exp"]) == (True, "alice", site.now + 900)
    assert "token_type" not in described


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
def test_a_token_is_found_whatever_the_hint(site: Site, kind: str, hint: str | None) -> None:
    token = site.tokens()[kind]

    assert site.introspect(token, hint=hint)["active"] is True


def test_an_unknown_token_is_inactive_and_that_is_all(site: Site) -> None:
    assert site.introspect("nonsense") == {"active": False}


def test_an_expired_token_is_inactive(site: Site) -> None:
    token = site.tokens()["access_token"]
    site.clock.advance(300)

    assert site.introspect(token) == {"active": False}


def test_a_rotated_refresh_token_is_inactive(site: Site) -> None:
    token = site.tokens()["refresh_token"]
    site.refresh(token)

    assert site.introspect(token) == {"active": False}


def test_another_clients_token_is_inactive_to_a_client(site: Site) -> None:
    """RFC 7662 section 4."""
    token = site.tokens()["access_token"]

    assert site.introspect(token, "other") == {"active": False}


def test_a_resource_server_may_ask_about_every_access_token(site: Site) -> None:
    assert site.introspect(site.tokens()["access_token"], "resource")["active"] is True


def test_a_resource_server_lets_nobody_in_with_a_refresh_token(site: Site) -> None:
    """RFC 6749 section 1.5: they are never sent to a resource."""
    presented = Request("GET", "/", (("Authorization", f"Bearer {site.tokens()['refresh_token']}"),))
    found = IntrospectedTokens(
        f"{ISSUER}/introspect", client_id="resource", client_secret=Secret(SECRETS["resource"]), clock=site.clock
    )
    ask = partial(introspect_at, site)

    verdict = run(ResourceServer(found).verify(presented), World(MemoryStorage(), fetch=ask))

    assert isinstance(verdict, Response)
    assert verdict.status == 401


def introspect_at(site: Site, request: Outgoing) -> Response:
    return site.handle(Request(request.method, request.url.removeprefix(ISSUER), request.headers, request.body))


def test_a_public_client_can_not_introspect(site: Site) -> None:
    """RFC 7662 section 2.1."""
    response = site.post("/introspect", form(token="x", client_id="public"))

    assert refused(response, "invalid_client", "public client")


def test_who_does_not_authenticate_can_not_introspect(site: Site) -> None:
    response = site.post("/introspect", form(token="x"), basic("confidential", "wrong"))

    assert (response.status, members(response)["error"]) == (401, "invalid_client")


def test_a_missing_token_is_an_invalid_request(site: Site) -> None:
    response = site.post("/introspect", form(), basic("confidential", "confidential-secret"))

    assert refused(response, "invalid_request", "token is missing")


def test_the_answer_is_never_cached_and_never_shared_with_other_origins(site: Site) -> None:
    response = site.post("/introspect", form(token="x"), basic("confidential", "confidential-secret"))

    assert response.header("cache-control") == "no-store"
    assert response.header("access-control-allow-origin") is None


def test_a_code_is_no_token(site: Site) -> None:
    assert site.introspect(site.code()) == {"active": False}


def test_one_issuers_token_is_inactive_at_another_over_the_same_storage(site: Site) -> None:
    token = site.tokens()["access_token"]
    other = make_site(site.drive, issuer="https://other-as.example")
    for place, record in list(site.world.storage._records.items()):  # type: ignore[attr-defined]
        if place[0].__name__ in {"AccessToken", "Grant"}:
            other.world.storage._records[place] = record  # type: ignore[attr-defined]

    assert other.introspect(token) == {"active": False}


def test_it_asks_storage_three_times_and_commits_nothing(site: Site) -> None:
    token = site.tokens()["access_token"]
    counted = Counted(site)

    site.introspect(token)

    assert (counted.finds, counted.commits) == (3, 0)


def test_a_token_without_scope_is_described_without_one() -> None:
    client = attrs.evolve(CONFIDENTIAL, scope="")
    site = make_site(clients=(client,))
    token = members(site.token(grant_type="client_credentials"))["access_token"]

    assert "scope" not in site.introspect(token)
