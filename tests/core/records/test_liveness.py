"""Liveness: a grant lives while it, its client, its person and its login session do, whoever asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest

from oauthcore import Access, Allowance, Client, Lifetimes, Login, Policy, Request, ResourceServer, Secret
from oauthcore.flow.effects import Claims
from oauthcore.openid import OpenID
from tests.core.oidc.provider import claims_of_alice, provider
from tests.core.site import (
    REDIRECT,
    SECRETS,
    Counted,
    Drive,
    Site,
    handle_of,
    location,
    make_site,
    members,
    params,
    refused,
    refused_by_page,
)

APP = Client(
    client_id="confidential",
    redirect_uris=(REDIRECT,),
    grant_types=("authorization_code", "refresh_token", "client_credentials"),
    scope="openid profile email offline_access read",
)
ASKING = Client(
    client_id="resource", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)
SCOPE = "openid profile email offline_access"


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider whose access tokens are opaque, under each driver."""
    return known_site(drive)


def known_site(drive: Drive, *, client: Client = APP, **settings: Any) -> Site:
    """Make a provider that knows alice, with a client that may have everything."""
    policy = Policy.openid(lifetimes=Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900))
    defaults: dict[str, Any] = {"policy": policy, "clients": (client, ASKING), "secrets": SECRETS}
    return provider(drive, **(defaults | settings))


def tokens_of(site: Site, scope: str = SCOPE, login: Login | None = None) -> dict[str, Any]:
    """Return alice's tokens."""
    asked = site.authorize(login, scope=scope, prompt="consent", nonce="n")
    return members(site.redeem(params(site.approve(asked, login))["code"]))


def resource(site: Site, token: str) -> int:
    """Return the status that a resource of the same host answers with."""
    server = ResourceServer(site.server.tokens)
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))
    verdict = site.drive(server.verify(request), site.world)
    return 200 if isinstance(verdict, Access) else int(verdict.status)


def userinfo(site: Site, token: str) -> int:
    """Return the status of UserInfo."""
    return site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))).status


def everywhere(site: Site, tokens: dict[str, Any]) -> dict[str, bool]:
    """Return whether tokens are good, at each place that takes them."""
    access, refresh = tokens["access_token"], tokens["refresh_token"]
    return {
        "introspection of the access token": site.introspect(access, "resource")["active"],
        "introspection of the refresh token": bool(site.introspect(refresh).get("active")),
        "resource": resource(site, access) == 200,
        "userinfo": userinfo(site, access) == 200,
        "refresh": site.refresh(refresh).status == 200,
    }


def change(site: Site, **settings: object) -> None:
    """Change the client's registration."""
    site.drive(site.server.clients.update("confidential", **settings), site.world)


def forget_alice(site: Site) -> None:
    """Have the application know nobody of that name any more."""
    site.world = attrs.evolve(site.world, claims=lambda _: None)


def disable(site: Site) -> None:
    """Disable the client."""
    site.drive(site.server.clients.disable("confidential"), site.world)


def remove(site: Site) -> None:
    """Remove the client."""
    site.drive(site.server.clients.remove("confidential"), site.world)


def register_anew(site: Site) -> None:
    """Remove the client, and register another of the same identifier, secret and all."""
    remove(site)
    site.drive(site.server.clients.register(APP, Secret(SECRETS["confidential"])), site.world)


ENDS: dict[str, Callable[[Site], None]] = {
    "the person is removed": forget_alice,
    "the client is removed and its identifier registered anew": register_anew,
}


def test_what_lives_is_good_everywhere(site: Site) -> None:
    assert set(everywhere(site, tokens_of(site)).values()) == {True}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_what_has_ended_is_good_nowhere(site: Site, end: Callable[[Site], None]) -> None:
    tokens = tokens_of(site)

    end(site)

    assert {place for place, is_good in everywhere(site, tokens).items() if is_good} == set()


@pytest.mark.parametrize("end", [disable, remove])
def test_tokens_of_a_client_that_is_disabled_or_gone_are_inactive(site: Site, end: Callable[[Site], None]) -> None:
    access = tokens_of(site)["access_token"]
    own = members(site.token(grant_type="client_credentials", scope="read"))["access_token"]

    end(site)

    for token in (access, own):
        assert site.introspect(token, "resource") == {"active": False}
        assert resource(site, token) == 401
    assert userinfo(site, access) == 401


def test_a_client_that_is_enabled_again_has_its_tokens_back(site: Site) -> None:
    tokens = tokens_of(site)
    disable(site)

    site.drive(site.server.clients.enable("confidential"), site.world)

    assert set(everywhere(site, tokens).values()) == {True}


