"""The service, put together from its configuration: what takes several settings to know is checked here.

Everything is made anew at a reload, but for the storage, the password hashing and the counts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Protocol

import attrs
from jinja2 import FileSystemLoader

from oauthcore import (
    AnyoneMayRegister,
    AnyResource,
    AuthorizationServer,
    ClientIdMetadata,
    CodeBinding,
    ConfigurationError,
    LoopbackDocuments,
    Paths,
    Policy,
    Registration,
    Resource,
    Resources,
    Scope,
    ScopeHierarchy,
    Secret,
    SoftwareStatementIssuer,
    UnknownScope,
)
from oauthcore.entropy import Entropy
from oauthcore.flow.storage import AsyncStorage
from oauthcore.openid import STANDARD_CLAIMS, OpenID
from oauthcore.server import TOKEN_KEY_LENGTHS
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore_fetch import AsyncFetcher, Fetcher
from oauthcore_h11.application import Application
from oauthcore_h11.attempts import Patience
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.reading import check_readable
from oauthcore_h11.configuration.tables import ResourcePolicyTable
from oauthcore_h11.declarations import declared, jwks_in
from oauthcore_h11.declared import WithDeclared
from oauthcore_h11.devices import Devices
from oauthcore_h11.key_files import KeyFiles
from oauthcore_h11.monitoring import Monitoring
from oauthcore_h11.password_rules import PasswordRules
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.readiness import Readiness
from oauthcore_h11.traces import traced
from oauthcore_h11.unnamed_proxies import proxies_of
from oauthcore_h11.users import Users
from oauthcore_pages import Brand, Pages, Templates
from oauthcore_pages.session import BY_PASSWORD


class Clock(Protocol):
    """Tell the time; `time.time` fits."""

    def __call__(self) -> float:
        """Return seconds since the Unix epoch."""


def application_of(
    configuration: Configuration,
    storage: AsyncStorage,
    passwords: Passwords,
    monitoring: Monitoring,
    *,
    clock: Clock = time.time,
    entropy: Entropy = secrets.token_bytes,
) -> Application:
    """Put the application together; raises `ConfigurationError` for settings that can't be together."""
    templates = templates_of(configuration)
    server = traced(server_of(configuration, templates, clock, entropy), configuration.logs.traces)
    pages = pages_of(configuration, server, templates, clock, entropy)
    known = WithDeclared(storage, declared(configuration, server, passwords))
    return Application(
        server=server,
        pages=pages,
        storage=known,
        users=Users(
            known,
            passwords,
            patience_of(configuration),
            key=token_key_of(configuration),
            clock=clock,
            declared=[user.password_hash.reveal() for user in configuration.users],
        ),
        devices=devices_of(configuration, clock, entropy),
        monitoring=monitoring,
        readiness=Readiness(storage, clock=clock, entropy=entropy),
        fetch=fetch_of(configuration),
        entropy=entropy,
        metrics_allowed_from=configuration.metrics.allowed_from,
        endpoints=names_of(configuration, server),
        proxies=proxies_of(configuration),
        logs_access=configuration.logs.access,
    )


def server_of(
    configuration: Configuration, templates: Templates, clock: Clock = time.time, entropy: Entropy = secrets.token_bytes
) -> AuthorizationServer:
    """Make the authorization server."""
    table = configuration.policy
    preset = Policy.oauth21 if table.preset == "oauth21" else Policy.oauth20
    policy = preset(allow=table.allow, lifetimes=configuration.lifetimes)
    policy = attrs.evolve(
        policy,
        code_binding=CodeBinding[table.code_binding.upper()],
        unknown_scope=UnknownScope(table.unknown_scope),
        implies=implied_by(table.implies),
    )
    paths = configuration.paths
    return AuthorizationServer(
        issuer=configuration.issuer,
        clock=clock,
        entropy=entropy,
        token_key=token_key_of(configuration),
        policy=policy if configuration.oidc is None else policy.with_id_tokens(),
        paths=Paths(
            authorization=paths.authorization,
            token=paths.token,
            introspection=paths.introspection,
            revocation=paths.revocation,
            registration=paths.registration,
            userinfo=paths.userinfo,
            jwks=paths.jwks,
            resume=paths.resume,
            login=paths.login,
            consent=paths.approve,
            end_session=paths.end_session,
            logout=paths.logout,
        ),
        scopes=tuple(configuration.scopes),
        error_page=templates.error,
        openid=openid_of(configuration),
        keys=keys_of(configuration),
        registration=registration_of(configuration),
        resources=resources_of(configuration),
        client_id_metadata=client_id_metadata_of(configuration),
    )


def implied_by(table: Mapping[str, tuple[str, ...]]) -> ScopeHierarchy:
    """Say which scopes imply others."""
    try:
        return ScopeHierarchy(table)
    except ConfigurationError as error:
        raise ConfigurationError("policy.implies", error.value, error.remedy) from None


