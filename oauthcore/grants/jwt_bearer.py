"""The JWT bearer grant: an assertion of a trusted issuer, for a token (RFC 7523 section 2.1).

An assertion stands for a user, and the token is for the client that presents it; or for a workload, a client that it
identifies and that needs no other credentials (SEP-1933). An ID-JAG is an assertion of a user's identity provider, made
for one client to use one API (draft-ietf-oauth-identity-assertion-authz-grant, SEP-990): the second of its two legs.

There is no consent page: that an issuer is trusted, for whom, and for what scope, is the operator's decision. There
is no refresh token (RFC 7521 section 4.1): a client whose token has expired brings another assertion.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.assertions.actors import actors_of
from oauthcore.assertions.subject_rule import AssertedSubject
from oauthcore.assertions.trusted_issuer import TrustedIssuer
from oauthcore.assertions.verified import ID_JAG_TYPES, VerifiedAssertion, type_in, verify_assertion
from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.errors import (
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    InvalidTarget,
    UnauthorizedClient,
)
from oauthcore.find_user import preconditions
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Decision, Event, Insert, Outcome, Require
from oauthcore.grants.audience import requested_resources, understood_scope
from oauthcore.grants.granted_details import check_no_details
from oauthcore.grants.issuance import Issue, Tokens, answered, issue_access, new_grant
from oauthcore.grants.terms import usual_terms
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.person import Person, load_claims
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_live_client
from oauthcore.records.token import SpentAssertion
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.parameters import Parameters

GRANT_TYPE = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ID_JAG_PROFILE = "urn:ietf:params:oauth:grant-profile:id-jag"

# No user has signed in here, so there is no ID token; and there is no refresh token to go on with offline.
_OF_A_LOGIN = Scope(("openid", "offline_access"))


@per_request
class AssertionFacts:
    """Hold what was found out about an assertion: whom it stands for, and whether it was used before.

    `person` is what the application says of the user, None if it does not know them; for a workload it is not asked.
    """

    assertion: VerifiedAssertion
    subject: AssertedSubject
    before: SpentAssertion | None
    person: Person | None


@attrs.frozen
class JwtBearer:
    """Exchange assertions of these issuers, by their names, for tokens."""

    issuers: Mapping[str, TrustedIssuer]

    def __call__(self, request: TokenRequest, context: Context) -> Flow[Outcome]:
        """Exchange an assertion for a token."""
        # The client was identified by this assertion, so it was verified already.
        assertion = request.caller.assertion or self._verified(request.parameters, context)
        subject = subject_of(assertion)
        key = assertion.key(context)
        before = None if key is None else (yield from find(SpentAssertion, key))
        person = None
        if subject.subject is not None:
            # Disabled or removed users are not known, nor are those who may not use the client (`oauthcore.find_user`).
            person = yield from load_claims(subject.subject, request.client, (), None, context)
        facts = AssertionFacts(assertion, subject, before, person)
        return (yield from answered(decide(request, facts, context), context))

    def identify(self, parameters: Parameters, context: Context) -> Flow[Authenticated]:
        """Identify a client by nothing but its assertion (RFC 7523 section 3.1, RFC 7521 section 4.1).

        Raises `InvalidClient` where the assertion identifies none.
        """
        assertion = self._verified(parameters, context)
        client_id = None if is_id_jag(assertion) else subject_of(assertion).client_id
        if client_id is None:
            raise InvalidClient.with_description("the client has to authenticate to use this assertion")
        client = yield from find(Client, client_id)
        if client is None or not is_live_client(client, context.now, context.admits):
            raise InvalidClient(f"the client {client_id} that the assertion identifies is unknown or disabled")
        return Authenticated(client, assertion=assertion)

    def _verified(self, parameters: Parameters, context: Context) -> VerifiedAssertion:
        text = parameters.need("assertion")
        if type_in(text) not in ID_JAG_TYPES:
            return verify_assertion(text, self.issuers, "jwt-bearer", context)
        # An ID-JAG is for exactly the issuer, whatever else its issuer may call this server in other assertions.
        return verify_assertion(
            text, self.issuers, "id-jag", context, types=ID_JAG_TYPES, audience=frozenset({context.issuer})
        )


def is_id_jag(assertion: VerifiedAssertion) -> bool:
    """Return whether an assertion is an ID-JAG."""
    return assertion.type in ID_JAG_TYPES


def subject_of(assertion: VerifiedAssertion) -> AssertedSubject:
    """Return the subject of an assertion; raises `InvalidGrant` if there is none."""
    found = assertion.issuer.subject_of(assertion.claims)
    if found is None:
        raise InvalidGrant("the assertion matches no subject rule, or its subject can't be a user's")
    return found


def decide(request: TokenRequest, facts: AssertionFacts, context: Context) -> Issue:
    """Issue an access token for the subject of the assertion, and mark the assertion as used."""
    client, assertion, subject = request.client, facts.assertion, facts.subject
    check_presenter(client, facts)
    # RFC 7523 section 3 item 7. After the signature: otherwise an attacker could find out which jti were used.
    check_no_details(request, context)
    # RFC 7523 section 3 item 7. After the signature: otherwise anybody could find out which jti were used.
    if facts.before is not None:
        raise InvalidGrant("the assertion was used before")
    if subject.subject is not None and facts.person is None:
        raise InvalidGrant("the user that the assertion stands for is disabled or unknown, or may not use the client")
    resources = resources_of(request, assertion, context)
    requested, scope = scope_of(request, facts, context)
    if context.resources is not None:
        scope = understood_scope(scope, resources, resources, client, context)
    terms = attrs.evolve(
        usual_terms(client, scope, request.proof, context, resources), actors=actors_of(assertion, context)
    )
    grant = None
    if subject.subject is not None:
        lasting = new_grant(client, subject.subject, scope, None, context, requested, resources)
        # The grant is only for this token: nothing is issued on it later.
        grant = attrs.evolve(lasting, expires_at=terms.expires_at)
    access = issue_access(terms, grant, context.mint(), context)
    # Once: the insert fails if another request, on whatever worker, has used it in the meantime.
    spent = assertion.spent_by(client.client_id, context)
    inserted = (spent, grant, access.record)
    changes: tuple[Change, ...] = tuple(Insert(record) for record in inserted if record is not None)
    return Decision(
        Tokens(access),
        # A user who leaves a group while this is decided gets no token.
        (Require(client), *preconditions(facts.person), *changes),
        (Event("token_issued", client.client_id, subject.subject, None if grant is None else grant.key),),
    )


def check_presenter(client: Client, facts: AssertionFacts) -> None:
    """Refuse a client that may not present this assertion; raises `InvalidGrant` and `UnauthorizedClient`."""
    assertion, subject = facts.assertion, facts.subject
    if not assertion.issuer.is_presented_by(client.client_id):
        raise InvalidGrant("the client may not present assertions of this issuer")
    if subject.client_id is not None and subject.client_id != client.client_id:
        raise InvalidGrant("the assertion identifies another client than the one that presents it")
    # RFC 7800 section 3: its presenter must prove a key; as a bearer token it would be of use to a thief. What it
    # allows in detail (RFC 9396) can't be said in a token here, which would then allow more.
    if {"cnf", "authorization_details"} & assertion.claims.keys():
        raise InvalidGrant("the assertion has cnf or authorization_details, which are not supported")
    if is_id_jag(assertion):
        check_id_jag(client, assertion)


def check_id_jag(client: Client, assertion: VerifiedAssertion) -> None:
    """Refuse an ID-JAG that is not this client's, or lacks something (section 3.1 of the draft)."""
    # Section 8.1 of the draft: for confidential clients. A public one sends its user's browser here.
    if client.is_public:
        raise UnauthorizedClient("a public client may not present an ID-JAG")
    # Section 4.4.1: client_id MUST identify the same client as the client authentication.
    if assertion.claims.get("client_id") != client.client_id:
        raise InvalidGrant("the ID-JAG was made for another client")
    if assertion.claims.get("iat") is None:
        raise InvalidGrant("the ID-JAG has no iat")
    aud = assertion.claims.get("aud")
    if isinstance(aud, list) and len(aud) != 1:
        raise InvalidGrant("the ID-JAG has not exactly one audience")


