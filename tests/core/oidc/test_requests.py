"""OpenID Connect's request parameters, each obeyed or refused (OIDC Core section 3.1.2)."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest

from oauthcore import Allowance, AnyoneMayRegister, Client, Login, Need, Registration, Response, Secret, World, run
from oauthcore.oidc.id_token import half_hash
from oauthcore.openid import PROMPTS, STANDARD_CLAIMS, OpenID
from oauthcore.records.client import IdTokenClaims
from oauthcore.records.grant import Grant
from oauthcore.signing.keys import GivenKeys
from tests.core.oidc.provider import CALLBACK, PAIRWISE, RP, SECRETS, login_of, provider, use_keys
from tests.core.registering import change, register, use
from tests.core.signing_keys import key_for
from tests.core.site import (
    VERIFIER,
    Drive,
    Site,
    basic,
    form,
    handle_of,
    location,
    members,
    params,
    refused,
    refused_by_page,
)


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return a provider, under each driver."""
    return provider(drive)


def authorize(site: Site, login: Login | None = None, **changes: str | None) -> Response:
    """Send an authentication request that is right but for the changes."""
    parameters = {"client_id": "rp", "redirect_uri": CALLBACK, "scope": "openid", "nonce": "n"}
    unchallenged = {"code_challenge": None, "code_challenge_method": None}
    return site.authorize(login, **(parameters | unchallenged | changes))


def remembered(site: Site, login: Login | None = None, **changes: str | None) -> dict[str, str]:
    """Send a request, and answer what the person is asked, if anything; give the parameters at the client."""
    answer = authorize(site, login or site.alice, **changes)
    return params(site.approve(answer, login or site.alice) if "interaction" in params(answer) else answer)


def signing(site: Site) -> Site:
    """Have the tokens of a site signed for once."""
    site.world = attrs.evolve(site.world, sign=World(site.world.storage).sign)
    return site


def redeem(site: Site, code: str, client_id: str = "rp", redirect_uri: str = CALLBACK) -> dict[str, Any]:
    """Redeem a code."""
    body = form(grant_type="authorization_code", code=code, redirect_uri=redirect_uri)
    return members(site.post("/token", body, basic(client_id, SECRETS[client_id])))


def told(id_token: str) -> dict[str, Any]:
    """Read an unsigned ID token."""
    claims = json.loads(id_token)
    assert isinstance(claims, dict)
    return claims


def pending_need(site: Site, response: Response, login: Login | None = None) -> Need | None:
    """Tell what the application's page has to ask for."""
    pending = site.drive(site.server.interactions.find(handle_of(response), login), site.world)
    assert pending is not None
    need = pending.need
    assert need is None or isinstance(need, Need)
    return need


def test_a_code_is_redeemed_for_an_id_token_too(site: Site) -> None:
    answer = redeem(site, remembered(site)["code"])
    claims = told(answer["id_token"])

    assert claims["nonce"] == "n"
    assert claims["at_hash"] == half_hash(answer["access_token"], "RS256")
    assert claims["typ"] == "JWT"


def test_without_scope_openid_there_is_none(site: Site) -> None:
    assert "id_token" not in redeem(site, remembered(site, scope="email")["code"])


PAIRWISE_CALLBACK = PAIRWISE.redirect_uris[0]
STRICT = attrs.evolve(RP, allow=frozenset())


def test_a_code_that_was_asked_for_with_a_nonce_alone_brings_it_back(drive: Drive) -> None:
    """OAuth 2.1 section 7.5.1."""
    site = provider(drive, clients=(STRICT,))

    answer = redeem(site, remembered(site)["code"])

    assert told(answer["id_token"])["nonce"] == "n"


def test_a_verifier_for_a_code_that_a_nonce_binds_is_a_stripped_challenge(drive: Drive) -> None:
    """RFC 9700 section 4.8.2."""
    site = provider(drive, clients=(STRICT,))
    code = remembered(site)["code"]

    body = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK, code_verifier=VERIFIER)
    response = site.post("/token", body, basic("rp", SECRETS["rp"]))

    assert refused(response, "invalid_grant", "had no code_challenge")


def test_a_request_for_a_code_that_nothing_binds_says_what_it_lacks() -> None:
    answer = params(authorize(provider(clients=(STRICT,)), nonce=None))

    assert answer["error"] == "invalid_request"
    assert answer["error_description"] == "code_challenge is missing: send one, or scope openid with a nonce."


