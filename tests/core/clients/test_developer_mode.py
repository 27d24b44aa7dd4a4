"""Developer mode: what the errors of one client say while its developer is at work, and never afterwards."""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import Client, ConfigurationError, PushedRequests, Request, Response, run
from oauthcore.ciba import Ciba
from oauthcore.clients.developer_mode import described, explain, value_of
from oauthcore.errors import Explanation, TemporarilyUnavailable
from oauthcore.facets.clients import MAX_EXPLAINED
from oauthcore.flow.outcome import R
from oauthcore.records.client import DynamicRegistration
from oauthcore.storage.codec import dump, load
from tests.core.ciba.till import API, SIGNING, Till
from tests.core.devices.device_site import begin as begin_device
from tests.core.devices.device_site import device_site
from tests.core.oidc.provider import provider
from tests.core.oidc.test_userinfo import tokens
from tests.core.registering import LOOPBACK, OPEN, change, register
from tests.core.site import CLIENTS, CONFIDENTIAL, Counted, Site, basic, form, make_site, members, params

HOUR = 3_600


def explained_site(client_id: str = "confidential", lifetime: int = HOUR) -> Site:
    """Return a site with one client in developer mode."""
    site = make_site()
    site.drive(site.server.clients.explain(client_id, lifetime=lifetime), site.world)
    return site


def ask_for_more(site: Site, client_id: str = "confidential") -> str:
    """Return the description of a refused scope, which only the log explains otherwise."""
    return str(members(site.token(client_id, grant_type="client_credentials", scope="admin"))["error_description"])


def page_for(site: Site, redirect_uri: str, client_id: str = "confidential") -> str:
    """Return the page on a redirect URI that is not registered."""
    response = site.authorize(None, client_id=client_id, redirect_uri=redirect_uri)
    assert (response.status, response.header("location")) == (400, None)
    return response.body.decode()


def test_the_token_endpoint_says_the_reason_and_the_setting_with_its_value() -> None:
    assert ask_for_more(explained_site()) == (
        "the scope admin is not within email profile read (setting: client.scope = email profile read)"
    )


def test_nothing_is_explained_unless_developer_mode_was_turned_on() -> None:
    site = make_site()

    assert ask_for_more(site) == "The scope is malformed or more than is allowed."
    assert "developer" not in page_for(site, "https://evil.example/")


def test_developer_mode_ends_in_the_second_that_was_named() -> None:
    site = explained_site(lifetime=HOUR)

    site.clock.advance(HOUR - 1)
    assert "client.scope" in ask_for_more(site)
    site.clock.advance(1)
    assert ask_for_more(site) == "The scope is malformed or more than is allowed."


def test_developer_mode_can_be_turned_off_before_its_time() -> None:
    site = explained_site()

    site.drive(site.server.clients.explain("confidential", lifetime=0), site.world)

    assert ask_for_more(site) == "The scope is malformed or more than is allowed."


def test_one_clients_developer_mode_explains_nothing_to_another() -> None:
    site = explained_site("confidential")

    assert ask_for_more(site, "resource") == "The scope is malformed or more than is allowed."


@pytest.mark.parametrize("lifetime", [-1, MAX_EXPLAINED + 1])
def test_developer_mode_lasts_a_week_at_most(lifetime: int) -> None:
    with pytest.raises(ConfigurationError, match="lifetime"):
        make_site().server.clients.explain("confidential", lifetime=lifetime)


def test_the_authorization_endpoint_explains_in_the_redirect_to_the_client() -> None:
    refused = params(explained_site().authorize(None, response_type="token"))

    assert refused["error"] == "unsupported_response_type"
    assert refused["error_description"] == "the response type is not offered (setting: policy.response_types)"


def test_the_error_page_says_which_redirect_uri_came_and_which_are_registered() -> None:
    page = page_for(explained_site(), "https://client.example/callback/")

    assert "For the developer of the application" in page
    assert "redirect_uri is not registered for this client: &#x27;https://client.example/callback/&#x27;" in page
    assert "client.redirect_uris = https://client.example/callback" in page


def test_the_error_page_escapes_what_the_request_brought() -> None:
    page = page_for(explained_site(), "https://client.example/<script>alert(1)</script>")

    assert "<script>" not in page
    assert "&lt;script&gt;" in page


def test_a_code_that_was_redeemed_before_is_refused_by_its_reason() -> None:
    site = explained_site()
    code = site.code()
    site.redeem(code)

    replayed = members(site.redeem(code))

    assert replayed["error_description"] == "the code was redeemed before; its grant is revoked"


