"""The authorization code grant."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Allowance
from oauthcore.digest import Digest, Secret
from oauthcore.errors import InvalidGrant
from oauthcore.flow.outcome import Insert, Replace, Require
from oauthcore.grants.authorization_code import CodeFacts, OwnCode, Redemption, decide, prove_own
from oauthcore.oidc.person import NOBODY
from oauthcore.pkce import CodeChallenge
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import CodeState, GrantState
from oauthcore.records.token import AccessToken, AuthorizationCode, RefreshToken
from oauthcore.scope import Scope
from tests.core.site import (
    CHALLENGE,
    CONFIDENTIAL,
    REDIRECT,
    VERIFIER,
    Counted,
    Site,
    asking,
    make_site,
    members,
    refused,
    said,
)

GRANT = Grant(
    key=Digest("grant"),
    client_id="confidential",
    subject="alice",
    scope=Scope(("email",)),
    auth_time=0,
    granted_at=0,
    expires_at=2_000_000_000,
)
CODE = AuthorizationCode(
    key=Digest("code"),
    client_id="confidential",
    subject="alice",
    grant=Digest("grant"),
    redirect_uri=REDIRECT,
    redirect_uri_given=True,
    code_challenge=CodeChallenge(CHALLENGE, "S256"),
    issued_at=0,
    expires_at=2_000_000_000,
)
RIGHT = Redemption(Secret("code"), REDIRECT, VERIFIER)


def test_a_redemption_issues_and_consumes_in_one_commit() -> None:
    context = make_site().server.context()
    grant = attrs.evolve(GRANT, granted_at=context.now, expires_at=context.now + 300)

    outcome = decide(RIGHT, asking(CONFIDENTIAL), CodeFacts(CODE, grant, NOBODY), context)

    require, consume, extend, access, refresh = outcome.changes
    assert require == Require(CONFIDENTIAL)
    assert isinstance(consume, Replace) and consume.old is CODE
    assert isinstance(consume.new, AuthorizationCode) and consume.new.state is CodeState.REDEEMED
    assert isinstance(extend, Replace) and extend.old is grant and isinstance(extend.new, Grant)
    assert isinstance(access, Insert) and isinstance(access.record, AccessToken)
    assert isinstance(refresh, Insert) and isinstance(refresh.record, RefreshToken)
    assert extend.new.refresh_token == refresh.record.key
    assert consume.new.expires_at == extend.new.expires_at == context.now + 3_600
    assert [event.name for event in outcome.events] == ["token_issued"]


def test_a_client_that_may_not_refresh_gets_no_refresh_token() -> None:
    context = make_site().server.context()
    client = attrs.evolve(CONFIDENTIAL, grant_types=("authorization_code",))

    outcome = decide(RIGHT, asking(client), CodeFacts(CODE, GRANT, NOBODY), context)

    assert "refresh_token" not in said(outcome, context)
    assert "refresh_token_expires_in" not in said(outcome, context)
    assert [type(c.record) for c in outcome.changes if isinstance(c, Insert)] == [AccessToken]


def test_a_replay_is_answered_with_the_revocation_of_its_grant() -> None:
    """RFC 6749 section 4.1.2."""
    context = make_site().server.context()
    redeemed = attrs.evolve(CODE, state=CodeState.REDEEMED)

    outcome = decide(RIGHT, asking(CONFIDENTIAL), CodeFacts(redeemed, GRANT, NOBODY), context)

    (change,) = outcome.changes
    assert isinstance(change, Replace) and isinstance(change.new, Grant)
    assert change.new.state is GrantState.REVOKED
    assert refused(outcome.value, "invalid_grant", "redeemed before")
    assert [event.name for event in outcome.events] == ["code_replayed"]


@pytest.mark.parametrize(
    ("redemption", "code", "reason"),
    [
        (RIGHT, None, "unknown"),
        (RIGHT, attrs.evolve(CODE, expires_at=100), "expired"),
        (RIGHT, attrs.evolve(CODE, client_id="other"), "another client"),
        (attrs.evolve(RIGHT, redirect_uri=None), CODE, "redirect_uri is missing"),
        (attrs.evolve(RIGHT, redirect_uri=REDIRECT + "/"), CODE, "redirect_uri differs"),
        (attrs.evolve(RIGHT, redirect_uri=REDIRECT.upper()), CODE, "redirect_uri differs"),
        (attrs.evolve(RIGHT, code_verifier=None), CODE, "code_verifier is missing"),
        (attrs.evolve(RIGHT, code_verifier="a" * 43), CODE, "code_verifier does not match"),
        (attrs.evolve(RIGHT, code_verifier="short"), CODE, "43 to 128"),
        (RIGHT, attrs.evolve(CODE, code_challenge=None), "had no code_challenge"),
    ],
)
def test_a_code_is_refused_to_who_does_not_prove_that_it_is_his(
    redemption: Redemption, code: AuthorizationCode | None, reason: str
) -> None:
    with pytest.raises(InvalidGrant) as refusal:
        prove_own(redemption, CONFIDENTIAL, code, now=100)

    assert reason in refusal.value.reason


def test_redirect_uri_may_be_absent_where_it_was_absent_before() -> None:
    """RFC 6749 section 4.1.3."""
    code = attrs.evolve(CODE, redirect_uri_given=False)

    assert prove_own(attrs.evolve(RIGHT, redirect_uri=None), CONFIDENTIAL, code, now=100) == OwnCode(code)


@pytest.mark.parametrize(
    "grant",
    [None, attrs.evolve(GRANT, state=GrantState.REVOKED), attrs.evolve(GRANT, expires_at=1)],
    ids=["gone", "revoked", "over"],
)
def test_a_code_of_a_grant_that_is_not_live_is_refused(grant: Grant | None) -> None:
    with pytest.raises(InvalidGrant, match="revoked or over"):
        decide(RIGHT, asking(CONFIDENTIAL), CodeFacts(CODE, grant, NOBODY), make_site().server.context())


def test_the_answer_has_what_the_quick_start_shows(site: Site) -> None:
    response = site.redeem(site.code(scope="profile email"))

    answer = members(response)
    assert list(answer) == [
        "expires_in",
        "refresh_token_expires_in",
        "access_token",
        "refresh_token",
        "scope",
        "token_type",
    ]
    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (300, 900)
    assert (answer["scope"], answer["token_type"]) == ("profile email", "Bearer")
    assert response.header("cache-control") == "no-store"
    assert response.header("pragma") == "no-cache"


def test_a_replayed_code_revokes_its_grant(site: Site) -> None:
    code = site.code()
    tokens = members(site.redeem(code))
    refreshed = members(site.refresh(tokens["refresh_token"]))

    replayed = site.redeem(code)

    assert refused(replayed, "invalid_grant", "redeemed before")
    for value in (tokens["access_token"], refreshed["access_token"], refreshed["refresh_token"]):
        assert not site.is_active(value)
    assert refused(site.refresh(refreshed["refresh_token"]), "invalid_grant", "revoked")


def test_a_replay_long_after_the_code_expired_still_revokes_its_grant(site: Site) -> None:
    code = site.code()
    tokens = members(site.redeem(code))
    site.clock.advance(200)

    site.redeem(code)

    assert not site.is_active(tokens["access_token"])


def test_a_replay_by_who_only_read_the_code_ends_nobodys_session(site: Site) -> None:
    code = site.code()
    tokens = members(site.redeem(code))

    assert refused(site.redeem(code, code_verifier=None), "invalid_grant", "missing")
    assert refused(site.redeem(code, "other"), "invalid_grant", "another client")

    assert site.is_active(tokens["access_token"])


def test_a_wrong_attempt_does_not_spend_the_code(site: Site) -> None:
    code = site.code()

    assert refused(site.redeem(code, code_verifier="b" * 43), "invalid_grant")
    assert refused(site.redeem(code, redirect_uri="https://client.example/other"), "invalid_grant")

    assert site.redeem(code).status == 200


def test_a_replay_does_not_end_the_persons_other_grants(site: Site) -> None:
    first, second = site.code(), site.code()
    kept = members(site.redeem(first))
    site.redeem(second)

    site.redeem(second)

    assert site.is_active(kept["access_token"])


def test_an_expired_code_is_refused(site: Site) -> None:
    code = site.code()
    site.clock.advance(60)

    assert refused(site.redeem(code), "invalid_grant", "expired")


def test_a_public_client_redeems_with_its_verifier_alone(site: Site) -> None:
    code = site.code(client_id="public", redirect_uri="http://127.0.0.1:51004/cb")

    response = site.redeem(code, "public", redirect_uri="http://127.0.0.1:51004/cb")

    assert response.status == 200


def test_the_other_loopback_port_is_not_the_one_of_the_request(site: Site) -> None:
    code = site.code(client_id="public", redirect_uri="http://127.0.0.1:51004/cb")

    response = site.redeem(code, "public", redirect_uri="http://127.0.0.1:51005/cb")

    assert refused(response, "invalid_grant", "redirect_uri differs")


def test_a_missing_code_is_an_invalid_request(site: Site) -> None:
    assert refused(site.token(grant_type="authorization_code"), "invalid_request", "code is missing")


def test_one_issuers_code_is_unknown_to_another_over_the_same_storage(site: Site) -> None:
    other = make_site(site.drive, issuer="https://other-as.example", clients=())
    other.world = site.world
    code = site.code()

    assert refused(other.redeem(code), "invalid_grant", "the code is unknown")


def test_the_clients_own_lifetimes_overrule_the_servers() -> None:
    quick = attrs.evolve(
        CONFIDENTIAL,
        access_token_lifetime=7,
        refresh_token_lifetime=11,
        authorization_code_lifetime=5,
        grant_lifetime=10,
    )
    site = make_site(clients=(quick,))

    answer = members(site.redeem(site.code()))

    assert (answer["expires_in"], answer["refresh_token_expires_in"]) == (7, 10)
    code = site.code()
    site.clock.advance(5)
    assert refused(site.redeem(code), "invalid_grant", "expired")


def test_a_confidential_client_may_go_without_pkce_where_it_is_allowed_by_name() -> None:
    lenient = attrs.evolve(CONFIDENTIAL, allow=frozenset({Allowance.CONFIDENTIAL_WITHOUT_PKCE}))
    site = make_site(clients=(lenient,))

    code = site.code(code_challenge=None, code_challenge_method=None)

    assert site.redeem(code, code_verifier=None).status == 200


def test_a_token_request_asks_storage_three_times_and_commits_once(site: Site) -> None:
    code, counted = site.code(), Counted(site)

    site.redeem(code)

    assert (counted.finds, counted.commits) == (3, 1)
