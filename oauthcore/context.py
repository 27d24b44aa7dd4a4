"""Context: what a decision may know besides the request and the facts. Time and chance are inputs."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from types import MappingProxyType
from typing import Any, Self

import attrs

from oauthcore.authorization_details import AuthorizationDetails
from oauthcore.client_id_metadata import MetadataDocuments
from oauthcore.digest import Derivation, Digester, Secret
from oauthcore.documents import Documents
from oauthcore.dpop.settings import Dpop
from oauthcore.errors import ConfigurationError, InvalidScope
from oauthcore.extra_claims import ExtraClaims
from oauthcore.flow.outcome import Change
from oauthcore.handle import Handles
from oauthcore.jose.crypto import Verify, VerifyOwnKey
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.jwt import Jwt
from oauthcore.mutual_tls import MutualTls
from oauthcore.openid import OpenID
from oauthcore.policy import Allowance, Policy, UnknownScope
from oauthcore.possession import ProvePossession
from oauthcore.profiles.profile import Profile
from oauthcore.pushed_requests import PushedRequests
from oauthcore.records.client import Client
from oauthcore.records.liveness import Admits
from oauthcore.request_objects import NO_DEMANDS, RequestObjects
from oauthcore.resources import Resources
from oauthcore.scope import Scope, resolve_scope
from oauthcore.sealing import Sealing
from oauthcore.token_exchange import TokenExchange
from oauthcore.user_policy import EVERYBODY, UserPolicy
from oauthcore.wire.http import Request


@attrs.frozen(kw_only=True)
class Paths:
    """Say where the endpoints are, each a path below the issuer.

    `login`, `consent`, `logout` and `device` are the application's. An `interaction` takes the place of the first
    three: one page of the application's own, a path on its host (the issuer's own path is not in front of it) or an
    absolute URL.
    """

    authorization: str = "/authorize"
    pushed_authorization_request: str = "/par"
    token: str = "/token"
    introspection: str = "/introspect"
    revocation: str = "/revoke"
    registration: str = "/register"
    jwks: str = "/jwks"
    backchannel_authentication: str = "/bc-authorize"
    userinfo: str = "/userinfo"
    resume: str = "/authorize/resume"
    login: str = "/login"
    consent: str = "/consent"
    end_session: str = "/end-session"
    logout: str = "/logout"
    device_authorization: str = "/device_authorization"
    device: str = "/device"
    interaction: str | None = None

    def __attrs_post_init__(self) -> None:
        paths = attrs.asdict(self)
        interaction = paths.pop("interaction")
        for name, value in paths.items():
            if not value.startswith("/") or not _is_plain(value):
                raise ConfigurationError(f"paths.{name}", value, "start it with / and leave out ? # \\ and spaces")
            if list(paths.values()).count(value) > 1:
                raise ConfigurationError(f"paths.{name}", value, "give each endpoint a path of its own")
        if interaction is not None and not (_OWN_PAGE.match(interaction) and _is_plain(interaction)):
            remedy = "use a path on the host, or an https URL, without ? # \\ and spaces"
            raise ConfigurationError("paths.interaction", interaction, remedy)

    @classmethod
    def below(cls, prefix: str, interaction: str | None = None) -> Self:
        """Put all of them below a prefix, for a server that is mounted there though its issuer has no path."""
        names = (field.name for field in attrs.fields(cls) if field.name != "interaction")
        return cls(**{name: prefix + getattr(cls(), name) for name in names}, interaction=interaction)


# Two slashes would be another host's URL (RFC 3986 section 4.2); plain http is for the loopback interface.
_OWN_PAGE = re.compile(r"/(?!/)|https://[^/]|http://(localhost|127\.0\.0\.1|\[::1\])[:/]")


def _is_plain(path: str) -> bool:
    return path.isprintable() and path.isascii() and not set(path) & set('?# \\"<>')


# Flows, by the type of their result, without the types of their effects.
ProveClient = Callable[[Request, Client, "Context"], Generator[Any, Any, tuple[Change, ...]]]
NO_METHODS: Mapping[str, ProveClient] = MappingProxyType({})
OwnKeys = Callable[[], Generator[Any, Any, tuple[Jwk, ...]]]
SignJwt = Callable[[Jwt], Generator[Any, Any, str]]


@attrs.frozen(kw_only=True)
class Context:
    """Hold the context of one request: `now` is in seconds since the Unix epoch and the same for the whole request.

    `base` is the path of the issuer URL, which precedes every path in `paths` in a redirect. `openid` is None without
    OpenID Connect. `documents` and `unverified_documents` are the cached documents of other servers; `documents_of`
    chooses one of the two for a client. `own_keys` finds the public keys that verify the server's own tokens;
    `hint_keys` those that verify ID token hints, too; `verify` verifies a signature. `sign` signs a token with the key
    for its algorithm, after the checks of a decision and before its commit. `handles` carry interactions before a user
    is signed in. `sealing` encrypts what the server needs in plain text later. `resources` are those that clients may
    request, None if the server issues tokens only for itself. `client_id_metadata` is None if every client has to be
    registered; `admits` says which clients with a metadata document are accepted. `max_from_user` is how many new
    clients that registered themselves each user can have kept, None without a limit. `token_exchange` says which
    clients may exchange which tokens, None for none. `user_policy` says who may use which client. `pushed_requests` is
    None if clients can't push their requests. `extra_claims` are a host's own claims, None if it has none.
    `request_objects` says what is demanded of request objects. `response_algorithms` are those that responses can be
    signed with (JARM), none without keys. `possession` are the ways in which clients can prove that they have a key.
    `mutual_tls` is None if clients' certificates are not looked at, `dpop` if DPoP proofs are not.
    `verify_own_key` verifies a token that was signed with the key in it.
    `profile` has rules that requests have to obey, None if there are none beside the settings. `client_methods`
    are the host's own methods of client authentication, by name.
    `authorization_details` are the types that clients may request, None if there are none.
    """

    issuer: str
    base: str
    paths: Paths
    policy: Policy
    now: int
    mint: Callable[[], Secret]
    digest: Digester
    derive: Derivation
    documents: Documents
    unverified_documents: Documents
    own_keys: OwnKeys
    hint_keys: OwnKeys
    sign: SignJwt
    verify: Verify
    verify_own_key: VerifyOwnKey
    handles: Handles
    sealing: Sealing
    openid: OpenID | None = None
    resources: Resources | None = None
    client_id_metadata: MetadataDocuments | None = None
    admits: Admits | None = None
    max_from_user: int | None = None
    token_exchange: TokenExchange | None = None
    user_policy: UserPolicy = EVERYBODY
    pushed_requests: PushedRequests | None = None
    extra_claims: ExtraClaims | None = None
    request_objects: RequestObjects = NO_DEMANDS
    response_algorithms: tuple[str, ...] = ()
    possession: tuple[ProvePossession, ...] = ()
    mutual_tls: MutualTls | None = None
    client_methods: Mapping[str, ProveClient] = NO_METHODS
    dpop: Dpop | None = None
    profile: Profile | None = None
    authorization_details: AuthorizationDetails | None = None

    def allows(self, allowance: Allowance, client: Client) -> bool:
        """Return whether the policy, or the client's registration, opens something."""
        return self.policy.allows(allowance, client.allow)

    def documents_of(self, client: Client) -> Documents:
        """Return the cache for the documents that a client names: a separate one for unverified clients."""
        return self.unverified_documents if client.is_unverified else self.documents

    def requested_scope(self, requested: Scope | None, client: Client) -> Scope:
        """Return the part of the requested scope for which the client is registered; raises `InvalidScope`.

        The rest is refused or left out, as the client's registration or the policy says.
        """
        unknown = client.unknown_scope or self.policy.unknown_scope
        # A client that is not registered with openid makes no OpenID request by asking for it.
        is_openid = (
            self.openid is not None and requested is not None and "openid" in requested and "openid" in client.scope
        )
        ignored = unknown is UnknownScope.IGNORE or (unknown is UnknownScope.IGNORE_IN_OPENID and is_openid)
        registered, omitted = client.scope, client.omitted_scope
        if client.document is not None and self.client_id_metadata is not None:
            # What is remembered of it may have been read under other settings, or for another issuer.
            allowed = self.client_id_metadata.settings.scope
            registered, omitted = registered.within(allowed), omitted.within(allowed)
        implies = self.policy.implies
        allowed = implies(registered) if implies.implied else registered
        try:
            return resolve_scope(requested, omitted, allowed, ignore_unknown=ignored)
        except InvalidScope as error:
            raise error.by_setting("client.scope") from None

    def access_token_expires_at(self, client: Client) -> int:
        """Return the second an access token for this client expires, if made now."""
        return self.now + (client.access_token_lifetime or self.policy.lifetimes.access_token_lifetime)

    def refresh_token_expires_at(self, client: Client) -> int:
        """Return the second a refresh token for this client expires if unused, if made now."""
        return self.now + (client.refresh_token_lifetime or self.policy.lifetimes.refresh_token_lifetime)

    def code_expires_at(self, client: Client) -> int:
        """Return the second an authorization code for this client expires, if made now."""
        return self.now + (client.authorization_code_lifetime or self.policy.lifetimes.authorization_code_lifetime)

    def grant_expires_at(self, client: Client, granted_at: int) -> int:
        """Return the second everything issued on a grant made then is over."""
        return granted_at + (client.grant_lifetime or self.policy.lifetimes.grant_lifetime)
