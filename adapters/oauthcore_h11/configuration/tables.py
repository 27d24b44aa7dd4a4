"""The settings, table by table, as validated values.

Each class is a table of the file and each field a key, with its default. Lifetimes are in seconds, sizes in bytes.
Checks of single settings are here, checks of several settings where the service is assembled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeAlias

import attrs

from oauthcore import (
    Allowance,
    Ciba,
    ClientAssertions,
    ClientIdMetadata,
    ConfigurationError,
    ExchangeAllowance,
    Lifetimes,
    Registration,
    Scope,
    Secret,
    mutual_tls,
    pushed_requests,
)
from oauthcore.assertions.trusted_issuer import MAX_LIFETIME, Use
from oauthcore.clients.dynamic_registration import MAX_CLIENTS, MAX_FROM_ADDRESS, MAX_FROM_USER, UNUSED_LIFETIME
from oauthcore.device_grant import INTERVAL, LIFETIME, MAX_WRONG_FROM_ADDRESS, MAX_WRONG_OF_USER
from oauthcore.device_grant import MAX_FROM_ADDRESS as DEVICES_FROM_ADDRESS
from oauthcore.dpop import settings as dpop
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import SKEW
from oauthcore.policy import UnknownScopeName
from oauthcore.profiles.profile import ProfileName
from oauthcore.records.client import AccessTokenFormat, AuthenticationMethod, DeliveryMode, IdTokenClaims, SubjectType
from oauthcore.resource.published_keys import KEYS_LIFETIME
from oauthcore.resources import TrailingSlash
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.storage.purging import BATCH, more_than_nothing
from oauthcore.token_exchange import ExchangeMode, SubjectTokenType
from oauthcore.wire.certificate_headers import ProxyFormat
from oauthcore_sqlite import Synchronous

KEYS = KeyPolicy()
REGISTRATION = Registration()
CLIENT_ID_METADATA = ClientIdMetadata()
CIBA = Ciba()

Network: TypeAlias = IPv4Network | IPv6Network
Description: TypeAlias = str | Mapping[str, str]
"""What a scope means in a person's words: one text, or one for each language."""


def at_least(least: int) -> object:
    """Make a validator of numbers that may not be smaller."""

    def check(instance: object, attribute: attrs.Attribute[int], value: float) -> None:
        if value < least:
            raise ConfigurationError(attribute.name, value, f"use a number, {least} or more")

    return check


def _positive(default: int) -> int:
    return attrs.field(default=default, validator=at_least(1))  # type: ignore[call-overload,no-any-return]  # any of them


def _limit(default: int | None) -> int:
    return attrs.field(default=default or 0, validator=at_least(0))  # type: ignore[call-overload,no-any-return]  # any of them


def _seconds(default: float) -> float:
    return attrs.field(default=default, validator=at_least(0))  # type: ignore[call-overload,no-any-return]  # any of them


@attrs.frozen(kw_only=True)
class Tls:
    """Name the certificate, with the chain below it, and its key, both PEM.

    With `client_certificates` a client may show, or must show, a certificate that an authority in `client_ca` has
    signed, or one of those in `client_self_signed`; the server gets it in DER. Clients are asked for it at the
    addresses `client_certificates_at`, which `bind` has, too; by default at all of them.
    """

    certificate: Path
    key: Path
    client_ca: Path | None = None
    client_self_signed: Path | None = None
    client_certificates: Literal["none", "optional", "required"] = "none"
    client_certificates_at: tuple[str, ...] = ()

    def __attrs_post_init__(self) -> None:
        trusted = {"client_ca": self.client_ca, "client_self_signed": self.client_self_signed}
        if self.client_certificates != "none":
            if self.client_ca is None and self.client_self_signed is None:
                remedy = "name their client_ca as well, or client_self_signed"
                raise ConfigurationError("client_certificates", self.client_certificates, remedy)
            return
        for name, value in (*trusted.items(), ("client_certificates_at", self.client_certificates_at or None)):
            if value is not None:
                shown = str(value) if isinstance(value, Path) else list(value)
                raise ConfigurationError(name, shown, "set client_certificates too, or leave it out")


