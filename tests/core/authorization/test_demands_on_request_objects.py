"""What a server demands of request objects: that there is one, for how long it is good, and nothing beside it."""

from __future__ import annotations

from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import ConfigurationError, PushedRequests, Request, RequestObjects, Response, Secret, run
from oauthcore.authorization.request_object import REQUEST_OBJECT_TYPE
from oauthcore.authorization.unstored import find_interaction
from oauthcore.jose import crypto
from oauthcore.openid import OpenID
from oauthcore.records.interaction import REQUEST_PARAMETERS, AuthorizationRequest
from tests.core.authorization.requesting import KEY, NOW, SECRETS, SIGNER, claims_of, send, signed
from tests.core.oidc.provider import CALLBACK, provider
from tests.core.site import FORM, Drive, Site, basic, form, handle_of, make_site, members, params, refused

METADATA = "/.well-known/oauth-authorization-server"
HOUR = RequestObjects(max_lifetime=3_600)
GOOD: dict[str, object] = {"nbf": NOW, "exp": NOW + 3_600}


def demanding_site(drive: Drive = run, demands: RequestObjects | None = None, **changes: Any) -> Site:
    """Make a provider that demands something of request objects, and a client that signs them."""
    settings: dict[str, Any] = {"request_objects": demands, "pushed_requests": PushedRequests()}
    return provider(drive, clients=(attrs.evolve(SIGNER, **changes),), secrets={"rp": SECRETS["rp"]}, **settings)


def push(site: Site, **values: str) -> Response:
    """Push what a form says."""
    return site.handle(Request("POST", "/par", (FORM, basic("rp", SECRETS["rp"])), form(client_id="rp", **values)))


def kept(site: Site, response: Response) -> AuthorizationRequest:
    """Return the request that an interaction was started with."""
    interaction = run(find_interaction(Secret(handle_of(response)), site.server.context()), site.world)
    assert interaction is not None, response
    return interaction.request


def object_with(changes: dict[str, object]) -> str:
    """Return a request object that is right but for the changes; None leaves a claim out."""
    return crypto.sign_claims(claims_of(**changes), KEY, "ES256", "JWT")


def error(response: Response) -> str:
    """Return the error at the client."""
    return params(response)["error"]


# Whether there has to be one.


def test_a_server_may_demand_an_object_of_every_request(drive: Drive) -> None:
    """RFC 9101 section 10.5."""
    site = demanding_site(drive, RequestObjects(required=True))

    refusal = send(site, response_type="code", scope="openid")

    assert params(refusal)["error"] == "invalid_request"
    assert "signed request objects" in params(refusal)["error_description"]
    assert params(site.approve(send(site, request=signed())))["code"]
    assert members(site.get(METADATA))["require_signed_request_object"] is True


def test_a_pushed_request_has_to_be_one_as_well(drive: Drive) -> None:
    site = demanding_site(drive, RequestObjects(required=True))

    refusal = push(site, response_type="code", redirect_uri=CALLBACK, scope="openid")

    assert refused(refusal, "invalid_request", "signed request objects")
    assert push(site, request=signed()).status == 201


def test_a_pushed_object_is_used_by_its_request_uri(drive: Drive) -> None:
    site = demanding_site(drive, RequestObjects(required=True))
    request_uri = members(push(site, request=signed()))["request_uri"]

    answer = site.approve(send(site, request_uri=request_uri, response_type=None, redirect_uri=None))

    assert params(answer)["state"] == "inside"


@pytest.mark.parametrize("changes", [{"client_id": "other"}, {"iss": "other"}, {"aud": "https://other.example"}])
def test_a_pushed_object_of_another_client_is_refused(drive: Drive, changes: dict[str, object]) -> None:
    """RFC 9126 section 3."""
    assert refused(push(demanding_site(drive), request=object_with(changes)), "invalid_request_object")


def test_without_a_demand_the_metadata_says_nothing(drive: Drive) -> None:
    assert "require_signed_request_object" not in members(make_site(drive).get(METADATA))


