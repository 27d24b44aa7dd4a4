"""Scope that is asked for and not given: refused, or left out and said so, and left out again at each refresh."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import Allowance, Client, Policy, Response, Scope, UnknownScope
from oauthcore.records.grant import Grant
from oauthcore.scope import withheld_scope
from tests.core.oidc.provider import CALLBACK, POLICY, RP, SECRETS, provider
from tests.core.site import CONFIDENTIAL, REDIRECT, Drive, Site, basic, form, make_site, members, params, refused


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider, under each driver."""
    return provider(drive)


def authorize(site: Site, **changes: str | None) -> Response:
    """Send an authentication request that is right but for the changes."""
    parameters = {"client_id": "rp", "redirect_uri": CALLBACK, "nonce": "n"}
    unchallenged = {"code_challenge": None, "code_challenge_method": None}
    return site.authorize(site.alice, **(parameters | unchallenged | changes))


def redeem(site: Site, answer: Response) -> dict[str, Any]:
    body = form(grant_type="authorization_code", code=params(answer)["code"], redirect_uri=CALLBACK)
    return members(site.post("/token", body, basic("rp", SECRETS["rp"])))


def refresh(site: Site, tokens: dict[str, Any], scope: str | None = None) -> Response:
    body = form(grant_type="refresh_token", refresh_token=tokens["refresh_token"], scope=scope)
    return site.post("/token", body, basic("rp", SECRETS["rp"]))


def allowed(site: Site, scope: str, given: str | None = None, **changes: str | None) -> dict[str, Any]:
    """Return the tokens of a request for that scope, of which the person gives all or what is said."""
    return redeem(site, site.approve(authorize(site, scope=scope, **changes), site.alice, given))


def test_an_openid_request_goes_on_without_a_scope_that_is_not_known(site: Site) -> None:
    """OIDC Core section 3.1.2.1."""
    assert allowed(site, "openid foo email bar")["scope"] == "openid email"


def test_the_implicit_flow_says_what_was_given_too(site: Site) -> None:
    """RFC 6749 section 4.2.2."""
    answer = site.approve(authorize(site, scope="openid foo", response_type="id_token token"), site.alice)

    assert params(answer)["scope"] == "openid"


def test_an_oauth_request_is_refused_for_a_scope_that_is_not_known(site: Site) -> None:
    """RFC 6749 section 4.1.2.1."""
    assert params(authorize(site, scope="email foo"))["error"] == "invalid_scope"


def test_openid_is_never_left_out_of_what_a_client_is_not_registered_for(drive: Drive) -> None:
    """Else the client would wait for an ID token that never comes."""
    site = provider(drive, clients=(attrs.evolve(RP, scope="email"),))

    assert params(authorize(site, scope="openid email"))["error"] == "invalid_scope"


def test_a_server_without_openid_connect_has_no_openid_requests(drive: Drive) -> None:
    site = make_site(drive, clients=(attrs.evolve(CONFIDENTIAL, scope="openid email"),))

    assert params(site.authorize(site.alice, scope="openid foo"))["error"] == "invalid_scope"


@pytest.mark.parametrize(
    ("policy", "client", "scope", "given"),
    [
        (UnknownScope.IGNORE, None, "email foo", "email"),
        (UnknownScope.REFUSE, None, "openid foo", None),
        (UnknownScope.REFUSE, UnknownScope.IGNORE, "email foo", "email"),
        (UnknownScope.REFUSE, UnknownScope.IGNORE_IN_OPENID, "openid foo", "openid"),
        (UnknownScope.IGNORE, UnknownScope.REFUSE, "openid foo", None),
        (UnknownScope.IGNORE, UnknownScope.IGNORE_IN_OPENID, "email foo", None),
    ],
)
def test_the_client_says_so_before_the_policy(
    policy: UnknownScope, client: UnknownScope | None, scope: str, given: str | None
) -> None:
    rp = attrs.evolve(RP, unknown_scope=client, allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE})
    site = provider(policy=attrs.evolve(POLICY, unknown_scope=policy), clients=(rp,))

    if given is None:
        assert params(authorize(site, scope=scope))["error"] == "invalid_scope"
    else:
        assert allowed(site, scope)["scope"] == given


def test_a_request_of_which_nothing_is_known_is_refused(drive: Drive) -> None:
    site = make_site(drive, policy=Policy(unknown_scope=UnknownScope.IGNORE))

    assert params(site.authorize(site.alice, scope="foo bar"))["error"] == "invalid_scope"
    assert refused(site.token(grant_type="client_credentials", scope="foo"), "invalid_scope")


def test_a_clients_own_token_leaves_it_out_where_the_policy_says_so(drive: Drive) -> None:
    site = make_site(drive, policy=Policy(unknown_scope=UnknownScope.IGNORE))

    assert members(site.token(grant_type="client_credentials", scope="foo read"))["scope"] == "read"