def openid_of(configuration: Configuration) -> OpenID | None:
    """Say what is offered of OpenID Connect."""
    table = configuration.oidc
    if table is None:
        return None
    try:
        return OpenID(
            scope_claims={**STANDARD_CLAIMS, **table.scope_claims},
            acr_values=(BY_PASSWORD,),
            ui_locales=configuration.pages.languages,
            request_objects=table.request_objects,
            request_uris=table.request_uris,
            service_documentation=table.service_documentation,
            op_policy_uri=table.op_policy_uri,
            op_tos_uri=table.op_tos_uri,
        )
    except ConfigurationError as error:
        raise ConfigurationError(f"oidc.{error.setting}", error.value, error.remedy) from None


def registration_of(configuration: Configuration) -> Registration | None:
    """Say who may register clients, and for what; None where nobody may."""
    table = configuration.registration
    if table is None:
        return None
    try:
        return Registration(
            access=AnyoneMayRegister() if table.open else None,
            software_statements=tuple(
                SoftwareStatementIssuer(trusted.issuer, jwks_in("registration.software_statements", trusted.jwks_file))
                for trusted in table.software_statements
            ),
            scope=table.scope,
            grant_types=table.grant_types,
            schemes=table.schemes,
            needs_approval=table.needs_approval,
            idempotent=table.idempotent,
            unused_lifetime=table.unused_lifetime or None,
            max_clients=table.max_clients or None,
            max_from_address=table.max_from_address or None,
        )
    except ConfigurationError as error:
        prefix = "" if error.setting.startswith("registration.") else "registration."
        raise ConfigurationError(f"{prefix}{error.setting}", error.value, error.remedy) from None


def resources_of(configuration: Configuration) -> Resources | None:
    """Say which APIs clients may name; None where the file tells of none."""
    table = configuration.resource_policy
    if table is None and not configuration.resources:
        return None
    table = table or ResourcePolicyTable()
    keys = keys_of(configuration)
    algorithms = () if keys is None else keys.algorithms
    resources = []
    for number, one in enumerate(configuration.resources, 1):
        try:
            settings = attrs.asdict(one, recurse=False)
            resources.append(Resource(settings.pop("uri"), **settings).signed_by(algorithms))
        except ConfigurationError as error:
            remedy = error.remedy if keys is not None else 'add a table [oidc], whose keys sign, or use "opaque"'
            is_of_keys = error.setting in {"access_token_format", "access_token_signing_alg"}
            raise ConfigurationError(
                f"resources[{number}].{error.setting}", error.value, remedy if is_of_keys else error.remedy
            ) from None
    unregistered = None
    try:
        if table.unregistered == "any":
            unregistered = AnyResource(below=table.below)
        return Resources(
            resources, default=table.default, unregistered=unregistered, trailing_slash=table.trailing_slash
        )
    except ConfigurationError as error:
        place = error.setting if error.setting == "resources" else f"resource_policy.{error.setting}"
        raise ConfigurationError(place, error.value, error.remedy) from None


def client_id_metadata_of(configuration: Configuration) -> ClientIdMetadata | None:
    """Say whose metadata documents are taken, and for what; None where none are."""
    table = configuration.client_id_metadata
    if table is None:
        return None
    settings = attrs.asdict(table, recurse=False)
    # As with `registration.scope`: what is left out means all that the metadata names.
    openid = openid_of(configuration)
    resources = resources_of(configuration)
    of_resources = () if resources is None else resources.published_scopes
    named = (*(() if openid is None else openid.scopes), *configuration.scopes, *of_resources)
    settings["scope"] = Scope(tuple(dict.fromkeys(named))) if table.scope is None else table.scope
    settings["loopback"] = LoopbackDocuments() if table.loopback else None
    try:
        return ClientIdMetadata(**settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"client_id_metadata.{error.setting}", error.value, error.remedy) from None


def keys_of(configuration: Configuration) -> KeyPolicy | KeyFiles | None:
    """Say what tokens are signed with; None where none are."""
    if configuration.oidc is None:
        return None
    table = configuration.oidc.keys
    if table.files:
        return KeyFiles(
            table.files,
            jwks_lifetime=table.jwks_lifetime,
            cache_lifetime=table.cache_lifetime,
            hint_paths=table.hint_files,
        )
    settings = attrs.asdict(table)
    del settings["files"], settings["hint_files"]
    try:
        return KeyPolicy(**settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"oidc.{error.setting}", error.value, error.remedy) from None


def templates_of(configuration: Configuration) -> Templates:
    """Make the templates of the pages."""
    table = configuration.pages
    for name, folder in (("templates", table.templates), ("translations", table.translations)):
        if folder is not None and not folder.is_dir():
            raise ConfigurationError(f"pages.{name}", str(folder), "there is no such folder")
    return Templates(
        () if table.templates is None else (FileSystemLoader(table.templates),),
        brand=brand_of(configuration),
        scopes=configuration.scopes,
        languages=table.languages,
        own_translations=table.translations,
    )


