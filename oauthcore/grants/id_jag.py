"""ID-JAG: an assertion of who a user is, for the authorization server of another domain.

(draft-ietf-oauth-identity-assertion-authz-grant, where this server is the identity provider.) It is issued by token
exchange, is no access token, and is not stored: it is good for minutes, at one server, to one client, which has to
authenticate there.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.context import Context
from oauthcore.errors import InvalidRequest, InvalidTarget, UnauthorizedClient
from oauthcore.flow.effects import Flow
from oauthcore.grants.subject_token import FoundToken
from oauthcore.grants.token_request import TokenRequest
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.person import released_claims
from oauthcore.oidc.subject import subject_for
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import registered_scope
from oauthcore.scope import Scope, resolve_scope
from oauthcore.token_exchange import (
    TOKEN_TYPE,
    AllowedIdJag,
    ExchangeAllowance,
    ExchangeRequest,
    unacceptable_subject,
)
from oauthcore.wire.http import Response, json_response

ID_JAG = "id-jag"
# Section 3.1 of the draft recommends an e-mail address, by which the other server finds or makes the account.
EMAIL_CLAIMS = ("email", "email_verified")


@per_request
class UnsignedIdJag:
    """Hold an ID-JAG that is not signed yet, with what the response says beside it."""

    jwt: Jwt
    scope: Scope
    expires_in: int


def id_jag(
    exchange: ExchangeRequest, allowed: AllowedIdJag, found: FoundToken, request: TokenRequest, context: Context
) -> UnsignedIdJag:
    """Assert who the user of a subject token is (sections 3.1 and 4.3.3 of the draft)."""
    client, grant, subject = exchange.client, found.to.grant, exchange.subject
    settings = context.token_exchange
    # `TokenExchange.check_possible` has let pass an ID token or a refresh token, of a confidential client.
    assert settings is not None and grant is not None and not client.is_public, "checked before the tokens were found"
    # Section 4.3.3: the audience of the assertion MUST be the authenticated client.
    if subject.client_id != client.client_id:
        raise unacceptable_subject("the ID token is another client's")
    # A client that lost `openid` may no longer learn who its users are, so it may not assert it to others either.
    left = registered_scope(grant.scope, client, context.policy)
    if subject.type == "id_token" and "openid" not in left:
        raise unacceptable_subject("the client has lost the scope openid")
    # Section 4.3: what an actor token means is not defined. One that is ignored would overstate who is allowed what.
    if exchange.actor is not None:
        raise InvalidRequest.with_description("an ID-JAG is issued without an actor_token")
    # Section 4.3: audience is REQUIRED, and is one server's: the assertion is good there and nowhere else.
    if len(exchange.audiences) != 1:
        raise InvalidTarget.with_description("an ID-JAG is issued for exactly one audience")
    scope = resolve_scope(exchange.scope, allowed.scope, allowed.scope, ignore_unknown=True)
    expires_at = min(context.now + allowed.lifetime, grant.expires_at)
    if ExchangeAllowance.OUTLIVE_SUBJECT not in allowed.allow:
        expires_at = min(expires_at, subject.expires_at)
    claims: dict[str, object] = {} if not allowed.email else email_of(found, left, context)
    claims |= {
        "iss": context.issuer,
        "sub": subject_at_audience(client, grant, allowed, context),
        "aud": allowed.audience,
        # Section 5: the client as the other server knows it, which compares it with the one that authenticates.
        "client_id": allowed.client_id,
        "jti": context.mint().reveal(),
        "exp": expires_at,
        "iat": context.now,
    }
    # Section 4.3.3: what is granted MUST be in the assertion.
    known = {
        "resource": _one_or_list(allowed.resources),
        "scope": scope.text or None,
        "auth_time": grant.auth_time,
        "acr": grant.acr,
        "amr": list(grant.amr) or None,
        # Section 8.6.1.1: with a proof of possession it MUST be bound to that key.
        "cnf": None if request.proof is None else request.proof.confirmation.members,
    }
    claims |= {name: value for name, value in known.items() if value is not None}
    alg = client.id_token_signed_response_alg
    return UnsignedIdJag(
        # Section 3.1: `typ` keeps it from being taken for an ID token or an access token.
        Jwt(claims, alg if alg in settings.algorithms else settings.alg or alg, typ="oauth-id-jag+jwt"),
        scope,
        expires_at - context.now,
    )


def subject_at_audience(client: Client, grant: Grant, allowed: AllowedIdJag, context: Context) -> str:
    """Return the subject by which the other server knows the user from its sign-ins here (section 3.1, MUST)."""
    if allowed.sector_identifier_uri is not None:
        there = attrs.evolve(client, subject_type="pairwise", sector_identifier_uri=allowed.sector_identifier_uri)
        return subject_for(there, grant.subject, context)
    # OIDC Core section 8.1: a client with pairwise subjects can read the assertion, and is not to learn the other one.
    if client.subject_type == "pairwise" and ExchangeAllowance.PUBLIC_SUBJECT not in allowed.allow:
        raise UnauthorizedClient(
            "the client has pairwise subjects: set sector_identifier_uri, or allow it: ExchangeAllowance.PUBLIC_SUBJECT"
        )
    return grant.subject


def email_of(found: FoundToken, scope: Scope, context: Context) -> dict[str, object]:
    """Return the user's e-mail address, if it is in what is left of the scope that the user has allowed the client."""
    if context.openid is None or found.to.person is None:
        return {}
    allowed = frozenset(context.openid.claims_of(scope))
    names = tuple(name for name in EMAIL_CLAIMS if name in allowed)
    return dict(released_claims(found.to.person, names, {}))


def _one_or_list(values: Sequence[str]) -> object:
    return None if not values else values[0] if len(values) == 1 else list(values)


def id_jag_response(unsigned: UnsignedIdJag, context: Context) -> Flow[Response]:
    """Answer with an ID-JAG (section 4.3.4)."""
    members: dict[str, object] = {
        "issued_token_type": TOKEN_TYPE + ID_JAG,
        # RFC 8693 section 2.2.1: whatever is issued has this name, for historical reasons; N_A: it is no access token.
        "access_token": (yield from context.sign(unsigned.jwt)),
        "token_type": "N_A",
        "expires_in": unsigned.expires_in,
    }
    if unsigned.scope:
        members["scope"] = unsigned.scope.text
    return json_response(200, members)
