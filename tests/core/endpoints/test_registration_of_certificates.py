"""Clients that register themselves to authenticate by certificates (RFC 7591, RFC 8705 sections 2.1.2 and 2.2.2)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oauthcore import MutualTls, Request
from tests.core.certificates import certificate
from tests.core.clients.test_certificate_authentication import AUTHORITY, SELF_SIGNED, jwk
from tests.core.registering import OPEN, change, register
from tests.core.site import FORM, VERIFIER, Site, form, make_site, members, params, refused

CALLBACK = "https://app.example/callback"
OURS = certificate(issuer=AUTHORITY, dns=["app.example"])


@pytest.fixture
def site() -> Site:
    """Return a site where clients with certificates register themselves."""
    return make_site(registration=OPEN, mutual_tls=MutualTls())


def named(**metadata: Any) -> dict[str, Any]:
    """Return the metadata of a client with a certificate of an authority."""
    usual = {"token_endpoint_auth_method": "tls_client_auth", "tls_client_auth_san_dns": "app.example"}
    return {"redirect_uris": [CALLBACK], **usual, **metadata}


@pytest.mark.parametrize(
    ("metadata", "peer", "wrong"),
    [
        (named(), OURS.issued, OURS.unverified),
        (
            {
                "redirect_uris": [CALLBACK],
                "token_endpoint_auth_method": "self_signed_tls_client_auth",
                "jwks": {"keys": [jwk(SELF_SIGNED, x5c=SELF_SIGNED)]},
            },
            SELF_SIGNED.unverified,
            OURS.issued,
        ),
    ],
    ids=["of an authority", "self-signed"],
)
def test_a_client_registers_its_certificate_and_redeems_a_code_with_it(
    site: Site, metadata: dict[str, Any], peer: Any, wrong: Any
) -> None:
    answer = register(site, **metadata)
    registered = members(answer)
    assert answer.status == 201 and "client_secret" not in registered
    assert {name: registered[name] for name in metadata} == metadata

    client_id = registered["client_id"]
    asked = site.authorize(None, client_id=client_id, redirect_uri=CALLBACK, scope=None)
    code = params(site.approve(asked))["code"]
    sent = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    body = form(client_id=client_id, **sent)
    assert refused(site.handle(Request("POST", "/token", (FORM,), body, wrong)), "invalid_client")
    assert site.handle(Request("POST", "/token", (FORM,), body, peer)).status == 200


@pytest.mark.parametrize(
    "metadata",
    [
        named(tls_client_auth_san_dns=None),
        named(tls_client_auth_subject_dn="CN=app"),
        named(tls_client_auth_san_dns="*.example"),
        named(tls_client_auth_san_dns=["app.example"]),
        named(tls_client_auth_san_dns=""),
        named(tls_client_auth_san_dns=None, tls_client_auth_subject_dn="app"),
        {"redirect_uris": [CALLBACK], "token_endpoint_auth_method": "self_signed_tls_client_auth"},
    ],
)
def test_a_registration_that_no_certificate_can_meet_is_refused(site: Site, metadata: dict[str, Any]) -> None:
    assert refused(register(site, **metadata), "invalid_client_metadata")


def test_where_it_is_not_offered_it_is_not_registered() -> None:
    assert refused(register(make_site(registration=OPEN), **named()), "invalid_client_metadata")


def test_a_name_without_use_is_left_out(site: Site) -> None:
    """RFC 7591 section 2: the server may leave out what it has no use for."""
    registered = members(register(site, **named(token_endpoint_auth_method="none")))

    assert registered["token_endpoint_auth_method"] == "none"
    assert "tls_client_auth_san_dns" not in json.dumps(registered)


def test_a_client_changes_its_certificate(site: Site) -> None:
    """RFC 7592 section 2.2."""
    registered = members(register(site, **named()))

    changed = members(change(site, registered, **named(tls_client_auth_san_dns="new.example")))

    assert changed["tls_client_auth_san_dns"] == "new.example"
