"""The tokens of a token exchange: finding them, and proving that they are live (RFC 8693 section 2.1).

A subject token says for whom the new token is, an actor token who acts. Both are tokens of this server: access tokens
in either form, refresh tokens, ID tokens. A subject token may also be a JWT of a trusted issuer. What is wrong with one
is an `invalid_request` (section 2.2.2), with one text for all reasons but the log's, so that a thief can't find out
which tokens are worth keeping.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain
from types import MappingProxyType
from typing import Literal

from oauthcore.assertions.actors import actors_of
from oauthcore.assertions.subject_rule import is_name
from oauthcore.assertions.trusted_issuer import TrustedIssuer
from oauthcore.assertions.verified import PLAIN_TYPES, VerifiedAssertion, verify_assertion
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import ConfigurationError, InvalidGrant, InvalidRequest
from oauthcore.find_user import find_user, records_of
from oauthcore.flow.effects import Flow, find
from oauthcore.grants.audience import still_allowed
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.jose.jwk import SERVER_ALGORITHMS
from oauthcore.jose.registered_claims import audience_of
from oauthcore.jose.strict_json import is_integer
from oauthcore.oidc.person import NOBODY, Person
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.client_subject import check_subject
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import IssuedTo, end_of_grant, is_live, registered_scope, scope_of_token
from oauthcore.records.record import Record
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore.resource.access import text_of
from oauthcore.resource.stored_token import find_access_token, issued_to, looks_signed
from oauthcore.scope import Scope
from oauthcore.token_exchange import TOKEN_TYPE, SubjectTokenType, VerifiedToken, unacceptable_subject

Role = Literal["subject", "actor"]

# RFC 8693 section 3: `jwt` names only the format of a token. Of this server's tokens, those are access tokens.
SUBJECT_TOKEN_TYPES = frozenset({"access_token", "jwt", "refresh_token", "id_token"})
_OF_THIS_SERVER: Mapping[str, SubjectTokenType] = {
    "access_token": "access_token",
    "refresh_token": "refresh_token",
    "id_token": "id_token",
}
# RFC 9068 section 2.1: an access token says that it is one; most other JWTs say nothing, or `JWT`.
FOREIGN_TYPES = PLAIN_TYPES | {"at+jwt"}
NO_ISSUERS: Mapping[str, TrustedIssuer] = MappingProxyType({})
# No user has signed in here with another issuer's token.
_OF_A_LOGIN = Scope(("openid", "offline_access"))
# A refresh token says what may be issued to a client, and not who is acting.
ACTOR_TOKEN_TYPES = SUBJECT_TOKEN_TYPES - {"refresh_token"}


@per_request
class PresentedToken:
    """Hold a token as a client sent it, and as what; `type` is the end of the identifier (RFC 8693 section 3)."""

    value: Secret
    type: str
    role: Role


@per_request
class IdToken:
    """Hold an ID token whose signature has been verified: by its claims, and the grant that it was issued on."""

    claims: Mapping[str, object]
    client_id: str


@per_request
class FoundToken:
    """Hold what was found for a presented token, and what its liveness depends on; None for what does not exist.

    `flaw` says why a JWT of another issuer is none.
    """

    presented: PresentedToken
    token: AccessToken | RefreshToken | IdToken | VerifiedAssertion | None
    to: IssuedTo
    claims: Mapping[str, object]
    flaw: str = "is unknown, or not of its type"

    @property
    def relied_on(self) -> tuple[Record, ...]:
        """Return the records that the token's liveness depends on."""
        record = self.token if isinstance(self.token, AccessToken | RefreshToken) else None
        found = (self.to, *self.to.actors)
        of_each = ((to.grant, to.client, to.grantee, *records_of(to.person), *to.records) for to in found)
        return tuple(one for one in (record, *chain(*of_each)) if one is not None)


def read_presented(value: str | None, type_: str | None, role: Role, known: frozenset[str]) -> PresentedToken | None:
    """Read a token and its type; None if neither is there. Raises `InvalidRequest` for one without the other."""
    if value is None and type_ is None:
        return None
    # RFC 8693 section 2.1: the type is REQUIRED with the token, and MUST NOT be there without it.
    if value is None or type_ is None:
        raise InvalidRequest.with_description("the request has a token without its type, or a type without its token")
    name = type_.removeprefix(TOKEN_TYPE)
    if name == type_ or name not in known:
        raise InvalidRequest.with_description("the server accepts no tokens of this type")
    return PresentedToken(Secret(value), name, role)