def test_what_is_not_taken_can_not_be_demanded() -> None:
    with pytest.raises(ConfigurationError, match=r"request_objects\.required"):
        provider(openid=OpenID(request_objects=False), request_objects=RequestObjects(required=True))


@pytest.mark.parametrize("demands", [{"required": True}, True])
def test_the_setting_is_no_table_of_values(demands: object) -> None:
    with pytest.raises(ConfigurationError, match="say what is demanded"):
        make_site(request_objects=demands)


def test_a_lifetime_is_a_second_at_least() -> None:
    with pytest.raises(ConfigurationError, match=r"request_objects\.max_lifetime = 0"):
        RequestObjects(max_lifetime=0)


# For how long it is good.


@pytest.mark.parametrize(
    "times",
    [
        GOOD,
        {"nbf": NOW - 3_600, "exp": NOW},
        {"nbf": NOW + 10, "exp": NOW + 20},
        {"nbf": NOW - 1, "exp": NOW + 3_599, "aud": ["https://as.example"]},
    ],
)
def test_an_object_that_is_good_for_an_hour_is_taken(drive: Drive, times: dict[str, object]) -> None:
    """FAPI 2.0 Message Signing section 5.3.1."""
    site = demanding_site(drive, HOUR)

    assert kept(site, send(site, request=object_with(times))).state == "inside"


@pytest.mark.parametrize(
    "times",
    [
        {},
        {"exp": NOW + 60},
        {"nbf": NOW},
        {**GOOD, "aud": None},
        {"nbf": NOW, "exp": NOW + 3_601},
        {"nbf": NOW - 3_661, "exp": NOW - 61},
        {"nbf": NOW - 3_700, "exp": NOW - 100 + 3_600},
        {"nbf": -1e30, "exp": NOW + 1},
        {"nbf": "0", "exp": NOW + 1},
    ],
)
def test_an_object_that_is_good_for_longer_or_does_not_say_is_refused(drive: Drive, times: dict[str, object]) -> None:
    assert error(send(demanding_site(drive, HOUR), request=object_with(times))) == "invalid_request_object"


def test_it_need_not_say_for_how_long_it_is_good_where_that_is_not_demanded(drive: Drive) -> None:
    site = demanding_site(drive)

    assert kept(site, send(site, request=signed())).state == "inside"


# Nothing beside it.

_BESIDE = st.dictionaries(
    st.sampled_from(sorted(REQUEST_PARAMETERS - {"client_id", "request", "request_uri", "response_type", "resource"})),
    st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF), min_size=1, max_size=20),
    max_size=5,
)
_SITES = {
    "its type": (demanding_site(), REQUEST_OBJECT_TYPE),
    "its client": (demanding_site(require_signed_request_object=True), "JWT"),
    "the server": (demanding_site(demands=RequestObjects(required=True)), "JWT"),
}


@pytest.mark.parametrize("reason", _SITES)
@settings(max_examples=30)
@given(beside=_BESIDE)
def test_nothing_beside_an_object_has_any_effect(reason: str, beside: dict[str, str]) -> None:
    """RFC 9101 section 6.3; OIDC Core section 6.1 has it otherwise, where nothing demands this."""
    site, typ = _SITES[reason]
    text = signed(typ=typ)

    asked = kept(site, send(site, None, request=text, **{"state": None, "redirect_uri": None, **beside}))

    assert asked == kept(site, send(site, request=text, state=None, redirect_uri=None))


@settings(max_examples=30)
@given(beside=_BESIDE, typ=st.sampled_from(["JWT", REQUEST_OBJECT_TYPE]))
def test_nothing_beside_a_pushed_object_has_any_effect(beside: dict[str, str], typ: str) -> None:
    """RFC 9126 section 3."""
    site = _SITES["its type"][0]
    text = signed(typ=typ)

    uris = [members(push(site, request=text, **form_beside))["request_uri"] for form_beside in (beside, {})]

    one, other = (kept(site, send(site, request_uri=uri, state=None, redirect_uri=None)) for uri in uris)
    assert attrs.evolve(one, pushed=None) == attrs.evolve(other, pushed=None)
