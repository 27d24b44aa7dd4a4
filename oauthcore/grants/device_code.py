"""The device authorization grant: a device polls until its user has answered (RFC 8628 section 3.4)."""

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
from oauthcore.records.client import Client
from oauthcore.records.device import DeviceAuthorization
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import DEVICE, DeviceInput, DeviceState, advance
from oauthcore.records.liveness import IssuedTo, end_of_grant, of_generation
from oauthcore.revocation import revoke_grant
from oauthcore.wire.refusals import refuse_as_json


@per_request
class DeviceFacts:
    """Hold what was found for a poll: the authorization, its grant, and its person; None if they don't exist."""

    authorization: DeviceAuthorization | None
    grant: Grant | None = None
    person: Person | None = None


@per_request
class OwnDevice:
    """Prove that a device code is this client's."""

    authorization: DeviceAuthorization


def device_code(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Answer a poll."""
    code = Secret(request.parameters.need("device_code"))
    found = yield from find(DeviceAuthorization, context.digest("device_code", code))
    grant = None if found is None or found.grant is None else (yield from find(Grant, found.grant))
    person = yield from person_of(request.client, grant, context)
    return (yield from answered(decide(request, DeviceFacts(found, grant, person), context), context))


def decide(request: TokenRequest, facts: DeviceFacts, context: Context) -> Issue:
    """Issue tokens, once, after the user has approved; before that, return the state (RFC 8628 section 3.5).

    Ownership is proven before anything else is looked at: who merely read a device code in some log learns nothing, and
    can't end what it gave.
    """
    own = prove_own(request.client, facts.authorization).authorization
    if own.state is DeviceState.REDEEMED:
        return replayed(request.client, facts, context)
    if context.now >= own.expires_at:
        raise ExpiredToken("the device code has expired")
    if own.state is DeviceState.DENIED:
        raise DeniedByUser("the user said no")
    if own.state is DeviceState.PENDING:
        return pending(own, context)
    return issue(request, own, facts, context)


def prove_own(client: Client, found: DeviceAuthorization | None) -> OwnDevice:
    """Check that the device code exists, and that it was issued to this client (RFC 8628 section 3.4)."""
    if found is None:
        raise InvalidGrant("the device code is unknown")
    # A public client proves no more than its identifier; the code is the secret.
    if found.client_id != client.client_id or of_generation(client, found.client_generation) is None:
        raise InvalidGrant("the device code was issued to another client")
    return OwnDevice(found)


def replayed(client: Client, facts: DeviceFacts, context: Context) -> Issue:
    """Revoke the tokens of a device code that is used a second time.

    RFC 8628 refers to the errors of RFC 6749 for a code that was used; as with an authorization code (section 4.1.2
    there), either of the two may be a thief.
    """
    end = end_of_grant(IssuedTo(client, facts.grant, facts.person), context.policy, context.now, context.admits)
    if end is not None or facts.grant is None:
        raise InvalidGrant(f"the device code was redeemed before, and its {end}")
    grant = facts.grant
    refusal = refuse_as_json(InvalidGrant("the device code was redeemed before; its grant is revoked"), context.issuer)
    event = Event("device_code_replayed", grant.client_id, grant.subject, grant.key)
    return Decision(refusal, (Replace(grant, revoke_grant(grant)),), (event,))


def pending(own: DeviceAuthorization, context: Context) -> Issue:
    """Ask the device to go on polling."""
    polled = poll(own.interval, own.slow_downs, own.polled_at, context.now)
    # Raised, since it leaves no trace: else each poll would spend the client's proof or assertion by a commit.
    if not polled.is_kept:
        raise polled.error
    state = DEVICE[own.state, DeviceInput.POLL]
    kept = attrs.evolve(own, state=state, polled_at=context.now, slow_downs=polled.slow_downs)
    return Decision(refuse_as_json(polled.error, context.issuer), (Replace(own, kept),))


def issue(request: TokenRequest, own: DeviceAuthorization, facts: DeviceFacts, context: Context) -> Issue:
    """Issue what the user allowed."""
    client, grant, person = request.client, facts.grant, facts.person
    # The user has withdrawn it since, or was removed: the device gets no tokens.
    end = end_of_grant(IssuedTo(client, grant, person), context.policy, context.now, context.admits)
    if end is not None or grant is None or person is None:
        raise InvalidGrant(f"the device code's {end}")
    redeemed = advance(DEVICE, own.state, DeviceInput.REDEEM)
    assert redeemed is not None, "an approved one can be redeemed"
    # The client may have lost scopes since the user was asked; those are not issued.
    scope = scope_left(grant.scope, client, context)
    id_token = id_token_of(client, grant, scope, own.request.nonce, person, context)
    first = issue_first_tokens(request, grant, context, id_token, scope)
    return Decision(
        first.tokens,
        (
            # If the client is disabled or removed meanwhile, the commit fails and the code is not used up.
            Require(client),
            # A user who leaves a group while this is decided gets no tokens.
            *preconditions(person),
            # Kept as long as its tokens, so that a replay is detected; concurrent polls all replace the same record.
            Replace(own, attrs.evolve(own, state=redeemed, expires_at=first.grant.expires_at)),
            Replace(grant, first.grant),
            *first.changes,
        ),
        (Event("token_issued", grant.client_id, grant.subject, grant.key),),
    )
