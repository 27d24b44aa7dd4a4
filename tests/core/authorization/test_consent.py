"""Consent that is remembered: it is what the person said last, of what they were asked."""

from __future__ import annotations

import json

import attrs
import pytest

from oauthcore import AuthorizedApplication, Client, Response
from oauthcore.flow.outcome import Replace
from oauthcore.records.grant import Consent
from oauthcore.scope import Scope
from tests.core.oidc.provider import provider
from tests.core.oidc.test_requests import authorize as authorize_openid
from tests.core.site import Site, handle_of, location, params

YEAR = 365 * 86_400
ALL = "email profile read"


def consent(site: Site) -> Consent | None:
    """Return what alice's consent to the client is."""
    found = list(site.world.storage.find_of(Consent, "alice"))
    return found[0] if found else None


def allow(site: Site, asked: str, allowed: str | None = None, *, remember: bool = True) -> Response:
    """Have alice asked for a scope anew, and allow a part of it; return the answer to the client."""
    handle = handle_of(site.authorize(site.alice, scope=asked, prompt="consent"))
    tokens = (asked if allowed is None else allowed).split()
    finished = site.drive(site.server.interactions.finish(handle, site.alice, tokens, remember=remember), site.world)
    return site.get(location(finished))


def deny(site: Site, asked: str) -> Response:
    """Have alice asked for a scope anew, and say no."""
    handle = handle_of(site.authorize(site.alice, scope=asked, prompt="consent"))
    return site.get(location(site.drive(site.server.interactions.deny(handle, site.alice), site.world)))


def silently(site: Site, scope: str) -> str:
    """Return what `prompt=none` is answered with: `code`, or the error."""
    answer = params(site.authorize(site.alice, scope=scope, prompt="none"))
    return answer.get("error", "code")


def listed(site: Site) -> tuple[AuthorizedApplication, ...]:
    """Return what alice's page lists."""
    found: tuple[AuthorizedApplication, ...] = site.drive(site.server.applications.of("alice"), site.world)
    return found


def test_what_is_left_unticked_is_taken_back(site: Site) -> None:
    allow(site, ALL)

    allow(site, ALL, "email")

    assert silently(site, "email") == "code"
    assert silently(site, "profile") == "consent_required"
    assert silently(site, ALL) == "consent_required"


def test_what_was_not_asked_for_stays_allowed(site: Site) -> None:
    allow(site, "email profile")

    allow(site, "read")

    assert silently(site, ALL) == "code"


def test_who_denied_is_asked_again(site: Site) -> None:
    allow(site, ALL)

    assert params(deny(site, "email profile"))["error"] == "access_denied"

    assert silently(site, "email") == "consent_required"
    assert silently(site, "profile") == "consent_required"
    assert silently(site, "read") == "code"


def test_who_denied_all_there_was_has_no_consent_left(site: Site) -> None:
    allow(site, "email")

    deny(site, ALL)

    assert consent(site) is None


def test_who_ticks_nothing_has_denied(site: Site) -> None:
    allow(site, "email")

    assert params(allow(site, "email", ""))["error"] == "access_denied"

    assert consent(site) is None


def test_who_signs_in_and_ticks_nothing_in_one_step_has_denied(site: Site) -> None:
    """Nobody was known when the request came."""
    allow(site, "email")
    handle = handle_of(site.authorize(None, scope="email", prompt="consent"))

    finished = site.drive(site.server.interactions.finish(handle, site.alice, []), site.world)

    assert params(site.get(location(finished)))["error"] == "access_denied"
    assert consent(site) is None


@pytest.mark.parametrize("by_name", [False, True])
def test_a_denial_takes_back_from_whom_the_application_names(site: Site, by_name: bool) -> None:
    """Nobody was known when the request came, and alice has signed in in another tab since."""
    allow(site, "email")
    handle = handle_of(site.authorize(None, scope="email"))

    denied = site.drive(site.server.interactions.deny(handle, "alice" if by_name else site.alice), site.world)

    assert params(site.get(location(denied)))["error"] == "access_denied"
    assert consent(site) is None


@pytest.mark.parametrize("denying", [None, "bob"])
@pytest.mark.parametrize("known", [False, True])
def test_a_denial_takes_back_nothing_from_who_did_not_deny(site: Site, known: bool, denying: str | None) -> None:
    """Alice was known when the request came; who answers it is not signed in, or is somebody else."""
    allow(site, "email")
    handle = handle_of(site.authorize(site.alice if known else None, scope="email", prompt="consent"))

    denied = site.drive(site.server.interactions.deny(handle, denying), site.world)

    assert params(site.get(location(denied)))["error"] == "access_denied"
    assert silently(site, "email") == "code"


def test_who_denied_what_is_asked_for_no_longer_is_asked_again(site: Site) -> None:
    """The client lost the scope while alice looked at the page."""
    allow(site, "email")
    handle = handle_of(site.authorize(site.alice, scope=ALL, prompt="consent"))
    denied = site.drive(site.server.interactions.deny(handle, site.alice), site.world)
    lose_scope(site)

    assert params(site.get(location(denied)))["error"] == "access_denied"

    assert consent(site) is None


def test_what_is_left_unticked_is_taken_back_also_where_nothing_shall_be_remembered(site: Site) -> None:
    allow(site, "email profile")

    allow(site, ALL, "email read", remember=False)

    assert silently(site, "email") == "code"
    assert silently(site, "profile") == "consent_required"
    assert silently(site, "read") == "consent_required"


def test_a_yes_that_shall_not_be_remembered_changes_nothing(site: Site) -> None:
    allow(site, ALL)
    before = consent(site)
    site.clock.now += 10

    allow(site, ALL, remember=False)
    deny_elsewhere = site.authorize(site.alice, scope="email", prompt="none")

    assert "code" in params(deny_elsewhere)
    assert consent(site) == before


