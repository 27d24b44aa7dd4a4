"""What is remembered: frozen records, found by key and changed only by a commit.

A key is a client's identifier or the `Digest` of a secret, never the secret. `expires_at` (seconds since the Unix
epoch, None for never) is when a record may be purged, and nothing is ever live after it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, Protocol

import attrs

from oauthcore.digest import Digest
from oauthcore.errors import ConfigurationError
from oauthcore.lifecycle import CodeState, GrantState, InteractionState, KeyState, SessionState
from oauthcore.pkce import CodeChallenge
from oauthcore.policy import Allowance, as_allowances
from oauthcore.scope import Scope, as_scope

AuthenticationMethod = Literal[
    "client_secret_basic", "client_secret_post", "client_secret_jwt", "private_key_jwt", "none"
]
SubjectType = Literal["public", "pairwise"]
AccessTokenFormat = Literal["opaque", "jwt"]


class Record(Protocol):
    """Be findable by key and purgeable by time: all that storage has to know of a record."""

    @property
    def key(self) -> str:
        """Give what the record is found by, unique within its kind."""

    @property
    def expires_at(self) -> int | None:
        """Give the second from which it may be purged, or None."""


class Owned(Record, Protocol):
    """Be a record that is found by its subject, too."""

    @property
    def subject(self) -> str:
        """Give whose it is."""


def _strings(values: Iterable[str]) -> tuple[str, ...]:
    if isinstance(values, str):
        raise ConfigurationError("client", values, "give a list of strings where a list is meant, not one string")
    return tuple(values)


def _json(value: str | Mapping[str, object] | None) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


@attrs.frozen
class ClientSecret:
    """Remember a client secret's digest; `expires_at` is set when a newer secret has taken its place.

    `sealed` is the secret itself, encrypted under the server's key: only for `client_secret_jwt`, which can't be
    checked against a digest (OIDC Core section 9).
    """

    digest: Digest
    expires_at: int | None = None
    sealed: str | None = attrs.field(default=None, repr=False)


@attrs.frozen(kw_only=True)
class Client:
    """Remember a registered client (RFC 6749 section 2, RFC 7591 section 2 for the names).

    What OpenID Connect adds has the names of its Dynamic Client Registration 1.0 section 2 and of its logout
    specifications; `jwks` may be given as a mapping and is kept as JSON. `access_token_format` makes its access tokens
    JWTs (RFC 9068); `id_token_lifetime` is in seconds, too.

    `default_scope` is what an omitted scope means, all of `scope` where it is None. The `*_lifetime`s, in seconds,
    overrule the server's. `organization_name` says who runs it, as in OpenID Federation. `allow` opens for this client
    alone what the policy keeps shut. A client that `introspects_any` is a resource server that may ask about every
    access token, not just its own (RFC 7662 section 4).
    """

    client_id: str
    name: str | None = None
    organization_name: str | None = None
    client_uri: str | None = None
    secrets: tuple[ClientSecret, ...] = ()
    token_endpoint_auth_method: AuthenticationMethod = "client_secret_basic"
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    grant_types: tuple[str, ...] = attrs.field(default=("authorization_code",), converter=_strings)
    response_types: tuple[str, ...] = attrs.field(default=("code",), converter=_strings)
    scope: Scope = attrs.field(default=Scope(), converter=as_scope)
    default_scope: Scope | None = attrs.field(default=None, converter=attrs.converters.optional(as_scope))
    authorization_code_lifetime: int | None = None
    access_token_lifetime: int | None = None
    refresh_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    grant_lifetime: int | None = None
    access_token_format: AccessTokenFormat = "opaque"
    policy_uri: str | None = None
    tos_uri: str | None = None
    jwks: str | None = attrs.field(default=None, converter=_json)
    jwks_uri: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str = "A128CBC-HS256"
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str = "A128CBC-HS256"
    introspection_signed_response_alg: str | None = None
    request_object_signing_alg: str | None = None
    request_uris: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    require_signed_request_object: bool = False
    subject_type: SubjectType = "public"
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    post_logout_redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    allow: frozenset[Allowance] = attrs.field(default=frozenset(), converter=as_allowances)
    introspects_any: bool = False
    enabled: bool = True
    expires_at: int | None = None

    @property
    def key(self) -> str:
        """Give the client's identifier."""
        return self.client_id

    @property
    def is_public(self) -> bool:
        """Tell whether it has no credentials of its own (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def has_secret(self) -> bool:
        """Tell whether it authenticates with a secret, of whatever form that takes on the way."""
        return self.token_endpoint_auth_method.startswith("client_secret_")

    @property
    def omitted_scope(self) -> Scope:
        """Give what it means that a request of this client names no scope (RFC 6749 section 3.3)."""
        return self.scope if self.default_scope is None else self.default_scope


@attrs.frozen(kw_only=True)
class Consent:
    """Remember what a person allowed a client, so as not to ask again.

    One for each person and client, apart from the grants: revoking a grant because one of its tokens was stolen
    neither ends the person's other sessions with the client nor makes the decision undone. `claims` are those allowed
    by name, beside what the scope stands for.
    """

    key: Digest
    client_id: str
    subject: str
    scope: Scope
    granted_at: int
    expires_at: int | None
    claims: tuple[str, ...] = ()


@attrs.frozen
class Rotation:
    """Remember the newest rotation of a grant's refresh token: what an honest retry is answered with."""

    rotated_at: int
    scope: Scope
    access_token_expires_at: int
    refresh_token_expires_at: int