@pytest.mark.parametrize(("client", "leaves"), [(STRICT, "access_denied"), (RP, None)])
def test_no_code_leaves_that_nothing_binds_when_the_person_allows_no_id_token(
    client: Client, leaves: str | None
) -> None:
    site = provider(clients=(client,))

    back = site.approve(authorize(site, site.alice, scope="openid email"), site.alice, scope="email")

    assert params(back).get("error") == leaves


READING = attrs.evolve(RP, id_token_claims="all")
KNOWN = {"name": "Alice Liddell", "email": "alice@wonderland.example", "email_verified": True}


def test_a_client_that_reads_its_id_token_alone_finds_the_scopes_claims_there(drive: Drive) -> None:
    """OIDC Core section 2: an ID token may have other claims."""
    site = provider(drive, clients=(READING, PAIRWISE))

    asked: dict[str, Any] = {"scope": "openid profile email"}
    reading = redeem(site, remembered(site, **asked)["code"])
    other = remembered(site, client_id="pairwise", redirect_uri=PAIRWISE_CALLBACK, **asked)["code"]
    told_so = [told(tokens["id_token"]) for tokens in (reading, redeem(site, other, "pairwise", PAIRWISE_CALLBACK))]

    assert {name: told_so[0].get(name) for name in KNOWN} == KNOWN
    assert not KNOWN.keys() & told_so[1].keys()
    assert "address" not in told_so[0]


# Applications as their documentation configures them: what they ask for, and look for in the ID token.
# Auth.js reads name and address; Open WebUI as well, and asks UserInfo if the address is missing; Homarr also groups.
APPLICATIONS: dict[str, tuple[dict[str, Any], str, set[str]]] = {
    "Auth.js": ({"token_endpoint_auth_method": "client_secret_basic"}, "openid profile email", {"name", "email"}),
    "Open WebUI": ({"token_endpoint_auth_method": None}, "openid email profile", {"email", "name"}),
    "Homarr": (
        {"token_endpoint_auth_method": "client_secret_basic"},
        "openid email profile groups",
        {"preferred_username", "name", "email", "groups"},
    ),
}


@pytest.mark.parametrize("application", APPLICATIONS)
@pytest.mark.parametrize("words", ["all", "requested"])
def test_application_that_reads_its_id_token_alone_finds_there_what_it_looks_for(
    application: str, words: IdTokenClaims
) -> None:
    settings, scope, wanted = APPLICATIONS[application]
    client = attrs.evolve(RP, **settings, scope=scope, id_token_claims=words)
    openid = OpenID(scope_claims={**STANDARD_CLAIMS, "groups": ("groups",)})
    site = provider(clients=(client,), openid=openid)
    person = {"name": "Alice", "preferred_username": "alice", "email": "alice@wonderland.example", "groups": ["staff"]}
    site.world = attrs.evolve(site.world, claims=lambda asked: person)

    tokens = redeem(site, remembered(site, scope=scope, nonce=None)["code"])

    found = wanted & told(tokens["id_token"]).keys()
    assert found == (wanted if words == "all" else set())


@pytest.mark.parametrize("words", ["all", "requested"])
def test_a_client_that_registers_itself_finds_in_its_id_tokens_what_the_operator_says(words: IdTokenClaims) -> None:
    """RFC 7591 has no metadata for it, so the client can't choose: neither now nor by a change (RFC 7592)."""
    site = provider(registration=Registration(access=AnyoneMayRegister(), id_token_claims=words))
    metadata = {"redirect_uris": [CALLBACK], "scope": "openid email", "token_endpoint_auth_method": "none"}
    chosen = "requested" if words == "all" else "all"

    registered = members(register(site, id_token_claims=chosen, **metadata))
    changed = members(change(site, registered, id_token_claims=chosen, client_name="RP", **metadata))
    issued = members(use(site, changed, scope="openid email"))

    assert ("email" in told(issued["id_token"])) is (words == "all")


def test_a_refresh_for_less_tells_less(drive: Drive) -> None:
    site = provider(drive, clients=(READING,))
    first = redeem(site, remembered(site, scope="openid profile email")["code"])

    body = form(grant_type="refresh_token", refresh_token=first["refresh_token"], scope="openid profile")
    second = members(site.post("/token", body, basic("rp", SECRETS["rp"])))

    assert told(second["id_token"])["name"] == "Alice Liddell"
    assert "email" not in told(second["id_token"])


