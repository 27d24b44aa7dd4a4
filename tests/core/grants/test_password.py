"""The password grant, off unless a policy names it."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import AuthenticatedUser, Client, Policy, Response, Secret, Throttled, run
from oauthcore.errors import InvalidGrant
from oauthcore.find_user import NOT_NEEDED
from oauthcore.flow.outcome import Insert, Replace
from oauthcore.grants.password import decide
from oauthcore.records.grant import Grant
from oauthcore.scope import Scope
from tests.core.site import Drive, Site, asking, basic, form, make_site, members, refused, said

LEGACY = Client(
    client_id="legacy",
    grant_types=("password", "refresh_token"),
    response_types=(),
    scope="email",
    default_scope="email",
)

ALICE = AuthenticatedUser("alice")


@attrs.frozen
class Password:
    """Be what a host remembers of a user."""

    value: str
    key: str = "alice"
    expires_at: int | None = None


def legacy_site(drive: Drive = run) -> Site:
    """Make a site that offers the grant to one client, which authenticates with its secret "l"."""
    return make_site(drive, policy=Policy.oauth20(), clients=(LEGACY,), secrets={"legacy": "l"})


def answer(site: Site, **values: str | None) -> Response:
    """Ask for tokens with a username and a password."""
    return site.post("/token", form(grant_type="password", **values), basic("legacy", "l"))


def test_the_right_password_gives_tokens_on_a_grant_of_the_persons() -> None:
    context = legacy_site().server.context()

    outcome = decide(asking(LEGACY), ALICE, NOT_NEEDED, context)

    grant = next(c.record for c in outcome.changes if isinstance(c, Insert) and isinstance(c.record, Grant))
    assert (grant.subject, grant.scope) == ("alice", Scope(("email",)))
    assert grant.refresh_token is not None
    assert "refresh_token" in said(outcome, context)


def test_a_client_that_may_not_refresh_gets_an_access_token_alone() -> None:
    client, context = attrs.evolve(LEGACY, grant_types=("password",)), legacy_site().server.context()

    outcome = decide(asking(client), ALICE, NOT_NEEDED, context)

    assert "refresh_token" not in said(outcome, context)


def test_a_wrong_password_is_an_invalid_grant() -> None:
    """RFC 6749 section 5.2."""
    with pytest.raises(InvalidGrant, match="username or password"):
        decide(asking(LEGACY), None, NOT_NEEDED, legacy_site().server.context())


def test_it_works_over_the_wire_and_through_both_drivers(drive: Drive) -> None:
    site = legacy_site(drive)

    response = answer(site, username="alice", password="wonderland", scope="email")

    assert response.status == 200
    assert members(response)["scope"] == "email"


@pytest.mark.parametrize(
    ("username", "password", "code"),
    [
        ("alice", "looking-glass", "invalid_grant"),
        ("bob", "wonderland", "invalid_grant"),
        ("alice", "", "invalid_request"),
        ("", "wonderland", "invalid_request"),
    ],
)
def test_a_wrong_or_missing_password_gives_nothing(username: str, password: str, code: str) -> None:
    assert refused(answer(legacy_site(), username=username, password=password), code)


def test_by_default_the_grant_type_is_not_offered(site: Site) -> None:
    assert refused(site.token(grant_type="password", username="alice", password="wonderland"), "unsupported_grant_type")


def test_too_many_wrong_passwords_ask_to_wait() -> None:
    """RFC 6585 section 4."""
    site = legacy_site()
    site.world = attrs.evolve(site.world, authenticate=lambda username, password: Throttled(30))

    response = answer(site, username="alice", password="wonderland")

    assert response.status == 429
    assert response.header("retry-after") == "30"
    assert members(response)["error"] == "temporarily_unavailable"


def test_a_password_that_was_changed_while_it_was_hashed_gives_nothing() -> None:
    site = legacy_site()
    storage, asked = site.world.storage, list[str]()
    storage.commit((Insert(Password("wonderland")),))

    def authenticate(username: str, password: Secret) -> AuthenticatedUser | None:
        """Take so long that somebody sets another password meanwhile."""
        read = storage.find(Password, username)
        assert read is not None
        storage.commit((Replace(read, Password("changed")),))
        asked.append(read.value)
        return AuthenticatedUser("alice", [read]) if password.reveal() == read.value else None

    site.world = attrs.evolve(site.world, authenticate=authenticate)

    assert refused(answer(site, username="alice", password="wonderland"), "invalid_grant", "wrong")

    assert asked == ["wonderland", "changed"]
    assert list(storage.find_of(Grant, "alice")) == []
