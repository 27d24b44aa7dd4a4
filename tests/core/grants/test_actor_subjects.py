"""Whom `act` names: a user of this server by the subject that its reader knows them by (OIDC Core section 8.1)."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from oauthcore import Client, ExchangeRule, Request, ResourceServer, Response, Secret, run
from oauthcore.digest import Digest
from oauthcore.errors import InvalidRequest
from oauthcore.grants.issuance import Tokens
from oauthcore.grants.subject_token import FoundToken, PresentedToken
from oauthcore.grants.token_exchange import Exchange, ExchangeFacts, decide
from oauthcore.oidc.person import NOBODY
from oauthcore.oidc.subject import subject_for
from oauthcore.records.actor import Actor
from oauthcore.records.liveness import KNOWN, IssuedTo
from tests.core.assertions.issuing import IDP, assertion
from tests.core.grants.exchanging import (
    API,
    APP,
    BACK,
    BY_GATEWAY,
    GATEWAY,
    RESOURCE,
    claims_in,
    exchange,
    exchange_site,
    exchanged,
    introspected,
    record_of,
)
from tests.core.grants.test_acting_users import BY_BACK, BY_DESK, DESK, delegated, desk_site, of_bob
from tests.core.grants.test_foreign_subject_tokens import TRUSTED
from tests.core.grants.test_token_exchange import GRANT, SUBJECT
from tests.core.site import Site, asking, refused

PAIRWISE_DESK = attrs.evolve(DESK, subject_type="pairwise")
PAIRWISE_BACK = attrs.evolve(
    BACK, subject_type="pairwise", redirect_uris=("https://back.example/cb",), access_token_format="jwt"
)
PAIRWISE_RESOURCE = attrs.evolve(RESOURCE, subject_type="pairwise", redirect_uris=("https://resource.example/cb",))


def known_to(site: Site, client: Client, subject: str = "bob") -> str:
    """Return the subject by which a client knows a user."""
    return subject_for(client, subject, site.server.context())


def pairwise_site(**changes: Any) -> Site:
    """Make a site whose desk and back end know users by subjects of their own."""
    return desk_site(desk=PAIRWISE_DESK, clients=(APP, PAIRWISE_DESK, PAIRWISE_BACK, RESOURCE), **changes)


def test_record_names_the_user_who_acts_as_this_server_does() -> None:
    site = pairwise_site()

    record = record_of(site, delegated(site, of_bob(site), resource=API)["access_token"])

    assert record.actors == (Actor("bob"),)


def test_jwt_names_the_user_who_acts_as_its_client_knows_them() -> None:
    site = pairwise_site()

    claims = claims_in(delegated(site, of_bob(site), resource=API, requested_token_type="jwt")["access_token"])

    assert claims["act"] == {"sub": known_to(site, PAIRWISE_DESK)}
    assert claims["sub"] == known_to(site, PAIRWISE_DESK, "alice")


def test_jwt_of_the_next_client_in_the_chain_names_them_as_that_one_knows_them() -> None:
    """The subject of the desk's sector would let the two sectors correlate their users."""
    site = pairwise_site()
    first = delegated(site, of_bob(site), resource=API)["access_token"]

    claims = claims_in(exchanged(site, "back", first)["access_token"])

    assert claims["act"] == {"sub": "back@clients", "act": {"sub": known_to(site, PAIRWISE_BACK)}}


@pytest.mark.parametrize("reader", [RESOURCE, PAIRWISE_RESOURCE], ids=["public", "pairwise"])
@pytest.mark.parametrize("kind", ["access_token", "jwt"])
def test_introspection_names_the_user_who_acts_as_the_caller_knows_them(reader: Client, kind: str) -> None:
    site = desk_site(desk=PAIRWISE_DESK, clients=(APP, PAIRWISE_DESK, BACK, reader))
    token = delegated(site, of_bob(site), resource=API, requested_token_type=kind)["access_token"]

    told = introspected(site, token)

    assert (told["sub"], told["act"]["sub"]) == (known_to(site, reader, "alice"), known_to(site, reader))


def test_resource_server_on_the_same_storage_knows_users_and_actors_alike() -> None:
    site = pairwise_site()
    token = delegated(site, of_bob(site), resource=API)["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))

    access = run(ResourceServer(site.server.tokens, audience=API).verify(request), site.world)

    assert not isinstance(access, Response) and (access.subject, access.act) == ("alice", {"sub": "bob"})


def test_user_who_acts_already_is_not_named_once_more_by_another_sector() -> None:
    rule = attrs.evolve(BY_DESK, subject_client_ids=["app", "desk"])
    site = desk_site(desk=PAIRWISE_DESK, rules=[rule, BY_BACK])
    bob = of_bob(site)
    token = delegated(site, bob, resource=API)["access_token"]

    again = exchanged(
        site, "desk", token, actor_token=bob["access_token"], actor_token_type="access_token", resource=API
    )

    assert record_of(site, again["access_token"]).actors == (Actor("bob"),)


# may_act is checked by the name that its issuer uses (RFC 8693 section 4.4).

FOREIGN = ExchangeRule(client_ids=["desk"], subject_token_types=["jwt"], subject_issuers=[IDP], audience=[API])


@pytest.mark.parametrize("named", ["bob", "as the desk knows them", "alice"])
def test_may_act_of_another_issuer_names_our_user_as_this_server_does(named: str) -> None:
    """Its issuer is not the desk, and knows nothing of the desk's sector."""
    site = desk_site(desk=PAIRWISE_DESK, rules=[FOREIGN], trusted_issuers=[TRUSTED])
    subject = known_to(site, PAIRWISE_DESK) if named.startswith("as") else named
    text = assertion(may_act={"sub": subject, "iss": "https://as.example"})

    actor = of_bob(site)["access_token"]
    response = exchange(site, "desk", text, "jwt", actor_token=actor, actor_token_type="access_token")

    if named == "bob":
        assert response.status == 200
    else:
        assert refused(response, "invalid_request", "to act")


PAIRWISE_APP = attrs.evolve(APP, subject_type="pairwise")


@pytest.mark.parametrize(("reader", "is_taken"), [(PAIRWISE_APP, True), (GATEWAY, False), (APP, False)])
def test_may_act_of_this_server_names_the_user_as_the_client_of_the_token_knows_them(
    reader: Client, is_taken: bool
) -> None:
    site = exchange_site(rules=[BY_GATEWAY], clients=(PAIRWISE_APP, GATEWAY))
    presented = PresentedToken(Secret("s"), "access_token", "subject")
    claims = {"may_act": {"sub": known_to(site, reader)}}
    subject = FoundToken(presented, SUBJECT, IssuedTo(PAIRWISE_APP, GRANT, KNOWN), claims)
    of_bob = attrs.evolve(SUBJECT, key=Digest("b" * 64), client_id="gateway", subject="bob", grant=Digest("h" * 64))
    grant = attrs.evolve(GRANT, key=Digest("h" * 64), client_id="gateway", subject="bob")
    actor = FoundToken(attrs.evolve(presented, role="actor"), of_bob, IssuedTo(GATEWAY, grant, KNOWN), NOBODY)
    exchange_ = Exchange(presented, actor.presented, "access_token", (), None)
    facts = ExchangeFacts(subject, actor)

    if is_taken:
        tokens = decide(exchange_, asking(GATEWAY), facts, site.server.context()).value
        assert isinstance(tokens, Tokens) and tokens.access.record.actors == (Actor("bob"),)
    else:
        with pytest.raises(InvalidRequest, match="to act"):
            decide(exchange_, asking(GATEWAY), facts, site.server.context())