@pytest.mark.parametrize("response_type", ["code id_token", "id_token token"])
def test_an_id_token_that_goes_through_the_browser_tells_no_more_for_that(response_type: str) -> None:
    site = provider(clients=(READING,))

    answer = remembered(site, scope="openid email", response_type=response_type)

    assert "email" not in told(answer["id_token"])


def test_what_the_person_took_out_is_in_no_id_token() -> None:
    site = provider(clients=(READING,))
    back = site.approve(authorize(site, site.alice, scope="openid profile email"), site.alice, scope="openid email")

    claims = told(redeem(site, params(back)["code"])["id_token"])

    assert "email" in claims
    assert "name" not in claims


def test_a_refresh_gives_another_one_without_the_nonce(site: Site) -> None:
    """OIDC Core section 12.2."""
    first = redeem(site, remembered(site)["code"])
    site.clock.advance(10)
    body = form(grant_type="refresh_token", refresh_token=first["refresh_token"])

    second = members(site.post("/token", body, basic("rp", SECRETS["rp"])))
    again = members(site.post("/token", body, basic("rp", SECRETS["rp"])))

    before, after = told(first["id_token"]), told(second["id_token"])
    assert "nonce" not in after
    assert (after["sub"], after["auth_time"], after["iat"]) == (before["sub"], before["auth_time"], before["iat"] + 10)
    assert after["at_hash"] == half_hash(second["access_token"], "RS256")
    assert again == second


@pytest.mark.parametrize(
    ("response_type", "expected"),
    [
        ("id_token", {"id_token"}),
        ("id_token token", {"id_token", "access_token", "token_type", "expires_in", "scope"}),
        ("token id_token", {"id_token", "access_token", "token_type", "expires_in", "scope"}),
        ("code id_token", {"code", "id_token"}),
        ("code token", {"code", "access_token", "token_type", "expires_in", "scope"}),
        ("code id_token token", {"code", "id_token", "access_token", "token_type", "expires_in", "scope"}),
    ],
)
def test_each_response_type_gives_what_it_names_in_the_fragment(
    site: Site, response_type: str, expected: set[str]
) -> None:
    response = site.approve(authorize(site, site.alice, response_type=response_type), site.alice)

    assert location(response).startswith(f"{CALLBACK}#")
    assert set(params(response)) == expected | {"state", "iss"}


def test_what_leaves_beside_an_id_token_is_hashed_into_it(site: Site) -> None:
    answer = remembered(site, response_type="code id_token token")
    claims = told(answer["id_token"])

    assert claims["c_hash"] == half_hash(answer["code"], "RS256")
    assert claims["at_hash"] == half_hash(answer["access_token"], "RS256")
    assert claims["s_hash"] == half_hash("s", "RS256")


def test_the_code_of_a_hybrid_answer_is_redeemed_for_the_same_person(site: Site) -> None:
    answer = remembered(site, response_type="code id_token")

    claims = told(redeem(site, answer["code"])["id_token"])

    front = told(answer["id_token"])
    assert [claims[name] for name in ("sub", "iss", "nonce")] == [front[name] for name in ("sub", "iss", "nonce")]


def test_an_id_token_alone_has_the_claims_of_a_scope_that_was_meant_and_not_named(drive: Drive) -> None:
    site = provider(drive, clients=(attrs.evolve(RP, default_scope="openid email"),))

    claims = told(remembered(site, scope=None, response_type="id_token")["id_token"])

    assert claims["email"] == "alice@wonderland.example"


def test_an_id_token_alone_has_the_scope_s_claims(site: Site) -> None:
    alone = told(remembered(site, response_type="id_token", scope="openid email")["id_token"])
    beside = told(remembered(site, response_type="id_token token", scope="openid email")["id_token"])

    assert alone["email"] == "alice@wonderland.example"
    assert "email" not in beside
    assert "secret_of_the_application" not in alone


@pytest.mark.parametrize("response_type", ["id_token", "id_token token", "code id_token", "code id_token token"])
@pytest.mark.parametrize("missing", ["nonce", "scope"])
def test_an_id_token_takes_a_nonce_and_scope_openid(site: Site, response_type: str, missing: str) -> None:
    changes: dict[str, str | None] = {"nonce": None} if missing == "nonce" else {"scope": "email"}

    answer = authorize(site, site.alice, response_type=response_type, **changes)

    assert location(answer).startswith(f"{CALLBACK}#")
    assert params(answer)["error"] == "invalid_request"


