"""Discovery (OIDC Discovery 1.0 section 3 and 4): derived from what is enabled, and the same under every name."""

from __future__ import annotations

import pytest

from oauthcore import ConfigurationError, Paths
from oauthcore.openid import PROMPTS, OpenID
from oauthcore.signing.keys import GivenKeys
from tests.core.oidc.provider import provider
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, members

NAMES = ("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")


def test_both_documents_are_one() -> None:
    site = provider()

    assert site.get(NAMES[0]).body == site.get(NAMES[1]).body


def test_it_says_what_a_provider_offers() -> None:
    document = members(provider().get(NAMES[0]))

    assert document["issuer"] == ISSUER
    assert document["userinfo_endpoint"] == f"{ISSUER}/userinfo"
    assert document["jwks_uri"] == f"{ISSUER}/jwks"
    assert document["id_token_signing_alg_values_supported"] == ["RS256"]
    assert document["subject_types_supported"] == ["public", "pairwise"]
    assert document["scopes_supported"][:2] == ["openid", "profile"]
    assert document["prompt_values_supported"] == ["consent", "login", "none", "select_account"]
    assert {"sub", "email", "address"} <= set(document["claims_supported"])
    assert "code id_token token" in document["response_types_supported"]
    assert "implicit" in document["grant_types_supported"]
    assert "acr_values_supported" not in document


def test_a_provider_says_that_it_tells_of_logouts() -> None:
    """Back-Channel Logout section 2.1, Front-Channel Logout section 3."""
    document = members(provider().get(NAMES[0]))

    assert document["end_session_endpoint"] == f"{ISSUER}/end-session"
    for channel in ("backchannel", "frontchannel"):
        assert document[f"{channel}_logout_supported"] is True
        assert document[f"{channel}_logout_session_supported"] is True


def test_it_follows_what_is_enabled() -> None:
    openid = OpenID(
        scope_claims={"profile": ("name", "role")},
        acr_values=("1", "2"),
        ui_locales=("en", "de"),
        prompts=PROMPTS,
        op_policy_uri="https://as.example/policy",
    )
    keys = GivenKeys([key_for("RS256"), key_for("ES256")])
    document = members(provider(openid=openid, keys=keys).get(NAMES[0]))

    assert document["acr_values_supported"] == ["1", "2"]
    assert document["ui_locales_supported"] == ["en", "de"]
    assert document["claims_supported"] == ["sub", "name", "role"]
    assert document["scopes_supported"] == ["openid", "profile", "offline_access"]
    assert document["op_policy_uri"] == "https://as.example/policy"
    assert document["id_token_signing_alg_values_supported"] == ["RS256", "ES256"]
    assert "create" in document["prompt_values_supported"]


@pytest.mark.parametrize("name", NAMES)
def test_an_issuer_with_a_path_has_it_before_and_after(name: str) -> None:
    """RFC 8414 section 3.1 inserts, OIDC Discovery section 4 appends."""
    site = provider(issuer="https://as.example/tenant/a", paths=Paths())

    inserted, appended = site.get(f"{name}/tenant/a"), site.get(f"/tenant/a{name}")

    assert inserted.status == appended.status == 200
    assert members(inserted)["userinfo_endpoint"] == "https://as.example/tenant/a/userinfo"


def test_every_endpoint_it_names_is_one() -> None:
    site = provider()

    for name, url in members(site.get(NAMES[0])).items():
        if name.endswith(("_endpoint", "jwks_uri")):
            assert site.get(url.removeprefix(ISSUER)).status in {200, 303, 400, 401, 405}


def test_a_provider_without_rs256_is_none() -> None:
    """OIDC Core section 15.1."""
    with pytest.raises(ConfigurationError, match="RS256"):
        provider(keys=GivenKeys([key_for("ES256")]))


@pytest.mark.parametrize(
    ("settings", "setting"),
    [
        ({"prompts": {"none", "sing"}}, "prompts"),
        ({"scope_claims": {"profile": ("name", "sub")}}, "scope_claims.profile"),
    ],
)
def test_what_can_not_be_offered_is_refused(settings: dict[str, object], setting: str) -> None:
    with pytest.raises(ConfigurationError) as failure:
        OpenID(**settings)  # type: ignore[arg-type]  # settings of several types

    assert failure.value.setting == setting
