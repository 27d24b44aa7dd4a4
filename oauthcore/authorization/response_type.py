"""Response types: what an approved authorization request is answered with, as a table.

A response type is made of parts, and each part is a function that issues one thing. A new type is a new row.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import attrs

from oauthcore.context import Context
from oauthcore.grants.issuance import issue_access
from oauthcore.outcome import Change, Insert
from oauthcore.pkce import CodeChallenge
from oauthcore.records import AuthorizationCode, Client, Grant
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect


@attrs.frozen
class Approved:
    """Hold what the parts of a response are made from: it has been checked, and the person has agreed."""

    client: Client
    redirect: ValidatedRedirect
    code_challenge: CodeChallenge | None
    grant: Grant


@attrs.frozen
class Part:
    """Hold one part of a response: the parameters it adds, and the changes that make them true."""

    parameters: Mapping[str, str]
    changes: tuple[Change, ...]


IssuePart = Callable[[Approved, Context], Part]


@attrs.frozen
class ResponseType:
    """Describe a row: its parts, the grant type a client must have, and the modes, the default first."""

    parts: tuple[IssuePart, ...]
    grant_type: str | None
    modes: tuple[ResponseMode, ...]

    @property
    def issues_code(self) -> bool:
        """Tell whether a code is among the parts, which PKCE then has to guard."""
        return issue_code in self.parts


def issue_code(approved: Approved, context: Context) -> Part:
    """Issue an authorization code (RFC 6749 section 4.1.2)."""
    value = context.mint()
    record = AuthorizationCode(
        key=context.digest("authorization_code", value),
        client_id=approved.client.client_id,
        subject=approved.grant.subject,
        grant=approved.grant.key,
        redirect_uri=approved.redirect.uri,
        redirect_uri_given=approved.redirect.given,
        code_challenge=approved.code_challenge,
        issued_at=context.now,
        expires_at=min(context.code_expires_at(approved.client), approved.grant.expires_at),
    )
    return Part({"code": value.reveal()}, (Insert(record),))


def issue_token(approved: Approved, context: Context) -> Part:
    """Issue an access token into the redirect, and never a refresh token (RFC 6749 section 4.2.2)."""
    access = issue_access(context.mint(), approved.client, approved.grant, approved.grant.scope, context)
    parameters = {
        "access_token": access.value.reveal(),
        "token_type": "Bearer",
        "expires_in": str(access.record.expires_at - context.now),
        "scope": approved.grant.scope.text,
    }
    return Part(parameters, (Insert(access.record),))


# OAuth 2.0 Multiple Response Type Encoding: names are sorted; what has a token in it never travels in a query.
RESPONSE_TYPES: Mapping[str, ResponseType] = {
    "code": ResponseType((issue_code,), "authorization_code", ("query", "fragment", "form_post")),
    "token": ResponseType((issue_token,), "implicit", ("fragment", "form_post")),
    "none": ResponseType((), None, ("query", "fragment", "form_post")),
}
