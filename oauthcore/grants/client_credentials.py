"""The client credentials grant: a token for the client itself, not for a user (RFC 6749 section 4.4)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.errors import UnauthorizedClient
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Event, Insert, Outcome, Require
from oauthcore.grants.audience import requested_resources, understood_scope
from oauthcore.grants.granted_details import check_no_details
from oauthcore.grants.issuance import Issue, Tokens, answered, issue_access
from oauthcore.grants.terms import usual_terms
from oauthcore.grants.token_request import TokenRequest


def client_credentials(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Issue a client its own access token; there is nothing to find, the caller is the grant."""
    return answered(decide(request, context), context)


def decide(request: TokenRequest, context: Context) -> Issue:
    """Issue an access token, and never a refresh token (RFC 6749 section 4.4.3)."""
    client = request.client
    # RFC 6749 section 4.4: this grant MUST only be used by confidential clients.
    if client.is_public:
        raise UnauthorizedClient("a public client has no credentials to grant with").by_setting(
            "client.token_endpoint_auth_method"
        )
    check_no_details(request, context)
    scope = context.requested_scope(request.scope, client)
    resources: tuple[str, ...] = ()
    if context.resources is not None:
        resources = requested_resources(request.resources, client, context)
        scope = understood_scope(scope, resources, resources, client, context)
    terms = usual_terms(client, scope, request.proof, context, resources)
    access = issue_access(terms, None, context.mint(), context)
    return Decision(
        # RFC 6749 section 4.4.3: a refresh token SHOULD NOT be included; the client can always authenticate again.
        Tokens(access),
        # The commit fails if the client was disabled, or its secret replaced, since it authenticated.
        (Require(client), Insert(access.record)),
        (Event("token_issued", client.client_id),),
    )
