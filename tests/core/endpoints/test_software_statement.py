"""Software statements (RFC 7591 section 2.3): what an issuer that is trusted has signed of a client."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import ConfigurationError, Registration, Response, SoftwareStatementIssuer, run
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import set_of
from tests.core.registering import LOOPBACK, OPEN, change, configure, register, use
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, REDIRECT, Drive, Site, make_site, members, refused

TRUSTED = "https://registry.example"
KEY = key_for("ES256")
ISSUERS = (SoftwareStatementIssuer(TRUSTED, set_of([KEY]).decode()),)
CLAIMS = {
    "iss": TRUSTED,
    "software_id": "4NRB1",
    "client_name": "The signed app",
    "client_uri": "https://client.example/",
    "redirect_uris": [LOOPBACK],
}
SETTINGS = Registration(software_statements=ISSUERS, scope="email")


@pytest.fixture
def signed(drive: Drive) -> Site:
    """Return a site where software of a trusted issuer may register."""
    return make_site(drive, registration=SETTINGS)


def statement(alg: str = "ES256", typ: str = "JWT", **changes: Any) -> str:
    """Return a statement that is right but for the changes; None leaves a claim out."""
    claims = {name: value for name, value in (CLAIMS | changes).items() if value is not None}
    return sign_claims(claims, key_for(alg), alg, typ)


def send(site: Site, text: object, **metadata: Any) -> Response:
    """Register with a statement."""
    return register(site, software_statement=text, **metadata)


def test_a_statement_of_a_trusted_issuer_lets_its_software_in(signed: Site) -> None:
    text = statement()

    registered = members(send(signed, text))

    assert registered["client_name"] == "The signed app"
    assert registered["software_statement"] == text
    assert use(signed, registered).status == 200
    client = signed.drive(signed.server.clients.find(registered["client_id"]), signed.world)
    assert (client.dynamic.by, client.is_unverified) == (TRUSTED, True)
    assert members(configure(signed, "GET", registered))["software_statement"] == text


def test_a_scope_that_is_signed_is_a_bound(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(SETTINGS, scope="email profile"))

    registered = members(send(site, statement(scope="email"), scope="email profile"))

    assert registered["scope"] == "email"


def test_what_is_signed_wins_over_what_stands_beside_it(signed: Site) -> None:
    """RFC 7591 section 2.3: it MUST take precedence."""
    registered = members(
        send(signed, statement(), client_name="Mine", redirect_uris=[REDIRECT], software_id="x", tos_uri=REDIRECT)
    )

    assert registered["client_name"] == "The signed app"
    assert registered["redirect_uris"] == [LOOPBACK]
    assert registered["software_id"] == "4NRB1"
    assert registered["tos_uri"] == REDIRECT


def test_a_signed_name_has_no_other_languages_that_are_not_signed(signed: Site) -> None:
    registered = members(send(signed, statement(), **{"client_name#de": "Ihre Bank", "tos_uri#de": REDIRECT}))

    assert "client_name#de" not in registered
    assert registered["tos_uri#de"] == REDIRECT


def test_signed_keys_leave_no_room_for_others(signed: Site) -> None:
    keys = {"keys": [dict(KEY.public.members)]}
    text = statement(jwks=keys, token_endpoint_auth_method="private_key_jwt")

    registered = members(send(signed, text, jwks_uri="https://evil.example/jwks"))

    assert registered["jwks"] == keys
    assert "jwks_uri" not in registered


@pytest.mark.parametrize(
    "text",
    [
        statement(alg="ES384"),
        statement()[:-4] + "AAAA",
        statement(exp=1),
        statement(aud="https://other.example"),
        statement(typ="at+jwt"),
        statement().rpartition(".")[0] + ".",
        *("", "x", 1, ["x"], {"x": 1}),
    ],
)
def test_a_statement_that_is_none_of_the_issuers_or_not_for_us_is_refused(signed: Site, text: object) -> None:
    assert refused(send(signed, text, redirect_uris=[LOOPBACK]), "invalid_software_statement")


@pytest.mark.parametrize("issuer", ["https://other.example", None])
def test_an_issuer_that_nobody_trusts_is_unapproved(signed: Site, issuer: str | None) -> None:
    assert refused(send(signed, statement(iss=issuer)), "unapproved_software_statement")


def test_a_statement_for_us_is_taken(signed: Site) -> None:
    assert send(signed, statement(aud=[ISSUER, "https://other.example"])).status == 201


def test_nobody_registers_without_a_statement_or_a_token(signed: Site) -> None:
    assert register(signed, redirect_uris=[LOOPBACK]).status == 401


def test_where_anybody_may_register_a_bad_statement_refuses_all_the_same(drive: Drive) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, software_statements=ISSUERS))

    assert send(site, "x", redirect_uris=[LOOPBACK]).status == 400
    assert register(site, redirect_uris=[LOOPBACK]).status == 201


def test_a_server_that_trusts_no_issuer_ignores_statements(drive: Drive) -> None:
    """RFC 7591 section 3.1.1."""
    registered = members(send(make_site(drive, registration=OPEN), "x", redirect_uris=[LOOPBACK], client_name="x"))

    assert (registered["client_name"], "software_statement" in registered) == ("x", False)


@pytest.mark.parametrize("kept", [True, False])
def test_a_client_does_not_get_rid_of_what_was_signed(signed: Site, kept: bool) -> None:
    text = statement()
    registered = members(send(signed, text))
    again = {"software_statement": text} if kept else {}

    changed = members(change(signed, registered, client_name="Mine", redirect_uris=[REDIRECT], **again))

    assert (changed["client_name"], changed["redirect_uris"]) == ("The signed app", [LOOPBACK])
    assert changed["software_statement"] == text


def test_a_client_does_not_become_other_software(signed: Site) -> None:
    registered = members(send(signed, statement()))

    assert change(signed, registered, software_statement=statement(client_name="Other")).status == 400


def test_what_is_not_metadata_in_a_statement_sets_nothing(signed: Site) -> None:
    registered = members(send(signed, statement(client_id="mine", introspects_any=True, sub="admin")))

    client = signed.drive(signed.server.clients.find(registered["client_id"]), signed.world)
    assert (client.client_id != "mine", client.introspects_any) == (True, False)


@pytest.mark.parametrize("keys", ["x", "[]", '{"keys": []}', {"keys": [{"kty": "oct", "k": "eA"}]}])
def test_an_issuer_without_a_public_key_is_no_setting(keys: Any) -> None:
    with pytest.raises(ConfigurationError, match="software_statements"):
        SoftwareStatementIssuer(TRUSTED, keys)


def test_an_issuer_is_named_once() -> None:
    with pytest.raises(ConfigurationError, match="software_statements"):
        Registration(software_statements=(*ISSUERS, *ISSUERS))


def test_every_statement_is_counted_by_its_address() -> None:
    site = make_site(run, registration=attrs.evolve(SETTINGS, max_from_address=1))

    assert [send(site, statement()).status for _ in range(2)] == [201, 429]