@pytest.mark.parametrize("response_type", ["id_token", "code id_token", "code token"])
def test_a_token_is_never_sent_in_a_query(site: Site, response_type: str) -> None:
    answer = authorize(site, site.alice, response_type=response_type, response_mode="query")

    assert location(answer).startswith(f"{CALLBACK}#error=invalid_request")


def test_a_form_carries_an_id_token(site: Site) -> None:
    asked = authorize(site, site.alice, response_type="code id_token", response_mode="form_post")

    page = site.approve(asked, site.alice).body.decode()

    assert 'name="id_token"' in page
    assert 'name="code"' in page


def test_a_client_has_to_be_registered_for_what_it_asks(drive: Drive) -> None:
    client = attrs.evolve(RP, response_types=("code",), grant_types=("authorization_code",))
    site = provider(drive, clients=(client,))

    assert params(authorize(site, site.alice, response_type="code id_token"))["error"] == "unauthorized_client"


@pytest.mark.parametrize(
    ("prompt", "first"),
    [
        ("login", Need.LOGIN),
        ("select_account", Need.SELECT_ACCOUNT),
        ("consent", Need.CONSENT),
        ("login consent", Need.LOGIN),
        ("select_account login", Need.SELECT_ACCOUNT),
    ],
)
def test_a_prompt_is_obeyed_though_the_person_is_known(site: Site, prompt: str, first: Need) -> None:
    remembered(site)

    answer = authorize(site, site.alice, prompt=prompt)

    assert pending_need(site, answer) is first


def test_an_account_that_was_selected_is_not_asked_for_again(site: Site) -> None:
    remembered(site)
    asked = authorize(site, site.alice, prompt="select_account")
    bob = Login(subject="bob", auth_time=site.now - 500)

    sent = site.drive(site.server.interactions.finish(handle_of(asked), bob), site.world)

    assert pending_need(site, sent, bob) is Need.CONSENT
    assert "code" in params(site.approve(asked, bob))


def test_creating_an_account_is_refused_where_the_application_can_not(site: Site) -> None:
    """Initiating User Registration via OpenID Connect 1.0 section 4.1."""
    assert params(authorize(site, site.alice, prompt="create"))["error"] == "invalid_request"


def test_creating_an_account_is_asked_for_where_the_application_can(drive: Drive) -> None:
    site = provider(drive, openid=OpenID(prompts=PROMPTS))

    asked = authorize(site, site.alice, prompt="create")

    assert pending_need(site, asked, site.alice) is Need.CREATE
    assert "code" in params(site.approve(asked, Login(subject="carol", auth_time=site.now)))


@pytest.mark.parametrize("prompt", ["none login", "none consent", "none select_account", "nonsense"])
def test_a_prompt_that_can_not_be_obeyed_is_refused(site: Site, prompt: str) -> None:
    assert params(authorize(site, site.alice, prompt=prompt))["error"] == "invalid_request"


def test_prompt_none_is_answered_without_a_page(site: Site) -> None:
    assert params(authorize(site, None, prompt="none"))["error"] == "login_required"
    assert params(authorize(site, site.alice, prompt="none"))["error"] == "consent_required"
    remembered(site)
    assert "code" in params(authorize(site, site.alice, prompt="none"))


@pytest.mark.parametrize(("max_age", "is_good"), [("1000", True), ("999", False), ("0", False), ("10000", True)])
def test_a_login_may_be_as_old_as_max_age(site: Site, max_age: str, is_good: bool) -> None:
    remembered(site)

    answer = params(authorize(site, login_of(), max_age=max_age, prompt="none"))

    assert answer.get("error") == (None if is_good else "login_required")


def test_who_signs_in_for_max_age_0_is_not_asked_for_ever(site: Site) -> None:
    asked = authorize(site, login_of(), max_age="0")
    assert pending_need(site, asked, login_of()) is Need.LOGIN
    site.clock.advance(5)

    fresh = Login(subject="alice", auth_time=site.now)
    site.clock.advance(5)

    assert "code" in params(site.approve(asked, fresh))


