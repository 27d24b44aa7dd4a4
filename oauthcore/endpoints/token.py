"""The token endpoint (RFC 6749 section 3.2)."""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.clients.authentication import authenticate_client, shows_client, spend
from oauthcore.clients.developer_mode import explain, explained
from oauthcore.clients.document_clients import kept_in_use
from oauthcore.clients.first_use import first_use
from oauthcore.context import Context
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import OAuthError, UnauthorizedClient, UnsupportedGrantType
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Outcome, profile_events
from oauthcore.grants import GrantFlow
from oauthcore.grants.certificate_bound import check_certificate_bound
from oauthcore.grants.dpop import check_bound
from oauthcore.grants.token_request import TokenRequest
from oauthcore.possession import prove_possession
from oauthcore.profiles.profile import Profile
from oauthcore.profiles.rule import Rule, TokenTraits
from oauthcore.records.client import Client
from oauthcore.wire.http import with_headers


def token(grants: Mapping[str, GrantFlow], incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Authenticate the client, then run the grant of the requested type."""
    request, parameters = incoming.request, incoming.form()
    grant_type = parameters.need("grant_type")
    # RFC 6749 section 3.2.1. Before the grant type is looked at: who is not a client learns nothing about what is
    # offered.
    grant = grants.get(grant_type)
    identify = getattr(grant, "identify", None)
    if identify is None or shows_client(request, parameters):
        caller = yield from authenticate_client(request, parameters, context)
    else:
        # RFC 7521 section 4.1: client authentication is optional, where what is granted upon tells who is calling.
        caller = yield from identify(parameters, context)
    proof = (yield from prove_possession(request, caller.client, context)) if context.possession else None
    authenticated = TokenRequest(caller, parameters, request, proof)
    broken = () if context.profile is None else broken_rules(authenticated, grant_type, context.profile)
    try:
        if caller.client.dpop_bound_access_tokens:
            check_bound(proof)
        if context.profile is not None:
            context.profile.refuse(broken)
        if caller.client.tls_client_certificate_bound_access_tokens:
            check_certificate_bound(proof)
        granted = usable_by(caller.client, grant_type, grant)(authenticated, context)
    except OAuthError as error:
        raise explain(error, caller.client, context) from None
    if caller.client.explain_until is not None:
        granted = explained(granted, caller.client, context)
    # The assertion or proof is used up by the commit that issues the tokens: a refused request leaves it unused.
    outcome = yield from granted
    if authenticated.spent:
        outcome = spend(authenticated.spent, outcome)
    if proof is not None and proof.headers:
        outcome = Decision(with_headers(outcome.value, proof.headers), outcome.changes, outcome.events)
    if broken and outcome.value.status == 200:
        outcome = reported(broken, caller.client, outcome)
    document, dynamic = caller.client.document, caller.client.dynamic
    if document is not None and outcome.value.status == 200:
        return spend(kept_in_use(caller.client, document, context), outcome)
    if dynamic is None or not dynamic.is_unused or outcome.value.status != 200:
        return outcome
    # For every grant type: a dynamically registered client that is used must not be deleted if anybody answers for it.
    return spend(first_use(caller.client, without_user=grant_type == "client_credentials"), outcome)


def broken_rules(request: TokenRequest, grant_type: str, profile: Profile) -> tuple[Rule, ...]:
    """Return the rules of the server's profile that a token request breaks."""
    is_authenticated = request.caller.assertion is None
    traits = TokenTraits(request.client, grant_type, request.confirmation, is_authenticated=is_authenticated)
    return profile.broken_by_token_request(traits)


def reported(broken: tuple[Rule, ...], client: Client, outcome: Outcome) -> Outcome:
    """Return the answer to a request that the profile would have refused, with an event for each rule."""
    events = profile_events((rule.name for rule in broken), client.client_id)
    return Decision(outcome.value, outcome.changes, (*outcome.events, *events))


def usable_by(client: Client, grant_type: str, grant: GrantFlow | None) -> GrantFlow:
    """Return the grant of a type, if it is offered and the client is registered for it."""
    if grant is None:
        raise UnsupportedGrantType("the grant type is not offered").by_setting("policy.grant_types")
    # RFC 6749 section 5.2: unauthorized_client. A leaked secret of a web application then can't be used for client
    # credentials or passwords.
    if grant_type not in client.grant_types:
        raise UnauthorizedClient.with_description(
            "the client is not registered for this grant type", f"the client is not registered for {grant_type}"
        ).by_setting("client.grant_types")
    return grant
