"""The device authorization endpoint (RFC 8628 sections 3.1, 3.2 and 4)."""

from __future__ import annotations

import base64
import json
import re

import attrs
import pytest

from oauthcore import Client, ConfigurationError, DeviceGrant, Peer, Resource
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.openid import OpenID
from oauthcore.records.device import DeviceAuthorization, UserCode
from oauthcore.signing.keys import GivenKeys
from tests.core.devices.device_site import TV, approve, begin, begun, device_site, entered, poll
from tests.core.signing_keys import key_for
from tests.core.site import SECRETS, Counted, Drive, Site, basic, form, make_site, members, refused

BOX = Client(client_id="confidential", grant_types=(DEVICE_CODE,), response_types=(), scope="email")


@pytest.fixture
def tv_site(drive: Drive) -> Site:
    """Return a site where devices may ask."""
    return device_site(drive)


def test_devices_are_off_unless_they_are_turned_on(site: Site) -> None:
    metadata = members(site.get("/.well-known/oauth-authorization-server"))

    assert begin(site).status == 404
    assert "device_authorization_endpoint" not in metadata
    assert DEVICE_CODE not in metadata["grant_types_supported"]
    with pytest.raises(ConfigurationError, match="device"):
        entered(site, "BCDF-GHJK")


def test_the_metadata_names_the_endpoint_and_the_grant_type(tv_site: Site) -> None:
    """Section 4."""
    metadata = members(tv_site.get("/.well-known/oauth-authorization-server"))

    assert metadata["device_authorization_endpoint"] == "https://as.example/device_authorization"
    assert DEVICE_CODE in metadata["grant_types_supported"]


def test_a_device_is_given_two_codes_and_where_to_enter_the_one(tv_site: Site) -> None:
    """Section 3.2."""
    response = begin(tv_site)
    codes = members(response)

    assert response.status == 200
    assert response.header("cache-control") == "no-store"
    assert re.fullmatch(r"[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}", codes["user_code"])
    assert len(codes["device_code"]) == 43
    assert codes["verification_uri"] == "https://as.example/device"
    assert codes["verification_uri_complete"] == f"https://as.example/device?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)


def test_the_settings_say_where_the_page_is_and_how_long_a_device_waits(drive: Drive) -> None:
    settings = DeviceGrant(lifetime=60, interval=2, verification_uri="https://tv.example/link")

    codes = begun(device_site(drive, device=settings))

    assert codes["verification_uri"] == "https://tv.example/link"
    assert (codes["expires_in"], codes["interval"]) == (60, 2)


@pytest.mark.parametrize(
    "settings",
    [
        {"lifetime": 0},
        {"interval": 0},
        {"max_wrong_of_user": 0},
        {"verification_uri": "http://tv.example/link"},
        {"verification_uri": "https://tv.example/link?a=b"},
        {"verification_uri": "javascript:alert(1)"},
    ],
)
def test_settings_that_can_not_be_are_named(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError, match=f"device.{next(iter(settings))}"):
        DeviceGrant(**settings)  # type: ignore[arg-type]  # as read from a file


def test_what_is_stored_opens_nothing(tv_site: Site) -> None:
    codes = begun(tv_site)

    stored = repr(list(getattr(tv_site.world.storage, "_records", {}).values()))

    assert codes["device_code"] not in stored
    assert codes["user_code"] not in stored
    assert codes["user_code"].replace("-", "") not in stored


def test_a_user_code_is_not_found_out_by_trying_without_the_token_key(tv_site: Site, drive: Drive) -> None:
    """34.5 bits are few: the digest alone would be reversed in seconds by who reads the database."""
    other = device_site(drive, token_key=bytes(range(1, 33)))

    one, two = begun(tv_site), begun(other)

    assert one["user_code"] == two["user_code"]  # time and chance are the same
    keys = [[r.key for r in s.world.storage._records.values() if isinstance(r, UserCode)] for s in (tv_site, other)]  # type: ignore[attr-defined]  # memory's own
    assert keys[0] != keys[1]


def test_a_client_authenticates_as_at_the_token_endpoint(drive: Drive) -> None:
    """Section 3.1."""
    site = make_site(drive, clients=(BOX,), device=DeviceGrant())
    body = form(scope="email")

    assert site.post("/device_authorization", body, basic("confidential", SECRETS["confidential"])).status == 200
    assert refused(site.post("/device_authorization", body, basic("confidential", "wrong")), "invalid_client")
    assert refused(site.post("/device_authorization", form(client_id="confidential")), "invalid_client")


def test_a_client_that_is_not_registered_for_devices_gets_no_code(tv_site: Site) -> None:
    assert refused(begin(tv_site, "public", scope="email"), "unauthorized_client")


def test_a_scope_beyond_the_registration_is_refused_before_anybody_is_asked(tv_site: Site) -> None:
    assert refused(begin(tv_site, scope="email read"), "invalid_scope")


