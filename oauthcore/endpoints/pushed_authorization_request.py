"""The pushed authorization request endpoint: a client deposits its request, and gets a URI for it (RFC 9126)."""

from __future__ import annotations

import attrs

from oauthcore.authorization.checks import validate_pushed
from oauthcore.authorization.received import read_request
from oauthcore.authorization.tally import Tally, find_tally
from oauthcore.clients.authentication import authenticate_client, spend
from oauthcore.clients.developer_mode import explain, explained
from oauthcore.clients.registration_limits import source_of
from oauthcore.context import Context
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import InvalidDpopProof
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.grants.dpop import prove_dpop
from oauthcore.pushed_requests import REQUEST_URI, PushedRequests
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.pushed_request import PushedRequest
from oauthcore.wire.http import json_response, with_headers


def pushed_authorization_request(
    incoming: EndpointRequest, settings: PushedRequests, context: Context
) -> Flow[Outcome]:
    """Authenticate the client as the token endpoint does (section 2.1), and keep its request."""
    form = incoming.form()
    # A client with a metadata document may come here first, before it was ever seen at the authorization endpoint.
    caller = yield from authenticate_client(incoming.request, form, context, begins=True)
    pushed = yield from explained(push(incoming, caller.client, settings, context), caller.client, context)
    return spend(caller.spent, pushed)


def push(incoming: EndpointRequest, client: Client, settings: PushedRequests, context: Context) -> Flow[Outcome]:
    """Keep the request of a client that has authenticated."""
    tally = None
    # Anybody may use the identifier of a public client, and each request is stored. One that authenticates can be told
    # apart and disabled.
    if client.is_public and settings.max_from_address is not None:
        source = source_of(incoming.request)
        tally = yield from find_tally("pushed", source, settings.max_from_address, settings.lifetime, context)
    proof = None
    # RFC 9449 section 10.1: a proof may come here, and then binds the code; no client has to send one.
    if context.dpop is not None and incoming.request.header("dpop") is not None:
        proof = yield from prove_dpop(context.dpop, incoming.request, client, context)
    received = read_request(incoming.form(), client.client_id)
    facts = PushFacts(client, settings, tally, None if proof is None else proof.confirmation.jkt)
    outcome = decide(received, facts, context)
    if proof is None:
        return outcome
    outcome = spend(proof.spent, outcome)
    return Decision(with_headers(outcome.value, proof.headers), outcome.changes, outcome.events)


@attrs.frozen
class PushFacts:
    """Hold on what a pushed request is decided: its client, the settings, and what its address has pushed before.

    `jkt` is the key of the DPoP proof that came with it.
    """

    client: Client
    settings: PushedRequests
    tally: Tally | None = None
    jkt: str | None = None


def decide(received: AuthorizationRequest, facts: PushFacts, context: Context) -> Outcome:
    """Check the request as the authorization endpoint does, and answer with a URI that stands for it (section 2.2)."""
    client, lifetime, tally = facts.client, facts.settings.lifetime, facts.tally
    if tally is not None:
        # RFC 9126 section 2.3: 429, for more requests than one client should send.
        tally.check(context.now)
    handle = context.mint()
    key = context.digest("pushed_request", handle)
    request = bound(validate_pushed(received, client, context), facts.jkt, client, context)
    pushed = PushedRequest(
        key=key,
        client_id=client.client_id,
        request=attrs.evolve(request, pushed=key),
        expires_at=context.now + lifetime,
        client_generation=client.generation,
    )
    counted = () if tally is None else (tally.one_more(context.now),)
    return Decision(
        json_response(201, {"request_uri": REQUEST_URI + handle.reveal(), "expires_in": lifetime}),
        (Require(client), Insert(pushed), *counted),
        (Event("authorization_request_pushed", client.client_id),),
    )


def bound(request: AuthorizationRequest, jkt: str | None, client: Client, context: Context) -> AuthorizationRequest:
    """Return the request, whose code is bound to the key of the proof that came with it (RFC 9449 section 10.1)."""
    if jkt is None:
        return request
    # Also where the parameter was in a request object: the two MUST agree.
    if request.dpop_jkt not in {None, jkt}:
        raise explain(InvalidDpopProof("dpop_jkt names another key than that of the DPoP proof"), client, context)
    return attrs.evolve(request, dpop_jkt=jkt)