def find_presented(
    presented: PresentedToken,
    caller: Client,
    claim_names: tuple[str, ...],
    context: Context,
    issuers: Mapping[str, TrustedIssuer] = NO_ISSUERS,
) -> Flow[FoundToken]:
    """Find a token, its grant and its clients; `claim_names` are claims of its user to load on the way.

    A JWT may be of one of these issuers.
    """
    if presented.role == "subject" and is_foreign(presented, issuers):
        return (yield from _find_foreign(presented, caller, issuers, context))
    if presented.type == "id_token":
        return (yield from _find_id_token(presented, caller, claim_names, context))
    value = presented.value
    token: AccessToken | RefreshToken | None
    read: Mapping[str, object] = NOBODY
    if presented.type == "refresh_token":
        token = yield from find(RefreshToken, context.digest("refresh_token", value))
    elif presented.type == "jwt" and not looks_signed(value):
        token = None
    else:
        token = yield from find_access_token(value, context.digest, context.own_keys, context.verify)
        if token is not None and looks_signed(value):
            read = read_claims(read_signed(value.reveal()).payload)  # its signature has been verified
    to = yield from issued_to(token, context.user_policy, caller, claim_names)
    return FoundToken(presented, token, to, read)


def subject_token_type(presented: PresentedToken, issuers: Mapping[str, TrustedIssuer]) -> SubjectTokenType:
    """Return the type of a subject token, as a policy knows it, from the type that the client names."""
    if presented.type == "jwt":
        return "jwt" if is_foreign(presented, issuers) else "access_token"
    return _OF_THIS_SERVER[presented.type]


def is_foreign(presented: PresentedToken, issuers: Mapping[str, TrustedIssuer]) -> bool:
    """Return whether a token says that it is of one of these issuers."""
    return presented.type == "jwt" and issuer_in(presented.value) in issuers


def issuer_in(value: Secret) -> str | None:
    """Return the issuer that a JWT names, which is not verified yet."""
    try:
        return text_of(read_claims(read_signed(value.reveal()).payload).get("iss"))
    except InvalidJwt:
        return None


def _find_foreign(
    presented: PresentedToken, caller: Client, issuers: Mapping[str, TrustedIssuer], context: Context
) -> Flow[FoundToken]:
    """Verify a token of a trusted issuer, and find out whom it stands for here.

    It is used up by nothing: an exchange leaves the subject token as it was (RFC 8693 section 2.2).
    """
    try:
        verified = verify_assertion(presented.value.reveal(), issuers, "token-exchange", context, types=FOREIGN_TYPES)
    except InvalidGrant as refused:
        return FoundToken(presented, None, IssuedTo(caller), NOBODY, f"is refused: {refused.reason}")
    subject = verified.issuer.subject_of(verified.claims)
    person: Person | None = None
    if subject is not None and subject.subject is not None:
        person = yield from find_user(subject.subject, caller, context.user_policy)
    return FoundToken(presented, verified, IssuedTo(caller, None, person), verified.claims)


def _find_id_token(
    presented: PresentedToken, caller: Client, claim_names: tuple[str, ...], context: Context
) -> Flow[FoundToken]:
    """Find the grant that an ID token of this server names; the signature comes first."""
    keys = yield from context.own_keys()
    try:
        verified = context.verify(presented.value.reveal(), keys, SERVER_ALGORITHMS)
        audience = audience_of(verified.claims)
    except InvalidJwt:
        return FoundToken(presented, None, IssuedTo(None), NOBODY)
    read = verified.claims
    grant_id = read.get("grant_id")
    # RFC 8725 section 3.12: the same keys sign access tokens (at+jwt), logout tokens (events) and ID-JAGs; none of them
    # says who was authenticated for a client.
    is_id_token = read.get("iss") == context.issuer and verified.header.get("typ") == "JWT" and "events" not in read
    if not is_id_token or len(audience) != 1 or not isinstance(grant_id, str):
        return FoundToken(presented, None, IssuedTo(None), NOBODY)
    grant = yield from find(Grant, Digest(grant_id))
    client: Client | None = caller
    if audience[0] != caller.client_id:
        client = yield from find(Client, audience[0])
    person: Person | None = None
    if grant is not None and client is not None:
        person = yield from find_user(grant.subject, client, context.user_policy, claim_names)
    return FoundToken(presented, IdToken(read, audience[0]), IssuedTo(client, grant, person), read)


def prove_live(found: FoundToken, context: Context) -> VerifiedToken:
    """Describe a token that is live; raises `InvalidRequest` for every other (RFC 8693 section 2.2.2)."""
    token, to = found.token, found.to
    if token is None:
        raise _unacceptable(found, found.flaw)
    if isinstance(token, IdToken):
        return _live_id_token(token, found, context)
    if isinstance(token, VerifiedAssertion):
        return _foreign(token, found, context)
    client = to.client
    if client is None or not is_live(token, to, context.policy, context.now, context.admits):
        raise _unacceptable(found, "has expired, or was revoked or replaced, or its client or user is gone")
    if isinstance(token, RefreshToken):
        assert to.grant is not None
        return _of_grant(to.grant, client, token.expires_at, found, context)
    may_act = found.claims.get("may_act")
    return VerifiedToken(
        type="access_token",
        client_id=token.client_id,
        subject=token.subject,
        scope=scope_of_token(token, to, context.policy),
        audience=token.audience,
        expires_at=token.expires_at,
        issuer=context.issuer,
        actors=token.actors,
        confirmation=token.confirmation,
        may_act=None if may_act is None else _may_act(may_act, found),
        claims=found.claims,
    )