def resources_of(request: TokenRequest, assertion: VerifiedAssertion, context: Context) -> tuple[str, ...]:
    """Return the resources that the token is for: those of an ID-JAG, or of them those that the client names.

    Raises `InvalidGrant` if it is for others than are known here, `InvalidTarget` if the client names others.
    """
    claimed = _claimed_resources(assertion)
    if not claimed:
        return requested_resources(request.resources, request.client, context)
    if context.resources is None:
        # Without a table of resources a token is for this server, and its audience can't be limited further.
        if set(claimed) == {context.issuer}:
            return ()
        raise InvalidGrant("the ID-JAG is for a resource, and the server has none")
    try:
        allowed = requested_resources(claimed, request.client, context)
    except InvalidTarget as unknown:
        raise InvalidGrant(f"the ID-JAG's resource: {unknown.reason}") from None
    if not request.resources:
        return allowed
    named = requested_resources(request.resources, request.client, context)
    if not set(named) <= set(allowed):
        raise InvalidTarget.with_description("the assertion is not for the requested resource")
    return named


def _claimed_resources(assertion: VerifiedAssertion) -> tuple[str, ...]:
    """Return the resources in an ID-JAG; in any other assertion `resource` means nothing."""
    claimed = assertion.claims.get("resource") if is_id_jag(assertion) else None
    members = claimed if isinstance(claimed, list) else () if claimed is None else (claimed,)
    found = tuple(member for member in members if isinstance(member, str) and member)
    # A resource that can't be read is a limit that can't be kept.
    if len(found) != len(members) or (claimed is not None and not found):
        raise InvalidGrant("the ID-JAG's resource can't be read")
    return found