@attrs.frozen(kw_only=True)
class LimitsTable:
    """Say how much a connection may have: sizes in bytes, times in seconds.

    `head_time` and `body_time` are for the whole of it, however it trickles in; `wait_time` is how long a connection
    waits for a place when all `connections` are taken, or those of its address, before it is answered 503.
    `connections_per_address`, for IPv6 per /64, is a tenth of all unless it is said; named proxies have no limit.

    `refusals_per_minute` is how often a client from one address may be refused where it authenticates, in each worker;
    0 is no limit.
    """

    target: int = _positive(8 * 1024)
    head: int = _positive(16 * 1024)
    body: int = _positive(64 * 1024)
    requests: int = _positive(1_000)
    connections: int = _positive(1_000)
    connections_per_address: int = attrs.field(validator=at_least(1))  # type: ignore[call-overload]  # any of them
    head_time: float = _seconds(10)
    body_time: float = _seconds(20)
    idle_time: float = _seconds(75)
    write_time: float = _seconds(30)
    wait_time: float = _seconds(5)
    drain_time: float = _seconds(20)
    # Ten a second: far more than the mistakes of an honest client, and useless for guessing 128 bits.
    refusals_per_minute: int = attrs.field(default=600, validator=at_least(0))  # type: ignore[call-overload]  # any of them

    @connections_per_address.default
    def _a_tenth(self) -> int:
        return max(1, self.connections // 10)


@attrs.frozen(kw_only=True)
class CertificateHeaderTable:
    """Say how the proxies hand on clients' certificates; see `oauthcore.wire.certificate_headers.CertificateHeader`.

    With `refuses_unverified` they hand on no certificate whose authority they have not verified.
    """

    format: ProxyFormat = "rfc9440"
    name: str = ""
    chains: str = ""
    refuses_unverified: bool = False

    def __attrs_post_init__(self) -> None:
        if self.chains and self.refuses_unverified:
            raise ConfigurationError("chains", self.chains, "leave it out, or refuses_unverified")


@attrs.frozen(kw_only=True)
class Proxies:
    """Name the reverse proxies that are believed about the client's address and scheme (X-Forwarded-For, -Proto).

    With `client_certificate`, also about its certificate.
    """

    trusted: tuple[Network, ...] = ()
    trusted_unix: bool = False
    client_certificate: CertificateHeaderTable | None = None

    def __attrs_post_init__(self) -> None:
        if self.client_certificate is not None and not self.trusted and not self.trusted_unix:
            remedy = "name the proxies that are believed: trusted, or trusted_unix"
            raise ConfigurationError("client_certificate", "set", remedy)


@attrs.frozen(kw_only=True)
class Outgoing:
    """Open, for requests that the server itself makes, what is shut: private addresses and private authorities.

    `private_hosts` are names of hosts, addresses, or networks.
    """

    extra_ca_file: Path | None = None
    private_hosts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class SoftwareStatementsTable:
    """Trust what an issuer says of software (RFC 7591 section 2.3), by its public keys: a JWK set in a file."""

    issuer: str
    jwks_file: Path


@attrs.frozen(kw_only=True)
class RegistrationTable:
    """Let clients register themselves, by being there (RFC 7591): by initial access token, or all that come if `open`.

    The settings are those of `oauthcore.Registration`; 0 is no limit.
    """

    open: bool = False
    scope: Scope | None = None
    grant_types: tuple[str, ...] = REGISTRATION.grant_types
    schemes: tuple[str, ...] = REGISTRATION.schemes
    needs_approval: bool = False
    idempotent: bool = False
    id_token_claims: IdTokenClaims = REGISTRATION.id_token_claims
    unused_lifetime: int = attrs.field(default=UNUSED_LIFETIME, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    max_clients: int = attrs.field(default=MAX_CLIENTS, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    max_from_address: int = attrs.field(default=MAX_FROM_ADDRESS, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    max_from_user: int = attrs.field(default=MAX_FROM_USER, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    software_statements: tuple[SoftwareStatementsTable, ...] = ()


@attrs.frozen(kw_only=True)
class TrustedSubjectTable:
    """Say for whom assertions with some claims stand; the settings are those of `oauthcore.SubjectRule`."""

    claims: Mapping[str, object] = attrs.Factory(dict)
    subject: str | None = None
    subject_claim: str | None = None
    client_id: str | None = None
    scope: Scope | None = None


@attrs.frozen(kw_only=True)
class TrustedIssuerTable:
    """Trust the assertions of an issuer (RFC 7523), for some `uses` and some subjects.

    The settings are those of `oauthcore.TrustedIssuer`. Its public keys are in the `jwks_file`, at `jwks_uri`, or found
    by its metadata. `single_use` is false for `AllowReuse`.
    """

    issuer: str
    uses: tuple[Use, ...] = ("jwt-bearer",)
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    algorithms: tuple[str, ...] = ASYMMETRIC_ALGORITHMS
    audience: tuple[str, ...] = ()
    client_ids: tuple[str, ...] | None = None
    single_use: bool = True
    max_lifetime: int = MAX_LIFETIME
    keys_lifetime: int = KEYS_LIFETIME
    skew: int = SKEW
    subjects: tuple[TrustedSubjectTable, ...] = ()


@attrs.frozen(kw_only=True)
class DeviceTable:
    """Let devices without a browser get tokens, by being there (RFC 8628); 0 is no limit.

    The settings are those of `oauthcore.DeviceGrant`.
    """

    lifetime: int = _positive(LIFETIME)
    interval: int = _positive(INTERVAL)
    verification_uri: str | None = None
    max_wrong_of_user: int = attrs.field(default=MAX_WRONG_OF_USER, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    max_wrong_from_address: int = attrs.field(default=MAX_WRONG_FROM_ADDRESS, validator=at_least(0))  # type: ignore[call-overload]  # any of them
    max_from_address: int = attrs.field(default=DEVICES_FROM_ADDRESS, validator=at_least(0))  # type: ignore[call-overload]  # any of them


@attrs.frozen(kw_only=True)
class CibaTable:
    """Let clients ask users who are elsewhere, by being there (OpenID CIBA Core 1.0); 0 is no limit.

    The settings are those of `oauthcore.Ciba`, but for `notify_url`, which is told of each request for a user, so that
    it can send them a message, and `notify_token`, by which it knows that this server tells it.
    """

    lifetime: int = _positive(CIBA.lifetime)
    max_lifetime: int = _positive(CIBA.max_lifetime)
    interval: int = _positive(CIBA.interval)
    max_pending: int = _limit(CIBA.max_pending)
    max_pending_of_user: int = _limit(CIBA.max_pending_of_user)
    max_unknown: int = _limit(CIBA.max_unknown)
    require_signed: bool = False
    require_binding_message: bool = False
    max_request_lifetime: int = _positive(CIBA.max_request_lifetime)
    notify_url: str | None = None
    notify_token: Secret | None = None


@attrs.frozen(kw_only=True)
class PushedRequestsTable:
    """Let clients push their authorization requests, by being there (RFC 9126); 0 is no limit.

    The settings are those of `oauthcore.PushedRequests`.
    """

    lifetime: int = pushed_requests.LIFETIME
    required: bool = False
    max_from_address: int = attrs.field(default=pushed_requests.MAX_FROM_ADDRESS, validator=at_least(0))  # type: ignore[call-overload]  # any of them


@attrs.frozen(kw_only=True)
class DpopTable:
    """Bind tokens to a key of the client, by being there (RFC 9449). The settings are those of `oauthcore.Dpop`."""

    algorithms: tuple[str, ...] = dpop.ALGORITHMS
    lifetime: int = dpop.LIFETIME
    skew: int = dpop.SKEW
    required: bool = False
    require_nonce: bool = False
    nonce_lifetime: int = dpop.NONCE_LIFETIME


@attrs.frozen(kw_only=True)
class AuthorizationDetailsTable:
    """Declare a type of authorization details (RFC 9396), with its members.

    `description` is what users are told that they allow, with `{amount}` for the value of a member.
    """

    type: str
    description: str
    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class ProfileTable:
    """Hold the server to a set of rules; the settings are those of `oauthcore.Profile`.

    What the rules demand of `policy`, `pushed_requests`, `request_objects` and `oidc.keys` need not be said again.
    """

    name: ProfileName
    report_only: bool = False
    parts: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class RequestObjectsTable:
    """Demand something of request objects (RFC 9101); 0 is no limit. The settings are those of `RequestObjects`."""

    required: bool = False
    max_lifetime: int = attrs.field(default=0, validator=at_least(0))  # type: ignore[call-overload]  # any of them


@attrs.frozen(kw_only=True)
class MutualTlsTable:
    """Let clients use their certificates, by being there (RFC 8705). The settings are those of `MutualTls`."""

    methods: tuple[str, ...] = mutual_tls.METHODS
    endpoint_aliases: str | None = None


@attrs.frozen(kw_only=True)
class ResourceTable:
    """Declare an API that tokens are issued for (RFC 8707); the settings are those of `oauthcore.Resource`."""

    uri: str
    name: str | None = None
    scopes: Scope | None = None
    access_token_format: AccessTokenFormat | None = None
    access_token_lifetime: int | None = None
    access_token_signing_alg: str | None = None
    client_ids: tuple[str, ...] | None = None
    introspected_by: tuple[str, ...] = ()
    claims: tuple[str, ...] = ()
    fixed_claims: Mapping[str, object] = attrs.Factory(dict)


@attrs.frozen(kw_only=True)
class ResourcePolicyTable:
    """Say which API a request means that names none, and whether others than those in the file may be named.

    With `unregistered` "any" those are all https URIs, or what is `below` some; see `oauthcore.Resources`.
    """

    default: str | None = None
    unregistered: Literal["refuse", "any"] = "refuse"
    below: tuple[str, ...] = ()
    trailing_slash: TrailingSlash = "exact"

    def __attrs_post_init__(self) -> None:
        if self.below and self.unregistered == "refuse":
            raise ConfigurationError("below", list(self.below), 'set unregistered = "any" too, or leave it out')


@attrs.frozen(kw_only=True)
class ClientIdMetadataTable:
    """Take clients that say what they are at the URL that names them, by being there.

    The settings are those of `oauthcore.ClientIdMetadata`; `loopback` is for tests, and takes what no host vouches for.
    """

    scope: Scope | None = None
    grant_types: tuple[str, ...] = CLIENT_ID_METADATA.grant_types
    allowed_hosts: tuple[str, ...] | None = None
    denied_hosts: tuple[str, ...] = ()
    min_fresh: int = CLIENT_ID_METADATA.min_fresh
    max_fresh: int = CLIENT_ID_METADATA.max_fresh
    new_per_minute: int = CLIENT_ID_METADATA.new_per_minute
    loopback: bool = False


@attrs.frozen(kw_only=True)
class TokenExchangeTable:
    """Let clients exchange tokens (RFC 8693); the settings are those of `oauthcore.ExchangeRule`."""

    client_ids: tuple[str, ...]
    subject_token_types: tuple[SubjectTokenType, ...] = ("access_token",)
    subject_issuers: tuple[str, ...] = ()
    subject_client_ids: tuple[str, ...] = ()
    subject_audience: tuple[str, ...] = ()
    audience: tuple[str, ...] = ()
    requested_token_types: tuple[Literal["access_token", "jwt"], ...] = ("access_token", "jwt")
    mode: ExchangeMode = "delegation"
    scope: Scope | None = None
    extra_scope: Scope = attrs.Factory(Scope)
    lifetime: int | None = None
    require_may_act: bool = False
    allow: tuple[ExchangeAllowance, ...] = ()


@attrs.frozen(kw_only=True)
class IdJagTable:
    """Let clients have assertions for another authorization server; the settings are those of `oauthcore.IdJagRule`."""

    client_ids: tuple[str, ...]
    audience: str
    client_id_there: str | None = None
    subject_token_types: tuple[Literal["id_token", "refresh_token"], ...] = ("id_token",)
    resources: tuple[str, ...] = ()
    scope: Scope = attrs.Factory(Scope)
    lifetime: int = 300
    email: bool = False
    sector_identifier_uri: str | None = None
    allow: tuple[ExchangeAllowance, ...] = ()


@attrs.frozen(kw_only=True)
class WebFingerTable:
    """Answer WebFinger requests, by being there; the settings are those of `oauthcore.WebFinger`."""

    domains: tuple[str, ...] = ()


@attrs.frozen(kw_only=True)
class PathsTable:
    """Say where everything is, each a path below the issuer."""

    authorization: str = "/authorize"
    pushed_authorization_request: str = "/par"
    token: str = "/token"
    introspection: str = "/introspect"
    revocation: str = "/revoke"
    registration: str = "/register"
    userinfo: str = "/userinfo"
    jwks: str = "/jwks"
    resume: str = "/authorize/resume"
    login: str = "/login"
    approve: str = "/approve"
    account: str = "/account"
    logout: str = "/logout"
    end_session: str = "/end-session"
    device_authorization: str = "/device_authorization"
    device: str = "/device"
    backchannel_authentication: str = "/bc-authorize"
    requests: str = "/requests"


@attrs.frozen(kw_only=True)
class PolicyTable:
    """Choose what is offered: OAuth 2.1, or all of RFC 6749 (oauth20); `allow` opens by name what is shut.

    `code_binding` is what a confidential client's code is tied to its browser by; `unknown_scope` is what becomes of a
    scope that a client asks for and is not registered with. `implies` has for a scope those that it implies.
    """

    preset: Literal["oauth21", "oauth20"] = "oauth21"
    # That of the profile if there is one, otherwise pkce_or_nonce.
    code_binding: Literal["pkce_or_nonce", "pkce"] | None = None
    unknown_scope: UnknownScopeName = "ignore_in_openid"
    allow: tuple[Allowance, ...] = ()
    implies: Mapping[str, tuple[str, ...]] = attrs.Factory(dict)
    # That of the profile if there is one, otherwise always.
    refresh_rotation: Literal["always", "unless_sender_constrained"] | None = None


@attrs.frozen(kw_only=True)
class KeysTable:
    """Say what tokens are signed with: keys in the storage, which turn by themselves, or those in `files`.

    The lifetimes are those of `oauthcore.signing.key_ring.KeyPolicy`; those that turn keys mean nothing for files.
    """

    # Those of the profile if it names some, otherwise RS256.
    algorithms: tuple[str, ...] | None = None
    files: tuple[Path, ...] = ()
    hint_files: tuple[Path, ...] = ()
    active_lifetime: int = KEYS.active_lifetime
    published_lifetime: int = KEYS.published_lifetime
    signed_lifetime: int = KEYS.signed_lifetime
    hint_lifetime: int = KEYS.hint_lifetime
    jwks_lifetime: int = KEYS.jwks_lifetime
    cache_lifetime: int = KEYS.cache_lifetime

    def __attrs_post_init__(self) -> None:
        if self.files and self.algorithms is not None:
            remedy = "leave it out: each key in a file says what it is for"
            raise ConfigurationError("algorithms", list(self.algorithms), remedy)
        if self.hint_files and not self.files:
            remedy = "leave it out: keys in the storage are remembered for hint_lifetime by themselves"
            raise ConfigurationError("hint_files", [str(path) for path in self.hint_files], remedy)


@attrs.frozen(kw_only=True)
class OidcTable:
    """A provider of OpenID Connect, by being there.

    `scope_claims` adds scopes with the claims that they stand for, or says anew what a standard one stands for.
    """

    keys: KeysTable = KeysTable()
    scope_claims: Mapping[str, tuple[str, ...]] = attrs.Factory(dict)
    request_objects: bool = True
    request_uris: bool = True
    service_documentation: str | None = None
    op_policy_uri: str | None = None
    op_tos_uri: str | None = None


@attrs.frozen(kw_only=True)
class Passwords:
    """Say what a password check may cost: `memory` in KiB, and how many checks may run at once, in each worker.

    After `free_attempts` wrong ones in a row for an account or from an address, each further one is waited for, twice
    as long each time, up to `longest_wait` seconds; after `forget_time` without any, all is forgotten. A browser from
    which a user signed in to an account has attempts of its own there for `known_device_lifetime` seconds, with 0
    none.

    A new password has at least `minimum_length` characters, and with `refuse_common` is none that many people have.
    """

    # OWASP's Password Storage Cheat Sheet gives argon2id with 19 MiB and two passes as a least for small machines.
    memory: int = attrs.field(default=19_456, validator=at_least(8))  # type: ignore[call-overload]  # any of them
    passes: int = _positive(2)
    at_once: int = _positive(2)
    free_attempts: int = _positive(5)
    free_attempts_per_address: int = _positive(50)
    longest_wait: int = _positive(60)
    forget_time: int = _positive(900)
    # NIST SP 800-63B-4 section 3.1.1.2, for a password that is all there is to sign in with.
    minimum_length: int = _positive(15)
    refuse_common: bool = True
    # Half a year: who has been away for a summer is known still, and a computer that was given away soon is not.
    known_device_lifetime: int = attrs.field(default=180 * 86_400, validator=at_least(0))  # type: ignore[call-overload]  # any of them


@attrs.frozen(kw_only=True)
class ClientSecrets:
    """The rules for client secrets in the file.

    A secret has at least `minimum_length` characters, and with `refuse_common` is not one of the most common ones.
    """

    # 96 bits in base64, if drawn at random; a warning asks for the 128 of RFC 6749 section 10.10, which 22 have.
    minimum_length: int = _positive(16)
    refuse_common: bool = True


@attrs.frozen(kw_only=True)
class Logs:
    """Say how the log is written, on standard error: for people or for programs, and how much.

    With `traces`, a folder, each decision is written there as well, for `oauthcore replay`.
    """

    format: Literal["text", "json"] = "text"
    level: Literal["debug", "info", "warning", "error"] = "info"
    access: bool = True
    traces: Path | None = None


@attrs.frozen(kw_only=True)
class Metrics:
    """Say who may read /metrics: everybody else finds nothing there."""

    allowed_from: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@attrs.frozen(kw_only=True)
class PurgeTable:
    """Say how a server removes what has expired, or that it does not, where `oauthcore purge` is run by something else.

    It looks `every` so many seconds, removes `batch` records at a time, and rests for `pause` seconds between two.
    """

    enabled: bool = True
    every: float = attrs.field(default=60.0, validator=more_than_nothing)
    pause: float = attrs.field(default=0.05, validator=more_than_nothing)
    batch: int = _positive(BATCH)


@attrs.frozen(kw_only=True)
class PagesTable:
    """Make the pages the operator's own: their name and colours, their templates and texts before the package's."""

    name: str | None = None
    logo: str | None = None
    accent: str | None = None
    accent_dark: str | None = None
    templates: Path | None = None
    translations: Path | None = None
    languages: tuple[str, ...] = ("en", "de")
    session_lifetime: int = _positive(8 * 3_600)


@attrs.frozen(kw_only=True)
class ClientTable:
    """Declare a client; it is known while it stands in the file, and is not in the storage.

    Its public keys are at `jwks_uri`, or in the `jwks_file`.
    """

    client_id: str
    secret: Secret | None = None
    name: str | None = None
    organization_name: str | None = None
    client_uri: str | None = None
    token_endpoint_auth_method: AuthenticationMethod | None = None
    token_endpoint_auth_signing_alg: str | None = None
    tls_client_auth_subject_dn: str | None = None
    tls_client_auth_san_dns: str | None = None
    tls_client_auth_san_uri: str | None = None
    tls_client_auth_san_ip: str | None = None
    tls_client_auth_san_email: str | None = None
    tls_client_certificate_bound_access_tokens: bool = False
    jwks_uri: str | None = None
    jwks_file: Path | None = None
    request_uris: tuple[str, ...] = ()
    request_object_signing_alg: str | None = None
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    dpop_bound_access_tokens: bool = False
    authorization_details_types: tuple[str, ...] = ()
    redirect_uris: tuple[str, ...] = ()
    grant_types: tuple[str, ...] = ("authorization_code", "refresh_token")
    response_types: tuple[str, ...] | None = None
    scope: Scope = attrs.Factory(Scope)
    default_scope: Scope | None = None
    unknown_scope: UnknownScopeName | None = None
    authorization_code_lifetime: int | None = None
    access_token_lifetime: int | None = None
    refresh_token_lifetime: int | None = None
    id_token_lifetime: int | None = None
    grant_lifetime: int | None = None
    access_token_format: AccessTokenFormat = "opaque"
    id_token_claims: IdTokenClaims | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    id_token_signed_response_alg: str = "RS256"
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str = "A128CBC-HS256"
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str = "A128CBC-HS256"
    introspection_signed_response_alg: str | None = None
    authorization_signed_response_alg: str | None = None
    authorization_encrypted_response_alg: str | None = None
    authorization_encrypted_response_enc: str = "A128CBC-HS256"
    subject_type: SubjectType = "public"
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    default_acr_values: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False
    backchannel_token_delivery_mode: DeliveryMode | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    allow: tuple[Allowance, ...] = ()
    introspects_any: bool = False
    explain_until: datetime | None = None
    require: tuple[str, ...] = ()
    enabled: bool = True


@attrs.frozen(kw_only=True)
class UserTable:
    """Declare a user, by the hash that `oauthcore user hash-password` gives; `subject` is the username if left out.

    `claims` are what is known of them, by the names of OpenID Connect (OIDC Core section 5.1). `groups` are those that
    they are in: clients may require some.
    """

    username: str
    password_hash: Secret
    subject: str | None = None
    claims: Mapping[str, object] = attrs.Factory(dict)
    groups: tuple[str, ...] = ()


_SQLITE = re.compile(r"sqlite:(?://)?(?P<path>[^?]+)")


@attrs.frozen(kw_only=True)
class StorageTable:
    """Name the storage, by a URL that may contain a password, and so has no repr."""

    url: Secret = attrs.field(factory=lambda: Secret("sqlite:oauthcore.db"))

    @property
    def scheme(self) -> str:
        """Return what tells the engine."""
        return re.split(r"[:+]", self.url.reveal(), maxsplit=1)[0]


@attrs.frozen(kw_only=True)
class Configuration:
    """Hold everything that the file says; `folder` is where it lies, and what relative paths are relative to."""

    folder: Path
    issuer: str
    token_key: Secret
    bind: tuple[str, ...] = ("127.0.0.1:8000",)
    storage: StorageTable = attrs.Factory(StorageTable)
    synchronous: Synchronous = "FULL"
    workers: int = _positive(1)
    tls: Tls | None = None
    limits: LimitsTable = LimitsTable()
    proxies: Proxies = Proxies()
    outgoing: Outgoing = Outgoing()
    paths: PathsTable = PathsTable()
    policy: PolicyTable = PolicyTable()
    lifetimes: Lifetimes = attrs.Factory(Lifetimes)
    oidc: OidcTable | None = None
    registration: RegistrationTable | None = None
    device: DeviceTable | None = None
    ciba: CibaTable | None = None
    pushed_requests: PushedRequestsTable | None = None
    mutual_tls: MutualTlsTable | None = None
    # Those of the profile if there is one, otherwise the defaults of `ClientAssertions`.
    client_assertions: ClientAssertions | None = None
    dpop: DpopTable | None = None
    request_objects: RequestObjectsTable | None = None
    profile: ProfileTable | None = None
    authorization_details: tuple[AuthorizationDetailsTable, ...] = ()
    resources: tuple[ResourceTable, ...] = ()
    resource_policy: ResourcePolicyTable | None = None
    client_id_metadata: ClientIdMetadataTable | None = None
    token_exchange: tuple[TokenExchangeTable, ...] = ()
    id_jag: tuple[IdJagTable, ...] = ()
    trusted_issuers: tuple[TrustedIssuerTable, ...] = ()
    webfinger: WebFingerTable | None = None
    scopes: Mapping[str, Description] = attrs.Factory(dict)
    passwords: Passwords = Passwords()
    client_secrets: ClientSecrets = ClientSecrets()
    logs: Logs = Logs()
    metrics: Metrics = Metrics()
    purge: PurgeTable = PurgeTable()
    pages: PagesTable = PagesTable()
    clients: tuple[ClientTable, ...] = ()
    users: tuple[UserTable, ...] = ()

    def __attrs_post_init__(self) -> None:
        if not self.bind:
            raise ConfigurationError("bind", [], "name one address at least, as in 127.0.0.1:8000")
        asking = () if self.tls is None else self.tls.client_certificates_at
        for bind in asking:
            if bind not in self.bind:
                raise ConfigurationError("tls.client_certificates_at", bind, "add it to bind, or leave it out")
            port = bind.rpartition(":")[2]
            if any(other.rpartition(":")[2] == port for other in set(self.bind) - set(asking)):
                raise ConfigurationError("tls.client_certificates_at", bind, "use a port that no other address has")
        if self.storage.scheme == "sqlite" and _SQLITE.fullmatch(self.storage.url.reveal()) is None:
            remedy = "use sqlite: and a file, as in sqlite:oauthcore.db"
            raise ConfigurationError("storage", self.storage.url.reveal(), remedy)

    @property
    def database(self) -> Path:
        """Return the file that the records are in, where they are in one."""
        found = _SQLITE.fullmatch(self.storage.url.reveal())
        assert found is not None
        return self.folder / found["path"]