@pytest.mark.parametrize("changes", [{"prompt": "login"}, {"max_age": "0"}], ids=["prompt", "max_age"])
def test_who_signed_in_before_the_request_has_to_again_though_it_was_within_the_same_second(
    site: Site, changes: dict[str, str]
) -> None:
    before = login_of(auth_time=site.now)
    started = authorize(site, before, **changes)

    assert pending_need(site, started, before) is Need.LOGIN
    finished = site.drive(site.server.interactions.finish(handle_of(started), before), site.world)
    assert pending_need(site, finished, before) is Need.LOGIN


def test_a_client_s_own_max_age_counts_where_the_request_has_none(drive: Drive) -> None:
    site = provider(drive, clients=(attrs.evolve(RP, default_max_age=100),))

    assert params(authorize(site, login_of(), prompt="none"))["error"] == "login_required"
    assert params(authorize(site, login_of(), prompt="none", max_age="2000"))["error"] == "consent_required"


@pytest.mark.parametrize("max_age", ["-1", "1.5", "soon", "٣", "99999999999"])
def test_a_max_age_that_is_no_number_of_seconds_is_refused(site: Site, max_age: str) -> None:
    assert params(authorize(site, site.alice, max_age=max_age))["error"] == "invalid_request"


def test_a_subject_that_is_asked_for_has_to_sign_in(site: Site) -> None:
    remembered(site)
    claims = json.dumps({"id_token": {"sub": {"value": "bob"}}})

    assert params(authorize(site, site.alice, claims=claims, prompt="none"))["error"] == "login_required"
    assert pending_need(site, authorize(site, site.alice, claims=claims), site.alice) is Need.LOGIN


@pytest.mark.parametrize("client", [RP, PAIRWISE], ids=lambda client: client.client_id)
def test_whoever_a_hint_names_has_to_be_signed_in(drive: Drive, client: Client) -> None:
    site = signing(provider(drive))
    uri = client.redirect_uris[0]
    mine: dict[str, str | None] = {"client_id": client.client_id, "redirect_uri": uri}
    hint = redeem(site, remembered(site, None, **mine)["code"], client.client_id, uri)["id_token"]
    bob = Login(subject="bob", auth_time=site.now)
    site.clock.advance(1_000_000)  # a hint may have expired

    assert "code" in params(authorize(site, site.alice, id_token_hint=hint, prompt="none", **mine))
    assert params(authorize(site, bob, id_token_hint=hint, prompt="none", **mine))["error"] == "login_required"
    assert pending_need(site, authorize(site, bob, id_token_hint=hint, **mine), bob) is Need.LOGIN


def test_a_hint_of_another_client_s_is_none(drive: Drive) -> None:
    site = signing(provider(drive))
    hint = redeem(site, remembered(site)["code"])["id_token"]

    answer = authorize(
        site, site.alice, id_token_hint=hint, client_id="pairwise", redirect_uri=PAIRWISE.redirect_uris[0]
    )

    assert pending_need(site, answer, site.alice) is Need.CONSENT


def test_a_hint_that_proves_nothing_is_ignored_where_the_person_can_be_asked(drive: Drive) -> None:
    """Its key may merely be gone: clients keep ID tokens for longer than the server keeps keys."""
    site = signing(provider(drive))
    hint = redeem(site, remembered(site)["code"])["id_token"]
    use_keys(site, GivenKeys([key_for("RS256", 1)]))

    for unverifiable in (hint, "nonsense"):
        assert "code" in params(authorize(site, site.alice, id_token_hint=unverifiable))
        assert pending_need(site, authorize(site, None, id_token_hint=unverifiable), None) is Need.LOGIN
        silent = params(authorize(site, site.alice, id_token_hint=unverifiable, prompt="none"))
        assert silent["error"] == "login_required"


def test_a_hint_is_known_by_a_key_that_is_published_no_more(drive: Drive) -> None:
    site = signing(provider(drive))
    hint = redeem(site, remembered(site)["code"])["id_token"]
    use_keys(site, GivenKeys([key_for("RS256", 1)], hint_keys=[key_for("RS256").public]))
    bob = Login(subject="bob", auth_time=site.now)

    assert "code" in params(authorize(site, site.alice, id_token_hint=hint, prompt="none"))
    assert params(authorize(site, bob, id_token_hint=hint, prompt="none"))["error"] == "login_required"


def test_a_hint_that_proves_nothing_is_not_kept_while_the_person_is_asked(drive: Drive) -> None:
    site = signing(provider(drive))

    asked = authorize(site, None, id_token_hint="nonsense")

    carried = site.server.context().handles.read("interaction", Secret(handle_of(asked)))
    assert carried is not None
    assert "id_token_hint" not in carried["request"]


