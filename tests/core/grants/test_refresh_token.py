"""The refresh token grant: rotation, reuse detection and honest retry."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Lifetimes, Policy, Secret
from oauthcore.digest import Digest
from oauthcore.errors import InvalidGrant, InvalidScope
from oauthcore.flow.outcome import Insert, Replace, Require
from oauthcore.grants.refresh_token import Refresh, RefreshFacts, decide
from oauthcore.oidc.person import NOBODY
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import GrantState
from oauthcore.records.token import RefreshToken
from oauthcore.scope import Scope
from tests.core.site import CONFIDENTIAL, OTHER, Counted, Site, asking, make_site, members, refused, said

SITE = make_site()
CONTEXT = SITE.server.context()
REQUEST = asking(CONFIDENTIAL)
VALUE = Secret("presented")
TOKEN = RefreshToken(
    key=CONTEXT.digest("refresh_token", VALUE),
    client_id="confidential",
    subject="alice",
    grant=Digest("grant"),
    issued_at=CONTEXT.now,
    expires_at=CONTEXT.now + 900,
)
GRANT = Grant(
    key=Digest("grant"),
    client_id="confidential",
    subject="alice",
    scope=Scope(("email", "profile")),
    auth_time=0,
    granted_at=CONTEXT.now,
    expires_at=CONTEXT.now + 3_600,
    refresh_token=TOKEN.key,
)
PLAIN = Refresh(VALUE, None)


def rotated() -> Grant:
    """Return the grant as it is after the token was rotated."""
    replace = decide(PLAIN, REQUEST, RefreshFacts(TOKEN, GRANT, NOBODY), CONTEXT).changes[1]
    assert isinstance(replace, Replace) and isinstance(replace.new, Grant)
    return replace.new


def test_the_newest_token_rotates_in_one_commit() -> None:
    outcome = decide(PLAIN, REQUEST, RefreshFacts(TOKEN, GRANT, NOBODY), CONTEXT)

    require, replace, access, successor = outcome.changes
    assert require == Require(CONFIDENTIAL)
    assert isinstance(replace, Replace) and replace.old is GRANT and isinstance(replace.new, Grant)
    assert isinstance(access, Insert) and isinstance(successor, Insert)
    assert replace.new.refresh_token == successor.record.key != TOKEN.key
    assert [event.name for event in outcome.events] == ["token_refreshed"]


def test_a_retry_changes_nothing_and_gives_the_same_pair() -> None:
    later = attrs.evolve(CONTEXT, now=CONTEXT.now + 89)
    first = decide(PLAIN, REQUEST, RefreshFacts(TOKEN, GRANT, NOBODY), CONTEXT)

    again = decide(PLAIN, REQUEST, RefreshFacts(TOKEN, rotated(), NOBODY), later)

    assert again.changes == ()
    one, other = said(first, CONTEXT), said(again, later)
    assert one["access_token"] == other["access_token"]
    assert one["refresh_token"] == other["refresh_token"]
    assert other["expires_in"] == one["expires_in"] - 89
    assert other["refresh_token_expires_in"] == one["refresh_token_expires_in"] - 89
    assert [event.name for event in again.events] == ["token_refresh_retried"]


def test_the_same_act_after_the_window_is_reuse() -> None:
    outcome = decide(
        PLAIN, REQUEST, RefreshFacts(TOKEN, rotated(), NOBODY), attrs.evolve(CONTEXT, now=CONTEXT.now + 90)
    )

    (change,) = outcome.changes
    assert isinstance(change, Replace) and isinstance(change.new, Grant)
    assert change.new.state is GrantState.REVOKED
    assert change.new.refresh_token is None
    assert refused(outcome.value, "invalid_grant", "used before")
    assert [event.name for event in outcome.events] == ["refresh_token_reused"]


def test_a_token_key_that_was_changed_makes_a_retry_reuse() -> None:
    other = make_site(token_key=b"k" * 32).server.context()

    outcome = decide(PLAIN, REQUEST, RefreshFacts(TOKEN, rotated(), NOBODY), other)

    assert refused(outcome.value, "invalid_grant", "used before")


@pytest.mark.parametrize(
    ("token", "grant", "reason"),
    [
        (None, None, "unknown"),
        (attrs.evolve(TOKEN, client_id="other"), GRANT, "another client"),
        (TOKEN, None, "revoked or over"),
        (TOKEN, attrs.evolve(GRANT, state=GrantState.REVOKED), "revoked or over"),
        (TOKEN, attrs.evolve(GRANT, expires_at=CONTEXT.now), "revoked or over"),
        (attrs.evolve(TOKEN, expires_at=CONTEXT.now), GRANT, "expired"),
    ],
)
def test_a_token_that_is_not_this_clients_live_one_is_refused(
    token: RefreshToken | None, grant: Grant | None, reason: str
) -> None:
    with pytest.raises(InvalidGrant) as refusal:
        decide(PLAIN, REQUEST, RefreshFacts(token, grant, NOBODY), CONTEXT)

    assert reason in refusal.value.reason


def test_the_scope_may_narrow() -> None:
    """RFC 6749 section 6."""
    outcome = decide(Refresh(VALUE, Scope(("profile",))), REQUEST, RefreshFacts(TOKEN, GRANT, NOBODY), CONTEXT)

    assert said(outcome, CONTEXT)["scope"] == "profile"
    replace = outcome.changes[1]
    assert isinstance(replace, Replace) and isinstance(replace.new, Grant)
    assert replace.new.scope == GRANT.scope


def test_the_scope_never_widens() -> None:
    """RFC 6749 section 6."""
    with pytest.raises(InvalidScope, match="not within"):
        decide(Refresh(VALUE, Scope(("email", "read"))), REQUEST, RefreshFacts(TOKEN, GRANT, NOBODY), CONTEXT)


def test_a_narrowed_refresh_is_retried_with_the_scope_it_had(site: Site) -> None:
    value = site.tokens(scope="email profile")["refresh_token"]
    first = members(site.refresh(value, scope="email"))

    again = members(site.refresh(value, scope="email"))

    assert again == first
    assert again["scope"] == "email"


def test_a_narrowed_refresh_can_be_widened_again_up_to_the_grant(site: Site) -> None:
    value = site.tokens(scope="email profile")["refresh_token"]
    narrow = members(site.refresh(value, scope="email"))

    assert members(site.refresh(narrow["refresh_token"]))["scope"] == "email profile"


def test_reuse_once_the_successor_was_used_ends_the_grant_even_within_the_window(site: Site) -> None:
    first = site.tokens()["refresh_token"]
    second = members(site.refresh(first))["refresh_token"]
    third = members(site.refresh(second))

    assert refused(site.refresh(first), "invalid_grant", "used before")

    assert not site.is_active(third["access_token"])
    assert refused(site.refresh(third["refresh_token"]), "invalid_grant", "revoked")


def test_a_retry_after_the_access_token_expired_says_so_and_the_refresh_token_is_good() -> None:
    """RFC 6749 appendix A.14: `expires_in` has no sign."""
    site = make_site(policy=Policy.oauth21(lifetimes=Lifetimes(access_token_lifetime=30)))
    tokens = site.tokens()
    site.refresh(tokens["refresh_token"])
    site.clock.advance(60)

    retried = members(site.refresh(tokens["refresh_token"]))

    assert retried["expires_in"] == 0
    assert members(site.refresh(retried["refresh_token"]))["expires_in"] == 30


def test_a_retry_never_hands_out_an_access_token_that_was_revoked(site: Site) -> None:
    value = site.tokens()["refresh_token"]
    revoked = members(site.refresh(value))["access_token"]
    site.revoke(revoked)

    response = site.refresh(value)

    assert refused(response, "invalid_grant", "used before")
    assert not site.is_active(revoked)


def test_an_idle_token_expires(site: Site) -> None:
    value = site.tokens()["refresh_token"]
    site.clock.advance(900)

    assert refused(site.refresh(value), "invalid_grant", "expired")


def test_a_token_that_is_used_lasts_until_the_absolute_lifetime(site: Site) -> None:
    answer = site.tokens()
    for _ in range(4):
        site.clock.advance(800)
        answer = members(site.refresh(answer["refresh_token"]))

    assert answer["refresh_token_expires_in"] == 400
    site.clock.advance(400)
    assert refused(site.refresh(answer["refresh_token"]), "invalid_grant", "over")


def test_an_access_token_never_outlives_its_grant(site: Site) -> None:
    answer = site.tokens()
    for _ in range(4):
        site.clock.advance(850)
        answer = members(site.refresh(answer["refresh_token"]))

    assert answer["expires_in"] == 200


def test_without_a_window_every_second_use_is_reuse() -> None:
    site = make_site(policy=Policy.oauth21(lifetimes=Lifetimes(refresh_retry_lifetime=0)))
    value = site.tokens()["refresh_token"]
    site.refresh(value)

    assert refused(site.refresh(value), "invalid_grant", "used before")


def test_another_clients_refresh_token_is_refused_and_stays_good(site: Site) -> None:
    value = site.tokens()["refresh_token"]

    assert refused(site.refresh(value, "other"), "invalid_grant", "another client")

    assert site.refresh(value).status == 200


def test_a_client_not_registered_for_it_can_not_refresh() -> None:
    site = make_site(clients=(attrs.evolve(OTHER, grant_types=("authorization_code",)),))

    assert refused(site.refresh("whatever", "other"), "unauthorized_client", "not registered")


def test_a_missing_refresh_token_is_an_invalid_request(site: Site) -> None:
    assert refused(site.token(grant_type="refresh_token"), "invalid_request", "refresh_token is missing")


def test_an_access_token_is_no_refresh_token(site: Site) -> None:
    assert refused(site.refresh(site.tokens()["access_token"]), "invalid_grant", "unknown")


def test_a_public_client_refreshes_without_a_secret(site: Site) -> None:
    code = site.code(client_id="public", redirect_uri="https://public.example/cb")
    tokens = members(site.redeem(code, "public", redirect_uri="https://public.example/cb"))

    assert site.refresh(tokens["refresh_token"], "public").status == 200


@pytest.mark.parametrize("again", [False, True], ids=["rotation", "retry"])
def test_a_refresh_asks_storage_three_times_and_commits_at_most_once(site: Site, again: bool) -> None:
    value = site.tokens()["refresh_token"]
    if again:
        site.refresh(value)
    counted = Counted(site)

    site.refresh(value)

    assert (counted.finds, counted.commits) == (3, 0 if again else 1)
