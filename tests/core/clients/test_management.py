"""The life of a client: registered, found, listed, changed, disabled, enabled and removed."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Secret, run
from oauthcore.clients.registration import Registered
from oauthcore.flow.outcome import Insert
from tests.core.site import (
    CLIENTS,
    CONFIDENTIAL,
    REDIRECT,
    SECRETS,
    Counted,
    Site,
    basic,
    form,
    make_site,
    members,
    refused,
)


def update(site: Site, client_id: str = "confidential", /, **settings: object) -> Registered:
    """Change a client."""
    made = site.drive(site.server.clients.update(client_id, **settings), site.world)
    assert isinstance(made, Registered)
    return made


def declare(site: Site, client: Client, secret: str | None = None) -> Registered:
    """Register a client as hosts do at each start."""
    named = None if secret is None else Secret(secret)
    made = site.drive(site.server.clients.register(client, named, replace=True), site.world)
    assert isinstance(made, Registered)
    return made


def stored(site: Site, client_id: str = "confidential") -> Client | None:
    """Find a client."""
    found = site.drive(site.server.clients.find(client_id), site.world)
    assert found is None or isinstance(found, Client)
    return found


def names(site: Site) -> list[str]:
    """Return what the audit log heard."""
    return [event.name for event in site.events]


def test_clients_are_listed_by_identifier(site: Site) -> None:
    listed = site.drive(site.server.clients.all(), site.world)

    assert [client.client_id for client in listed] == sorted(client.client_id for client in CLIENTS)
    assert stored(site) in listed
    assert stored(site, "nobody") is None


def test_settings_are_changed_and_all_the_others_stay(site: Site) -> None:
    before = stored(site)
    assert before is not None

    made = update(site, scope="read", name="The app")

    assert made.client == stored(site) == attrs.evolve(before, scope="read", name="The app")
    assert made.secret is None
    assert members(site.token(grant_type="client_credentials"))["scope"] == "read"
    assert names(site)[0] == "client_updated"


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"redirect_uris": ["http://evil.example/"]}, "redirect_uris"),
        ({"client_id": "other"}, "client_id"),
        ({"secrets": ()}, "secrets"),
        ({"generation": "mine"}, "generation"),
        ({"enabled": False}, "enabled"),
        ({"favourite_colour": "blue"}, "favourite_colour"),
        ({"default_scope": "admin"}, "default_scope"),
    ],
)
def test_a_change_that_can_not_be_names_the_setting_and_changes_nothing(
    settings: dict[str, object], setting: str
) -> None:
    site = make_site()
    before = stored(site)

    with pytest.raises(ConfigurationError) as failure:
        update(site, **settings)

    assert failure.value.setting == setting
    assert stored(site) == before


def test_a_client_that_comes_to_need_a_secret_gets_one(site: Site) -> None:
    made = update(site, "public", token_endpoint_auth_method="client_secret_basic")

    assert made.secret is not None and len(made.client.secrets) == 1


def test_a_client_that_needs_a_secret_no_more_has_none(site: Site) -> None:
    made = update(site, "other", token_endpoint_auth_method="none")

    assert (made.secret, made.client.secrets) == (None, ())


def test_a_digest_does_not_for_a_method_that_takes_the_secret_itself(site: Site) -> None:
    """OIDC Core section 9: an HMAC can't be checked by a digest of its key."""
    made = update(site, "other", token_endpoint_auth_method="client_secret_jwt")

    assert made.secret is not None and made.client.secrets[0].sealed is not None


def test_a_change_that_changes_nothing_is_no_event(site: Site) -> None:
    update(site, scope=CONFIDENTIAL.scope)
    site.drive(site.server.clients.enable("confidential"), site.world)

    assert names(site) == []


