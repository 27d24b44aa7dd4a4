"""The backchannel authentication endpoint (CIBA Core sections 7 and 13)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, MemoryStorage, Resource, World
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.openid import OpenID
from tests.core.ciba.till import PINGED, SIGNING, TILL, TOKEN, Till
from tests.core.oidc.provider import RP
from tests.core.site import make_site, members


def test_a_request_is_answered_with_an_identifier_a_lifetime_and_an_interval() -> None:
    answer = Till().request()

    assert answer.status == 200
    assert answer.header("cache-control") == "no-store"
    identifier = members(answer).pop("auth_req_id")
    assert len(identifier) >= 22
    assert members(answer) == {"auth_req_id": identifier, "expires_in": 120, "interval": 5}


def test_its_user_sees_what_is_asked_by_whom_and_with_which_message() -> None:
    till = Till()
    till.begin(binding_message="W4SCT", acr_values="phr pwd")

    (waiting,) = till.pending()

    assert waiting.client.client_id == "till"
    assert waiting.scope.text == "openid email"
    assert waiting.binding_message == "W4SCT"
    assert waiting.acr_values == ("phr", "pwd")
    assert waiting.answer_before == till.site.now + 120
    assert till.pending("bob") == ()


def test_what_is_told_to_the_page_can_not_be_redeemed() -> None:
    till = Till()
    till.begin()

    answer = till.poll(till.pending()[0].id)

    assert till.error(answer) == "invalid_grant"


def test_the_application_hears_of_a_request_once_it_is_there() -> None:
    till = Till()
    till.begin()

    assert [(event.name, event.client_id, event.subject) for event in till.site.events] == [
        ("backchannel_requested", "till", "alice")
    ]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"scope": None}, "invalid_scope"),
        ({"scope": "email"}, "invalid_scope"),
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "a.b.c"}, "invalid_request"),  # beside login_hint
        ({"login_hint": None, "login_hint_token": "a.b.c"}, "invalid_request"),
        ({"login_hint": None, "id_token_hint": "a.b.c"}, "unknown_user_id"),
        ({"login_hint": "bob@wonderland.example"}, "unknown_user_id"),
        ({"login_hint": "gone@wonderland.example"}, "unknown_user_id"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-1"}, "invalid_request"),
        ({"requested_expiry": "\u0661"}, "invalid_request"),
        ({"requested_expiry": "9" * 10}, "invalid_request"),
        ({"binding_message": "x" * 101}, "invalid_binding_message"),
        ({"binding_message": "one\ntwo"}, "invalid_binding_message"),
        ({"binding_message": "abc\u202ecba"}, "invalid_binding_message"),
        ({"binding_message": "a\u0301"}, "invalid_binding_message"),
        ({"binding_message": "\u3164\u2800"}, "invalid_binding_message"),
        ({"binding_message": " W4SCT"}, "invalid_binding_message"),
        ({"binding_message": "   "}, "invalid_binding_message"),
        ({"request": "a.b.c"}, "invalid_request"),  # beside others
        ({"acr_values": "urn:example:gold " * 500}, "invalid_request"),  # more than is kept for an answer
        ({"login_hint": "a" * 1025}, "invalid_request"),
    ],
)
def test_a_request_that_is_wrong_is_refused_and_reaches_nobody(changes: dict[str, str | None], error: str) -> None:
    till = Till()

    answer = till.request(**changes)

    assert (answer.status, till.error(answer)) == (400, error)
    assert till.pending() == ()
    assert [event.name for event in till.site.events] == ["backchannel_unknown_user"] * (error == "unknown_user_id")


@pytest.mark.parametrize(("wanted", "given"), [("30", 30), ("600", 600), ("3600", 600), ("000000045", 45)])
def test_a_client_may_want_another_lifetime_within_the_server_s(wanted: str, given: int) -> None:
    assert members(Till().request(requested_expiry=wanted))["expires_in"] == given


def test_a_client_that_is_not_registered_for_it_is_refused() -> None:
    till = Till(client=RP)

    answer = till.request()

    assert (answer.status, till.error(answer)) == (400, "unauthorized_client")


def test_who_does_not_authenticate_is_refused() -> None:
    till = Till()

    answer = till.site.post("/bc-authorize", b"scope=openid&login_hint=alice%40wonderland.example&client_id=till")

    assert answer.status == 401
    assert till.pending() == ()


def test_an_id_token_of_the_client_names_its_user() -> None:
    till = signing_till()
    token = id_token(till)

    assert till.request(login_hint=None, id_token_hint=token).status == 200
    assert len(till.pending()) == 1


def test_an_id_token_of_another_client_names_nobody() -> None:
    till = signing_till()
    token = id_token(till)

    values = {"scope": "openid", "id_token_hint": token, "client_notification_token": TOKEN}
    answer = till.post("/bc-authorize", client=PINGED, **values)

    assert till.error(answer) == "unknown_user_id"


def test_a_pairwise_subject_says_nothing_of_who_it_is() -> None:
    pairwise = attrs.evolve(TILL, subject_type="pairwise", redirect_uris=("https://till.example/cb",))
    till = signing_till(clients=(pairwise,))
    token = id_token(till)

    answer = till.request(login_hint=None, id_token_hint=token)

    assert till.error(answer) == "unknown_user_id"


def signing_till(**settings: Any) -> Till:
    """Return a till at a site that signs what it issues."""
    till = Till(**settings)
    till.site.world = attrs.evolve(till.site.world, sign=World(MemoryStorage()).sign)
    return till


def id_token(till: Till) -> str:
    """Return an ID token about alice."""
    identifier = till.begin()
    till.allow()
    return str(members(till.poll(identifier))["id_token"])


def test_a_client_in_ping_mode_has_to_give_a_token_to_be_notified_with() -> None:
    till = Till(client=PINGED)

    for token in (None, "short", "x" * 1025, "with space in it, and long enough", "ä" * 30):
        answer = till.request(client_notification_token=token)
        assert (answer.status, till.error(answer)) == (400, "invalid_request")


def test_requests_name_resources_as_others_do() -> None:
    till = Till(resources=[Resource(uri="https://api.example/", scopes=("email",))])

    assert till.error(till.request(resource="https://other.example/")) == "invalid_target"
    till.begin(resource="https://api.example")
    assert [one.uri for one in till.pending()[0].resources] == ["https://api.example/"]


def test_a_signed_request_is_taken_for_what_is_in_it() -> None:
    till = Till(client=SIGNING)

    answer = till.post("/bc-authorize", request=till.signed(binding_message="42", requested_expiry=60))

    assert answer.status == 200
    assert members(answer)["expires_in"] == 60
    assert till.pending()[0].binding_message == "42"


def test_a_signed_request_is_good_for_an_hour_from_its_nbf_at_most() -> None:
    """FAPI-CIBA section 5.2.2."""
    till = Till(client=SIGNING)
    began = till.site.now - 3_300

    assert till.post("/bc-authorize", request=till.signed(nbf=began, exp=began + 3_600)).status == 200
    longer = till.post("/bc-authorize", request=till.signed(jti="2", nbf=began, exp=began + 3_601))

    assert (longer.status, till.error(longer)) == (400, "invalid_request")


def test_how_long_a_signed_request_is_good_for_is_the_operator_s() -> None:
    till = Till(client=SIGNING, ciba=Ciba(max_request_lifetime=60))

    assert till.post("/bc-authorize", request=till.signed(exp=till.site.now + 60)).status == 200
    assert till.post("/bc-authorize", request=till.signed(jti="2", exp=till.site.now + 61)).status == 400


def test_requests_can_be_demanded_to_be_signed() -> None:
    """FAPI-CIBA section 5.2.2."""
    till = Till(ciba=Ciba(require_signed=True))

    assert till.error(till.request()) == "invalid_request"
    assert till.post("/bc-authorize", request=till.signed()).status == 200


def test_a_binding_message_can_be_demanded() -> None:
    """FAPI-CIBA section 5.2.2."""
    till = Till(ciba=Ciba(require_binding_message=True))

    assert till.error(till.request()) == "invalid_binding_message"
    assert till.request(binding_message="W4SCT").status == 200


def test_a_client_that_signs_does_not_go_without() -> None:
    till = Till(client=SIGNING)

    answer = till.request()

    assert till.error(answer) == "invalid_request"


@pytest.mark.parametrize(
    "changes",
    [
        {"iss": "till"},
        {"iss": None},
        {"aud": "https://other.example"},
        {"aud": None},
        {"exp": None},
        {"exp": 1},
        {"exp": 3_000_000_000},
        {"iat": None},
        {"nbf": None},
        {"nbf": 3_000_000_000},
        {"jti": None},
        {"jti": 1},
        {"scope": ["openid"]},
        {"login_hint": {"sub": "alice"}},
        {"login_hint": "a\0b"},
        {"resource": [1]},
        {"redirect_uri": "https://rp.example/cb"},  # of an authorization request
        {"response_type": "code"},
        {"sub": "signing"},  # of a client assertion
    ],
)
def test_a_signed_request_that_is_wrong_is_refused(changes: dict[str, Any]) -> None:
    till = Till(client=SIGNING)

    answer = till.post("/bc-authorize", request=till.signed(**changes))

    assert (answer.status, till.error(answer)) == (400, "invalid_request")
    assert till.pending() == ()


@pytest.mark.parametrize("typ", ["oauth-authz-req+jwt", "at+jwt", "dpop+jwt", "logout+jwt"])
def test_what_was_signed_for_another_purpose_is_no_request(typ: str) -> None:
    till = Till(client=SIGNING)

    answer = till.post("/bc-authorize", request=till.signed(typ=typ))

    assert (answer.status, till.error(answer)) == (400, "invalid_request")


def test_a_signed_request_is_good_once() -> None:
    till = Till(client=SIGNING)
    signed = till.signed()
    assert till.post("/bc-authorize", request=signed).status == 200

    again = till.post("/bc-authorize", request=signed)

    assert till.error(again) == "invalid_request"
    assert len(till.pending()) == 1


def test_another_client_s_signature_is_none() -> None:
    till = Till(client=SIGNING)
    head, payload, _ = till.signed().split(".")

    answer = till.post("/bc-authorize", request=f"{head}.{payload}.{'A' * 86}")

    assert till.error(answer) == "invalid_request"


def test_metadata_says_so_only_where_it_is_on() -> None:
    on = members(Till().site.get("/.well-known/openid-configuration"))
    off = members(make_site(openid=OpenID()).get("/.well-known/openid-configuration"))

    assert on["backchannel_authentication_endpoint"] == "https://as.example/bc-authorize"
    assert on["backchannel_token_delivery_modes_supported"] == ["poll", "ping"]
    assert on["backchannel_user_code_parameter_supported"] is False
    assert "ES256" in on["backchannel_authentication_request_signing_alg_values_supported"]
    assert GRANT_TYPE in on["grant_types_supported"]
    assert not [name for name in off if name.startswith("backchannel_") and "logout" not in name]
    assert GRANT_TYPE not in off["grant_types_supported"]


def test_it_needs_openid_connect() -> None:
    with pytest.raises(ConfigurationError, match="openid=OpenID"):
        make_site(ciba=Ciba())


@pytest.mark.parametrize(
    "settings",
    [
        {"lifetime": 0},
        {"interval": 0},
        {"interval": None},
        {"max_pending": -1},
        {"max_pending_of_user": 0},
        {"max_unknown": 0},
        {"max_lifetime": 60},
        {"max_request_lifetime": 0},
        {"lifetime": "120"},
        {"require_signed": 1},
        {"require_binding_message": None},
    ],
)
def test_settings_that_can_not_be_are_named(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError, match=r"ciba\."):
        Ciba(**settings)


@pytest.mark.parametrize(
    ("changes", "setting"),
    [
        ({"backchannel_token_delivery_mode": "push"}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": None}, "backchannel_token_delivery_mode"),
        ({"backchannel_token_delivery_mode": "ping"}, "backchannel_client_notification_endpoint"),
        (
            {"backchannel_client_notification_endpoint": "https://till.example/"},
            "backchannel_client_notification_endpoint",
        ),
        (
            {
                "backchannel_token_delivery_mode": "ping",
                "backchannel_client_notification_endpoint": "http://till.example/",
            },
            "backchannel_client_notification_endpoint",
        ),
        ({"backchannel_authentication_request_signing_alg": "HS256"}, "backchannel_authentication_request_signing_alg"),
        (
            {"backchannel_authentication_request_signing_alg": "ES256", "jwks": None},
            "backchannel_authentication_request_signing_alg",
        ),
        ({"token_endpoint_auth_method": "none"}, "grant_types"),
    ],
)
def test_a_registration_that_can_not_work_is_refused(changes: dict[str, Any], setting: str) -> None:
    till = Till()
    client: Client = attrs.evolve(TILL, client_id="wrong", **changes)

    with pytest.raises(ConfigurationError) as caught:
        till.drive(till.site.server.clients.register(client))

    assert caught.value.setting == setting
