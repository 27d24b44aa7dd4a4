"""The UserInfo endpoint: the claims of a user, for an access token (OIDC Core section 5.3)."""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.add_claims import claims_to_add, with_claims
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.endpoints.endpoint import EndpointRequest
from oauthcore.errors import InsufficientScope, InvalidRequest, InvalidToken, OAuthError
from oauthcore.extra_claims import ClaimsTarget
from oauthcore.find_user import find_permission
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.grants.dpop import prove_dpop
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.claims_request import Wanted, parse_claims
from oauthcore.oidc.client_keys import encryption_for
from oauthcore.oidc.person import Person, claims_for, load_claims, released_claims
from oauthcore.oidc.subject import subject_for
from oauthcore.possession import ProofOfPossession
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import IssuedTo, is_live, scope_of_token
from oauthcore.records.token import AccessToken
from oauthcore.resource.bearer import (
    BEARER,
    SCHEMES,
    PresentedToken,
    Scheme,
    challenge_of,
    read_access_token,
)
from oauthcore.resource.possession import proves_possession
from oauthcore.resource.stored_token import acting_users, find_access_token
from oauthcore.scope import Scope
from oauthcore.wire.http import NO_STORE, Request, Response, json_response, with_headers
from oauthcore.wire.parameters import FORM, form_of
from oauthcore.wire.text import media_type

OPENID = Scope(("openid",))


@attrs.frozen
class Entitled:
    """Prove that an access token is live, was issued for a person, and opens this endpoint to its client."""

    token: AccessToken
    grant: Grant
    client: Client
    scope: Scope


def userinfo(incoming: EndpointRequest, context: Context) -> Flow[Outcome]:
    """Return the claims that the bearer of an access token may know."""
    dpop = context.dpop
    presented = read_token(incoming.request, BEARER if dpop is None else SCHEMES)
    if presented is None:
        return Decision(challenge_of(context.issuer, dpop).require_token(OPENID))
    value = presented.value
    # OIDC Core section 5.3.3: errors are those of RFC 6750 section 3.
    token = yield from find_access_token(value, context.digest, context.own_keys, context.verify)
    grant = client = grantee = None
    if token is not None:
        grant = None if token.grant is None else (yield from find(Grant, token.grant))
        client = yield from find(Client, token.client_id)
        if grant is not None and grant.client_id != token.client_id:  # a token that was exchanged (RFC 8693)
            grantee = yield from find(Client, grant.client_id)
    actors = () if token is None else (yield from acting_users(token, context.user_policy, (client, grantee)))
    proof = None
    if dpop is not None and presented.scheme == "dpop":
        proof = yield from prove_dpop(dpop, incoming.request, client, context, value)
    to = IssuedTo(client, grant, grantee=grantee, actors=actors)
    try:
        entitled = prove_entitled(token, to, incoming.request, proof, context)
    except OAuthError as error:
        raise explain(error, client, context) from None
    names = names_at(entitled, context)
    locales = entitled.grant.claims_locales
    person = yield from load_claims(entitled.grant.subject, entitled.client, names, locales, context)
    # An exchanged token is good for as long as the user may use the client that the grant is of, too.
    if grantee is not None:
        permission = yield from find_permission(entitled.grant.subject, grantee, context.user_policy)
        person = person if permission.is_given else None
    answer = decide(entitled, person, names, context)
    if context.extra_claims is not None:
        answer = yield from with_extra_claims(answer, entitled, context)
    if isinstance(answer, Jwt):
        signed = yield from context.sign(answer)
        response = Response(200, (("Content-Type", "application/jwt"), *NO_STORE), signed.encode("ascii"))
    else:
        response = json_response(200, answer)
    # RFC 9449 section 11.1: the proof is good once, for all workers.
    return Decision(response) if proof is None else Decision(with_headers(response, proof.headers), proof.spent)


def with_extra_claims(
    answer: dict[str, object] | Jwt, entitled: Entitled, context: Context
) -> Flow[dict[str, object] | Jwt]:
    """Return the response with the claims that the host adds; those of the user and the server's own stay."""
    client, subject = entitled.client, entitled.grant.subject
    target = ClaimsTarget(
        place="userinfo", client=client, subject=subject, scope=entitled.scope, audience=(client.client_id,)
    )
    if isinstance(answer, Jwt):
        return (yield from with_claims(answer, target, context))
    return {**(yield from claims_to_add(target, context)), **answer}


