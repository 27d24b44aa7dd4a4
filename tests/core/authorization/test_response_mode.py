"""How answers travel: state and iss in each, the redirect URI's own bytes untouched, markup escaped."""

from __future__ import annotations

import html
import re

import attrs
import pytest

from oauthcore import Client, Policy, Response, Secret
from oauthcore.records.token import AccessToken
from tests.core.site import CONFIDENTIAL, ISSUER, REDIRECT, Site, location, make_site, params

# 2 kB of everything that gets mangled on the way.
STATE = ("%41+ &=é€\"'<>\r\n\\;#?/" * 100)[:2048]
IMPLICIT = Client(
    client_id="implicit",
    token_endpoint_auth_method="none",
    grant_types=("implicit",),
    response_types=("token",),
    redirect_uris=("https://spa.example/cb",),
    scope="email",
)


def fields(response: Response) -> dict[str, str]:
    """Read the form of a form_post answer."""
    text = response.body.decode()
    return {n: html.unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)">', text)}


def answered(site: Site, **changes: str | None) -> Response:
    """Approve a request; give the answer to the client."""
    return site.approve(site.authorize(None, **changes))


def legacy_site() -> Site:
    """Make a site that still offers the implicit grant."""
    return make_site(policy=Policy.oauth20(), clients=(CONFIDENTIAL, IMPLICIT))


def test_state_survives_in_the_query(site: Site) -> None:
    assert params(answered(site, state=STATE))["state"] == STATE


def test_state_survives_in_the_fragment(site: Site) -> None:
    response = answered(site, state=STATE, response_mode="fragment")

    assert location(response).startswith(REDIRECT + "#code=")
    assert params(response)["state"] == STATE


def test_state_survives_in_a_form(site: Site) -> None:
    response = answered(site, state=STATE, response_mode="form_post")

    assert response.status == 200
    assert fields(response)["state"] == STATE


def test_state_survives_in_an_error(site: Site) -> None:
    response = site.authorize(state=STATE, scope="admin")

    assert params(response) | {"error_description": ""} == {
        "error": "invalid_scope",
        "error_description": "",
        "state": STATE,
        "iss": ISSUER,
    }


def test_state_survives_response_type_none(site: Site) -> None:
    assert params(answered(site, response_type="none", state=STATE)) == {"state": STATE, "iss": ISSUER}


def test_an_absent_state_stays_absent(site: Site) -> None:
    assert set(params(answered(site, state=None))) == {"code", "iss"}


@pytest.mark.parametrize("mode", ["query", "fragment"])
def test_every_redirect_names_the_issuer(site: Site, mode: str) -> None:
    """RFC 9207 section 2."""
    success = answered(site, response_mode=mode)
    error = site.authorize(response_mode=mode, scope="admin")

    assert params(success)["iss"] == params(error)["iss"] == ISSUER


def test_a_form_post_is_a_real_form_that_is_escaped_and_submits_itself(site: Site) -> None:
    """OAuth 2.0 Form Post Response Mode section 2."""
    response = answered(site, state='"><script>alert(1)</script>', response_mode="form_post")

    text = response.body.decode()
    assert f'<form method="post" action="{REDIRECT}">' in text
    assert '<button type="submit">' in text
    assert text.count("<script>") == 1
    assert set(fields(response)) == {"code", "state", "iss"}
    policy = response.header("content-security-policy") or ""
    assert "default-src 'none'" in policy and "script-src 'sha256-" in policy and "unsafe" not in policy
    assert response.header("cache-control") == "no-store"
    assert response.header("referrer-policy") == "no-referrer"


def test_an_error_goes_by_form_post_where_that_was_asked(site: Site) -> None:
    response = site.authorize(response_mode="form_post", scope="admin")

    assert fields(response)["error"] == "invalid_scope"


def test_a_redirect_uris_own_query_and_path_parameters_are_kept_to_the_byte() -> None:
    uri = "https://client.example/cb;v=1/%2e%2F?a=%41&b="
    site = make_site(clients=(attrs.evolve(CONFIDENTIAL, redirect_uris=(uri,)),))

    response = answered(site, redirect_uri=uri)

    assert location(response).startswith(uri + "&code=")


def test_a_token_travels_in_the_fragment_and_brings_no_refresh_token() -> None:
    """RFC 6749 section 4.2.2."""
    site = legacy_site()

    response = answered(site, client_id="implicit", redirect_uri=None, response_type="token")

    assert location(response).startswith("https://spa.example/cb#access_token=")
    assert set(params(response)) == {"access_token", "token_type", "expires_in", "scope", "state", "iss"}
    key = site.server.context().digest("access_token", Secret(params(response)["access_token"]))
    record = site.world.storage.find(AccessToken, key)
    assert record is not None and record.subject == "alice"


def test_a_token_never_travels_in_a_query() -> None:
    site = legacy_site()

    response = site.authorize(client_id="implicit", redirect_uri=None, response_type="token", response_mode="query")

    assert "#error=invalid_request" in location(response)


def test_an_error_of_a_token_request_that_is_not_offered_still_goes_to_the_fragment(site: Site) -> None:
    response = site.authorize(response_type="id_token token")

    assert location(response).startswith(REDIRECT + "#error=unsupported_response_type")


def test_an_error_of_an_unknown_response_type_goes_to_the_query(site: Site) -> None:
    response = site.authorize(response_type="coda")

    assert location(response).startswith(REDIRECT + "?error=unsupported_response_type")