def test_a_clients_own_token_dies_with_its_registration(site: Site) -> None:
    own = members(site.token(grant_type="client_credentials", scope="read"))["access_token"]

    register_anew(site)

    assert site.introspect(own, "resource") == {"active": False}
    assert resource(site, own) == 401


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_code_under_way_ends_with_its_person_and_its_client(site: Site, end: Callable[[Site], None]) -> None:
    code = site.code(scope="openid", nonce="n")

    end(site)

    assert refused(site.redeem(code), "invalid_grant", "the code's ")


def test_an_interaction_under_way_is_not_answered_to_a_later_client_of_that_name(site: Site) -> None:
    handle = handle_of(site.authorize(scope="email"))
    finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
    waiting = handle_of(site.authorize(scope="email"))

    register_anew(site)

    assert refused_by_page(site.get(location(finished)), "the client is unknown")
    assert site.drive(site.server.interactions.find(waiting), site.world) is None


def test_a_scope_taken_out_of_the_registration_is_issued_no_more(site: Site) -> None:
    tokens, code = tokens_of(site), site.code(scope="openid email", nonce="n")

    change(site, scope="openid profile offline_access read")

    assert members(site.refresh(tokens["refresh_token"]))["scope"] == "openid profile offline_access"
    assert members(site.redeem(code))["scope"] == "openid"


def test_a_scope_taken_out_of_the_registration_is_in_no_token_that_was_issued_before(site: Site) -> None:
    access = tokens_of(site)["access_token"]

    change(site, scope="profile offline_access read")

    assert site.introspect(access, "resource")["scope"] == "profile offline_access"
    assert userinfo(site, access) == 403
    request = Request("GET", "/", (("Authorization", f"Bearer {access}"),))
    assert site.drive(ResourceServer(site.server.tokens).verify(request, "email"), site.world).status == 403


def test_a_refresh_that_asks_for_what_was_taken_out_is_answered_without_it(site: Site) -> None:
    """RFC 6749 section 3.3: what comes of it is said in `scope`."""
    refresh = tokens_of(site)["refresh_token"]
    change(site, scope="openid profile read")

    assert refused(site.refresh(refresh, scope="email"), "invalid_scope", "no longer registered")
    assert members(site.refresh(refresh, scope="openid email"))["scope"] == "openid"


def test_a_grant_of_which_nothing_is_left_is_refused(site: Site) -> None:
    refresh, code = tokens_of(site)["refresh_token"], site.code(scope="openid email", nonce="n")
    change(site, scope="read")

    assert refused(site.refresh(refresh), "invalid_grant", "no longer registered for any")
    assert refused(site.redeem(code), "invalid_grant", "no longer registered for any")


def test_an_honest_retry_is_answered_without_what_was_taken_out(site: Site) -> None:
    refresh = tokens_of(site)["refresh_token"]
    site.refresh(refresh)

    change(site, scope="openid profile read")

    assert members(site.refresh(refresh))["scope"] == "openid profile"


def test_jwt_access_tokens_lose_what_was_taken_out(drive: Drive) -> None:
    site = known_site(drive, client=attrs.evolve(APP, access_token_format="jwt"))
    refresh = tokens_of(site)["refresh_token"]

    change(site, scope="openid profile read")

    assert '"scope": "openid profile"' in members(site.refresh(refresh))["access_token"]


def test_an_approval_gives_nothing_that_was_taken_out_meanwhile(site: Site) -> None:
    handle = handle_of(site.authorize(scope=None))
    finished = site.drive(site.server.interactions.finish(handle, site.alice, ["openid", "email"]), site.world)

    change(site, scope="openid profile")

    code = params(site.get(location(finished)))["code"]
    assert members(site.redeem(code))["scope"] == "openid"


def test_a_redirect_uri_that_is_unregistered_meanwhile_redeems_nothing(site: Site) -> None:
    code = site.code(scope="openid", nonce="n")

    change(site, redirect_uris=("https://client.example/elsewhere",))

    assert refused(site.redeem(code), "invalid_grant", "no longer registered")


def test_a_replayed_code_still_ends_its_grant_where_its_redirect_uri_is_unregistered(site: Site) -> None:
    code = site.code(scope="openid", nonce="n")
    tokens = members(site.redeem(code))
    change(site, redirect_uris=("https://client.example/elsewhere",))

    assert refused(site.redeem(code), "invalid_grant", "redeemed before")

    assert not site.is_active(tokens["access_token"])


