"""Drafts: what the checks have learned so far of the authorization request that they look at."""

from __future__ import annotations

import attrs

from oauthcore.authorization.response_type import ResponseType
from oauthcore.oidc.claims_request import NOTHING, ClaimsRequest
from oauthcore.pkce import CodeChallenge
from oauthcore.records.client import Client
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.redirect_uri import ResponseMode, ValidatedRedirect
from oauthcore.scope import Scope


@attrs.define(eq=False)
class Draft:
    """Collect the results of the checks of one request, for the checks that follow.

    `found` is the client as it is stored. A result that no check has set yet is not an attribute at all, so that a
    check in the wrong place fails on its first request.
    """

    request: AuthorizationRequest
    found: Client | None
    # Whether the client itself sent it, and has authenticated if it can: now, or when it pushed it (RFC 9126).
    is_pushed: bool = False

    client: Client = attrs.field(init=False)
    redirect: ValidatedRedirect = attrs.field(init=False)
    response_type: ResponseType = attrs.field(init=False)
    response_mode: ResponseMode = attrs.field(init=False)
    is_jwt_response: bool = attrs.field(init=False)
    code_challenge: CodeChallenge | None = attrs.field(init=False)
    prompt: frozenset[str] = attrs.field(init=False)
    scope: Scope = attrs.field(init=False)
    max_age: int | None = attrs.field(init=False)
    # Without resources this is not used.
    resources: tuple[str, ...] = attrs.field(init=False, default=())
    # Without types of authorization details this is not used.
    details: tuple[str, ...] = attrs.field(init=False, default=())
    # Without OpenID Connect these are not used.
    claims: ClaimsRequest = attrs.field(init=False, default=NOTHING)
    claims_beside_scope: tuple[str, ...] = attrs.field(init=False, default=())
    subjects: tuple[str, ...] = attrs.field(init=False, default=())
    essential_acr: tuple[str, ...] = attrs.field(init=False, default=())
