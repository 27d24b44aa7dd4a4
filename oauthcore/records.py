"""What is remembered: frozen records, found by key and changed only by a commit.

A key is a client's identifier or the `Digest` of a secret, never the secret. `expires_at` (seconds since the Unix
epoch, None for never) is when a record may be purged, and nothing is ever live after it.
"""

from __future__ import annotations

from typing import Protocol

import attrs

from oauthcore.digest import Digest
from oauthcore.frozen import made_quickly
from oauthcore.lifecycle import CodeState, GrantState, InteractionState, KeyState
from oauthcore.login import Login, LoginSession, LogoutDelivery
from oauthcore.pkce import CodeChallenge
from oauthcore.scope import Scope


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


LISTED = "clients"


@attrs.frozen(kw_only=True)
class ListedClient:
    """Remember that a client is registered, so that all of them can be listed: they have one `subject` in common."""

    client_id: str
    registered_at: int
    expires_at: int | None = None
    subject: str = LISTED

    @property
    def key(self) -> str:
        """Return the client's identifier."""
        return self.client_id


@attrs.frozen(kw_only=True)
class Consent:
    """Remember what a person allowed a client, so as not to ask again.

    One for each person and client, apart from the grants: revoking a grant because one of its tokens was stolen
    neither ends the person's other sessions with the client nor makes the decision undone. `claims` are those allowed
    by name, beside what the scope stands for. `client_generation` tells which registration of that `client_id` it was
    for.
    """

    key: Digest
    client_id: str
    subject: str
    scope: Scope
    granted_at: int
    expires_at: int | None
    claims: tuple[str, ...] = ()
    client_generation: str = ""


@attrs.frozen(kw_only=True)
class WithdrawalMark:
    """Remember which withdrawal of a person was the last: each sets another `mark`.

    An interaction notes the mark under which consent was given in it, and that consent counts only while the mark is
    the same. Until the browser comes back there is nothing else of it that a withdrawal could find. It expires later
    than every interaction that has noted it; consent whose mark is gone does not count either.
    """

    key: Digest
    mark: str
    expires_at: int


@made_quickly
@attrs.frozen
class Rotation:
    """Remember the newest rotation of a grant's refresh token: what an honest retry is answered with."""

    rotated_at: int
    scope: Scope
    access_token_expires_at: int
    refresh_token_expires_at: int


_NO_SCOPE = Scope()


@made_quickly
@attrs.frozen(kw_only=True)
class Grant:
    """Remember what a person allowed in one authorization; everything issued for it is live only while it is.

    `refresh_token` is the digest of the newest refresh token: a rotation replaces it, so that all workers race for one
    record. `expires_at` is the absolute lifetime of everything issued on it. `acr`, `amr` and `sid` tell how, and in
    which login session, the person was authenticated; `claims` is the JSON of the claims parameter (OIDC Core 5.5).
    `client_generation` tells which registration of that `client_id` it belongs to; `outlived_session` that its login
    session has been ended, and that it went on because offline access was allowed then. `withheld` is what the same
    request asked for and did not get.
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
    withheld: Scope = _NO_SCOPE
    state: GrantState = GrantState.ACTIVE
    refresh_token: Digest | None = None
    rotation: Rotation | None = None
    client_generation: str = ""
    outlived_session: bool = False


@made_quickly
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


@made_quickly
@attrs.frozen(kw_only=True)
class AccessToken:
    """Remember an access token; without a `grant` it is the client's own (RFC 6749 section 4.4).

    `client_generation` tells which registration of that `client_id` it belongs to, where no grant does.
    """

    key: Digest
    client_id: str
    subject: str | None
    grant: Digest | None
    scope: Scope
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int
    client_generation: str = ""


@made_quickly
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


@made_quickly
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
    when who was signed in then had signed in, if anybody was: that is no answer to this request. `withdrawal_mark` is
    the person's `WithdrawalMark` as it was when consent was given. Until `resume_before` an answer is good; the record
    stays until `expires_at`, so that it is known as answered.
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
    withdrawal_mark: str | None = None
    resume_before: int | None = None
    client_generation: str = ""


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
BY_SUBJECT: tuple[type[Consent] | type[Grant] | type[ListedClient] | type[LoginSession] | type[LogoutDelivery], ...] = (
    Consent,
    Grant,
    ListedClient,
    LoginSession,
    LogoutDelivery,
)
