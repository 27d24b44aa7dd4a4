"""The terms of a token: what a grant decides of it is said by the record, the token, introspection and the answer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import pytest

from oauthcore import Client, Request, ResourceServer, Response, Secret, run
from oauthcore.context import Context
from oauthcore.errors import InvalidGrant
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Decision, Insert, Outcome, Require
from oauthcore.grants import client_credentials, refresh_token
from oauthcore.grants.issuance import Issue, Tokens, answered, issue_access, new_grant
from oauthcore.grants.terms import TokenTerms, usual_terms
from oauthcore.grants.token_request import TokenRequest
from oauthcore.jose import crypto
from oauthcore.oidc.person import NOBODY
from oauthcore.possession import ProofOfPossession
from oauthcore.records.actor import Actor, act_claim
from oauthcore.records.confirmation import Confirmation, token_type
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken
from oauthcore.scope import Scope
from oauthcore.signing.keys import GivenKeys
from tests.core.grants.test_refresh_token import CONTEXT, GRANT, PLAIN, REQUEST, TOKEN
from tests.core.oidc.provider import provider
from tests.core.signing_keys import key_for
from tests.core.site import CONFIDENTIAL, FORM, Site, asking, basic, form, issued, make_site, members

EXCHANGE = "urn:example:exchange"
KEY = Confirmation(jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
OTHER_KEY = Confirmation(jkt="NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
CERTIFICATE = Confirmation(x5t_s256="A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0")
ACTORS = (Actor("service16", "https://service16.example"), Actor("service77"))
API = "https://api.example"
ACT = {"sub": "service16", "iss": "https://service16.example", "act": {"sub": "service77"}}
RESOURCE = Client(
    client_id="resource", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)


def exchange(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Issue what no built-in grant does: for another audience, for less long, bound to a key, with actors."""
    usual = usual_terms(request.client, request.client.scope, None, context)
    terms = attrs.evolve(usual, audience=(API,), expires_at=context.now + 60, confirmation=KEY, actors=ACTORS)
    grant = new_grant(request.client, "alice", terms.scope, None, context)
    access = issue_access(terms, grant, context.mint(), context)
    tokens = Tokens(access, members=(("issued_token_type", "urn:ietf:params:oauth:token-type:access_token"),))
    changes: tuple[Change, ...] = (Require(request.client), Insert(grant), Insert(access.record))
    return answered(Decision(tokens, changes), context)


def exchange_site(access_token_format: str = "opaque") -> Site:
    """Make a site with that grant."""
    client = Client(
        client_id="gateway",
        grant_types=(EXCHANGE,),
        response_types=(),
        scope="openid read",
        access_token_format=access_token_format,  # type: ignore[arg-type]  # one of the two
    )
    return make_site(
        clients=(client, RESOURCE),
        secrets={"gateway": "g", "resource": "resource-secret"},
        grants={EXCHANGE: exchange},
        keys=GivenKeys([key_for("RS256")]),
    )


def exchanged(site: Site) -> dict[str, Any]:
    """Return what the grant answers."""
    response = site.post("/token", form(grant_type=EXCHANGE), basic("gateway", "g"))
    assert response.status == 200, response
    return members(response)


def stored(site: Site, access_token: str) -> AccessToken:
    """Return the record of an opaque token."""
    key = site.server.context().digest("access_token", Secret(access_token))
    record = site.world.storage.find(AccessToken, key)
    assert record is not None
    return record


def test_the_answer_says_what_the_terms_say() -> None:
    answer = exchanged(exchange_site())

    assert (answer["token_type"], answer["expires_in"]) == ("DPoP", 60)
    assert answer["issued_token_type"] == "urn:ietf:params:oauth:token-type:access_token"


def test_the_record_says_what_the_terms_say() -> None:
    site = exchange_site()

    record = stored(site, exchanged(site)["access_token"])

    assert (record.audience, record.confirmation, record.actors) == ((API,), KEY, ACTORS)
    assert record.expires_at == site.now + 60


