"""A registered client: what is remembered of it, and nothing that judges it (RFC 6749 section 2)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Literal, get_args

import attrs

from oauthcore.digest import Digest
from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_strings, check_kind
from oauthcore.policy import Allowance, UnknownScope, as_allowances
from oauthcore.scope import Scope, as_scope

AuthenticationMethod = Literal[
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "tls_client_auth",
    "self_signed_tls_client_auth",
    "none",
]
SubjectType = Literal["public", "pairwise"]
AccessTokenFormat = Literal["opaque", "jwt"]
IdTokenClaims = Literal["requested", "all"]
ID_TOKEN_CLAIMS = get_args(IdTokenClaims)
DeliveryMode = Literal["poll", "ping"]


def _json(value: str | Mapping[str, object] | None) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, sort_keys=True)


@attrs.frozen
class ClientSecret:
    """Remember a client secret's digest; `expires_at` is set when a newer secret has taken its place.

    `sealed` is the secret itself, encrypted under the server's key: only for `client_secret_jwt`, which can't be
    checked against a digest (OIDC Core section 9). Neither depends on the issuer where it is `portable`; what earlier
    versions wrote is not, until the secret is used again.
    """

    digest: Digest
    expires_at: int | None = None
    sealed: str | None = attrs.field(default=None, repr=False)
    portable: bool = False


def _secrets(given: Iterable[ClientSecret]) -> tuple[ClientSecret, ...]:
    remedy = "leave it out, and give the secret to register(); or give a list of ClientSecret"
    check_kind("secrets", given, (list, tuple), remedy)
    for secret in given:
        check_kind("secrets", secret, ClientSecret, remedy)
    return tuple(given)


def _pairs(given: Mapping[str, str] | Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    remedy = 'give pairs of strings, as in [("client_name#de", "Fernseher")]'
    check_kind("localized", given, (list, tuple, Mapping), remedy)
    return tuple(_pair(one, remedy) for one in (given.items() if isinstance(given, Mapping) else given))


def _pair(given: object, remedy: str) -> tuple[str, str]:
    check_kind("localized", given, (list, tuple), remedy)
    match given:
        case [str() as name, str() as value]:
            return name, value
    raise ConfigurationError("localized", "a pair of something else", remedy)


@attrs.frozen(kw_only=True)
class DynamicRegistration:
    """Record that a client registered itself (RFC 7591), at `registered_at`, and the state of that registration.

    `access_token` is the digest of its registration access token (RFC 7592), None if several instances share the
    client; `rotated_at` is when that token was last replaced, and `changed_at` when the client last changed what users
    see of it: its name, or its redirect URIs. The client `is_unused` until it is kept, which takes a token that it was
    issued; if it never is, it is deleted when the client's `expires_at` has come. `first_user` is the subject of the
    user on whose account it is kept, None while no user has allowed it anything, or if no user is needed. `slot` is its
    place among the dynamic clients.

    `by` says who let it register: blank for anybody, otherwise the note of the initial access token, or the issuer of
    the software statement, which is stored as it was sent. Its metadata is unverified unless it `is_approved`; if it
    `awaits_approval`, it can't be used before. Once the operator has changed it, it `is_frozen`: it can't change
    itself.
    """

    registered_at: int
    access_token: Digest | None = None
    rotated_at: int | None = None
    changed_at: int | None = None
    is_unused: bool = False
    first_user: str | None = None
    slot: int | None = None
    by: str = ""
    software_statement: str | None = attrs.field(default=None, repr=False)
    is_approved: bool = False
    awaits_approval: bool = False
    is_frozen: bool = False


@attrs.frozen(kw_only=True)
class MetadataDocument:
    """Record that a client's metadata is a document at its `client_id`, and the state of that document.

    (draft-ietf-oauth-client-id-metadata-document-00.) It was fetched at `fetched_at`, and counts as it is until
    `fresh_until`; from `check_at` it is asked for anew. `withdrawn_at` is since when there is no valid document any
    more, by what its host answered; it `is_refused` where the operator's own `review` has said so. The client
    `is_unused` until it redeems a code, and until then forgotten soon.
    """

    registered_at: int
    fetched_at: int
    fresh_until: int
    check_at: int
    withdrawn_at: int | None = None
    is_unused: bool = True
    is_refused: bool = False


@attrs.frozen(kw_only=True)
class Client:
    """A registered client (RFC 6749 section 2, RFC 7591 section 2 for the names).

    What OpenID Connect adds has the names of its Dynamic Client Registration 1.0 section 2 and of its logout
    specifications; `jwks` may be given as a mapping and is stored as JSON. `access_token_format` makes its access
    tokens JWTs (RFC 9068); `id_token_lifetime` is in seconds, too. With `id_token_claims` "all", the ID
    tokens of the token endpoint have the claims of its scopes, such as email and profile, for clients that never call
    UserInfo; otherwise only those that it "requested" by name (docs/claims.md).

    `default_scope` is the scope of requests without one, by default all of `scope`; `unknown_scope` is what happens to
    requested scopes beyond `scope`, by default as the policy says. The `*_lifetime`s, in seconds, override the
    server's. `organization_name` says who runs it, as in OpenID Federation. `allow` has allowances for this client
    only. A client that `introspects_any` is a resource server that may introspect every access token, not just its own
    (RFC 7662 section 4). Until `explain_until`, in seconds since the epoch, its errors say the reason and the setting.

    `require` says who may use it: users who are in a group of each, as in `("group:staff", "group:admins|group:board")`
    (`oauthcore.user_policy`).

    `generation` is drawn at each registration: tokens of an earlier client with the same identifier have another one,
    and are invalid. It is blank if a host stores its clients itself.

    A `token_endpoint_auth_method` of None means that none was named: the client has a secret, and sends it in the
    header or in the form (RFC 6749 section 2.3.1). A client that registers itself without one gets
    `client_secret_basic` in the response, which is the default (RFC 7591 section 2).
    """

    client_id: str
    # RFC 7591 section 2 calls it `client_name`.
    name: str | None = None
    organization_name: str | None = None
    client_uri: str | None = None
    # Two while one is being rotated, so that a client that runs on many machines can change over.
    secrets: tuple[ClientSecret, ...] = attrs.field(default=(), converter=_secrets)
    # A method of `AuthenticationMethod`, or one that the host has added to its server.
    token_endpoint_auth_method: str | None = None
    # Compared as strings, a loopback port aside (RFC 9700 section 4.1.3, RFC 8252 section 7.3).
    redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    # The defaults of RFC 7591 section 2, for these two.
    grant_types: tuple[str, ...] = attrs.field(
        default=("authorization_code",), converter=as_strings, validator=are_strings
    )
    response_types: tuple[str, ...] = attrs.field(default=("code",), converter=as_strings, validator=are_strings)
    scope: Scope = attrs.field(default=Scope(), converter=as_scope)
    # RFC 9396 section 10.
    authorization_details_types: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    default_scope: Scope | None = attrs.field(default=None, converter=attrs.converters.optional(as_scope))
    unknown_scope: UnknownScope | None = attrs.field(default=None, converter=attrs.converters.optional(UnknownScope))
    # Seconds; the policy's where None.
    authorization_code_lifetime: int | None = None
    access_token_lifetime: int | None = None
    refresh_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    grant_lifetime: int | None = None
    access_token_format: AccessTokenFormat = "opaque"
    policy_uri: str | None = None
    tos_uri: str | None = None
    # Further metadata from the client, which is stored and returned, but not used.
    logo_uri: str | None = None
    initiate_login_uri: str | None = None
    contacts: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    software_id: str | None = None
    software_version: str | None = None
    application_type: str | None = None
    # Names and addresses in other languages, as they are called on the wire: `client_name#de` (RFC 7591 section 2.2).
    localized: tuple[tuple[str, str], ...] = attrs.field(default=(), converter=_pairs)
    # One of the two (RFC 7591 section 2): what the client signs with, and what is encrypted to.
    jwks: str | None = attrs.field(default=None, converter=_json)
    jwks_uri: str | None = None
    token_endpoint_auth_signing_alg: str | None = None
    # RFC 8705 section 2.1.2: the name in the certificate of a client that authenticates by `tls_client_auth`.
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    # RFC 8705 section 3.4: then its tokens are bound to the certificate that it shows.
    tls_client_certificate_bound_access_tokens: bool = False
    # OIDC Dynamic Client Registration section 2: the default, which every OpenID Provider has.
    id_token_signed_response_alg: str = "RS256"
    id_token_claims: IdTokenClaims = "requested"
    # Encrypted only where an `alg` is named; `enc` has its default from the same section.
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str = "A128CBC-HS256"
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str = "A128CBC-HS256"
    introspection_signed_response_alg: str | None = None
    # JARM section 3, for response modes with `jwt`; RS256 if none is named.
    authorization_signed_response_alg: str | None = None
    authorization_encrypted_response_alg: str | None = None
    authorization_encrypted_response_enc: str = "A128CBC-HS256"
    request_object_signing_alg: str | None = None
    # Only what is registered is fetched (OIDC Core section 6.2): else anybody could have us call any host.
    request_uris: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    # RFC 9101 section 10.5: then the signature can't be removed on the way through the browser.
    require_signed_request_object: bool = False
    # RFC 9126 section 6: then a link made by an attacker can't begin a request in the client's name.
    require_pushed_authorization_requests: bool = False
    # RFC 9449 section 5.2: then it gets no token that who steals it could use.
    dpop_bound_access_tokens: bool = False
    # With `pairwise`, clients of one sector know a person by one `sub`, and no other does (OIDC Core section 8.1).
    subject_type: SubjectType = "public"
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    post_logout_redirect_uris: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    # CIBA Core section 4: by which way it learns that its user has answered, and where it is told.
    backchannel_token_delivery_mode: DeliveryMode | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    # What is ours alone: no registration over the wire sets what follows.
    allow: frozenset[Allowance] = attrs.field(default=frozenset(), converter=as_allowances)
    introspects_any: bool = False
    require: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    enabled: bool = True
    # Developer mode: until then its errors say their reasons (`clients/developer_mode.py`).
    explain_until: int | None = None
    expires_at: int | None = None
    generation: str = ""
    # None if the operator has registered it.
    dynamic: DynamicRegistration | None = None
    # None if it was registered, by the operator or by itself.
    document: MetadataDocument | None = None

    @property
    def key(self) -> str:
        """Return the client's identifier."""
        return self.client_id

    @property
    def is_unverified(self) -> bool:
        """Return whether its metadata was written by a stranger and has not been approved."""
        return self.document is not None or (self.dynamic is not None and not self.dynamic.is_approved)

    @property
    def is_public(self) -> bool:
        """Return whether it has no credentials of its own (RFC 6749 section 2.1)."""
        return self.token_endpoint_auth_method == "none"

    @property
    def authentication_methods(self) -> tuple[str, ...]:
        """Return the methods by which it may authenticate: two if none was named, otherwise one."""
        method = self.token_endpoint_auth_method
        return ("client_secret_basic", "client_secret_post") if method is None else (method,)

    @property
    def has_secret(self) -> bool:
        """Return whether it authenticates with a secret, of whatever form that takes on the way."""
        return self.authentication_methods[0].startswith("client_secret_")

    @property
    def omitted_scope(self) -> Scope:
        """Return the scope of a request of this client that names none (RFC 6749 section 3.3)."""
        return self.scope if self.default_scope is None else self.default_scope