def test_refresh_tokens_are_inactive_where_the_client_may_not_refresh(site: Site) -> None:
    refresh = tokens_of(site)["refresh_token"]

    change(site, grant_types=("authorization_code",))

    assert site.introspect(refresh) == {"active": False}


def signed_in(site: Site) -> Login:
    """Sign alice in, with a session."""
    login = site.drive(site.server.sessions.sign_in("alice"), site.world)
    assert isinstance(login, Login)
    return login


def end(site: Site, login: Login) -> None:
    """End her session."""
    assert site.drive(site.server.sessions.end(str(login.sid)), site.world)


@pytest.mark.parametrize("with_openid", [True, False])
def test_a_grant_without_openid_ends_with_its_login_session(drive: Drive, with_openid: bool) -> None:
    """docs/logout.md: who signs out ends what every application got in that session."""
    site = make_site(drive, openid=OpenID(), policy=Policy.openid()) if with_openid else make_site(drive)
    login = signed_in(site)
    tokens = members(site.redeem(params(site.approve(site.authorize(login), login))["code"]))
    assert site.is_active(tokens["access_token"])

    end(site, login)

    assert not site.is_active(tokens["access_token"])
    assert refused(site.refresh(tokens["refresh_token"]), "invalid_grant", "revoked")


def test_a_client_without_openid_is_not_told_that_a_session_has_ended(site: Site) -> None:
    """It got no ID token, and so knows no session (OIDC Back-Channel Logout section 2)."""
    login = signed_in(site)
    tokens_of(site, "email", login)

    [session] = site.drive(site.server.sessions.of("alice"), site.world)

    assert (session.client_ids, session.authorizations) == ((), 1)


def test_offline_access_that_is_taken_back_ends_what_outlived_its_session(site: Site) -> None:
    login = signed_in(site)
    tokens = tokens_of(site, login=login)
    end(site, login)
    tokens = members(site.refresh(tokens["refresh_token"]))
    assert set(everywhere(site, tokens).values()) == {True}

    change(site, scope="openid profile email read")

    assert set(everywhere(site, tokens).values()) == {False}


def test_offline_access_that_is_taken_back_before_lets_the_session_end_the_grant(site: Site) -> None:
    login = signed_in(site)
    tokens = tokens_of(site, login=login)
    change(site, scope="openid profile email read")

    end(site, login)

    assert set(everywhere(site, tokens).values()) == {False}


def test_a_policy_that_is_taken_back_ends_what_outlived_its_session(site: Site) -> None:
    change(site, allow={Allowance.GRANTS_OUTLIVE_SESSION})
    login = signed_in(site)
    tokens = tokens_of(site, "openid", login)
    end(site, login)
    assert site.is_active(tokens["access_token"])

    change(site, allow=())

    assert set(everywhere(site, tokens).values()) == {False}


def test_a_person_is_asked_for_once_a_request_and_without_claims_where_none_are_due(drive: Drive) -> None:
    site = known_site(drive)
    questions: list[tuple[str, ...]] = []

    def answer(asked: Claims) -> Any:
        """Note what is asked."""
        questions.append(asked.names)
        return claims_of_alice(asked)

    site.world = attrs.evolve(site.world, claims=answer)
    tokens = tokens_of(site, "openid")
    assert questions == [()]
    userinfo(site, tokens["access_token"])
    site.introspect(tokens["access_token"])
    resource(site, tokens["access_token"])
    site.refresh(tokens["refresh_token"])
    own = members(site.token(grant_type="client_credentials", scope="read"))["access_token"]
    site.introspect(own)

    assert questions == [()] * 5


def test_the_person_costs_no_find(drive: Drive) -> None:
    site = known_site(drive)
    tokens = tokens_of(site)
    counted = Counted(site)

    site.refresh(tokens["refresh_token"])
    assert (counted.finds, counted.commits) == (3, 1)
    resource(site, tokens["access_token"])
    assert (counted.finds, counted.commits) == (6, 1)


def test_an_application_that_can_not_say_whether_a_person_is_known_is_a_503(site: Site) -> None:
    refresh = tokens_of(site)["refresh_token"]

    def fail(asked: Claims) -> None:
        """Be out of order."""
        raise OSError

    site.world = attrs.evolve(site.world, claims=fail)

    assert site.refresh(refresh).status == 503
    site.world = attrs.evolve(site.world, claims=claims_of_alice)
    assert site.refresh(refresh).status == 200
