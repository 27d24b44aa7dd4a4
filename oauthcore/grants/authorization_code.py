"""The authorization code grant: a code for tokens, once (RFC 6749 section 4.1.3)."""

from __future__ import annotations

import attrs

from oauthcore.clients.developer_mode import explain
from oauthcore.clients.pushing import may_push_redirect
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidGrant
from oauthcore.find_user import preconditions
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Decision, Event, Outcome, Replace, Require
from oauthcore.grants.issuance import Issue, answered, id_token_of, issue_first_tokens, person_of, scope_left
from oauthcore.grants.token_request import TokenRequest
from oauthcore.oidc.person import Person
from oauthcore.per_request import per_request
from oauthcore.pkce import check_verifier
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import CODE, CodeInput, advance
from oauthcore.records.liveness import IssuedTo, end_of_grant
from oauthcore.records.token import AuthorizationCode
from oauthcore.redirect_uri import is_registered
from oauthcore.revocation import revoke_grant
from oauthcore.wire.refusals import refuse_as_json


@per_request
class Redemption:
    """Hold what a client sends to redeem a code."""

    code: Secret
    redirect_uri: str | None
    code_verifier: str | None = attrs.field(repr=False)


@per_request
class CodeFacts:
    """Hold what was found for a redemption: the code, its grant, and the grant's person; None if they don't exist."""

    code: AuthorizationCode | None
    grant: Grant | None = None
    person: Person | None = None


@per_request
class OwnCode:
    """Prove that a code is this client's, and that it showed all that the code demands."""

    code: AuthorizationCode


def authorization_code(request: TokenRequest, context: Context) -> Flow[Outcome]:
    """Redeem a code."""
    parameters = request.parameters
    redemption = Redemption(
        Secret(parameters.need("code")), parameters.get("redirect_uri"), parameters.get("code_verifier")
    )
    code = yield from find(AuthorizationCode, context.digest("authorization_code", redemption.code))
    grant = None if code is None else (yield from find(Grant, code.grant))
    person = yield from person_of(request.client, grant, context)
    return (yield from answered(decide(redemption, request, CodeFacts(code, grant, person), context), context))


def decide(redemption: Redemption, request: TokenRequest, facts: CodeFacts, context: Context) -> Issue:
    """Issue tokens to the first redemption; let a second one revoke what the first was issued (RFC 6749 section 4.1.2).

    Ownership is proven before the replay is looked at: who merely read a spent code in some log can't end a session.
    """
    client, grant, person = request.client, facts.grant, facts.person
    # Everything the client has to show comes first. Only the code's own client, with the right redirect URI and
    # verifier, can then cause the revocation below.
    own = prove_own(redemption, client, facts.code, context.now)
    check_key(own.code, request.confirmation)
    # A code of a revoked grant, an ended session or a removed user buys nothing, whether it was used or not.
    end = end_of_grant(IssuedTo(client, grant, person), context.policy, context.now, context.admits)
    if end is not None or grant is None or person is None:
        raise InvalidGrant(f"the code's {end}")
    redeemed = advance(CODE, own.code.state, CodeInput.REDEEM)
    # RFC 6749 section 4.1.2: a code used twice MUST be denied, and all tokens issued on it SHOULD be revoked: either
    # party may be the thief. The refusal is returned, not raised, since the revocation has to be committed.
    if redeemed is None:
        replayed = InvalidGrant("the code was redeemed before; its grant is revoked")
        refusal = refuse_as_json(explain(replayed, client, context), context.issuer)
        event = Event("code_replayed", grant.client_id, grant.subject, grant.key)
        return Decision(refusal, (Replace(grant, revoke_grant(grant)),), (event,))
    # RFC 9700 section 2.1: what an operator has unregistered is no place to have sent a code to.
    uri = own.code.redirect_uri
    if not is_registered(uri, client.redirect_uris) and not may_push_redirect(uri, client, context):
        raise InvalidGrant("the redirect URI that the code was sent to is no longer registered").by_setting(
            "client.redirect_uris"
        )
    # The registration may have lost scopes since the authorization; those are not issued any more.
    scope = scope_left(grant.scope, client, context)
    id_token = id_token_of(client, grant, scope, own.code.nonce, person, context)
    first = issue_first_tokens(request, grant, context, id_token, scope)
    return Decision(
        first.tokens,
        (
            # If the client is disabled or removed meanwhile, the commit fails and the code is not used up.
            Require(client),
            # If the user has just lost the permission to use the client, it fails as well.
            *preconditions(person),
            # The code is kept as long as its tokens, so that a replay is detected.
            Replace(own.code, attrs.evolve(own.code, state=redeemed, expires_at=first.grant.expires_at)),
            # Concurrent redemptions all replace the same code and grant, so one commit wins; the others find the code
            # redeemed.
            Replace(grant, first.grant),
            *first.changes,
        ),
        (Event("token_issued", grant.client_id, grant.subject, grant.key),),
    )


def check_key(code: AuthorizationCode, proven: Confirmation | None) -> None:
    """Check that a code which is bound to a key came with a proof of that key (RFC 9449 section 10).

    Before the replay is looked at: who has stolen code and verifier, but not the key, can't end the grant either.
    """
    if code.dpop_jkt is not None and (proven is None or proven.jkt != code.dpop_jkt):
        raise InvalidGrant("the code is bound to a key that was not proven")


def prove_own(redemption: Redemption, client: Client, code: AuthorizationCode | None, now: int) -> OwnCode:
    """Check, in this order, that the code exists and lives, and that it is this client's, redirect's and verifier's.

    (RFC 6749 section 4.1.3, RFC 7636 section 4.6)
    """
    if code is None:
        raise InvalidGrant("the code is unknown")
    if now >= code.expires_at:
        raise InvalidGrant("the code has expired").by_setting("authorization_code_lifetime")
    # RFC 6749 section 4.1.3: the code was issued to the authenticated client, or for a public one to this `client_id`.
    if code.client_id != client.client_id:
        raise InvalidGrant("the code was issued to another client")
    if redemption.redirect_uri is None:
        # Absent here only if absent there too, and there only a client with a single registered URI may leave it out.
        if code.redirect_uri_given:
            raise InvalidGrant.with_description(
                "redirect_uri is missing: it is required because the authorization request had one"
            )
    # RFC 6749 section 4.1.3: identical values. Else a code that an attacker received at one redirect URI could be
    # redeemed through another (RFC 6749 section 10.6).
    elif redemption.redirect_uri != code.redirect_uri:
        raise InvalidGrant.with_description("redirect_uri differs from that of the authorization request")
    # RFC 7636 section 4.6. It also refuses a verifier where there was no challenge: an attacker may have stripped it
    # from the authorization request (PKCE downgrade, RFC 9700 section 4.8.2).
    check_verifier(code.code_challenge, redemption.code_verifier)
    return OwnCode(code)
