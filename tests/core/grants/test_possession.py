"""Proofs of possession at the token endpoint, whatever proves them (RFC 9449 section 5, RFC 8705 sections 3 and 4)."""

from __future__ import annotations

import attrs
import pytest

from oauthcore import Client, Request
from oauthcore.context import Context
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.endpoints.token import token
from oauthcore.errors import InvalidGrant
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Decision, Insert, Outcome
from oauthcore.grants import client_credentials, refresh_token
from oauthcore.grants.client_credentials import client_credentials as client_credentials_grant
from oauthcore.grants.issuance import issue_first_tokens
from oauthcore.oidc.person import NOBODY
from oauthcore.possession import ProofOfPossession, ProvePossession, joined
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.token import AccessToken, RefreshToken
from tests.core.grants.test_refresh_token import CONTEXT, GRANT, PLAIN, REQUEST, TOKEN
from tests.core.site import CONFIDENTIAL, FORM, PUBLIC, Site, asking, basic, form, issued

KEY = Confirmation(jkt="0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I")
OTHER_KEY = Confirmation(jkt="NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
CERTIFICATE = Confirmation(x5t_s256="A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0")
BOTH = Confirmation(jkt=KEY.jkt, x5t_s256=CERTIFICATE.x5t_s256)


def proving(proof: ProofOfPossession | None) -> ProvePossession:
    """Return a way to prove possession, by which every request proves that."""

    def prove(request: Request, client: Client, context: Context) -> Flow[ProofOfPossession | None]:
        assert (request.path, client.client_id) == ("/token", "confidential")
        return pure(proof)

    return prove


def answered(site: Site, *ways: ProvePossession) -> Outcome:
    """Return the outcome of a token request to a server that knows these ways."""
    headers = (FORM, basic("confidential", "confidential-secret"))
    request = Request("POST", "/token", headers, form(grant_type="client_credentials"))
    context = attrs.evolve(site.server.context(), possession=ways)
    flow = token({"client_credentials": client_credentials_grant}, EndpointRequest(request, None, frozenset()), context)
    outcome = site.drive(flow, site.world)
    assert isinstance(outcome, Decision)
    return outcome


def bound_to(outcome: Outcome) -> Confirmation | None:
    """Return what the access token of an outcome is bound to."""
    (record,) = (c.record for c in outcome.changes if isinstance(c, Insert) and isinstance(c.record, AccessToken))
    return record.confirmation


def test_what_is_issued_is_bound_to_every_key_that_was_proven(site: Site) -> None:
    dpop, certificate = proving(ProofOfPossession(KEY)), proving(ProofOfPossession(CERTIFICATE))

    assert bound_to(answered(site)) is None
    assert bound_to(answered(site, proving(None))) is None
    assert bound_to(answered(site, dpop, proving(None))) == KEY
    assert bound_to(answered(site, dpop, certificate)) == BOTH


def test_every_proof_is_spent_by_the_commit_that_issues(site: Site) -> None:
    first, second = Insert(GRANT), Insert(TOKEN)

    outcome = answered(
        site, proving(ProofOfPossession(KEY, (first,))), proving(ProofOfPossession(CERTIFICATE, (second,)))
    )

    assert outcome.changes[-2:] == (first, second)


def test_several_proofs_are_joined_in_any_order_and_none_is_none() -> None:
    one, other = ProofOfPossession(KEY), ProofOfPossession(CERTIFICATE)

    assert joined([]) is None
    assert joined([one]) is one
    assert joined([one, other]) == joined([other, one]) == ProofOfPossession(BOTH)


@pytest.mark.parametrize(
    ("bound", "proven", "met"),
    [
        (KEY, KEY, True),
        (KEY, BOTH, True),
        (CERTIFICATE, BOTH, True),
        (BOTH, BOTH, True),
        (BOTH, KEY, False),
        (BOTH, CERTIFICATE, False),
        (KEY, OTHER_KEY, False),
        (KEY, CERTIFICATE, False),
        (CERTIFICATE, KEY, False),
        (KEY, None, False),
    ],
)
def test_each_key_that_is_named_has_to_be_proven(bound: Confirmation, proven: Confirmation | None, met: bool) -> None:
    assert bound.is_met_by(proven) is met


@pytest.mark.parametrize(("client", "bound"), [(PUBLIC, KEY), (CONFIDENTIAL, None)], ids=["public", "confidential"])
def test_the_refresh_tokens_of_a_public_client_alone_are_bound(client: Client, bound: Confirmation | None) -> None:
    """RFC 9449 section 5: a client that authenticates is bound by that, and may change its key."""
    grant = attrs.evolve(GRANT, client_id=client.client_id)

    first = issue_first_tokens(asking(client, ProofOfPossession(KEY)), grant, CONTEXT)

    assert first.tokens.refresh is not None
    assert first.tokens.refresh.record.confirmation == bound
    assert first.tokens.access.record.confirmation == KEY


def refreshed(token: RefreshToken, proof: ProofOfPossession | None, client: Client = PUBLIC) -> Outcome | object:
    """Return the decision on a refresh of a public client with that proof."""
    grant = attrs.evolve(GRANT, client_id=client.client_id)
    request = attrs.evolve(REQUEST, proof=proof, caller=attrs.evolve(REQUEST.caller, client=client))
    facts = refresh_token.RefreshFacts(attrs.evolve(token, client_id=client.client_id), grant, NOBODY)
    return refresh_token.decide(PLAIN, request, facts, CONTEXT)


@pytest.mark.parametrize("proof", [None, ProofOfPossession(OTHER_KEY), ProofOfPossession(CERTIFICATE)])
def test_a_bound_refresh_token_is_refused_without_its_key(proof: ProofOfPossession | None) -> None:
    with pytest.raises(InvalidGrant, match="bound to a key"):
        refreshed(attrs.evolve(TOKEN, confirmation=KEY), proof)


def test_a_spent_token_that_is_bound_ends_no_grant_without_its_key() -> None:
    """Else who has read it in some log could sign a user out."""
    spent = attrs.evolve(TOKEN, confirmation=KEY, key=CONTEXT.digest("refresh_token", CONTEXT.mint()))

    with pytest.raises(InvalidGrant, match="bound to a key"):
        refreshed(spent, ProofOfPossession(OTHER_KEY))


def test_the_successor_is_bound_to_the_same_key() -> None:
    decision = refresh_token.decide(
        PLAIN,
        attrs.evolve(REQUEST, proof=ProofOfPossession(KEY), caller=attrs.evolve(REQUEST.caller, client=PUBLIC)),
        refresh_token.RefreshFacts(
            attrs.evolve(TOKEN, client_id="public", confirmation=KEY),
            attrs.evolve(GRANT, client_id="public"),
            NOBODY,
        ),
        CONTEXT,
    )

    successor = issued(decision).refresh
    assert successor is not None
    assert successor.record.confirmation == KEY


def test_without_a_proof_a_client_gets_what_a_bearer_may_use() -> None:
    (record,) = (
        c.record for c in client_credentials.decide(asking(CONFIDENTIAL), CONTEXT).changes if isinstance(c, Insert)
    )

    assert isinstance(record, AccessToken)
    assert record.confirmation is None
