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
    """Collect what the checks of one request learn, each for those after it; nobody else ever sees one.

    `found` is the client as it is stored. What no check has learned yet is not there at all, so one that came before
    what it builds on would fail at its first request.
    """

    request: AuthorizationRequest
    found: Client | None

    client: Client = attrs.field(init=False)
    redirect: ValidatedRedirect = attrs.field(init=False)
    response_type: ResponseType = attrs.field(init=False)
    response_mode: ResponseMode = attrs.field(init=False)
    code_challenge: CodeChallenge | None = attrs.field(init=False)
    prompt: frozenset[str] = attrs.field(init=False)
    scope: Scope = attrs.field(init=False)
    max_age: int | None = attrs.field(init=False)
    # Where resources are not told apart nobody looks for any.
    resources: tuple[str, ...] = attrs.field(init=False, default=())
    # Without OpenID Connect nobody looks for these.
    claims: ClaimsRequest = attrs.field(init=False, default=NOTHING)
    claims_beside_scope: tuple[str, ...] = attrs.field(init=False, default=())
    subjects: tuple[str, ...] = attrs.field(init=False, default=())
    essential_acr: tuple[str, ...] = attrs.field(init=False, default=())
