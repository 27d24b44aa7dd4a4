"""An authorization request, and the interaction that it waits in for a person."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.per_request import per_request
from oauthcore.records.lifecycle import InteractionState
from oauthcore.records.login import Login
from oauthcore.scope import Scope


@per_request(kw_only=True)
class AuthorizationRequest:
    """Keep an authorization request as it was received: parsed, and not yet checked.

    Some fields are conclusions of the server: `request` and `request_uri` become None once the request object has been
    applied. `id_token_hint` becomes None once it has been verified; then `hinted_subject` is its subject. `pushed` is
    the key of the `PushedRequest` in which its client has pushed it, None if a browser has brought it.
    `object_signing_alg` is the algorithm by which the applied request object was signed, None without one.
    """

    client_id: str
    response_type: str | None = None
    redirect_uri: str | None = None
    scope: str | None = None
    state: str | None = None
    response_mode: str | None = None
    code_challenge: str | None = None
    code_challenge_method: str | None = None
    prompt: str | None = None
    nonce: str | None = None
    display: str | None = None
    max_age: str | None = None
    ui_locales: str | None = None
    claims_locales: str | None = None
    id_token_hint: str | None = None
    login_hint: str | None = None
    acr_values: str | None = None
    claims: str | None = None
    authorization_details: str | None = None
    registration: str | None = None
    request: str | None = None
    request_uri: str | None = None
    hinted_subject: str | None = None
    pushed: Digest | None = None
    object_signing_alg: str | None = None
    # The one parameter that may be repeated (RFC 8707 section 2.1).
    resource: tuple[str, ...] = ()
    # RFC 9449 section 10: the thumbprint of the key that the code is bound to.
    dpop_jkt: str | None = None


@attrs.frozen(kw_only=True)
class Interaction:
    """Record an authorization request that waits for a user.

    `browser` is the digest of the cookie with which it started. `login` and `scope` are what the application reported;
    a `scope` of None means that the user was not asked for consent. `remember` is true if the consent is to be
    stored. `details` are the authorization details that they allowed (RFC 9396). `chosen` is true if the
    application has reported a login since the request came: an account was selected or created. `auth_time` is the
    time of the login that existed when the request came. `withdrawal_mark` is the user's `WithdrawalMark` as it was
    when consent was given. The answer is valid until `resume_before`; the record is kept until `expires_at`, so
    that it is known to be answered.
    """

    key: Digest
    client_id: str
    request: AuthorizationRequest = attrs.field(repr=False)  # the state in it is the client's secret against forgery
    # The digest of the cookie: who reads the database can't pose as the browser.
    browser: Digest
    started_at: int
    expires_at: int
    state: InteractionState = InteractionState.PENDING
    login: Login | None = None
    scope: Scope | None = None
    details: tuple[str, ...] = ()
    remember: bool = False
    chosen: bool = False
    auth_time: int | None = None
    withdrawal_mark: str | None = None
    resume_before: int | None = None
    client_generation: str = ""


# The parameters of an authorization request that are kept: all of its fields but the server's own conclusions.
REQUEST_PARAMETERS: frozenset[str] = frozenset(
    field.name
    for field in attrs.fields(AuthorizationRequest)
    if field.name not in {"hinted_subject", "pushed", "object_signing_alg"}
)