def test_a_password_grant_leaves_it_out_and_refreshes_without_it(drive: Drive) -> None:
    policy = attrs.evolve(Policy.oauth20(), unknown_scope=UnknownScope.IGNORE)
    client = attrs.evolve(CONFIDENTIAL, grant_types=("password", "refresh_token"), response_types=())
    site = make_site(drive, policy=policy, clients=(client,))
    asked = {"username": "alice", "password": "wonderland"}

    tokens = members(site.token(grant_type="password", scope="email foo", **asked))

    assert tokens["scope"] == "email"
    assert members(site.refresh(tokens["refresh_token"], scope="email foo"))["scope"] == "email"


@pytest.mark.parametrize(
    ("scope", "given"),
    [
        ("openid email offline_access", None),
        ("openid email foo", None),
        ("openid email phone", "openid email"),
        ("openid email phone offline_access foo", "openid email"),
    ],
)
def test_a_client_refreshes_with_the_scope_that_it_asked_for_at_first(
    site: Site, scope: str, given: str | None
) -> None:
    """Authlib, requests-oauthlib and MSAL send it, whatever they were given."""
    tokens = allowed(site, scope, given)
    assert tokens["scope"] == "openid email"

    refreshed = members(refresh(site, tokens, scope))

    assert refreshed["scope"] == "openid email"
    assert members(refresh(site, tokens, scope))["access_token"] == refreshed["access_token"]
    assert members(refresh(site, refreshed, scope))["scope"] == "openid email"


def test_a_refresh_asks_for_nothing_that_the_authorization_did_not(site: Site) -> None:
    """RFC 6749 section 6."""
    tokens = allowed(site, "openid email foo")

    assert refused(refresh(site, tokens, "openid phone"), "invalid_scope")
    assert refused(refresh(site, tokens, "openid foo bar"), "invalid_scope")
    assert members(refresh(site, tokens))["scope"] == "openid email"


def test_a_refresh_for_nothing_but_what_was_left_out_is_refused(site: Site) -> None:
    tokens = allowed(site, "openid foo")

    assert refused(refresh(site, tokens, "foo"), "invalid_scope")


def test_a_person_who_takes_a_scope_out_of_an_oauth_request_leaves_a_client_that_can_refresh(drive: Drive) -> None:
    site = make_site(drive)
    answer = site.approve(site.authorize(None, scope="email profile"), site.alice, "email")
    tokens = members(site.redeem(params(answer)["code"], redirect_uri=REDIRECT))

    assert members(site.refresh(tokens["refresh_token"], scope="email profile"))["scope"] == "email"
    assert refused(site.refresh(tokens["refresh_token"], scope="email read"), "invalid_scope")


def test_what_nobody_has_to_remember_is_not_kept(site: Site) -> None:
    noise = " ".join(f"s{number}" for number in range(1_000))

    tokens = allowed(site, f"openid {noise}")

    (grant,) = site.world.storage.find_of(Grant, "alice")
    assert grant.withheld == Scope()
    assert refused(refresh(site, tokens, f"openid {noise}"), "invalid_scope")


_TOKENS = st.lists(st.sampled_from(["openid", "email", "phone", "offline_access", "foo", "bar"]), min_size=1)


@settings(max_examples=60, deadline=None)
@given(_TOKENS, _TOKENS, st.sampled_from(UnknownScope))
def test_scope_never_grows(asked: list[str], again: list[str], unknown: UnknownScope) -> None:
    client: Client = attrs.evolve(RP, scope="openid email phone offline_access")
    site = provider(policy=attrs.evolve(POLICY, unknown_scope=unknown), clients=(client,))
    answer = authorize(site, scope=" ".join(asked))
    if "error" in params(answer):
        return
    tokens = redeem(site, site.approve(answer, site.alice) if "interaction" in params(answer) else answer)
    assert set(tokens["scope"].split(" ")) <= set(asked) & set(client.scope)

    refreshed = members(refresh(site, tokens, " ".join(again)))

    if "scope" in refreshed:
        assert set(refreshed["scope"].split(" ")) <= set(tokens["scope"].split(" ")) & set(again)
    else:
        assert refreshed["error"] == "invalid_scope"


def test_a_long_scope_is_taken_from_a_long_one_in_good_time() -> None:
    """Looked for one by one, these would take minutes; anybody who has a refresh token may send the first."""
    many = Scope(tuple(f"s{number}" for number in range(40_000)))

    assert many.without(Scope(many.tokens[:20_000])).tokens == many.tokens[20_000:]


def test_withheld_is_what_was_asked_for_and_not_given() -> None:
    assert withheld_scope(None, Scope(("a",))) == Scope()
    assert withheld_scope(Scope(("b", "a", "c")), Scope(("a",))) == Scope(("b", "c"))
