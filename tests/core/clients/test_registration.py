"""Registration: what a client must look like, and how it gets and changes its secret."""

from __future__ import annotations

from typing import Any

import pytest

from oauthcore import Allowance, Client, ConfigurationError, Policy, Secret, run
from oauthcore.clients.registration import MAX_SECRET
from tests.core.site import Site, make_site, params

RIGHT: dict[str, Any] = {"client_id": "new", "redirect_uris": ["https://new.example/cb"], "scope": "email"}


def register(site: Site, secret: str | None = None, **changes: Any) -> Any:
    """Register a client that is right but for the changes."""
    client = Client(**(RIGHT | changes))
    return site.drive(site.server.clients.register(client, None if secret is None else Secret(secret)), site.world)


def test_a_secret_of_256_bits_is_generated_and_only_its_digest_is_stored(site: Site) -> None:
    registered = register(site)

    stored = site.world.storage.find(Client, "new")
    assert len(registered.secret.reveal()) == 43
    assert stored is not None and stored == registered.client
    assert len(stored.secrets) == 1 and registered.secret.reveal() not in repr(stored)
    assert [event.name for event in site.events] == ["client_registered"]


def test_a_public_client_gets_no_secret(site: Site) -> None:
    assert register(site, token_endpoint_auth_method="none").secret is None


def test_a_name_that_is_taken_is_refused(site: Site) -> None:
    register(site)

    with pytest.raises(ConfigurationError, match="client_id = 'new': it is taken"):
        register(site)


@pytest.mark.parametrize(
    ("changes", "setting", "remedy"),
    [
        ({"client_id": ""}, "client_id", "printable ASCII"),
        ({"client_id": "a b"}, "client_id", "printable ASCII"),
        ({"client_id": "é"}, "client_id", "printable ASCII"),
        ({"token_endpoint_auth_method": "magic"}, "token_endpoint_auth_method", "client_secret_basic"),
        ({"token_endpoint_auth_method": "none", "introspects_any": True}, "introspects_any", "RFC 7662"),
        ({"id_token_claims": True}, "id_token_claims", "requested, all"),
        ({"redirect_uris": ["http://new.example/"]}, "redirect_uris", "use https"),
        ({"redirect_uris": ["https://new.example/#a"]}, "redirect_uris", "no fragment"),
        ({"redirect_uris": []}, "redirect_uris", "at least one"),
        ({"grant_types": ["password"]}, "grant_types", "does not offer it"),
        ({"grant_types": ["implicit"]}, "response_types", "add authorization_code"),
        ({"response_types": ["token"], "grant_types": ["implicit"]}, "response_types", "does not offer it"),
        (
            {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials", "authorization_code"]},
            "grant_types",
            "public client",
        ),
        ({"default_scope": "email admin"}, "default_scope", "within scope email"),
        ({"access_token_lifetime": 0}, "access_token_lifetime", "1 or more"),
        ({"grant_lifetime": 60}, "grant_lifetime", "longer than"),
        ({"redirect_uris": "https://new.example/"}, "redirect_uris", "list of strings"),
    ],
)
def test_a_registration_that_can_not_be_names_setting_and_remedy(
    changes: dict[str, Any], setting: str, remedy: str
) -> None:
    with pytest.raises(ConfigurationError) as failure:
        register(make_site(), **changes)

    assert failure.value.setting == setting
    assert remedy in failure.value.remedy
    assert str(failure.value).startswith(f"{setting} = ")


@pytest.mark.parametrize("secret", ["", "a\nb", "x" * (MAX_SECRET + 1)])
def test_a_secret_that_can_not_be_is_refused_and_not_shown(secret: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        register(make_site(), secret=secret)

    assert failure.value.setting == "secret"
    assert not secret or secret not in str(failure.value)


def test_a_public_client_with_a_secret_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="public client has no secret"):
        register(make_site(), secret="s", token_endpoint_auth_method="none")


def test_plain_http_is_taken_where_it_is_allowed_by_name() -> None:
    changes: dict[str, Any] = {"redirect_uris": ["http://new.example/"]}

    assert register(make_site(), allow={Allowance.INSECURE_TRANSPORT}, **changes).client.client_id == "new"
    site = make_site(policy=Policy.oauth21(allow={Allowance.INSECURE_TRANSPORT}))
    assert register(site, **changes).client.client_id == "new"


def test_a_rotation_is_recorded_and_keeps_at_most_two_secrets(site: Site) -> None:
    register(site)
    for _ in range(3):
        site.drive(site.server.clients.rotate_secret("new", overlap=60), site.world)

    stored = site.world.storage.find(Client, "new")

    assert stored is not None and [secret.expires_at for secret in stored.secrets] == [None, site.now + 60]
    assert [event.name for event in site.events] == ["client_registered"] + 3 * ["client_secret_rotated"]


@pytest.mark.parametrize("client_id", ["nobody", "public"])
def test_who_has_no_secret_can_not_have_it_rotated(client_id: str) -> None:
    site = make_site()

    with pytest.raises(ConfigurationError, match="name a registered client"):
        run(site.server.clients.rotate_secret(client_id, overlap=0), site.world)


def test_a_native_application_with_a_scheme_of_one_word_is_opened_by_name_for_it_or_for_all() -> None:
    """RFC 8252 section 7.1."""
    changes: dict[str, Any] = {
        "redirect_uris": ["cursor://anysphere.cursor-retrieval/callback"],
        "post_logout_redirect_uris": ["cursor://bye"],
        "token_endpoint_auth_method": "none",
    }
    with pytest.raises(ConfigurationError, match="ONE_WORD_SCHEME"):
        register(make_site(), **changes)

    assert register(make_site(), allow={Allowance.ONE_WORD_SCHEME}, **changes).client.client_id == "new"
    site = make_site(policy=Policy.oauth21(allow={Allowance.ONE_WORD_SCHEME}))
    assert register(site, **changes).client.client_id == "new"

    answer = site.authorize(None, client_id="new", redirect_uri=changes["redirect_uris"][0])
    assert params(site.approve(answer, site.alice))["code"]