def test_a_signed_access_token_is_no_hint(drive: Drive) -> None:
    site = signing(provider(drive, clients=(attrs.evolve(RP, access_token_format="jwt"),)))
    access_token = redeem(site, remembered(site)["code"])["access_token"]
    assert access_token.count(".") == 2

    answer = authorize(site, site.alice, id_token_hint=access_token, prompt="none")

    assert params(answer)["error"] == "login_required"


def test_an_essential_authentication_context_is_demanded(site: Site) -> None:
    """OIDC Core section 5.5.1.1, and OpenID Connect Core Unmet Authentication Requirements 1.0."""
    remembered(site)
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2", "3"]}}})
    asked = authorize(site, login_of(), claims=claims)
    pending = run(site.server.interactions.find(handle_of(asked), login_of()), site.world)
    assert pending is not None
    assert (pending.need, pending.acr_values) == (Need.LOGIN, ("2", "3"))
    site.clock.advance(1)

    strong = site.approve(asked, attrs.evolve(site.alice, acr="3"))

    assert told(redeem(site, params(strong)["code"])["id_token"])["acr"] == "3"


def test_an_essential_context_that_was_not_reached_is_told_to_the_client(site: Site) -> None:
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2"]}}})
    asked = authorize(site, site.alice, claims=claims)
    site.clock.advance(1)

    answer = site.approve(asked, attrs.evolve(site.alice, acr="1"))

    assert params(answer)["error"] == "unmet_authentication_requirements"


def test_a_context_that_is_asked_for_forges_no_line_of_the_log(site: Site) -> None:
    claims = json.dumps({"id_token": {"acr": {"essential": True, "values": ["2\n2026-01-01 ERROR forged"]}}})
    asked = authorize(site, site.alice, claims=claims)
    site.clock.advance(1)

    answer = site.approve(asked, attrs.evolve(site.alice, acr="1"))

    assert answer.refusal is not None
    assert answer.refusal.reason == "acr is 1, not one of 2\\n2026-01-01 ERROR forged"


def test_a_context_that_would_be_nice_is_told_to_the_page_alone(site: Site) -> None:
    asked = authorize(site, None, acr_values="3 2")
    pending = run(site.server.interactions.find(handle_of(asked)), site.world)
    assert pending is not None
    assert pending.acr_values == ("3", "2")

    assert "code" in params(site.approve(asked, site.alice))


def test_the_page_is_told_what_the_client_wishes_of_it(site: Site) -> None:
    asked = authorize(
        site,
        None,
        display="popup",
        ui_locales="de-AT de en",
        login_hint="alice@wonderland.example",
        claims_locales="de",
    )

    pending = run(site.server.interactions.find(handle_of(asked)), site.world)

    assert pending is not None
    assert pending.display == "popup"
    assert pending.ui_locales == ("de-AT", "de", "en")
    assert pending.login_hint == "alice@wonderland.example"


@pytest.mark.parametrize(
    ("parameter", "value", "code"),
    [
        ("display", "hologram", "invalid_request"),
        ("claims", "no json", "invalid_request"),
        ("registration", "{}", "registration_not_supported"),
    ],
)
def test_what_can_not_be_obeyed_is_refused_by_its_own_error(site: Site, parameter: str, value: str, code: str) -> None:
    assert params(authorize(site, site.alice, **{parameter: value}))["error"] == code


def test_claims_that_are_asked_for_by_name_are_consented_to(site: Site) -> None:
    remembered(site)
    claims = json.dumps({"id_token": {"email": None}, "userinfo": {"phone_number": None, "unheard_of": None}})
    asked = authorize(site, site.alice, claims=claims)
    pending = run(site.server.interactions.find(handle_of(asked), site.alice), site.world)
    assert pending is not None
    assert (pending.need, pending.claims) == (Need.CONSENT, ("phone_number", "email"))

    answer = redeem(site, params(site.approve(asked, site.alice))["code"])

    assert told(answer["id_token"])["email"] == "alice@wonderland.example"
    assert "code" in params(authorize(site, site.alice, claims=claims, prompt="none"))


