"""What a person has authorized: listing it, and taking it back."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import AuthorizedApplication, ConfigurationError, Scope, Secret
from oauthcore.authorization.withdrawal import mark_key
from oauthcore.digest import Digest
from oauthcore.endpoints.applications import standing_by_client, summary
from oauthcore.errors import EffectFailed
from oauthcore.flow.outcome import Delete
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant, WithdrawalMark
from oauthcore.records.interaction import Interaction
from oauthcore.testing import Outage
from tests.core.site import Counted, Site, handle_of, location, refused


def listed(site: Site, subject: str = "alice") -> tuple[AuthorizedApplication, ...]:
    found: tuple[AuthorizedApplication, ...] = site.drive(site.server.applications.of(subject), site.world)
    return found


def test_nobody_has_authorized_anything_at_first(site: Site) -> None:
    assert listed(site) == ()


def test_an_authorized_application_is_listed_with_what_it_may_do_and_since_when(site: Site) -> None:
    site.tokens()

    (application,) = listed(site)

    assert application.client_id == "confidential"
    assert application.client == site.world.storage.find(Client, "confidential")
    assert application.scope == Scope(("email",))
    assert application.granted_at == site.now
    assert application.is_active
    assert listed(site, "bob") == ()


def test_of_several_grants_to_one_client_one_line_is_made(site: Site) -> None:
    site.tokens(scope="email")
    first_at = site.now
    site.clock.now += 10
    site.tokens(scope="profile")

    (application,) = listed(site)

    assert set(application.scope) == {"email", "profile"}
    assert application.granted_at == first_at


def test_what_has_ended_is_not_listed(site: Site) -> None:
    tokens = site.tokens()
    site.revoke(tokens["refresh_token"])

    (application,) = listed(site)
    assert not application.is_active  # the consent is remembered

    site.clock.now += 366 * 86_400
    assert listed(site) == ()


def test_a_client_that_is_gone_is_still_listed_so_that_it_can_be_withdrawn(site: Site) -> None:
    site.tokens()
    client = site.world.storage.find(Client, "confidential")
    assert client is not None
    site.world.storage.commit((Delete(client),))

    (application,) = listed(site)

    assert (application.client_id, application.client) == ("confidential", None)


def test_withdrawing_ends_every_token_of_the_client_and_the_consent(site: Site) -> None:
    one, two = site.tokens(), site.tokens()
    site.events.clear()

    ended = site.drive(site.server.applications.withdraw("alice", "confidential"), site.world)

    assert ended == 3
    assert listed(site) == ()
    assert not site.is_active(one["access_token"])
    assert not site.is_active(two["access_token"])
    assert refused(site.refresh(two["refresh_token"]), "invalid_grant", "revoked")
    assert [event.name for event in site.events] == ["consent_withdrawn", "grant_revoked", "grant_revoked"]


def test_withdrawing_for_one_client_leaves_the_others_and_other_people_alone(site: Site) -> None:
    mine = site.tokens()

    site.drive(site.server.applications.withdraw("alice", "other"), site.world)
    site.drive(site.server.applications.withdraw("bob", None), site.world)

    assert site.is_active(mine["access_token"])


def test_withdrawing_without_a_client_takes_back_everything(site: Site) -> None:
    mine = site.tokens()

    site.drive(site.server.applications.withdraw("alice"), site.world)

    assert not site.is_active(mine["access_token"])
    assert listed(site) == ()


@pytest.mark.parametrize("at", [0, 1, 2, 3])
def test_withdrawing_while_storage_fails_raises_with_nothing_done(site: Site, at: int) -> None:
    mine = site.tokens()
    broken = attrs.evolve(site.world, storage=Outage(site.world.storage, at))

    with pytest.raises(EffectFailed):
        site.drive(site.server.applications.withdraw("alice", "confidential"), broken)

    assert site.is_active(mine["access_token"])


@pytest.mark.parametrize("at", [4, 5])
def test_a_withdrawal_that_could_not_look_again_raises_and_can_be_repeated(site: Site, at: int) -> None:
    mine = site.tokens()
    broken = attrs.evolve(site.world, storage=Outage(site.world.storage, at))

    with pytest.raises(EffectFailed):
        site.drive(site.server.applications.withdraw("alice"), broken)

    assert not site.is_active(mine["access_token"])
    assert site.drive(site.server.applications.withdraw("alice"), site.world) == 0


def test_withdrawing_looks_twice_and_commits_once(site: Site) -> None:
    site.tokens()
    counted = Counted(site)

    site.drive(site.server.applications.withdraw("alice"), site.world)

    assert (counted.finds, counted.commits) == (5, 1)


def test_consent_whose_withdrawal_mark_was_purged_is_asked_for_again(site: Site) -> None:
    handle = handle_of(site.authorize())
    finished = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
    mark = site.world.storage.find(WithdrawalMark, mark_key("alice", site.server.context()))
    assert mark is not None
    site.world.storage.commit((Delete(mark),))

    again = site.get(location(finished))

    assert handle_of(again) == handle
    assert list(site.world.storage.find_of(Grant, "alice")) == []


def test_a_withdrawal_mark_outlasts_every_interaction_that_has_noted_it(site: Site) -> None:
    key = mark_key("alice", site.server.context())
    for _ in range(3):
        handle = handle_of(site.authorize())
        site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)
        interaction = site.world.storage.find(Interaction, site.server.context().digest("interaction", Secret(handle)))
        mark = site.world.storage.find(WithdrawalMark, key)
        assert mark is not None
        assert interaction is not None
        assert interaction.withdrawal_mark == mark.mark
        assert mark.expires_at > interaction.expires_at
        site.clock.now = mark.expires_at - 1


def test_an_operator_revokes_one_grant_by_its_key(site: Site) -> None:
    one, two = site.tokens(), site.tokens()
    keys = [grant.key for grant in site.world.storage.find_of(Grant, "alice")]

    site.drive(site.server.grants.revoke(keys[0]), site.world)

    assert [site.is_active(tokens["access_token"]) for tokens in (one, two)].count(True) == 1
    for key in (keys[0], "nonsense"):
        with pytest.raises(ConfigurationError, match="name a grant that is active"):
            site.drive(site.server.grants.revoke(key), site.world)


def test_the_end_of_an_application_is_the_end_of_its_last_record(site: Site) -> None:
    site.tokens()
    (grant,) = site.world.storage.find_of(Grant, "alice")
    later = attrs.evolve(grant, key=Digest("b"), expires_at=grant.expires_at + 5, scope=Scope(("x",)))

    (records,) = standing_by_client((), (grant, later), site.now).values()
    application = summary("confidential", None, records, site.server.context())

    assert application.expires_at == grant.expires_at + 5
    assert application.scope == Scope(("email", "x"))