@attrs.frozen(kw_only=True)
class Grant:
    """Remember what a person allowed in one authorization; everything issued for it is live only while it is.

    `refresh_token` is the digest of the newest refresh token: a rotation replaces it, so that all workers race for one
    record. `expires_at` is the absolute lifetime of everything issued on it. `acr`, `amr` and `sid` tell how, and in
    which login session, the person was authenticated; `claims` is the JSON of the claims parameter (OIDC Core 5.5).
    """

    key: Digest
    client_id: str
    subject: str
    scope: Scope
    auth_time: int | None
    granted_at: int
    expires_at: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    sid: str | None = None
    claims: str | None = None
    claims_locales: str | None = None
    state: GrantState = GrantState.ACTIVE
    refresh_token: Digest | None = None
    rotation: Rotation | None = None


@attrs.frozen(kw_only=True)
class AuthorizationCode:
    """Remember an authorization code (RFC 6749 section 4.1.2).

    After its redemption it stays until what it gave has expired, so that a replay is still known for one.
    """

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    redirect_uri: str
    redirect_uri_given: bool
    code_challenge: CodeChallenge | None
    issued_at: int
    expires_at: int
    nonce: str | None = None
    state: CodeState = CodeState.ACTIVE


@attrs.frozen(kw_only=True)
class AccessToken:
    """Remember an access token; without a `grant` it is the client's own (RFC 6749 section 4.4)."""

    key: Digest
    client_id: str
    subject: str | None
    grant: Digest | None
    scope: Scope
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int


@attrs.frozen(kw_only=True)
class RefreshToken:
    """Remember a refresh token; its scope and its place in the succession are its grant's."""

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    issued_at: int
    expires_at: int


@attrs.frozen(kw_only=True)
class SpentAssertion:
    """Remember that a client assertion was used, until it can't be used any more (RFC 7523 section 3, on `jti`)."""

    key: Digest
    client_id: str
    expires_at: int


@attrs.frozen(kw_only=True)
class Login:
    """Say who is signed in: `subject` as the host knows him, `auth_time` when he last proved it (epoch seconds).

    `acr` and `amr` say how he did (OIDC Core section 2); `sid` names his login session, where the host has such.
    """

    subject: str
    auth_time: int
    acr: str | None = None
    amr: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    sid: str | None = None