def test_a_disabled_client_is_not_served_until_it_is_enabled(site: Site) -> None:
    site.drive(site.server.clients.disable("confidential"), site.world)
    assert refused(site.token(grant_type="client_credentials"), "invalid_client", "disabled")

    site.drive(site.server.clients.enable("confidential"), site.world)

    assert site.token(grant_type="client_credentials").status == 200
    assert names(site)[:2] == ["client_disabled", "client_enabled"]


def test_a_removed_client_is_neither_found_nor_listed_and_its_name_is_free(site: Site) -> None:
    removed = site.drive(site.server.clients.remove("confidential"), site.world)

    assert removed.client_id == "confidential" and stored(site) is None
    assert "confidential" not in [client.client_id for client in site.drive(site.server.clients.all(), site.world)]
    assert names(site) == ["client_removed"]
    site.drive(site.server.clients.register(CONFIDENTIAL), site.world)


@pytest.mark.parametrize("act", ["update", "disable", "enable", "remove"])
def test_what_is_not_registered_can_not_be_changed(act: str) -> None:
    site = make_site()

    with pytest.raises(ConfigurationError, match="client_id = 'nobody': there is no such client"):
        run(getattr(site.server.clients, act)("nobody"), site.world)


def test_consent_to_a_client_that_was_removed_is_none_to_a_later_one_of_that_name(site: Site) -> None:
    site.code()
    assert "code=" in (site.authorize(site.alice).header("location") or "")
    site.drive(site.server.clients.remove("confidential"), site.world)
    site.drive(site.server.clients.register(CONFIDENTIAL, Secret(SECRETS["confidential"])), site.world)

    asked = site.authorize(site.alice)

    assert "/consent?interaction=" in (asked.header("location") or "")
    assert site.drive(site.server.applications.of("alice"), site.world) == ()
    assert site.redeem(site.code(scope="profile")).status == 200
    [application] = site.drive(site.server.applications.of("alice"), site.world)
    assert application.scope.text == "profile"


def test_a_client_that_is_registered_twice_with_replace_is_written_once(site: Site) -> None:
    first = declare(site, attrs.evolve(CONFIDENTIAL, client_id="new"), "s" * 43)
    counted = Counted(site)

    second = declare(site, attrs.evolve(CONFIDENTIAL, client_id="new"), "s" * 43)

    assert second.client == first.client == counted.storage.find(Client, "new")
    assert counted.commits == 0
    assert names(site) == ["client_registered"]


def test_registering_again_changes_settings_and_keeps_what_was_given(site: Site) -> None:
    tokens = site.tokens(scope="email")

    declare(site, attrs.evolve(CONFIDENTIAL, name="The app"), SECRETS["confidential"])

    assert site.refresh(tokens["refresh_token"]).status == 200
    changed = stored(site)
    assert changed is not None and changed.name == "The app"


def test_registering_again_without_a_secret_keeps_the_one_there_is(site: Site) -> None:
    made = declare(site, CONFIDENTIAL)

    assert made.secret is None
    assert site.token(grant_type="client_credentials").status == 200


def test_registering_again_with_another_secret_ends_the_old_one(site: Site) -> None:
    declare(site, CONFIDENTIAL, "another-secret")

    assert refused(site.token(grant_type="client_credentials"), "invalid_client", "the secret is wrong")
    answer = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "another-secret"))
    assert answer.status == 200


def test_registering_again_enables_nobody(site: Site) -> None:
    """A host that starts again does not undo what its operator did against a thief."""
    site.drive(site.server.clients.disable("confidential"), site.world)

    declare(site, CONFIDENTIAL, SECRETS["confidential"])

    changed = stored(site)
    assert changed is not None and not changed.enabled


def test_a_client_of_an_earlier_version_is_listed_once_it_is_changed(site: Site) -> None:
    old = Client(client_id="old", token_endpoint_auth_method="none", redirect_uris=(REDIRECT,))
    assert site.world.storage.commit([Insert(old)])

    update(site, "old", name="The old one")

    assert "old" in [client.client_id for client in site.drive(site.server.clients.all(), site.world)]