def test_a_signed_token_says_what_the_terms_say() -> None:
    """RFC 9068 section 2.2, RFC 9449 section 6.1, RFC 8693 section 4.1."""
    site = exchange_site("jwt")

    answer = exchanged(site)

    claims = crypto.verify(answer["access_token"], [key_for("RS256").public], ["RS256"]).claims
    assert (claims["aud"], claims["cnf"], claims["act"]) == (API, {"jkt": KEY.jkt}, ACT)
    assert (claims["exp"], answer["token_type"]) == (site.now + 60, "DPoP")


@pytest.mark.parametrize("access_token_format", ["opaque", "jwt"])
def test_introspection_says_what_the_terms_say(access_token_format: str) -> None:
    """RFC 7662 section 2.2, RFC 9449 section 6.2, RFC 8693 section 4.3."""
    site = exchange_site(access_token_format)

    described = site.introspect(exchanged(site)["access_token"], "resource")

    assert described["active"] is True
    assert (described["aud"], described["cnf"], described["act"]) == ([API], {"jkt": KEY.jkt}, ACT)
    assert (described["token_type"], described["exp"]) == ("DPoP", site.now + 60)


def test_a_token_of_the_usual_terms_says_nothing_of_keys_and_actors(site: Site) -> None:
    token = members(site.token(grant_type="client_credentials"))["access_token"]

    described = site.introspect(token, "resource")

    assert not {"cnf", "act"} & described.keys()
    assert described["token_type"] == "Bearer"


def test_a_token_that_is_bound_to_a_key_is_none_for_bearers() -> None:
    """RFC 9449 section 7.2: else who stole it has all that they need."""
    site = exchange_site()
    token = exchanged(site)["access_token"]
    request = Request("GET", "/", (("Authorization", f"Bearer {token}"),))

    answer = run(ResourceServer(site.server.tokens).verify(request), site.world)

    assert isinstance(answer, Response) and answer.status == 401


@pytest.mark.parametrize("changes", [{"confirmation": KEY}, {"audience": (API,)}], ids=["bound", "for others"])
def test_userinfo_is_closed_to_tokens_that_are_bound_or_for_others(changes: Mapping[str, Any]) -> None:
    """RFC 9449 section 7.2; RFC 8707 section 2: a token for one resource is nothing at another."""
    token = Secret("t" * 43)
    site = provider()
    context, client = site.server.context(), site.drive(site.server.clients.find("rp"), site.world)
    assert client is not None
    grant = new_grant(client, "alice", Scope(("openid",)), None, context)

    def status(terms: TokenTerms, value: Secret) -> int:
        """Return how UserInfo answers to a token of those terms."""
        assert site.world.storage.commit((Insert(issue_access(terms, grant, value, context).record),))
        return site.handle(Request("GET", "/userinfo", (("Authorization", f"Bearer {value.reveal()}"),))).status

    assert site.world.storage.commit((Insert(grant),))
    usual = usual_terms(client, grant.scope, None, context)
    assert status(usual, Secret("u" * 43)) == 200
    assert status(attrs.evolve(usual, **changes), token) == 401


def test_terms_with_lists_make_the_same_records() -> None:
    """A storage compares a record with the one that it has."""
    terms = attrs.evolve(usual_terms(CONFIDENTIAL, Scope(), None, CONTEXT), audience=(API,), actors=ACTORS)
    lists = attrs.evolve(terms, audience=[API], actors=list(ACTORS), actor_grants=[])  # type: ignore[arg-type]

    assert (
        issue_access(lists, None, Secret("v"), CONTEXT).record == issue_access(terms, None, Secret("v"), CONTEXT).record
    )
    of_list = new_grant(CONFIDENTIAL, "alice", Scope(), None, CONTEXT, None, [API])  # type: ignore[arg-type]
    assert of_list.resources == (API,)


def test_no_token_outlives_its_grant_whatever_its_terms_say() -> None:
    terms = attrs.evolve(usual_terms(CONFIDENTIAL, GRANT.scope, None, CONTEXT), expires_at=GRANT.expires_at + 1)

    assert issue_access(terms, GRANT, Secret("v"), CONTEXT).record.expires_at == GRANT.expires_at


@pytest.mark.parametrize("changes", [{"audience": ()}, {"confirmation": Confirmation()}], ids=["audience", "key"])
def test_terms_without_an_audience_or_with_a_key_that_is_none_are_a_bug(changes: Mapping[str, Any]) -> None:
    """The one would be good everywhere, the other for everybody who has it."""
    terms = attrs.evolve(usual_terms(CONFIDENTIAL, Scope(), None, CONTEXT), **changes)

    with pytest.raises(AssertionError):
        issue_access(terms, None, Secret("v"), CONTEXT)


