"""The client credentials grant."""

from __future__ import annotations

import attrs
import pytest

from oauthcore.errors import InvalidScope, UnauthorizedClient
from oauthcore.flow.outcome import Insert, Require
from oauthcore.grants.client_credentials import decide
from oauthcore.records.token import AccessToken
from tests.core.site import CONFIDENTIAL, PUBLIC, Counted, Site, asking, make_site, members, refused, said

CONTEXT = make_site().server.context()


def test_it_issues_one_access_token_for_nobody_and_no_refresh_token() -> None:
    """RFC 6749 section 4.4.3."""
    outcome = decide(asking(CONFIDENTIAL, scope="read"), CONTEXT)

    require, insert = outcome.changes
    assert require == Require(CONFIDENTIAL)
    assert isinstance(insert, Insert) and isinstance(insert.record, AccessToken)
    assert (insert.record.subject, insert.record.grant) == (None, None)
    assert set(said(outcome, CONTEXT)) == {"access_token", "token_type", "expires_in", "scope"}


def test_an_omitted_scope_means_the_clients_default_and_is_stated() -> None:
    """RFC 6749 section 3.3."""
    client = attrs.evolve(CONFIDENTIAL, default_scope="read")

    outcome = decide(asking(client), CONTEXT)

    assert said(outcome, CONTEXT)["scope"] == "read"


def test_without_a_default_an_omitted_scope_means_all_the_client_may_have() -> None:
    outcome = decide(asking(CONFIDENTIAL), CONTEXT)

    assert said(outcome, CONTEXT)["scope"] == "email profile read"


def test_the_order_of_the_scope_is_kept_as_it_was_asked() -> None:
    outcome = decide(asking(CONFIDENTIAL, scope="read email"), CONTEXT)

    assert said(outcome, CONTEXT)["scope"] == "read email"


def test_an_empty_scope_is_not_stated() -> None:
    outcome = decide(asking(attrs.evolve(CONFIDENTIAL, scope="")), CONTEXT)

    assert "scope" not in said(outcome, CONTEXT)


def test_a_scope_beyond_the_registration_is_refused_and_not_silently_cut() -> None:
    with pytest.raises(InvalidScope, match="not within"):
        decide(asking(CONFIDENTIAL, scope="read admin"), CONTEXT)


def test_a_public_client_has_no_credentials_to_grant_with() -> None:
    with pytest.raises(UnauthorizedClient, match="public"):
        decide(asking(PUBLIC), CONTEXT)


def test_a_public_client_is_refused_over_the_wire(site: Site) -> None:
    assert refused(site.token("public", grant_type="client_credentials"), "unauthorized_client")


def test_the_token_is_live_and_is_nobodys(site: Site) -> None:
    answer = members(site.token(grant_type="client_credentials", scope="read"))

    described = site.introspect(answer["access_token"])

    assert described["active"] is True
    assert "sub" not in described


def test_a_malformed_scope_is_an_invalid_scope(site: Site) -> None:
    assert refused(site.token(grant_type="client_credentials", scope='rea"d'), "invalid_scope", "character")


def test_it_asks_storage_once_and_commits_once(site: Site) -> None:
    counted = Counted(site)

    site.token(grant_type="client_credentials")

    assert (counted.finds, counted.commits) == (1, 1)