def scope_of(request: TokenRequest, facts: AssertionFacts, context: Context) -> tuple[Scope | None, Scope]:
    """Return the requested scope, and what is issued of it: never beyond the registration, the rule and an ID-JAG.

    Raises `InvalidScope`, and `InvalidGrant` for an ID-JAG whose scope can't be read.
    """
    client, within = request.client, context.policy.implies.within
    bound = facts.subject.scope
    bounded = client
    if bound is not None:
        allowed, omitted = within(client.scope, bound), within(client.omitted_scope, bound)
        bounded = attrs.evolve(client, scope=allowed, default_scope=omitted)
    claimed = _claimed_scope(facts.assertion)
    if claimed is not None:
        # A request without a scope is for all that the identity provider has allowed.
        bounded = attrs.evolve(bounded, scope=within(claimed, bounded.scope), default_scope=None)
    bounded = attrs.evolve(
        bounded,
        scope=bounded.scope.without(_OF_A_LOGIN),
        default_scope=bounded.omitted_scope.without(_OF_A_LOGIN),
    )
    requested = request.scope
    wanted = None if requested is None else requested.without(_OF_A_LOGIN)
    if (requested and not wanted) or (claimed and not bounded.scope):
        raise InvalidScope("no part of the scope can be issued for an assertion")
    return requested, context.requested_scope(wanted, bounded)


def _claimed_scope(assertion: VerifiedAssertion) -> Scope | None:
    """Return the scope in an ID-JAG, None if it has none; in any other assertion `scope` means nothing."""
    claimed = assertion.claims.get("scope") if is_id_jag(assertion) else None
    if claimed is None:
        return None
    if not isinstance(claimed, str):
        raise InvalidGrant("the ID-JAG's scope can't be read")
    try:
        return parse_scope(claimed)
    except InvalidScope:
        raise InvalidGrant("the ID-JAG's scope can't be read") from None
