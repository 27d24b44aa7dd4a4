"""The CIBA grant: a client asks for the tokens of a backchannel authentication request (CIBA Core section 10.1)."""

from __future__ import annotations

import attrs

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import DeniedByUser, ExpiredToken, InvalidGrant
from oauthcore.find_user import preconditions
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Outcome, Replace, Require
from oauthcore.grants.issuance import Issue, answered, id_token_of, issue_first_tokens, person_of, scope_left
from oauthcore.grants.polling import poll
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.person import Person
from oauthcore.per_request import per_request
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import BACKCHANNEL, BackchannelInput, BackchannelState, advance
from oauthcore.records.liveness import IssuedTo, end_of_grant, of_generation
from oauthcore.wire.refusals import refuse_as_json


@per_request
class BackchannelFacts:
    """Hold what was found for a poll: the request, and what its user has allowed; None for what does not exist."""

    request: BackchannelRequest | None
    grant: Grant | None = None
    person: Person | None = None


def ciba(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Tell a client how its request stands, and issue tokens once the user has allowed it."""
    presented = Secret(request.parameters.need("auth_req_id"))
    found = yield from find(BackchannelRequest, context.digest("auth_req_id", presented))
    grant = None if found is None or found.grant is None else (yield from find(Grant, found.grant))
    person = yield from person_of(request.client, grant, context)
    return (yield from answered(decide(request, BackchannelFacts(found, grant, person), context), context))


def decide(request: TokenRequest, facts: BackchannelFacts, context: Context) -> Issue:
    """Issue tokens once (CIBA Core section 10.1.1), or say why there are none (section 11)."""
    client, grant, person = request.client, facts.grant, facts.person
    found = own_request(client, facts.request)
    if found.state is BackchannelState.DENIED:
        raise DeniedByUser("the user has denied the request")
    # An answer given in time is good for some minutes more, whether or not the record is still there by then.
    until = found.answer_before if found.state is BackchannelState.PENDING else found.expires_at
    if context.now >= until:
        raise ExpiredToken("the user has not answered in time")
    if (waiting := advance(BACKCHANNEL, found.state, BackchannelInput.POLL)) is not None:
        polled = poll(found.interval, found.slow_downs, found.polled_at, context.now)
        # Raised, since it leaves no trace: else each poll would spend the client's proof or assertion by a commit.
        if not polled.is_kept:
            raise polled.error
        kept = attrs.evolve(found, state=waiting, slow_downs=polled.slow_downs, polled_at=context.now)
        return Decision(refuse_as_json(polled.error, context.issuer), (Replace(found, kept),))
    redeemed = advance(BACKCHANNEL, found.state, BackchannelInput.REDEEM)
    # CIBA Core section 10.1: a request is redeemed once. Only the client itself can come here, by its credentials, so
    # that a second time is its own repetition, and no reason to end what it was given.
    if redeemed is None:
        raise InvalidGrant("the request was redeemed before")
    end = end_of_grant(IssuedTo(client, grant, person), context.policy, context.now, context.admits)
    if end is not None or grant is None or person is None:
        raise InvalidGrant(f"the request's {end}")
    scope = scope_left(grant.scope, client, context)
    id_token = id_token_of(client, grant, scope, None, person, context)
    first = issue_first_tokens(request, grant, context, id_token, scope)
    return Decision(
        first.tokens,
        (
            # If the client is disabled meanwhile, or the grant withdrawn, the commit fails and is decided again.
            Require(client),
            # A user who leaves a group while this is decided gets no tokens.
            *preconditions(person),
            # Of several polls at once one gets the tokens: the others replace a record that is another by then.
            Replace(found, attrs.evolve(found, state=redeemed)),
            Replace(grant, first.grant),
            *first.changes,
        ),
        (Event("token_issued", grant.client_id, grant.subject, grant.key),),
    )


def own_request(client: Client, found: BackchannelRequest | None) -> BackchannelRequest:
    """Return the request if it exists and is this client's (CIBA Core section 11: `invalid_grant`)."""
    if found is None:
        raise InvalidGrant("the authentication request is unknown, or expired long ago")
    # CIBA Core section 10.1: the auth_req_id was issued to this client, and to this registration of it.
    if found.client_id != client.client_id or of_generation(client, found.client_generation) is None:
        raise InvalidGrant("the authentication request is another client's")
    return found