def _live_id_token(token: IdToken, found: FoundToken, context: Context) -> VerifiedToken:
    client, grant, expires_at = found.to.client, found.to.grant, token.claims.get("exp")
    # OIDC Core section 3.1.3.7: it expires at `exp`. This server issued it, by the same clock, so no skew is tolerated.
    if not is_integer(expires_at) or context.now >= expires_at:
        raise _unacceptable(found, "has expired")
    if client is None or grant is None or grant.client_id != token.client_id:
        raise _unacceptable(found, "is of a grant that does not exist any more")
    end = end_of_grant(found.to, context.policy, context.now, context.admits)
    if end is not None:
        raise _unacceptable(found, f"is over: its {end}")
    return _of_grant(grant, client, expires_at, found, context)


def _foreign(token: VerifiedAssertion, found: FoundToken, context: Context) -> VerifiedToken:
    """Describe a token of a trusted issuer, for the user here that it stands for."""
    caller, subject = found.to.client, token.issuer.subject_of(token.claims)
    assert caller is not None
    # Skew is tolerated when the token is verified; the new token still expires at its `exp`.
    expires_at = token.expires_at - token.issuer.skew
    if context.now >= expires_at:
        raise _unacceptable(found, "has expired")
    if not token.issuer.is_presented_by(caller.client_id):
        raise _unacceptable(found, "is of an issuer whose tokens this client may not present")
    if subject is None or subject.subject is None:
        raise _unacceptable(found, "stands for no user here")
    if subject.client_id not in {None, caller.client_id}:
        raise _unacceptable(found, "is for another client")
    try:
        check_subject(subject.subject)
    except ConfigurationError:
        raise _unacceptable(found, "names a client as if it were a user") from None
    if not is_name(subject.subject):
        raise _unacceptable(found, "names a user as no user can be called")
    if found.to.person is None:
        raise _unacceptable(found, "stands for a user that the application does not know")
    # RFC 7800 section 3: its key can't be proven here, and without that it would be of use to a thief.
    # What it allows in detail (RFC 9396) can't be said in a token here, which would then allow more.
    if {"cnf", "authorization_details"} & token.claims.keys():
        raise _unacceptable(found, "is bound to a key")
    try:
        actors = actors_of(token, context)
    except InvalidGrant as refused:
        raise _unacceptable(found, f"is refused: {refused.reason}") from None
    bound = caller.scope if subject.scope is None else context.policy.implies.within(caller.scope, subject.scope)
    may_act = token.claims.get("may_act")
    return VerifiedToken(
        type="jwt",
        client_id="",
        subject=subject.subject,
        # The scope of another issuer has no meaning here: the operator says what the token may be exchanged for.
        scope=bound.without(_OF_A_LOGIN),
        audience=(context.issuer,),
        expires_at=expires_at,
        issuer=token.issuer.issuer,
        actors=actors,
        may_act=None if may_act is None else _may_act(may_act, found),
        claims=token.claims,
    )


def _of_grant(grant: Grant, client: Client, expires_at: int, found: FoundToken, context: Context) -> VerifiedToken:
    """Describe a refresh token or an ID token: both stand for all that their grant allows."""
    may_act = found.claims.get("may_act")
    # As with a refresh: what the client has lost since is not issued by an exchange either.
    left = still_allowed(grant, client, context)
    audience = tuple(uri for uri in grant.resources or (context.issuer,) if uri in left)
    if not audience:
        raise _unacceptable(found, "is for resources that are none for its client any more")
    token = found.token
    return VerifiedToken(
        type="refresh_token" if found.presented.type == "refresh_token" else "id_token",
        client_id=client.client_id,
        subject=grant.subject,
        scope=registered_scope(grant.scope, client, context.policy),
        audience=audience,
        expires_at=min(expires_at, grant.expires_at),
        issuer=context.issuer,
        # RFC 9449 section 5: a public client's refresh token is of no use to a thief without its key.
        confirmation=token.confirmation if isinstance(token, RefreshToken) else None,
        may_act=None if may_act is None else _may_act(may_act, found),
        claims=found.claims,
    )


def _may_act(value: object, found: FoundToken) -> Mapping[str, object]:
    # RFC 8693 section 4.4: an object. One that can't be read allows no actor.
    if not isinstance(value, dict):
        raise _unacceptable(found, "has a may_act that is no object")
    return value


def _unacceptable(found: FoundToken, reason: str) -> InvalidRequest:
    role = found.presented.role
    if role == "actor":
        return InvalidRequest.with_description("the actor_token is invalid", f"the actor token {reason}")
    return unacceptable_subject(f"the subject token {reason}")
