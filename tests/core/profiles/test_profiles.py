"""Profiles: what a server that has one sets, refuses, and reports."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import (
    Allowance,
    AnyoneMayRegister,
    AuthorizationServer,
    ClientAssertions,
    CodeBinding,
    ConfigurationError,
    Dpop,
    Lifetimes,
    MutualTls,
    Policy,
    Profile,
    PushedRequests,
    Registration,
    RequestObjects,
    Response,
    run,
)
from oauthcore.flow.outcome import Replace
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.openid import OpenID
from oauthcore.profiles.profile import PROFILE_NAMES, ProfileName
from oauthcore.profiles.rule import Rule, TokenTraits
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.testing import FixedClock, SeededEntropy
from tests.core.clients.asserting import KEY, KEYED, RSA, asserting_site, assertion, body
from tests.core.registering import register
from tests.core.site import CHALLENGE, CONFIDENTIAL, ISSUER, TOKEN_KEY, Drive, Site, members, params, refused

FAPI_CLIENT = attrs.evolve(KEYED, jwks=set_of([KEY, RSA]).decode(), id_token_signed_response_alg="ES256")
EVERY = Profile(name="fapi2_message_signing", parts=("requests", "responses", "introspection"))


def of_name(name: ProfileName, **settings: Any) -> Profile:
    """Return a profile by its name, with all of its parts."""
    parts = EVERY.parts if name == "fapi2_message_signing" else ()
    return Profile(name=name, parts=parts, **settings)


def server(**settings: Any) -> AuthorizationServer:
    """Make a server of these settings alone."""
    return AuthorizationServer(
        issuer=ISSUER, clock=FixedClock(), entropy=SeededEntropy(), token_key=TOKEN_KEY, **settings
    )


def earlier(drive: Drive, profile: Profile, **settings: Any) -> Site:
    """Return a site that has got a profile after its clients had been registered."""
    site = asserting_site(drive)
    made: dict[str, Any] = {"issuer": ISSUER, "clock": site.clock, "entropy": SeededEntropy(), "token_key": TOKEN_KEY}
    site.server = AuthorizationServer(**(made | {"profile": profile} | settings))
    return site


def reported(site: Site) -> list[str]:
    """Return the rules that were broken by what was answered."""
    return [event.name.removeprefix("profile:") for event in site.events if event.name.startswith("profile:")]


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_each_rule_has_a_name_of_its_own_and_says_what_it_demands(name: ProfileName) -> None:
    rules = of_name(name).rules

    assert len({rule.name for rule in rules}) == len(rules) > 5
    for rule in rules:
        assert rule.name.replace("_", "").isalnum() and rule.name.islower()
        assert rule.source and rule.requirement.isascii() and not set(rule.requirement) & set('"\\')
        # It is sent to clients, so that they know what to change.
        assert not rule.requirement.endswith(".")
        # A client's problem is another error than a request's.
        assert rule.client is None or (rule.server, rule.authorization, rule.token) == (None, None, None)
        assert not (rule.is_yours and (rule.server or rule.client or rule.authorization or rule.token))


def test_a_profile_sets_what_the_host_leaves_out() -> None:
    fapi = server(profile=Profile.fapi2_message_signing(), openid=OpenID())

    assert fapi.policy.response_types == {"code"}
    assert fapi.policy.lifetimes.authorization_code_lifetime == 60
    assert fapi.pushed_requests == PushedRequests(required=True)
    assert fapi.dpop == Dpop(required=True, algorithms=("ES256", "EdDSA", "Ed25519", "PS256"))
    assert server(profile=Profile.fapi2_security(), mutual_tls=MutualTls()).dpop is None
    assert fapi.request_objects == RequestObjects(required=True, max_lifetime=3_600)
    assert fapi.instruments.keys is not None
    assert fapi.instruments.keys.algorithms == ("PS256", "ES256")
    assert {one.state for one in fapi.rule_states(Profile.fapi2_message_signing())} == {
        *("always", "obeyed", "each client", "each request", "yours")
    }


def test_a_profile_that_only_reports_sets_nothing() -> None:
    plain, watched = server(), server(profile=Profile.fapi2_message_signing(report_only=True))

    assert watched.policy == plain.policy
    assert (watched.pushed_requests, watched.request_objects) == (None, plain.request_objects)


def test_a_profile_that_only_reports_allows_nothing_that_was_refused_before() -> None:
    """FAPI 2.0 forbids RS256, which OpenID Connect demands."""
    settings: dict[str, Any] = {"openid": OpenID(), "keys": KeyPolicy(algorithms=("ES256",))}
    _ = server(**settings, profile=Profile.fapi2_security())

    for profile in (None, Profile.fapi2_security(report_only=True)):
        with pytest.raises(ConfigurationError, match="add RS256"):
            server(**settings, profile=profile)


@pytest.mark.parametrize("name", [name for name in PROFILE_NAMES if not name.startswith("fapi")])
def test_what_the_defaults_break_of_a_profile_is_what_it_is_about(name: ProfileName) -> None:
    broken = {one.rule.name for one in server().rule_states(of_name(name)) if one.state == "not obeyed"}

    assert broken == {"mcp": {"resources", "unknown_clients"}, "oidc_basic": {"openid", "rs256"}}.get(name, set())


AS_STRING = ClientAssertions(audience_as_string=True)
STRICT = Policy(response_types=frozenset({"code"}), client_assertions=AS_STRING)
LISTED_AUDIENCES = Policy(response_types=frozenset({"code"}), code_binding=CodeBinding.PKCE)
LONG_CODES = attrs.evolve(STRICT, lifetimes=Lifetimes(authorization_code_lifetime=61))


@pytest.mark.parametrize(
    ("profile", "settings", "names"),
    [
        (Profile.fapi2_security(), {"policy": Policy(client_assertions=AS_STRING)}, "policy.response_types"),
        (Profile.fapi2_security(), {"policy": LONG_CODES}, "lifetimes.authorization_code_lifetime"),
        (Profile.fapi2_security(), {"policy": STRICT}, "policy.code_binding"),
        (Profile.fapi2_security(), {"policy": LISTED_AUDIENCES}, "policy.client_assertions"),
        (Profile.fapi2_security(), {"pushed_requests": PushedRequests()}, "pushed_requests.required"),
        (
            Profile.fapi2_security(),
            {"pushed_requests": PushedRequests(required=True, lifetime=600)},
            "pushed_requests.lifetime",
        ),
        (Profile.fapi2_security(), {"keys": KeyPolicy(), "openid": OpenID()}, "keys.algorithms"),
        (Profile.fapi2_security(), {"dpop": Dpop(required=True)}, "dpop.algorithms"),
        (Profile.fapi2_message_signing(), {"request_objects": RequestObjects()}, "request_objects.required"),
        (
            Profile.fapi2_message_signing(),
            {"request_objects": RequestObjects(required=True)},
            "request_objects.max_lifetime",
        ),
        (
            Profile.fapi2_message_signing(),
            {"request_objects": RequestObjects(required=True, max_lifetime=3_601)},
            "request_objects.max_lifetime",
        ),
        (Profile.oauth21(), {"policy": Policy.oauth20()}, "policy.allow"),
        (Profile.oauth21(), {"policy": Policy.oauth21(allow=[Allowance.PLAIN_PKCE])}, "policy.allow"),
        (Profile.mcp(), {"policy": Policy.oauth21(allow=[Allowance.PLAIN_PKCE])}, "policy.allow"),
        (Profile.rfc9700(), {"policy": Policy.oauth21(allow=[Allowance.UNTRUSTED_REDIRECTS])}, "policy.allow"),
        (Profile.rfc9700(), {"policy": Policy.oauth21(allow=[Allowance.PLAIN_PKCE])}, "policy.allow"),
        (Profile.rfc9700(), {"policy": Policy.oauth21(allow=[Allowance.ENDPOINT_AUDIENCE])}, "policy.allow"),
        (Profile.oidc_basic(), {}, "openid"),
        (Profile.mcp(), {}, "resources"),
    ],
)
def test_a_setting_that_breaks_a_rule_is_refused(profile: Profile, settings: dict[str, Any], names: str) -> None:
    with pytest.raises(ConfigurationError, match="or leave the profile out") as raised:
        server(**settings, profile=profile)

    assert raised.value.setting == names
    # And it is only reported where that is what the host wants.
    silent = server(**settings, profile=attrs.evolve(profile, report_only=True))
    assert "not obeyed" in {one.state for one in silent.rule_states(profile)}


@pytest.mark.parametrize(
    ("changes", "names"),
    [
        ({"token_endpoint_auth_method": "none", "grant_types": ("authorization_code",)}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": "client_secret_basic"}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_method": None}, "token_endpoint_auth_method"),
        ({"token_endpoint_auth_signing_alg": "RS256"}, "token_endpoint_auth_signing_alg"),
        ({"authorization_signed_response_alg": "ES384"}, "authorization_signed_response_alg"),
        ({"authorization_code_lifetime": 61}, "authorization_code_lifetime"),
        ({"response_types": ("code", "none")}, "response_types"),
        ({"allow": [Allowance.CONFIDENTIAL_WITHOUT_PKCE]}, "allow"),
        ({"allow": [Allowance.ENDPOINT_AUDIENCE]}, "allow"),
        ({"redirect_uris": ("http://rp.example/cb",)}, "redirect_uris"),
        ({"jwks": set_of([KEY.named("ES256", "sig"), KEY]).decode()}, "jwks"),
    ],
)
def test_a_client_that_breaks_a_rule_of_fapi_is_told_the_setting(changes: dict[str, Any], names: str) -> None:
    profile = Profile.fapi2_security()

    assert profile.broken_by_client(FAPI_CLIENT) == ()
    with pytest.raises(ConfigurationError, match=r"FAPI 2\.0 Security Profile section 5") as raised:
        profile.check_client(attrs.evolve(FAPI_CLIENT, **changes))
    assert raised.value.setting == names
    attrs.evolve(profile, report_only=True).check_client(attrs.evolve(FAPI_CLIENT, **changes))


@pytest.mark.parametrize("profile", [Profile.oauth21(), Profile.rfc9700(), Profile.mcp(), Profile.fapi2_security()])
def test_no_client_is_allowed_what_the_server_must_not_allow(profile: Profile) -> None:
    for allowance in Allowance:
        in_policy = Policy.oauth21(allow=[allowance])
        names = {one.rule.name for one in server(policy=in_policy).rule_states(profile) if one.state == "not obeyed"}
        names -= {one.rule.name for one in server().rule_states(profile) if one.state == "not obeyed"}
        of_client = profile.broken_by_client(attrs.evolve(FAPI_CLIENT, allow=[allowance]))

        assert bool(of_client) == bool(names), allowance


def test_a_client_that_is_issued_nothing_breaks_no_rule() -> None:
    resource = Client(client_id="resource", grant_types=(), response_types=(), introspects_any=True)

    assert Profile.fapi2_security().broken_by_client(resource) == ()


def test_a_client_that_breaks_a_rule_is_refused_at_registration(drive: Drive) -> None:
    site = earlier(drive, Profile.fapi2_security())

    new = attrs.evolve(CONFIDENTIAL, client_id="new", response_types=("code",))

    with pytest.raises(ConfigurationError, match="private_key_jwt"):
        drive(site.server.clients.register(new), site.world)
    obeying = attrs.evolve(FAPI_CLIENT, client_id="obeying")
    assert drive(site.server.clients.register(obeying), site.world).client.client_id == "obeying"


def test_a_client_that_registers_itself_is_told_the_rule() -> None:
    site = earlier(run, Profile.fapi2_security(), registration=Registration(access=AnyoneMayRegister()))
    usual = {"redirect_uris": ["https://rp.example/cb"], "client_name": "an application"}

    response = register(site, **usual)

    assert refused(response, "invalid_client_metadata", "is broken by token_endpoint_auth_method")
    assert "authenticate by mutual TLS or private_key_jwt" in members(response)["error_description"]
    obeying = {
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_signing_alg": "ES256",
        "jwks": {"keys": [KEY.public.members]},
    }
    assert register(site, **usual, **obeying).status == 201


def test_a_client_from_before_is_refused_and_told_the_rule(drive: Drive) -> None:
    site = earlier(drive, Profile.fapi2_security(), dpop=Dpop(algorithms=["ES256"]))

    response = site.token(grant_type="client_credentials")

    assert refused(response, "unauthorized_client", "FAPI 2.0 Security Profile is broken")
    assert members(response)["error_description"] == (
        "a rule of this server is broken: clients authenticate by mutual TLS or private_key_jwt."
    )


def test_a_request_that_breaks_a_rule_is_refused(drive: Drive) -> None:
    site = earlier(drive, Profile.oauth21())
    bare = {"code_challenge": None, "code_challenge_method": None}
    client = attrs.evolve(CONFIDENTIAL, allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE})
    assert Profile.oauth21().broken_by_client(client)[0][0].name == "client_code_binding"

    assert params(site.authorize(site.alice, **bare))["error"] == "invalid_request"
    assert "interaction" in params(site.authorize(site.alice))


def test_what_would_be_refused_is_answered_and_reported_by_rule_and_client(drive: Drive) -> None:
    site = earlier(drive, Profile.fapi2_message_signing(report_only=True))

    tokens = site.tokens()

    assert "access_token" in tokens
    assert reported(site) == [
        # The code: of the client, then of the request.
        *("client_authentication", "client_response_types", "pushed_requests"),
        *("signed_requests", "signed_responses"),
        # The tokens: of the client again, and of the request, which has proven no key.
        *("client_authentication", "client_response_types", "sender_constrained"),
    ]
    assert {event.client_id for event in site.events if event.name.startswith("profile:")} == {"confidential"}


def test_a_client_of_the_hosts_whose_keys_can_not_be_read_is_reported_as_any_other(drive: Drive) -> None:
    site = earlier(drive, Profile.fapi2_security(report_only=True))
    stored = site.world.storage.find(Client, "confidential")
    assert stored is not None and site.world.storage.commit([Replace(stored, attrs.evolve(stored, jwks='{"keys": 1}'))])

    assert site.token(grant_type="client_credentials").status == 200
    assert "client_authentication" in reported(site)


def test_what_is_refused_anyway_is_not_reported(drive: Drive) -> None:
    site = earlier(drive, Profile.fapi2_security(report_only=True))

    assert site.token(grant_type="client_credentials", scope="unknown").status == 400
    assert "error" in params(site.authorize(site.alice, code_challenge="short"))
    assert reported(site) == []


def test_what_obeys_is_not_reported(drive: Drive) -> None:
    site = earlier(drive, Profile.oauth21(report_only=True))

    assert "access_token" in site.tokens()
    assert reported(site) == []


def test_tokens_that_are_bound_to_a_key_obey() -> None:
    bound = TokenTraits(
        FAPI_CLIENT, "client_credentials", Confirmation(jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
    )
    profile = Profile.fapi2_security()

    assert profile.broken_by_token_request(bound) == ()
    (rule,) = profile.broken_by_token_request(attrs.evolve(bound, confirmation=None))
    assert rule.name == "sender_constrained"


def test_a_host_adds_rules_of_its_own(drive: Drive) -> None:
    rule = Rule(
        name="acme_reads_no_mail",
        requirement="no client may request email",
        source="Acme's handbook 7",
        token=lambda traits: traits.grant_type != "client_credentials",
    )
    site = earlier(drive, Profile(name="oauth21", further=[rule]))

    assert refused(site.token(grant_type="client_credentials"), "invalid_request", "Acme's handbook 7")
    assert "access_token" in site.tokens()


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"name": "fapi1"}, "use one of oauth21"),
        ({"name": "fapi2_security", "parts": ("requests",)}, "with the profile fapi2_message_signing alone"),
        ({"name": "fapi2_message_signing", "parts": ("all",)}, "use some of requests, responses, introspection"),
        ({"name": "fapi2_message_signing"}, "name what has to be signed"),
    ],
)
def test_a_profile_that_can_not_be_is_refused(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        Profile(**settings)


def test_a_server_takes_no_name_for_a_profile() -> None:
    with pytest.raises(ConfigurationError, match=r"profile=Profile.fapi2_security\(\)"):
        server(profile="fapi2_security")


@pytest.mark.parametrize("name", ["oauth21", "rfc9700", "mcp", "fapi2_security", "fapi2_message_signing"])
def test_no_profile_leaves_the_password_grant_on(name: ProfileName) -> None:
    lax = server(policy=Policy.oauth20())

    broken = [one.rule.name for one in lax.rule_states(of_name(name)) if one.state == "not obeyed"]

    assert "no_password_grant" in broken


def test_a_pushed_request_without_its_redirect_uri_is_refused() -> None:
    site = earlier(run, Profile.fapi2_security())
    run(site.server.clients.register(FAPI_CLIENT, replace=True), site.world)

    def pushed(**values: str | None) -> Response:
        usual = {"response_type": "code", "scope": "email"}
        usual |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
        asserted = body(assertion(jti=f"j{len(values)}"), grant_type=None, **(usual | values))
        return site.post("/par", asserted)

    assert refused(pushed(), "invalid_request", "a pushed authorization request has a redirect_uri")
    assert pushed(redirect_uri="https://keyed.example/cb").status == 201


@pytest.mark.parametrize(("key", "alg", "status"), [(KEY, "ES256", 201), (RSA, "RS256", 400)], ids=["ES256", "RS256"])
def test_a_request_object_by_another_algorithm_than_those_of_fapi_is_refused(key: Jwk, alg: str, status: int) -> None:
    """A client need not have registered an algorithm."""
    site = earlier(run, Profile.fapi2_security())
    run(site.server.clients.register(FAPI_CLIENT, replace=True), site.world)
    asked = {"client_id": "keyed", "response_type": "code", "redirect_uri": "https://keyed.example/cb"}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "iss": "keyed", "aud": ISSUER}

    pushed = site.post("/par", body(assertion(), grant_type=None, request=sign_claims(asked, key, alg)))

    assert pushed.status == status
    assert status == 201 or refused(pushed, "invalid_request", "request objects are signed with")


def test_an_assertion_by_another_algorithm_than_those_of_fapi_is_refused() -> None:
    """A client need not have registered an algorithm."""
    site = earlier(run, Profile.fapi2_security())
    run(site.server.clients.register(attrs.evolve(FAPI_CLIENT, jwks=KEYED.jwks), replace=True), site.world)

    response = site.post("/par", body(assertion(key=RSA, alg="RS256"), grant_type=None))

    assert refused(response, "invalid_client", "its algorithm is not allowed here")


def test_browsers_are_redirected_by_303(site: Site) -> None:
    asked = site.authorize()

    assert asked.status == 303
    assert site.approve(asked).status == 303