def test_what_is_bound_to_a_certificate_is_presented_as_a_bearer_token_is() -> None:
    """RFC 8705 section 3."""
    both = Confirmation(jkt=KEY.jkt, x5t_s256=CERTIFICATE.x5t_s256)

    assert [token_type(one) for one in (None, CERTIFICATE, KEY, both)] == ["Bearer", "Bearer", "DPoP", "DPoP"]
    assert both.members == {"jkt": KEY.jkt, "x5t#S256": CERTIFICATE.x5t_s256}


def test_the_current_actor_holds_the_ones_before() -> None:
    """RFC 8693 section 4.1."""
    assert act_claim((*ACTORS, Actor("first"))) == {
        "sub": "service16",
        "iss": "https://service16.example",
        "act": {"sub": "service77", "act": {"sub": "first"}},
    }


def test_a_proven_key_is_passed_to_the_grant_and_binds_what_it_issues() -> None:
    request = asking(CONFIDENTIAL, ProofOfPossession(KEY))

    record = next(c.record for c in client_credentials.decide(request, CONTEXT).changes if isinstance(c, Insert))

    assert isinstance(record, AccessToken)
    assert record.confirmation == KEY


def test_what_client_and_proof_were_proven_with_is_spent_together() -> None:
    jti, proof_jti = Insert(GRANT), Insert(TOKEN)
    request = asking(CONFIDENTIAL, ProofOfPossession(KEY, (proof_jti,)))
    both = attrs.evolve(request, caller=attrs.evolve(request.caller, spent=(jti,)))

    assert both.spent == (jti, proof_jti)
    assert asking(CONFIDENTIAL).spent == ()


def test_a_grant_has_the_http_request_itself() -> None:
    """RFC 9449 section 4.3: a proof is for one method and one URL, and in a header of its own."""
    seen: list[TokenRequest] = []

    def see(request: TokenRequest, context: Context) -> Flow[Outcome]:
        seen.append(request)
        raise InvalidGrant("seen")

    site = make_site(grants={"client_credentials": see})

    site.post("/token", form(grant_type="client_credentials"), basic("confidential", "confidential-secret"))

    (request,) = seen
    assert (request.http_request.method, request.http_request.path) == ("POST", "/token")
    assert request.http_request.header("content-type") == FORM[1]
    assert (request.client.client_id, request.proof) == ("confidential", None)


def refreshed(proof: ProofOfPossession | None, grant: Grant = GRANT, seconds: int = 0) -> Issue:
    """Return what comes of a refresh with that proof."""
    request = attrs.evolve(REQUEST, proof=proof)
    context = attrs.evolve(CONTEXT, now=CONTEXT.now + seconds)
    return refresh_token.decide(PLAIN, request, refresh_token.RefreshFacts(TOKEN, grant, NOBODY), context)


def rotated_by(proof: ProofOfPossession | None) -> Grant:
    """Return the grant after a refresh with that proof."""
    change = refreshed(proof).changes[1]
    grant = getattr(change, "new", None)
    assert isinstance(grant, Grant)
    return grant


def test_a_retried_refresh_with_the_same_key_is_answered_with_the_same_token() -> None:
    proof = ProofOfPossession(KEY)

    first, again = refreshed(proof), refreshed(proof, rotated_by(proof), 10)

    assert issued(first).access.value == issued(again).access.value
    assert issued(again).access.record.confirmation == KEY


@pytest.mark.parametrize(
    ("proof", "retried_with"),
    [
        (ProofOfPossession(KEY), ProofOfPossession(OTHER_KEY)),
        (ProofOfPossession(KEY), None),
        (None, ProofOfPossession(KEY)),
    ],
    ids=["another key", "no key", "a key now"],
)
def test_a_retried_refresh_with_another_key_is_refused(
    proof: ProofOfPossession | None, retried_with: ProofOfPossession | None
) -> None:
    """The token that was given is bound to the first: it would be told to be another's, and be good for neither."""
    with pytest.raises(InvalidGrant, match="another key"):
        refreshed(retried_with, rotated_by(proof), 10)
