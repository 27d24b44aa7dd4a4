"""Response types: what an approved authorization request is answered with, as a table.

A response type is made of parts, and each part is a function that issues one thing. A new type is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.context import Context
from oauthcore.flow.outcome import Change, Insert
from oauthcore.grants.audience import audience_within, understood_scope
from oauthcore.grants.issuance import IssuedAccess, issue_access
from oauthcore.grants.terms import usual_terms
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge
from oauthcore.records.client import Client
from oauthcore.records.confirmation import token_type
from oauthcore.records.grant import Grant
from oauthcore.records.token import AuthorizationCode
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect


@per_request
class Approved:
    """Hold what the parts of a response are made from: it has been checked, and the person has agreed."""

    client: Client
    redirect: ValidatedRedirect
    code_challenge: CodeChallenge | None
    nonce: str | None
    grant: Grant
    dpop_jkt: str | None = None


@per_request
class Part:
    """Hold one part of a response: the parameters it adds, and the changes that make them true.

    `unsigned` is the access token where it is a JWT.
    """

    parameters: Mapping[str, str]
    changes: tuple[Change, ...]
    unsigned: IssuedAccess | None = None


IssuePart = Callable[[Approved, Context], Part]


@attrs.frozen
class ResponseType:
    """Describe a row: its parts, the grant types a client must have, and the modes, the default first.

    An ID token is no part like the others: it is made last, of all that leaves beside it.
    """

    parts: tuple[IssuePart, ...]
    grant_types: tuple[str, ...]
    modes: tuple[ResponseMode, ...]
    issues_id_token: bool = False
    issues_code: bool = attrs.field(init=False)
    issues_tokens: bool = attrs.field(init=False)
    is_none: bool = attrs.field(init=False)

    @issues_code.default
    def _code_is_a_part(self) -> bool:
        """Return whether a code is among the parts, which PKCE then has to guard."""
        return issue_code in self.parts

    @issues_tokens.default
    def _more_than_a_code(self) -> bool:
        """Return whether anything but a code is issued: any recipient can use a token, without authenticating."""
        return self.issues_id_token or issue_token in self.parts

    @is_none.default
    def _no_parts(self) -> bool:
        """Return whether nothing is issued at all."""
        return not self.parts and not self.issues_id_token


def issue_code(approved: Approved, context: Context) -> Part:
    """Issue an authorization code (RFC 6749 section 4.1.2)."""
    value = context.mint()
    record = AuthorizationCode(
        # Only the digest is stored, so that a stolen database contains no codes to redeem.
        key=context.digest("authorization_code", value),
        client_id=approved.client.client_id,
        subject=approved.grant.subject,
        grant=approved.grant.key,
        # RFC 6749 section 4.1.3: the token request has to match these two, and the challenge (RFC 7636 section 4.6).
        redirect_uri=approved.redirect.uri,
        redirect_uri_given=approved.redirect.given,
        code_challenge=approved.code_challenge,
        issued_at=context.now,
        # RFC 6749 section 4.1.2: a code lives ten minutes at most; here the policy's lifetime, one minute by default.
        expires_at=min(context.code_expires_at(approved.client), approved.grant.expires_at),
        nonce=approved.nonce,
        dpop_jkt=approved.dpop_jkt,
    )
    return Part({"code": value.reveal()}, (Insert(record),))


def issue_token(approved: Approved, context: Context) -> Part:
    """Issue an access token into the redirect, and never a refresh token (RFC 6749 section 4.2.2)."""
    # The authorization endpoint verifies no key, so the token can't be bound to one: any recipient can use it.
    client, grant = approved.client, approved.grant
    audience = audience_within((), grant, client, context)
    scope = understood_scope(grant.scope, audience, grant.resources, client, context)
    terms = usual_terms(client, scope, None, context, audience)
    if grant.details:
        terms = attrs.evolve(terms, details=grant.details)
    access = issue_access(terms, grant, context.mint(), context)
    # RFC 6749 section 4.2.2: the lifetime and scope are in the redirect as in a token response; no refresh token is.
    parameters = {
        "access_token": access.value.reveal(),
        "token_type": token_type(access.record.confirmation),
        "expires_in": str(access.record.expires_at - context.now),
        "scope": scope.text,
    }
    return Part(parameters, (Insert(access.record),), None if access.jwt is None else access)


_CODE, _TOKENS = ("authorization_code",), ("implicit",)
_ANYWHERE: tuple[ResponseMode, ...] = ("query", "fragment", "form_post")
_NO_QUERY: tuple[ResponseMode, ...] = ("fragment", "form_post")

# OAuth 2.0 Multiple Response Type Encoding: names are sorted; what has a token in it never travels in a query. The
# grant types are those of OIDC Dynamic Client Registration 1.0 section 2.
RESPONSE_TYPES: Mapping[str, ResponseType] = {
    "code": ResponseType((issue_code,), _CODE, _ANYWHERE),
    "token": ResponseType((issue_token,), _TOKENS, _NO_QUERY),
    "none": ResponseType((), (), _ANYWHERE),
    "id_token": ResponseType((), _TOKENS, _NO_QUERY, issues_id_token=True),
    "id_token token": ResponseType((issue_token,), _TOKENS, _NO_QUERY, issues_id_token=True),
    "code id_token": ResponseType((issue_code,), _CODE + _TOKENS, _NO_QUERY, issues_id_token=True),
    "code token": ResponseType((issue_code, issue_token), _CODE + _TOKENS, _NO_QUERY),
    "code id_token token": ResponseType((issue_code, issue_token), _CODE + _TOKENS, _NO_QUERY, issues_id_token=True),
}