def test_a_refresh_token_that_was_used_before_is_refused_by_its_reason() -> None:
    site = explained_site()
    first = site.tokens()["refresh_token"]
    second = members(site.refresh(first))["refresh_token"]
    site.refresh(second)

    assert members(site.refresh(first))["error_description"] == (
        "the refresh token was used before; its grant is revoked"
    )


def test_a_client_that_is_not_known_learns_nothing_from_the_developer_mode_of_others() -> None:
    explained, plain = explained_site(), make_site()

    for site in (explained, plain):
        site.cookie = None
    requests: list[Callable[[Site], Response]] = [
        lambda site: site.post("/token", form(grant_type="client_credentials"), basic("nobody", "secret")),
        lambda site: site.post("/token", form(grant_type="client_credentials", client_id="nobody")),
        lambda site: site.get("/authorize?client_id=nobody&response_type=code"),
        lambda site: site.get("/resume?interaction=x&proof=y"),
    ]
    for send in requests:
        with_mode, without = send(explained), send(plain)
        assert (with_mode.status, with_mode.body) == (without.status, without.body)


def test_a_wrong_secret_is_named_and_no_secret_is_shown() -> None:
    site = explained_site()

    response = site.post("/token", form(grant_type="client_credentials"), basic("confidential", "wrong"))

    assert members(response) == {
        "error": "invalid_client",
        "error_description": "the secret is wrong (setting: client.secrets)",
    }


def test_a_client_that_authenticates_by_another_method_is_told_the_right_one() -> None:
    site = explained_site("public")

    response = site.post("/token", form(grant_type="refresh_token", refresh_token="x"), basic("public", "any"))

    assert members(response)["error_description"] == (
        "client_secret_basic is not the method the client is registered for "
        "(setting: client.token_endpoint_auth_method = none)"
    )


def test_revocation_and_introspection_are_explained_too() -> None:
    site = explained_site("public")
    other = site.tokens()["access_token"]

    revoked = site.post("/revoke", form(token=other, client_id="public"))
    introspected = site.post("/introspect", form(token=other, client_id="public"))

    assert members(revoked)["error_description"] == "the token was issued to another client"
    assert members(introspected)["error_description"] == (
        "a public client can't introspect (RFC 7662 section 2.1) (setting: client.token_endpoint_auth_method = none)"
    )


def test_device_endpoint_explains_to_who_may_not_use_it() -> None:
    site = device_site()
    site.drive(site.server.clients.explain("public", lifetime=HOUR), site.world)

    assert members(begin_device(site, "public", scope="email"))["error_description"] == (
        "the client is not registered for urn:ietf:params:oauth:grant-type:device_code "
        "(setting: client.grant_types = authorization_code, refresh_token)"
    )


def test_device_endpoint_explains_a_scope() -> None:
    site = device_site()
    site.drive(site.server.clients.explain("tv", lifetime=HOUR), site.world)

    assert "client.scope = email profile" in members(begin_device(site, "tv", scope="admin"))["error_description"]


def test_backchannel_endpoint_explains_what_is_signed_wrong() -> None:
    till = Till(client=SIGNING)
    till.drive(till.site.server.clients.explain("signing", lifetime=HOUR))

    refused = members(till.post("/bc-authorize", request="x"))

    assert refused["error_description"].startswith("request: ")


def test_backchannel_endpoint_does_not_say_that_others_ask_the_user() -> None:
    """A limit of the client's own and one of all clients' requests are refused in the same words, without a setting."""
    till = Till(ciba=Ciba(max_pending=1, max_pending_of_user=None))
    others = Till(ciba=Ciba(max_pending=None, max_pending_of_user=1))
    for each in (till, others):
        each.drive(each.site.server.clients.explain("till", lifetime=HOUR))
        each.begin()

    first, second = till.request(), others.request()

    assert members(first) == members(second)
    assert "setting" not in members(first)["error_description"]


def test_backchannel_endpoint_names_the_setting_of_a_client_that_may_not_ask() -> None:
    till = Till(client=API)
    till.drive(till.site.server.clients.explain("api", lifetime=HOUR))

    assert "client.grant_types = client_credentials" in members(till.request())["error_description"]


def test_pushed_request_is_explained() -> None:
    site = make_site(pushed_requests=PushedRequests())
    site.drive(site.server.clients.explain("public", lifetime=HOUR), site.world)

    refused = site.post("/par", form(client_id="public", response_type="token"))

    assert "setting: client.redirect_uris = https://public.example/cb" in members(refused)["error_description"]


