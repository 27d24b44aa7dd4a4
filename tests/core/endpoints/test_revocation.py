"""The revocation endpoint (RFC 7009)."""

from __future__ import annotations

import pytest

from tests.core.site import Site, basic, form, members, refused


def test_revoking_an_access_token_ends_it_alone(site: Site) -> None:
    tokens = site.tokens()

    response = site.revoke(tokens["access_token"])

    assert response.status == 200
    assert not site.is_active(tokens["access_token"])
    assert site.is_active(tokens["refresh_token"])


def test_revoking_a_refresh_token_ends_its_grant(site: Site) -> None:
    """RFC 7009 section 2.1."""
    tokens = site.tokens()
    refreshed = members(site.refresh(tokens["refresh_token"]))

    assert site.revoke(refreshed["refresh_token"]).status == 200

    assert not site.is_active(tokens["access_token"])
    assert not site.is_active(refreshed["access_token"])
    assert refused(site.refresh(refreshed["refresh_token"]), "invalid_grant", "revoked")


def test_revoking_a_rotated_refresh_token_ends_its_grant_too(site: Site) -> None:
    first = site.tokens()["refresh_token"]
    second = members(site.refresh(first))

    site.revoke(first)

    assert not site.is_active(second["access_token"])


@pytest.mark.parametrize("token", ["nonsense", "access_token", "refresh_token"])
def test_the_answer_is_json_to_clients_that_read_nothing_else(site: Site, token: str) -> None:
    """RFC 7009 section 2.2: the body is to be ignored, and oidc-client-ts and simple-oauth2 parse it."""
    response = site.revoke(site.tokens().get(token, token))

    assert response.header("content-type") == "application/json"
    assert response.header("cache-control") == "no-store"
    assert response.body == b"{}"


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
@pytest.mark.parametrize("hint", [None, "access_token", "refresh_token", "nonsense"])
def test_a_token_is_revoked_whatever_the_hint(site: Site, kind: str, hint: str | None) -> None:
    token = site.tokens()[kind]

    assert site.revoke(token, hint=hint).status == 200

    assert not site.is_active(token)


def test_an_unknown_token_is_as_good_as_revoked(site: Site) -> None:
    """RFC 7009 section 2.2."""
    assert site.revoke("nonsense").status == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_revoking_twice_is_revoking_once(site: Site, kind: str) -> None:
    token = site.tokens()[kind]
    site.revoke(token)

    assert site.revoke(token).status == 200


@pytest.mark.parametrize("kind", ["access_token", "refresh_token"])
def test_another_clients_token_is_refused_and_stays_live(site: Site, kind: str) -> None:
    """RFC 7009 section 2.1."""
    token = site.tokens()[kind]

    assert refused(site.revoke(token, "other"), "invalid_grant", "another client")

    assert site.is_active(token)


def test_even_a_resource_server_revokes_only_its_own(site: Site) -> None:
    token = site.tokens()["access_token"]

    assert refused(site.revoke(token, "resource"), "invalid_grant")

    assert site.is_active(token)


def test_a_public_client_revokes_by_saying_who_it_is(site: Site) -> None:
    code = site.code(client_id="public", redirect_uri="https://public.example/cb")
    tokens = members(site.redeem(code, "public", redirect_uri="https://public.example/cb"))

    assert site.post("/revoke", form(client_id="public", token=tokens["refresh_token"])).status == 200

    assert not site.is_active(tokens["access_token"])


def test_a_clients_own_token_without_a_grant_is_revoked(site: Site) -> None:
    token = members(site.token(grant_type="client_credentials"))["access_token"]

    site.revoke(token)

    assert not site.is_active(token)


def test_an_access_token_of_an_ended_grant_is_revoked_quietly(site: Site) -> None:
    tokens = site.tokens()
    site.revoke(tokens["refresh_token"])

    assert site.revoke(tokens["access_token"]).status == 200


def test_who_does_not_authenticate_revokes_nothing(site: Site) -> None:
    token = site.tokens()["access_token"]

    response = site.post("/revoke", form(token=token), basic("confidential", "wrong"))

    assert refused(response, "invalid_client")
    assert site.is_active(token)


def test_a_missing_token_is_an_invalid_request(site: Site) -> None:
    assert refused(site.revoke(""), "invalid_request", "token is missing")


def test_the_audit_log_hears_of_each(site: Site) -> None:
    tokens = site.tokens()
    site.events.clear()

    site.revoke(tokens["access_token"])
    site.revoke(tokens["refresh_token"])

    assert [(event.name, event.client_id, event.subject) for event in site.events] == [
        ("token_revoked", "confidential", "alice"),
        ("grant_revoked", "confidential", "alice"),
    ]