def test_a_request_object_is_refused_rather_than_ignored(tv_site: Site) -> None:
    assert refused(begin(tv_site, request="eyJhbGciOiJub25lIn0.e30."), "request_not_supported")
    assert refused(begin(tv_site, request_uri="https://client.example/r"), "request_uri_not_supported")


def test_parameters_that_mean_nothing_here_are_ignored(tv_site: Site) -> None:
    """RFC 6749 section 3.1."""
    assert begin(tv_site, prompt="none", redirect_uri="https://evil.example", state="s").status == 200


def test_a_resource_that_the_client_may_not_have_is_refused(drive: Drive) -> None:
    """RFC 8707 section 2."""
    site = device_site(drive, resources=[Resource("https://api.example")])

    assert refused(begin(site, resource="https://other.example"), "invalid_target")


def test_tokens_are_for_the_resources_that_were_asked_for(drive: Drive) -> None:
    site = device_site(drive, resources=[Resource("https://api.example"), Resource("https://two.example")])
    body = "client_id=tv&scope=email&resource=https://api.example&resource=https://two.example"

    codes = members(site.post("/device_authorization", body.encode()))
    pending = entered(site, codes["user_code"])
    site.drive(site.server.devices.finish(pending.id, site.alice, ["email"]), site.world)
    answer = members(poll(site, codes["device_code"], resource="https://two.example"))

    assert [one.uri for one in pending.resources] == ["https://api.example", "https://two.example"]
    assert site.introspect(answer["access_token"], "resource")["aud"] == ["https://two.example"]


def test_an_openid_device_gets_an_id_token_of_the_login_that_allowed_it(drive: Drive) -> None:
    tv = attrs.evolve(TV, client_id="openid_tv", scope="openid email")
    site = device_site(drive, clients=(tv,), openid=OpenID(acr_values=("gold",)), keys=GivenKeys([key_for("RS256")]))
    login = attrs.evolve(site.alice, auth_time=site.now - 30, acr="gold", amr=("hwk",))
    codes = begun(site, client_id="openid_tv", scope="openid email", nonce="n")

    approve(site, codes, login)
    answer = members(poll(site, codes["device_code"], "openid_tv"))

    claims = claims_of(answer["id_token"])
    assert (claims["sub"], claims["aud"], claims["nonce"]) == ("alice", "openid_tv", "n")
    assert (claims["auth_time"], claims["acr"], claims["amr"]) == (site.now - 30, "gold", ["hwk"])
    assert "at_hash" in claims


def claims_of(token: str) -> dict[str, object]:
    """Return the claims of a JWT, whose signature other tests verify."""
    payload = token.split(".")[1]
    claims: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims


def test_two_devices_that_draw_one_user_code_get_two(drive: Drive) -> None:
    draws = iter([b"a" * 32, b"u" * 32, b"b" * 32, b"u" * 32, b"c" * 32, b"v" * 32])
    site = device_site(drive)
    site.server = site.server.with_instruments(attrs.evolve(site.server.instruments, entropy=lambda _: next(draws)))

    one, two = begun(site), begun(site)

    assert one["user_code"] != two["user_code"]


def test_only_so_many_wait_from_one_address(drive: Drive) -> None:
    """Who begins many makes it likely that some guess is right (section 5.1)."""
    site = device_site(drive, device=DeviceGrant(max_from_address=2, lifetime=60))
    here, elsewhere = Peer("203.0.113.7", is_secure=True), Peer("203.0.113.8", is_secure=True)

    statuses = [begin(site, peer=peer).status for peer in (here, here, here, elsewhere)]
    refusal = begin(site, peer=here)
    site.clock.advance(60)

    assert statuses == [200, 200, 429, 200]
    assert refusal.header("retry-after") == "60"
    assert begin(site, peer=here).status == 200


def test_a_client_that_authenticates_may_begin_as_many_as_it_likes(drive: Drive) -> None:
    site = make_site(drive, clients=(BOX,), device=DeviceGrant(max_from_address=1))

    answers = [
        site.post("/device_authorization", form(), basic("confidential", SECRETS["confidential"])).status
        for _ in range(3)
    ]

    assert answers == [200, 200, 200]


def test_a_request_costs_two_finds_and_one_commit(drive: Drive) -> None:
    site = device_site(drive)
    counted = Counted(site)

    begin(site)

    assert (counted.finds, counted.commits) == (2, 1)


def test_what_has_expired_is_purged(drive: Drive) -> None:
    site = device_site(drive)
    begin(site)
    site.clock.advance(601)

    site.world.storage.purge(site.now, 100)

    kinds = [type(record) for record in site.world.storage._records.values()]  # type: ignore[attr-defined]  # memory's own
    assert DeviceAuthorization not in kinds
    assert UserCode not in kinds