@pytest.mark.parametrize(
    ("scope", "said"),
    [("email", "the token has no scope openid"), ("openid", "the token is unknown, expired or revoked")],
)
def test_userinfo_explains_a_token_of_the_client(scope: str, said: str) -> None:
    site = provider()
    site.drive(site.server.clients.explain("rp", lifetime=HOUR), site.world)
    token = str(tokens(site, scope)["access_token"])
    if scope == "openid":
        site.clock.advance(HOUR - 1)

    challenge = site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {token}"),))).header(
        "www-authenticate"
    )

    assert said in (challenge or "")


def test_userinfo_explains_nothing_to_a_token_that_is_unknown() -> None:
    site = provider()
    plain = site.handle(Request("GET", "/userinfo", (("Authorization", "Bearer unknown"),)))
    site.drive(site.server.clients.explain("rp", lifetime=HOUR), site.world)

    assert site.handle(Request("GET", "/userinfo", (("Authorization", "Bearer unknown"),))).headers == plain.headers


def test_client_that_changes_its_registration_is_told_the_reason() -> None:
    site = make_site(registration=OPEN)
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    site.drive(site.server.clients.explain(registered["client_id"], lifetime=HOUR), site.world)
    site.drive(site.server.clients.update(registered["client_id"], name="Changed by the operator"), site.world)

    refused = members(change(site, registered, redirect_uris=[LOOPBACK]))

    assert refused["error_description"] == "the operator has changed the registration"


class Broken(Counted):
    """Be a storage that finds clients and nothing else, and fails in words that name a host."""

    def find(self, kind: type[R], key: str, /) -> R | None:  # type: ignore[explicit-override]  # 3.12 has it
        """Find a client."""
        if kind is not Client:
            raise OSError("no route to db.internal")
        return self.storage.find(kind, key)


def test_what_failed_inside_the_server_is_not_explained() -> None:
    site = explained_site()
    Broken(site)

    response = site.redeem("code")

    assert response.status == 503
    assert members(response)["error_description"] == "The server can't answer now; try again later."


def test_what_is_only_unavailable_is_not_explained_either() -> None:
    site = explained_site()
    known, context = site.world.storage.find(Client, "confidential"), site.server.context()
    error = TemporarilyUnavailable("https://idp.corp.internal does not answer")

    assert explain(error, known, context).explanation is None


@given(
    st.builds(Explanation, reason=st.text(max_size=2_000), setting=st.none() | st.text(), value=st.none() | st.text())
)
def test_an_explanation_has_only_the_characters_that_error_description_may_have(explanation: Explanation) -> None:
    """RFC 6749 section 5.2."""
    assert re.fullmatch(r"[\x20\x21\x23-\x5B\x5D-\x7E]{0,1000}", described(explanation))


@pytest.mark.parametrize("field", ["secrets", "generation", "dynamic", "jwks", "document", "key", "no_such"])
def test_what_is_no_metadata_of_a_client_is_never_shown(field: str) -> None:
    assert value_of(f"client.{field}", CONFIDENTIAL) is None


def test_a_client_that_registered_itself_can_still_change_itself_afterwards() -> None:
    dynamic = DynamicRegistration(registered_at=0)
    site = make_site(clients=(*CLIENTS, attrs.evolve(CONFIDENTIAL, client_id="dynamic", dynamic=dynamic)), secrets=ALL)

    changed = site.drive(site.server.clients.explain("dynamic", lifetime=60), site.world)

    assert (changed.explain_until, changed.dynamic) == (site.now + 60, dynamic)


ALL = {name: f"a-secret-of-{name}-and-more" for name in ("confidential", "other", "resource", "dynamic")}


def test_an_update_of_settings_is_not_the_way_to_turn_it_on() -> None:
    site = make_site()

    with pytest.raises(ConfigurationError, match="explain_until"):
        run(site.server.clients.update("confidential", explain_until=2**40), site.world)


def test_storages_keep_until_when_a_client_is_explained() -> None:
    client = attrs.evolve(CONFIDENTIAL, explain_until=1_700_000_000)

    assert load(Client, dump(client)) == client
    assert "explain_until" not in dump(CONFIDENTIAL)


def test_the_log_has_the_same_reason_either_way() -> None:
    def reason(response: Response) -> str:
        assert response.refusal is not None
        return response.refusal.reason

    request = {"grant_type": "client_credentials", "scope": "admin"}
    assert reason(explained_site().token(**request)) == reason(make_site().token(**request))
