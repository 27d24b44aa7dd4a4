"""Invitations: a client that may invite makes one, and the app of who was invited redeems it for tokens, once."""

from collections.abc import Mapping

import attrs

from oauthcore import Client, Secret
from oauthcore.clients.authentication import authenticate_client, spend
from oauthcore.context import Context
from oauthcore.digest import Digest
from oauthcore.endpoints.endpoint import Endpoint, EndpointRequest
from oauthcore.errors import InvalidGrant, UnauthorizedClient
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Replace, Require
from oauthcore.grants.issuance import Issue, answered, issue_first_tokens, new_grant
from oauthcore.grants.token_request import TokenRequest
from oauthcore.named import Named
from oauthcore.records.client_subject import check_subject
from oauthcore.records.lifecycle import advance
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.http import json_response

GRANT_TYPE = "urn:example:grant-type:invitation"
SECRET = "example:invitation"  # the kind of secret, for its digest
MADE, REDEEMED = "example:invitation_made", "example:invitation_redeemed"  # events
LIFETIME = 7 * 24 * 3_600


class State(Named):
    OPEN = "open"
    REDEEMED = "redeemed"


class Input(Named):
    REDEEM = "redeem"


LIFECYCLE: Mapping[tuple[State, Input], State] = {(State.OPEN, Input.REDEEM): State.REDEEMED}


@attrs.frozen(kw_only=True)
class Invitation:
    """Remember an invitation by the digest of its code; once redeemed it stays until it expires."""

    key: Digest
    subject: str
    scope: Scope
    expires_at: int
    state: State = State.OPEN


def invite(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Answer a client that posts a subject and a scope with the code of an invitation."""
    form = incoming.form()
    caller = yield from authenticate_client(incoming.request, form, context)
    outcome = decide_invitation(caller.client, form.need("subject"), parse_scope(form.need("scope")), context)
    return spend(caller.spent, outcome)


def decide_invitation(client: Client, subject: str, scope: Scope, context: Context) -> Outcome:
    """Make an invitation, if the client is confidential and registered for the scope `invite`."""
    if client.is_public or "invite" not in client.scope:
        raise UnauthorizedClient("the client may not invite")
    check_subject(subject)
    code = context.mint()
    key, expires_at = context.digest(SECRET, code), context.now + LIFETIME
    invitation = Invitation(key=key, subject=subject, scope=scope, expires_at=expires_at)
    return Decision(
        json_response(201, {"invitation": code.reveal(), "expires_in": LIFETIME}),
        (Require(client), Insert(invitation)),
        (Event(MADE, client.client_id, subject),),
    )


def redeem(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Exchange the code of an invitation for tokens, once."""
    code = Secret(request.parameters.need("invitation"))
    found = yield from find(Invitation, context.digest(SECRET, code))
    return (yield from answered(decide_redemption(request, found, context), context))


def decide_redemption(request: TokenRequest, found: Invitation | None, context: Context) -> Issue:
    """Issue tokens for what the invitation and the client's registration allow, and mark it redeemed."""
    client = request.client
    if found is None or context.now >= found.expires_at:
        raise InvalidGrant("there is no such invitation (any more)")
    after = advance(LIFECYCLE, found.state, Input.REDEEM)
    if after is None:
        raise InvalidGrant("the invitation was redeemed before")
    scope = context.requested_scope(found.scope, client)
    first = issue_first_tokens(request, new_grant(client, found.subject, scope, None, context), context)
    return Decision(
        first.tokens,
        (Require(client), Replace(found, attrs.evolve(found, state=after)), Insert(first.grant), *first.changes),
        (Event(REDEEMED, client.client_id, found.subject, first.grant.key),),
    )


GRANTS = {GRANT_TYPE: redeem}
ENDPOINTS = (Endpoint(path="/invitations", flow=invite, metadata="invitation_endpoint"),)