def brand_of(configuration: Configuration) -> Brand:
    """Make what the pages show of their operator."""
    table = configuration.pages
    logo = logo_of(configuration)
    try:
        return Brand(name=table.name, logo=logo, accent=table.accent, accent_dark=table.accent_dark)
    except ConfigurationError as error:
        raise ConfigurationError(f"pages.{error.setting}", error.value, error.remedy) from None


# By suffix; what a browser takes for an image.
_IMAGES = {".svg": "svg+xml", ".png": "png", ".jpg": "jpeg", ".jpeg": "jpeg", ".gif": "gif", ".webp": "webp"}
MAX_LOGO = 100_000


def logo_of(configuration: Configuration) -> str | None:
    """Return the logo as a URL: a file goes into the page itself, since the server hands out no files."""
    logo = configuration.pages.logo
    if logo is None or logo.startswith(("https:", "data:")):
        return logo
    path = configuration.folder / logo
    check_readable("pages.logo", path)
    content = path.read_bytes()
    if path.suffix.lower() not in _IMAGES or len(content) > MAX_LOGO:
        remedy = f"use a file of up to {MAX_LOGO} bytes that ends in {', '.join(_IMAGES)}, or an https URL"
        raise ConfigurationError("pages.logo", logo, remedy)
    return f"data:image/{_IMAGES[path.suffix.lower()]};base64,{base64.b64encode(content).decode('ascii')}"


def pages_of(
    configuration: Configuration, server: AuthorizationServer, templates: Templates, clock: Clock, entropy: Entropy
) -> Pages:
    """Make the pages, whose key is derived, so that there is one secret to keep and not two."""
    key = hashlib.blake2b(b"oauthcore_h11 pages", key=token_key_of(configuration), digest_size=32).digest()
    return Pages(
        server,
        key=key,
        clock=clock,
        entropy=entropy,
        templates=templates,
        session_lifetime=configuration.pages.session_lifetime,
        account=configuration.paths.account,
        logout=configuration.paths.logout,
    )


def token_key_of(configuration: Configuration) -> bytes:
    """Return the token key's bytes; raises `ConfigurationError`, which does not show it."""
    text = configuration.token_key.reveal()
    remedy = "use 32 to 64 random bytes in base64url, as oauthcore init writes them"
    try:
        key = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (binascii.Error, ValueError):
        raise ConfigurationError("token_key", configuration.token_key, remedy) from None
    if len(key) not in TOKEN_KEY_LENGTHS:
        raise ConfigurationError("token_key", configuration.token_key, remedy)
    return key


def patience_of(configuration: Configuration) -> Patience:
    """Say how much may be tried."""
    table = configuration.passwords
    return Patience(
        free=table.free_attempts,
        free_per_address=table.free_attempts_per_address,
        longest_wait=table.longest_wait,
        forget_time=table.forget_time,
    )


def devices_of(configuration: Configuration, clock: Clock, entropy: Entropy) -> Devices:
    """Say which browsers are known; the key is derived, as the pages' is."""
    key = hashlib.blake2b(b"oauthcore_h11 devices", key=token_key_of(configuration), digest_size=32).digest()
    return Devices(configuration.issuer, clock, entropy, configuration.passwords.known_device_lifetime, key)


def passwords_of(configuration: Configuration) -> Passwords:
    """Make what hashes passwords."""
    table = configuration.passwords
    return Passwords(memory=table.memory, passes=table.passes, at_once=table.at_once)


def rules_of(configuration: Configuration) -> PasswordRules:
    """Say what a new password may not be."""
    table = configuration.passwords
    return PasswordRules(minimum_length=table.minimum_length, refuse_common=table.refuse_common)


def names_of(configuration: Configuration, server: AuthorizationServer) -> dict[str, str]:
    """Return the endpoint that each path is, for the counts."""
    base = server.base
    names = {base + path: name for name, path in attrs.asdict(configuration.paths).items()}
    return {**names, **dict.fromkeys(server.metadata_paths, "metadata")}


def fetch_of(configuration: Configuration) -> AsyncFetcher:
    """Make what asks other servers; raises `ConfigurationError` for an authority or a host that is none."""
    table = configuration.outgoing
    if table.extra_ca_file is not None:
        check_readable("outgoing.extra_ca_file", table.extra_ca_file)
    documents = configuration.client_id_metadata
    loopback = ("127.0.0.0/8", "::1/128") if documents is not None and documents.loopback else ()
    names = {"ca_file": "outgoing.extra_ca_file", "allow": "outgoing.private_hosts"}
    try:
        return AsyncFetcher(Fetcher(allow=(*table.private_hosts, *loopback), ca_file=table.extra_ca_file))
    except ConfigurationError as error:
        raise ConfigurationError(names[error.setting], error.value, error.remedy) from None


def new_token_key() -> Secret:
    """Make a token key of 256 random bits."""
    return Secret(base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii"))