@attrs.frozen(kw_only=True)
class AuthorizationRequest:
    """Keep an authorization request as it was received: parsed, each parameter at most once, not yet judged.

    Two are the server's own conclusions: `request` and `request_uri` are None again once the request object has been
    obeyed, and `id_token_hint` is once it has been verified; `hinted_subject` is then whom it names.
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
    registration: str | None = None
    request: str | None = None
    request_uri: str | None = None
    hinted_subject: str | None = None


@attrs.frozen(kw_only=True)
class Interaction:
    """Remember an authorization request that waits for a person.

    `browser` is the digest of the cookie it started with. `login` and `scope` are what the application reported; a
    `scope` of None means that nobody was asked for consent. `remember` asks for the consent to be kept. `chosen` tells
    that the application has reported somebody since the request came: an account was selected, or made. `auth_time` is
    when who was signed in then had signed in, if anybody was: that is no answer to this request.
    """

    key: Digest
    client_id: str
    request: AuthorizationRequest = attrs.field(repr=False)  # the state in it is the client's secret against forgery
    browser: Digest
    started_at: int
    expires_at: int
    state: InteractionState = InteractionState.PENDING
    login: Login | None = None
    scope: Scope | None = None
    remember: bool = False
    chosen: bool = False
    auth_time: int | None = None


@attrs.frozen(kw_only=True)
class LoginSession:
    """Remember a login session: one person at one browser, from signing in to signing out (OIDC Back-Channel Logout).

    Its key is the `sid` that the host knows it by; the one in ID tokens is derived from it, another for each client.
    Neither is a credential: whoever knows it can do nothing with it. What a host keeps in its cookie is its own affair.
    `client_ids` got an ID token in it. `authorizations` counts, so that
    whoever ends it and has not seen the newest grant decides again.
    """

    key: str
    subject: str
    auth_time: int
    started_at: int
    expires_at: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    client_ids: tuple[str, ...] = ()
    authorizations: int = 0
    state: SessionState = SessionState.ACTIVE

    @property
    def login(self) -> Login:
        """Say who is signed in."""
        return Login(subject=self.subject, auth_time=self.auth_time, acr=self.acr, amr=self.amr, sid=self.key)


@attrs.frozen(kw_only=True)
class LogoutRequest:
    """Remember what a client asked for when it sent a person here to sign out (OIDC RP-Initiated Logout section 2).

    `post_logout_redirect_uri` is one of the client's. `hinted_subject` and `hinted_sid` are what a verified hint named:
    the person as that client knows him, and his session. `browser` is the digest of the cookie it came with.
    """

    key: Digest
    browser: Digest
    started_at: int
    expires_at: int
    client_id: str | None = None
    post_logout_redirect_uri: str | None = None
    state: str | None = attrs.field(default=None, repr=False)
    hinted_subject: str | None = None
    hinted_sid: str | None = None
    logout_hint: str | None = None
    ui_locales: str | None = None


DUE = "due"


@attrs.frozen(kw_only=True)
class LogoutDelivery:
    """Remember that a client has to be told of the end of a session (OIDC Back-Channel Logout 1.0).

    All of them have the same `subject`, by which whoever delivers finds them, after a restart, too. `person` is whose
    session it was. Who tries next moves `next_try_at` first, so that no two try at once.
    """

    key: Digest
    client_id: str
    person: str
    sid: str
    queued_at: int
    next_try_at: int
    expires_at: int
    tries: int = 0
    subject: str = DUE


@attrs.frozen(kw_only=True)
class RingKey:
    """Remember one of the server's own signing keys.

    `public` is its JSON Web Key; `private` the whole of it, sealed under a key that follows from the server's
    `token_key`, and None once it signs nothing more. Whoever has the database alone can sign nothing.
    """

    kid: str
    alg: str
    public: str
    private: str | None = attrs.field(repr=False)
    created_at: int
    activated_at: int | None = None
    retired_at: int | None = None
    state: KeyState = KeyState.PUBLISHED


@attrs.frozen(kw_only=True)
class KeyRing:
    """Remember every signing key of an issuer in one record, so that all workers race for it."""

    issuer: str
    keys: tuple[RingKey, ...] = ()

    @property
    def key(self) -> str:
        """Give the issuer."""
        return self.issuer

    @property
    def expires_at(self) -> None:
        """Never expire; what is in it does, one by one."""
        return


# The parameters of an authorization request that are kept: all of its fields but the server's own conclusion.
REQUEST_PARAMETERS: frozenset[str] = frozenset(
    field.name for field in attrs.fields(AuthorizationRequest) if field.name != "hinted_subject"
)

# Found by their subject too, the only index there is beside the key: what a person has, and what is to be delivered.
BY_SUBJECT: tuple[type[Consent] | type[Grant] | type[LoginSession] | type[LogoutDelivery], ...] = (
    Consent,
    Grant,
    LoginSession,
    LogoutDelivery,
)