def test_no_text_of_a_links_maker_is_shown_to_the_person(site: Site) -> None:
    names = ("email#de", "email#zh-Hans-CN", "email#", "email#a b", "email#-", "email#Call 555-0100 now", "email#a#b")
    asked = authorize(site, site.alice, claims=json.dumps({"id_token": dict.fromkeys((*names, "email#" + "a" * 36))}))

    pending = run(site.server.interactions.find(handle_of(asked), site.alice), site.world)

    assert pending is not None
    assert pending.claims == ("email#de", "email#zh-Hans-CN")


def test_a_scope_that_is_refused_takes_its_claims_along(site: Site) -> None:
    claims = json.dumps({"id_token": {"email": None, "name": None}})
    asked = authorize(site, site.alice, scope="openid email profile", claims=claims)

    answer = redeem(site, params(site.approve(asked, site.alice, "openid profile"))["code"])

    assert told(answer["id_token"])["name"] == "Alice Liddell"
    assert "email" not in told(answer["id_token"])


def test_a_claim_that_the_client_is_not_registered_for_is_not_given(drive: Drive) -> None:
    site = provider(drive, clients=(attrs.evolve(RP, scope="openid"),))
    claims = json.dumps({"id_token": {"email": None}})

    answer = redeem(site, params(site.approve(authorize(site, site.alice, claims=claims), site.alice))["code"])

    assert "email" not in told(answer["id_token"])


def test_no_id_token_is_given_that_the_person_did_not_allow(site: Site) -> None:
    asked = authorize(site, site.alice, response_type="id_token", scope="openid email")

    assert params(site.approve(asked, site.alice, "email"))["error"] == "access_denied"


def test_offline_access_is_given_to_who_asks_anew_and_for_a_code(site: Site) -> None:
    """OIDC Core section 11."""
    asked = authorize(site, site.alice, scope="openid offline_access", prompt="consent")
    assert redeem(site, params(site.approve(asked, site.alice))["code"])["scope"] == "openid offline_access"

    quiet = authorize(site, site.alice, scope="openid offline_access")
    assert redeem(site, params(quiet)["code"])["scope"] == "openid"

    front = authorize(site, site.alice, scope="openid offline_access", prompt="consent", response_type="id_token token")
    assert params(site.approve(front, site.alice))["scope"] == "openid"


def test_offline_access_on_remembered_consent_is_opened_by_name(drive: Drive) -> None:
    client = attrs.evolve(RP, allow=RP.allow | {Allowance.OFFLINE_WITHOUT_CONSENT})
    site = provider(drive, clients=(client,))
    remembered(site, scope="openid offline_access")

    answer = authorize(site, site.alice, scope="openid offline_access")

    assert redeem(site, params(answer)["code"])["scope"] == "openid offline_access"


def test_a_pairwise_client_is_told_its_own_name_for_the_person(site: Site) -> None:
    uri = PAIRWISE.redirect_uris[0]
    asked = authorize(site, site.alice, client_id="pairwise", redirect_uri=uri)

    answer = redeem(site, params(site.approve(asked, site.alice))["code"], "pairwise", uri)

    assert told(answer["id_token"])["sub"] not in {"alice", ""}


def test_the_grant_remembers_how_the_person_was_authenticated(site: Site) -> None:
    strong = site.drive(site.server.sessions.sign_in("alice", acr="3", amr=("hwk",)), site.world)
    remembered(site, strong)

    (grant,) = site.world.storage.find_of(Grant, "alice")

    assert (grant.acr, grant.amr, grant.sid) == ("3", ("hwk",), strong.sid)


def test_a_server_without_openid_ignores_its_parameters_and_refuses_its_scope(drive: Drive) -> None:
    site = provider(drive)
    site.server._latest = attrs.evolve(site.server.context(), openid=None)

    answer = redeem(site, remembered(site, claims="no json", scope=None)["code"])
    named = params(authorize(site, site.alice, scope="openid email"))

    assert "id_token" not in answer
    assert (named["error"], named["error_description"]) == (
        *("invalid_scope", "scope openid was requested, but this server does not offer OpenID Connect."),
    )


def test_an_unknown_client_is_a_page_whatever_it_asks_for(site: Site) -> None:
    assert refused_by_page(authorize(site, site.alice, client_id="nobody"))


def test_a_replayed_code_gives_no_second_id_token(site: Site) -> None:
    code = remembered(site)["code"]
    redeem(site, code)

    body = form(grant_type="authorization_code", code=code, redirect_uri=CALLBACK)

    assert refused(site.post("/token", body, basic("rp", SECRETS["rp"])), "invalid_grant", "redeemed before")
