"""Rich authorization requests: details are requested, shown, allowed in part, and said by the tokens (RFC 9396)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from oauthcore import (
    AnyoneMayRegister,
    AuthorizationDetails,
    ConfigurationError,
    DetailType,
    DeviceGrant,
    Dpop,
    Need,
    Policy,
    PushedRequests,
    Registration,
    Response,
    Secret,
    run,
)
from oauthcore.authorization.request_object import parameters_in
from oauthcore.authorization_details import MAX_DETAILS, Detail
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.errors import InvalidRequestObject
from oauthcore.policy import RefreshRotation
from oauthcore.resource.access import access_of_members
from oauthcore.scope import Scope
from oauthcore.testing import SeededEntropy
from tests.core.dpop.proving import proof
from tests.core.pushed.pushing import push, pushed, use
from tests.core.registering import register
from tests.core.site import (
    CONFIDENTIAL,
    PUBLIC,
    RESOURCE,
    SECRETS,
    Drive,
    Site,
    basic,
    form,
    handle_of,
    location,
    make_site,
    members,
    params,
    refused,
    refused_by_page,
)

TEN: dict[str, Any] = {"type": "payment", "amount": 10, "to": "DE02 1001"}
FIVE = TEN | {"amount": 5}
ACCOUNT: dict[str, Any] = {"type": "https://bank.example/account", "actions": ["read"]}


def check_payment(detail: Detail) -> str | None:
    """Take an amount and an account, and nothing else."""
    if set(detail) != {"type", "amount", "to"}:
        return "it has an amount and a receiver, and nothing else"
    return None if isinstance(detail["amount"], int) else "the amount is no number"


PAYMENT = DetailType(
    name="payment",
    check=check_payment,
    describe=lambda detail: f"Pay {detail['amount']} € to {detail['to']}",
    is_within=lambda wanted, allowed: wanted["to"] == allowed["to"] and wanted["amount"] <= allowed["amount"],  # type: ignore[operator]  # integers, as was checked
)
READING = DetailType(name=ACCOUNT["type"], check=lambda _: None, describe=lambda _: "Read your accounts")
TYPES = AuthorizationDetails([PAYMENT, READING])
BANK = attrs.evolve(CONFIDENTIAL, authorization_details_types=["payment", ACCOUNT["type"]])


def site_of(drive: Drive, **settings: Any) -> Site:
    """Make a site that knows two types, with one client for both."""
    defaults: dict[str, Any] = {"authorization_details": TYPES, "clients": (BANK, PUBLIC, RESOURCE)}
    return make_site(drive, secrets=SECRETS, **(defaults | settings))


@pytest.fixture
def site(drive: Drive) -> Site:
    """Return such a site."""
    return site_of(drive)


def ask(site: Site, *details: Mapping[str, object], **changes: str | None) -> Response:
    """Request details."""
    return site.authorize(site.alice, authorization_details=json.dumps(details), **changes)


def allow(site: Site, page: Response, *details: Mapping[str, object]) -> str:
    """Be the user who allows the scope and these details; return the code."""
    flow = site.server.interactions.finish(handle_of(page), site.alice, ["email"], details=details)
    return params(site.get(location(site.drive(flow, site.world))))["code"]


def test_details_are_shown_and_said_by_everything_that_comes_of_them(site: Site) -> None:
    page = ask(site, TEN, ACCOUNT)

    pending = site.drive(site.server.interactions.find(handle_of(page)), site.world)
    assert pending.need is Need.CONSENT
    assert [one.description for one in pending.details] == ["Pay 10 € to DE02 1001", "Read your accounts"]
    assert [one.members for one in pending.details] == [TEN, ACCOUNT]

    tokens = members(site.redeem(allow(site, page, TEN, ACCOUNT)))

    assert tokens["authorization_details"] == [TEN, ACCOUNT]
    assert site.introspect(tokens["access_token"], "resource")["authorization_details"] == [TEN, ACCOUNT]
    access = site.drive(site.server.tokens(Secret(tokens["access_token"])), site.world)
    assert access.authorization_details == (TEN, ACCOUNT)
    refreshed = members(site.refresh(tokens["refresh_token"]))
    assert refreshed["authorization_details"] == [TEN, ACCOUNT]


def test_a_user_may_allow_less(site: Site) -> None:
    page = ask(site, TEN, ACCOUNT)

    assert members(site.redeem(allow(site, page, FIVE)))["authorization_details"] == [FIVE]


def test_a_user_may_allow_none_of_them(site: Site) -> None:
    page = ask(site, TEN)

    assert "authorization_details" not in members(site.redeem(allow(site, page)))


@pytest.mark.parametrize("reported", [[TEN | {"amount": 11}], [TEN | {"to": "DE03"}], [ACCOUNT], [TEN | {"type": "x"}]])
def test_an_application_can_not_report_more_than_was_requested(site: Site, reported: list[dict[str, object]]) -> None:
    handle = handle_of(ask(site, TEN))

    response = site.drive(site.server.interactions.finish(handle, site.alice, ["email"], details=reported), site.world)

    assert refused_by_page(response, "not asked for")


def test_a_page_that_does_not_show_details_allows_nothing(site: Site) -> None:
    handle = handle_of(ask(site, TEN))

    response = site.drive(site.server.interactions.finish(handle, site.alice, ["email"]), site.world)

    assert refused_by_page(response, "without the authorization details")


def test_consent_to_details_is_never_remembered(site: Site) -> None:
    _ = allow(site, ask(site, TEN), TEN)

    # The scope was, and a request without details needs no page.
    assert "code" in params(site.authorize(site.alice))
    assert "interaction" in params(ask(site, TEN))
    assert params(ask(site, TEN, prompt="none"))["error"] == "consent_required"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no json", "not JSON"),
        ('[{"type":"payment","type":"payment"}]', "not JSON"),
        ("{}", "array"),
        ("[]", "array"),
        ("null", "array"),
        (json.dumps([TEN] * (MAX_DETAILS + 1)), "array"),
        ("[1]", "no object"),
        ('[{"amount":1}]', "no object with a type"),
        ('[{"type":1}]', "no object with a type"),
        ('[{"type":"unknown"}]', "unknown, or not one of this client"),
    ],
)
def test_malformed_details_are_refused_with_the_reason(site: Site, text: str, says: str) -> None:
    answer = params(site.authorize(site.alice, authorization_details=text))

    assert answer["error"] == "invalid_authorization_details"
    assert says in answer["error_description"]


def test_a_member_that_the_type_does_not_have_is_refused(site: Site) -> None:
    response = ask(site, TEN | {"recurring": True})

    assert params(response)["error"] == "invalid_authorization_details"
    assert response.refusal is not None
    assert "nothing else" in response.refusal.reason


def test_a_client_uses_the_types_that_it_is_registered_for(site: Site) -> None:
    changes = {"client_id": "public", "redirect_uri": "https://public.example/cb"}

    assert params(ask(site, TEN, **changes))["error"] == "invalid_authorization_details"


def test_equal_details_are_one_however_they_are_spelled(site: Site) -> None:
    page = ask(site, TEN, dict(reversed(TEN.items())))

    pending = site.drive(site.server.interactions.find(handle_of(page)), site.world)

    assert [one.members for one in pending.details] == [TEN]


def test_a_token_may_be_for_less_than_was_allowed(site: Site) -> None:
    code = allow(site, ask(site, TEN, ACCOUNT), TEN, ACCOUNT)

    tokens = members(site.redeem(code, authorization_details=json.dumps([FIVE])))
    assert tokens["authorization_details"] == [FIVE]
    # The grant keeps the whole.
    whole = members(site.refresh(tokens["refresh_token"]))
    assert whole["authorization_details"] == [TEN, ACCOUNT]


def test_a_token_is_for_nothing_that_was_not_allowed(site: Site) -> None:
    code = allow(site, ask(site, TEN), FIVE)

    assert refused(site.redeem(code, authorization_details=json.dumps([TEN])), "invalid_authorization_details")
    # The code is not used up by that.
    assert members(site.redeem(code))["authorization_details"] == [FIVE]


def test_an_honest_retry_of_a_refresh_has_the_same_details(site: Site) -> None:
    first = members(site.redeem(allow(site, ask(site, TEN), TEN)))["refresh_token"]
    less = json.dumps([FIVE])

    def refresh(details: str | None) -> Response:
        return site.token(grant_type="refresh_token", refresh_token=first, authorization_details=details)

    answer = members(refresh(less))

    assert answer["authorization_details"] == [FIVE]
    assert members(refresh(less)) == answer
    assert refused(refresh(None), "invalid_grant", "other authorization details")


def test_a_type_that_a_client_has_lost_is_said_no_more(drive: Drive) -> None:
    site = site_of(drive)
    tokens = members(site.redeem(allow(site, ask(site, TEN, ACCOUNT), TEN, ACCOUNT)))

    drive(site.server.clients.update("confidential", authorization_details_types=["payment"]), site.world)

    assert members(site.refresh(tokens["refresh_token"]))["authorization_details"] == [TEN]


def test_a_client_s_own_token_has_none(site: Site) -> None:
    response = site.token(grant_type="client_credentials", authorization_details=json.dumps([TEN]))

    assert refused(response, "invalid_authorization_details")


def test_a_jwt_says_them_too(drive: Drive) -> None:
    members_ = {"authorization_details": [TEN], "iss": "https://as.example"}

    access = access_of_members(members_, "c", Scope())

    assert access is not None
    assert access.authorization_details == (TEN,)
    assert access_of_members({"authorization_details": [1]}, "c", Scope()) is None
    assert access_of_members({"authorization_details": {}}, "c", Scope()) is None


def test_details_are_pushed_and_checked_then(drive: Drive) -> None:
    site = site_of(drive, pushed_requests=PushedRequests())

    assert refused(push(site, authorization_details='[{"type":"x"}]'), "invalid_authorization_details")
    page = use(site, pushed(site, authorization_details=json.dumps([TEN])), site.alice)
    assert members(site.redeem(allow(site, page, TEN)))["authorization_details"] == [TEN]


def test_the_metadata_names_the_types(site: Site, drive: Drive) -> None:
    path = "/.well-known/oauth-authorization-server"

    assert members(site.get(path))["authorization_details_types_supported"] == ["payment", ACCOUNT["type"]]
    assert "authorization_details_types_supported" not in members(make_site(drive).get(path))


def test_without_types_the_parameter_is_unknown(drive: Drive) -> None:
    site = make_site(drive)

    assert "authorization_details" not in members(site.redeem(site.code(authorization_details="[{}]")))


def test_a_client_registers_the_types_that_it_uses() -> None:
    site = site_of(run, registration=Registration(access=AnyoneMayRegister()))
    usual = {"redirect_uris": ["https://rp.example/cb"]}

    assert members(register(site, **usual, authorization_details_types=["payment"]))["authorization_details_types"] == [
        "payment"
    ]
    assert refused(register(site, **usual, authorization_details_types=["x"]), "invalid_client_metadata")


@pytest.mark.parametrize(
    ("made", "says"),
    [
        (lambda: AuthorizationDetails([]), "add a type"),
        (lambda: AuthorizationDetails([PAYMENT, PAYMENT]), "name each type once"),
        (lambda: AuthorizationDetails(["payment"]), "give a list of DetailType"),  # type: ignore[list-item]  # is refused
        (lambda: attrs.evolve(PAYMENT, name="a payment"), "without spaces"),
        (lambda: attrs.evolve(PAYMENT, describe="Pay"), "give a function"),  # type: ignore[arg-type]  # is refused
        (lambda: make_site(run, authorization_details=[PAYMENT]), "AuthorizationDetails"),
    ],
)
def test_settings_that_can_not_be_are_refused(made: Any, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        made()


def test_details_in_a_request_object_are_an_array() -> None:
    """RFC 9396 section 3: not the text that they are outside of one."""
    assert parameters_in({"authorization_details": [TEN]}) == {
        "authorization_details": '[{"type":"payment","amount":10,"to":"DE02 1001"}]'
    }
    with pytest.raises(InvalidRequestObject):
        parameters_in({"authorization_details": TEN})


def test_a_device_is_refused_details_which_its_page_does_not_show() -> None:
    site = site_of(
        run,
        device=DeviceGrant(),
        clients=(attrs.evolve(BANK, grant_types=[DEVICE_CODE], response_types=[]), PUBLIC, RESOURCE),
    )

    response = site.post(
        "/device_authorization",
        form(scope="email", authorization_details=json.dumps([TEN])),
        basic("confidential", SECRETS["confidential"]),
    )

    assert refused(response, "invalid_authorization_details", "can't be requested in this way")


def test_a_server_that_has_given_up_the_types_says_nothing_of_them(drive: Drive) -> None:
    site = site_of(drive)
    tokens = members(site.redeem(allow(site, ask(site, TEN), TEN)))
    plain = make_site(drive, clients=(), entropy=SeededEntropy(7))
    site.server = plain.server

    assert "authorization_details" not in members(site.refresh(tokens["refresh_token"]))


def test_a_refresh_token_that_is_not_rotated_brings_them_too() -> None:
    policy = Policy(refresh_rotation=RefreshRotation.UNLESS_SENDER_CONSTRAINED)
    site = site_of(run, dpop=Dpop(), policy=policy)
    tokens = members(site.redeem(allow(site, ask(site, TEN), TEN)))
    asked = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    def refresh(**more: str) -> dict[str, Any]:
        headers = (basic("confidential", SECRETS["confidential"]), ("DPoP", proof(site.now)))
        return members(site.post("/token", form(**asked, **more), *headers))

    kept = refresh()
    assert "refresh_token" not in kept
    assert kept["authorization_details"] == [TEN]
    assert refresh(authorization_details=json.dumps([FIVE]))["authorization_details"] == [FIVE]


def test_a_token_that_goes_through_the_browser_has_them() -> None:
    client = attrs.evolve(BANK, grant_types=["implicit"], response_types=["token"])
    site = site_of(run, policy=Policy.oauth20(), clients=(client, PUBLIC, RESOURCE))
    page = ask(site, TEN, response_type="token", code_challenge=None, code_challenge_method=None)

    flow = site.server.interactions.finish(handle_of(page), site.alice, ["email"], details=[TEN])
    token = params(site.get(location(site.drive(flow, site.world))))["access_token"]

    assert site.introspect(token, "resource")["authorization_details"] == [TEN]