def read_token(request: Request, schemes: frozenset[Scheme] = BEARER) -> PresentedToken | None:
    """Read the token from the header, or from a posted form (RFC 6750 sections 2.1 and 2.2); never from the query.

    Raises `InvalidRequest` for both at once.
    """
    bearer = read_access_token(request, schemes)
    if request.method != "POST" or media_type(request.header("content-type")) != FORM:
        return bearer
    posted = form_of(request).get("access_token")
    # RFC 6750 section 2: clients MUST NOT use more than one method in a request.
    if posted is not None and bearer is not None:
        raise InvalidRequest("the token came in two ways (RFC 6750 section 2)")
    return bearer if posted is None else PresentedToken(Secret(posted), "bearer")


def prove_entitled(
    token: AccessToken | None, to: IssuedTo, request: Request, proof: ProofOfPossession | None, context: Context
) -> Entitled:
    """Check that the token is live, belongs to a user, has scope openid, and came with its key, if it is bound to one.

    Whether the application still knows the user is found out afterwards, with the claims.
    """
    # One response for all of these: the reason would tell a thief which tokens are worth keeping.
    client, grant = to.client, to.grant
    if token is None or not is_live(token, to, context.policy, context.now, context.admits):
        raise InvalidToken("the token is unknown, expired or revoked, or its client is")
    # RFC 9068 section 4: a token for another resource only must not open this one.
    if context.issuer not in token.audience:
        raise InvalidToken("the token is for other resources than this server's")
    jkt = None if proof is None else proof.confirmation.jkt
    if proof is not None and (token.confirmation is None or token.confirmation.jkt != jkt):
        # RFC 9449 section 7.1: the token has to be bound to the key of the proof.
        raise InvalidToken("the token is bound to another key than that of the proof, or to none")
    if token.confirmation is not None and not proves_possession(request, token.confirmation.members, jkt):
        # RFC 9449 section 7.2, RFC 8705 section 3: a token that is bound to a key is nothing that a bearer may use.
        raise InvalidToken("the token is bound to a key, and came without a proof of it")
    scope = Scope() if client is None else scope_of_token(token, to, context.policy)
    # OIDC Core section 5.3: UserInfo belongs to OpenID Connect authentication; a plain OAuth token does not open it.
    if grant is None or client is None or "openid" not in scope:
        raise InsufficientScope("the token has no scope openid")
    return Entitled(token, grant, client, scope)


def names_at(entitled: Entitled, context: Context) -> tuple[str, ...]:
    """Return the claims for the response: those of the token's scope, and those requested by name (section 5.4)."""
    assert context.openid is not None
    requested = requested_by_name(entitled)
    return claims_for(entitled.client, (*context.openid.claims_of(entitled.scope), *requested), context)


def requested_by_name(entitled: Entitled) -> Mapping[str, Wanted]:
    """Return the claims that the user has allowed the client by name, which are not another client's by an exchange."""
    grant = entitled.grant
    return parse_claims(grant.claims).userinfo if entitled.token.client_id == grant.client_id else {}


def decide(
    entitled: Entitled, person: Person | None, names: tuple[str, ...], context: Context
) -> dict[str, object] | Jwt:
    """Answer in the form that the client is registered for: JSON, or a JWT, which may be encrypted (section 5.3.2)."""
    # RFC 6750 section 3.1: for the client, a token of a removed user is an invalid one.
    if person is None:
        raise InvalidToken("the user is not known any more, or may not use the client")
    client, grant = entitled.client, entitled.grant
    claims: dict[str, object] = {
        **released_claims(person, names, requested_by_name(entitled)),
        # OIDC Core section 5.3.2: `sub` MUST always be returned, and be that of the ID token. Last, so that no claim of
        # the application replaces it.
        "sub": subject_for(client, grant.subject, context),
    }
    if client.userinfo_signed_response_alg is None:
        return claims
    # OIDC Core section 5.3.2: a signed response names its issuer and the client that it is for.
    claims |= {"iss": context.issuer, "aud": client.client_id}
    encryption = encryption_for(client, "userinfo", context)
    return Jwt(claims, client.userinfo_signed_response_alg, encryption=encryption)
