"""A grant type of one's own: one function, registered under its name."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Secret, run
from oauthcore.context import Context
from oauthcore.errors import InvalidGrant
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Delete, Insert, Outcome, Require
from oauthcore.grants.issuance import Tokens, issue_access, token_response
from oauthcore.grants.terms import usual_terms
from oauthcore.grants.token_request import TokenRequest
from tests.core.site import Drive, Site, basic, form, make_site, members, refused

TICKET = "urn:example:ticket"


@attrs.frozen
class Ticket:
    """Be good for one token."""

    key: str
    expires_at: int | None = None


def ticket(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Exchange a ticket, once."""
    found = yield from find(Ticket, request.parameters.need("ticket"))
    if found is None:
        raise InvalidGrant("there is no such ticket")
    terms = usual_terms(request.client, request.client.scope, request.proof, context)
    access = issue_access(terms, None, context.mint(), context)
    response = yield from token_response(Tokens(access), context)
    return Decision(response, (Require(request.client), Delete(found), Insert(access.record)))


def ticket_site(drive: Drive = run) -> Site:
    """Make a site that takes tickets, and has sold one."""
    client = Client(client_id="rider", grant_types=(TICKET,), response_types=(), scope="ride")
    site = make_site(drive, clients=(client,), secrets={"rider": "r"}, grants={TICKET: ticket})
    site.world.storage.commit((Insert(Ticket("A1")),))
    return site


def test_it_is_offered_and_works_once(drive: Drive) -> None:
    site = ticket_site(drive)
    body = form(grant_type=TICKET, ticket="A1")

    first = site.post("/token", body, basic("rider", "r"))
    second = site.post("/token", body, basic("rider", "r"))

    assert members(first)["scope"] == "ride"
    assert refused(second, "invalid_grant", "no such ticket")


def test_the_metadata_names_it() -> None:
    site = ticket_site()

    assert TICKET in members(site.get("/.well-known/oauth-authorization-server"))["grant_types_supported"]


def test_a_client_not_registered_for_it_is_refused() -> None:
    site = ticket_site()
    run(
        site.server.clients.register(Client(client_id="walker", grant_types=(), response_types=()), Secret("w")),
        site.world,
    )

    response = site.post("/token", form(grant_type=TICKET, ticket="A1"), basic("walker", "w"))

    assert refused(response, "unauthorized_client", "not registered")


def coupon(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Exchange a coupon, which is a secret and known by its digest, for a token that is derived from it."""
    shown = Secret(request.parameters.need("coupon"))
    found = yield from find(Ticket, context.digest("acme:coupon", shown))
    if found is None:
        raise InvalidGrant("there is no such coupon")
    value = context.derive("acme:coupon", shown)
    terms = usual_terms(request.client, request.client.scope, request.proof, context)
    access = issue_access(terms, None, value, context)
    response = yield from token_response(Tokens(access), context)
    return Decision(response, (Require(request.client), Delete(found), Insert(access.record)))


def test_it_digests_and_derives_secrets_of_its_own_kinds(drive: Drive) -> None:
    client = Client(client_id="rider", grant_types=(TICKET,), response_types=(), scope="ride")
    site = make_site(drive, clients=(client,), secrets={"rider": "r"}, grants={TICKET: coupon})
    digest = site.server.context().digest
    site.world.storage.commit((Insert(Ticket(digest("acme:coupon", Secret("C1")))),))
    body = form(grant_type=TICKET, coupon="C1")

    assert members(site.post("/token", body, basic("rider", "r")))["scope"] == "ride"
    assert refused(site.post("/token", body, basic("rider", "r")), "invalid_grant", "no such coupon")


def test_a_kind_of_its_own_is_none_of_ours_and_none_of_another_issuers() -> None:
    here, elsewhere = make_site().server.context(), make_site(issuer="https://other.example").server.context()
    secret = Secret("s")
    kinds = ("acme:coupon", "acme:coupon2", "access_token", "refresh_token")

    digests = {context.digest(kind, secret) for context in (here, elsewhere) for kind in kinds}
    derived = {context.derive(kind, secret).reveal() for context in (here, elsewhere) for kind in kinds}

    assert (len(digests), len(derived)) == (8, 8)
    assert here.digest("acme:coupon", secret) == here.digest("acme:coupon", secret)


@pytest.mark.parametrize(
    "kind", ["", "another_code", ":a", "a:", "a: b", "seal keys", "a\0https://as.example", "\u00e9", "a:" + "a" * 99]
)
def test_a_kind_that_could_be_taken_for_another_is_refused(kind: str) -> None:
    """What is derived as `seal keys` from nothing would be the key that the signing keys are sealed with."""
    context = make_site().server.context()

    with pytest.raises(ConfigurationError, match="kind"):
        context.digest(kind, Secret(""))
    with pytest.raises(ConfigurationError, match="kind"):
        context.derive(kind, Secret(""))
