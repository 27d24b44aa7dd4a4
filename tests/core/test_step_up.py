"""Step-up at the authorization server, without OpenID Connect (RFC 9470): what is demanded, and what tokens tell."""

from __future__ import annotations

import pytest

from oauthcore import Login, Resource
from oauthcore.jose.compact import read_claims, read_signed
from oauthcore.signing.key_ring import KeyPolicy
from tests.core.site import Site, form, handle_of, location, make_site, members, params

API = "https://api.example/mcp"


def login(site: Site, acr: str | None = "mfa", age: int = 0) -> Login:
    """Return who signed in so, and so long ago."""
    return Login(subject="alice", auth_time=site.now - age, acr=acr, amr=("otp",) if acr == "mfa" else ())


def consented(site: Site) -> Site:
    """Return the site, where alice has allowed the client what it will ask for."""
    site.code()
    return site


def test_a_login_that_is_too_old_is_asked_for_anew(site: Site) -> None:
    """RFC 9470 section 4."""
    old = login(consented(site), age=301)

    assert location(site.authorize(old, max_age="300")).startswith("/login?")
    assert "code" in params(site.authorize(old, max_age="301"))
    assert params(site.authorize(old, max_age="300", prompt="none"))["error"] == "login_required"


def test_max_age_that_is_no_number_is_refused(site: Site) -> None:
    assert params(site.authorize(max_age="soon"))["error"] == "invalid_request"


@pytest.mark.parametrize("acr_values", ["mfa", "hardware mfa"])
def test_one_of_the_acr_values_is_demanded(site: Site, acr_values: str) -> None:
    """RFC 9470 section 5."""
    consented(site)

    assert "code" in params(site.authorize(login(site, "mfa"), acr_values=acr_values))
    assert location(site.authorize(login(site, "password"), acr_values=acr_values)).startswith("/login?")


def test_who_signs_in_in_no_way_that_is_demanded_is_not_asked_for_ever(site: Site) -> None:
    """RFC 9470 section 5: unmet_authentication_requirements."""
    asked = site.authorize(login(consented(site), "password", age=60), acr_values="mfa")

    answered = site.approve(asked, login(site, "password"))

    assert params(answered)["error"] == "unmet_authentication_requirements"


def test_the_page_is_told_of_the_ways_that_are_demanded(site: Site) -> None:
    asked = site.authorize(acr_values="hardware mfa")

    pending = site.drive(site.server.interactions.find(handle_of(asked)), site.world)

    assert pending.acr_values == ("hardware", "mfa")


def test_introspection_tells_how_and_when_the_person_was_authenticated(site: Site) -> None:
    """RFC 9470 section 6.2."""
    code = params(site.approve(site.authorize(acr_values="mfa"), login(site)))["code"]

    described = site.introspect(members(site.redeem(code))["access_token"], "resource")

    assert (described["acr"], described["amr"], described["auth_time"]) == ("mfa", ["otp"], site.now)


def test_a_signed_token_tells_it_as_well() -> None:
    """RFC 9470 section 6.1."""
    site = make_site(keys=KeyPolicy(), resources=[Resource(API, access_token_format="jwt")])
    asked = site.get(site.authorize_target(acr_values="mfa") + "&" + form(resource=API).decode())
    code = params(site.approve(asked, login(site)))["code"]

    claims = read_claims(read_signed(members(site.redeem(code))["access_token"]).payload)

    assert (claims["acr"], claims["amr"], claims["auth_time"], claims["aud"]) == ("mfa", ["otp"], site.now, API)


def test_a_refreshed_token_tells_of_the_login_that_it_hangs_on(site: Site) -> None:
    """RFC 9470 section 6: a refresh authenticates nobody anew."""
    code = params(site.approve(site.authorize(), login(site)))["code"]
    first, signed_in_at = members(site.redeem(code)), site.now
    site.clock.advance(100)

    refreshed = members(site.refresh(first["refresh_token"]))

    assert site.introspect(refreshed["access_token"], "resource")["auth_time"] == signed_in_at