def test_expired_consent_is_not_united_with_a_new_one(site: Site) -> None:
    allow(site, ALL)
    site.clock.now += YEAR

    assert silently(site, "email") == "consent_required"
    allow(site, "email")

    assert silently(site, "email") == "code"
    assert silently(site, "profile") == "consent_required"


def test_expired_consent_is_left_where_nothing_shall_be_remembered(site: Site) -> None:
    allow(site, ALL)
    site.clock.now += YEAR

    allow(site, "email", remember=False)
    deny(site, "email")

    assert silently(site, "email") == "consent_required"


def test_what_was_not_asked_for_anew_ends_when_it_would_have(site: Site) -> None:
    allow(site, "profile")
    site.clock.now += YEAR - 1
    allow(site, "email")
    site.clock.now += 1

    assert silently(site, "profile") == "consent_required"


def test_what_is_asked_for_anew_lasts_from_now_on(site: Site) -> None:
    allow(site, "email profile")
    site.clock.now += YEAR - 1
    allow(site, "email profile", "profile")
    site.clock.now += YEAR - 1

    assert silently(site, "profile") == "code"


def test_expired_consent_is_not_listed_and_its_withdrawal_is_no_event(site: Site) -> None:
    allow(site, ALL)
    site.clock.now += YEAR
    site.events.clear()

    assert listed(site) == ()
    site.drive(site.server.applications.withdraw("alice"), site.world)

    assert [event.name for event in site.events] == []
    assert consent(site) is None


def test_the_list_tells_what_was_said_last_and_since_when(site: Site) -> None:
    allow(site, "email profile")
    first_at = site.now
    site.clock.now += 4_000
    allow(site, "email read", "read")

    (application,) = listed(site)
    assert set(application.scope) == {"profile", "read"}
    assert application.granted_at == first_at

    allow(site, ALL, "read")
    consented = consent(site)
    assert consented is not None
    assert (consented.scope.text, consented.granted_at) == ("read", site.now)


def lose_scope(site: Site) -> None:
    """Take all but one scope from the client's registration."""
    client = site.world.storage.find(Client, "confidential")
    assert client is not None
    site.world.storage.commit((Replace(client, attrs.evolve(client, scope=Scope(("email",)))),))


def claims(*names: str) -> str:
    """Return a claims parameter that asks for some by name."""
    return json.dumps({"userinfo": dict.fromkeys(names)})


def allow_openid(site: Site, allowed: str, **asked: str | None) -> Response:
    """Have alice asked anew by a client that knows OpenID Connect, and allow a part of it."""
    return site.approve(authorize_openid(site, site.alice, prompt="consent", **asked), site.alice, allowed)


def silently_openid(site: Site, **asked: str | None) -> str:
    """Return what `prompt=none` is answered with: `code`, or the error."""
    answer = params(authorize_openid(site, site.alice, prompt="none", **asked))
    return answer.get("error", "code")


def test_claims_that_were_denied_are_asked_for_again() -> None:
    site = provider()
    allow_openid(site, "openid", claims=claims("email"))
    assert silently_openid(site, claims=claims("email")) == "code"

    asked = authorize_openid(site, site.alice, scope="email", claims=None, prompt="consent")
    site.get(location(site.drive(site.server.interactions.deny(handle_of(asked), site.alice), site.world)))

    assert silently_openid(site) == "code"
    assert silently_openid(site, claims=claims("email")) == "consent_required"


def test_claims_that_were_not_asked_for_stay_allowed() -> None:
    site = provider()
    allow_openid(site, "openid", claims=claims("email"))

    allow_openid(site, "openid", claims=claims("phone_number"))

    assert silently_openid(site, claims=claims("email", "phone_number")) == "code"


def test_claims_of_expired_consent_are_not_united_with_new_ones() -> None:
    site = provider()
    allow_openid(site, "openid", claims=claims("email"))
    site.clock.now += YEAR

    allow_openid(site, "openid", claims=claims("phone_number"))

    assert silently_openid(site, claims=claims("phone_number")) == "code"
    assert silently_openid(site, claims=claims("email")) == "consent_required"


def test_a_scope_that_is_unticked_takes_back_its_claims_by_name() -> None:
    site = provider()
    allow_openid(site, "openid", claims=claims("name", "name#de", "email"))

    allow_openid(site, "openid", scope="openid profile")

    assert silently_openid(site, claims=claims("email")) == "code"
    assert silently_openid(site, claims=claims("name")) == "consent_required"
    assert silently_openid(site, claims=claims("name#de")) == "consent_required"


def test_claims_that_were_allowed_once_and_not_to_be_remembered_change_nothing() -> None:
    site = provider()
    allow_openid(site, "openid", claims=claims("email"))
    asked = authorize_openid(site, site.alice, claims=claims("email", "phone_number"), prompt="consent")

    finished = site.server.interactions.finish(handle_of(asked), site.alice, ["openid"], remember=False)
    site.get(location(site.drive(finished, site.world)))

    assert silently_openid(site, claims=claims("email")) == "code"
    assert silently_openid(site, claims=claims("phone_number")) == "consent_required"


def test_an_id_token_that_was_not_allowed_is_asked_for_again() -> None:
    """The client is refused, and what was left unticked is taken back all the same."""
    site = provider()
    allow_openid(site, "openid email", scope="openid email")

    answer = allow_openid(site, "email", scope="openid email", response_type="id_token")

    assert params(answer)["error"] == "access_denied"
    assert silently_openid(site, scope="openid email") == "consent_required"
