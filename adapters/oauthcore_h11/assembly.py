"""The authorization server, and what hashes passwords, made of the configuration; a command needs no more than these.

`service.py` puts the pages and all that serves around them.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections.abc import Mapping, Sequence

import attrs

from oauthcore import (
    AllowReuse,
    AnyoneMayRegister,
    AnyResource,
    AuthorizationServer,
    Ciba,
    ClientIdMetadata,
    CodeBinding,
    ConfigurationError,
    DeviceGrant,
    Dpop,
    ExchangeRule,
    IdJagRule,
    LoopbackDocuments,
    MutualTls,
    Paths,
    Policy,
    Profile,
    PushedRequests,
    RefreshRotation,
    Registration,
    RequestObjects,
    Resource,
    Resources,
    Scope,
    ScopeHierarchy,
    Secret,
    SoftwareStatementIssuer,
    SubjectRule,
    TokenExchange,
    TrustedIssuer,
    UnknownScope,
    WebFinger,
)
from oauthcore.clock import Clock
from oauthcore.entropy import Entropy
from oauthcore.openid import STANDARD_CLAIMS, OpenID
from oauthcore.records.login import BY_PASSWORD
from oauthcore.server import TOKEN_KEY_LENGTHS
from oauthcore.signing.key_ring import KeyPolicy
from oauthcore.wire.refusals import RenderErrorPage, plain_error_page
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.tables import (
    KEYS,
    IdJagTable,
    PolicyTable,
    ResourcePolicyTable,
    TokenExchangeTable,
    TrustedSubjectTable,
)
from oauthcore_h11.declarations import jwks_in
from oauthcore_h11.details import authorization_details_of
from oauthcore_h11.key_files import KeyFiles
from oauthcore_h11.password_rules import PasswordRules
from oauthcore_h11.passwords import Passwords


def server_of(
    configuration: Configuration,
    error_page: RenderErrorPage = plain_error_page,
    clock: Clock = time.time,
    entropy: Entropy = secrets.token_bytes,
) -> AuthorizationServer:
    """Make the authorization server."""
    profile = profile_of(configuration)
    paths = configuration.paths
    return AuthorizationServer(
        issuer=configuration.issuer,
        clock=clock,
        entropy=entropy,
        token_key=token_key_of(configuration),
        policy=policy_of(configuration, None if profile is None else profile.default_policy),
        paths=Paths(
            authorization=paths.authorization,
            token=paths.token,
            pushed_authorization_request=paths.pushed_authorization_request,
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
            device_authorization=paths.device_authorization,
            device=paths.device,
            backchannel_authentication=paths.backchannel_authentication,
        ),
        scopes=tuple(configuration.scopes),
        error_page=error_page,
        openid=openid_of(configuration),
        keys=keys_of(configuration),
        registration=registration_of(configuration),
        device=device_of(configuration),
        ciba=ciba_of(configuration),
        pushed_requests=pushed_requests_of(configuration),
        request_objects=request_objects_of(configuration),
        mutual_tls=mutual_tls_of(configuration),
        dpop=dpop_of(configuration),
        resources=resources_of(configuration),
        client_id_metadata=client_id_metadata_of(configuration),
        token_exchange=token_exchange_of(configuration),
        trusted_issuers=trusted_issuers_of(configuration),
        webfinger=webfinger_of(configuration),
        profile=profile,
        authorization_details=authorization_details_of(configuration.authorization_details),
    )


def profile_of(configuration: Configuration) -> Profile | None:
    """Return the rules that the server is held to; None for none beside its settings."""
    table = configuration.profile
    return None if table is None else Profile(name=table.name, report_only=table.report_only, parts=table.parts)


def policy_of(configuration: Configuration, of_profile: Policy | None) -> Policy:
    """Return what is offered and demanded: as the file says, and otherwise as the profile demands, if it has a say."""
    table = configuration.policy
    preset = Policy.oauth21 if table.preset == "oauth21" else Policy.oauth20
    policy = preset(allow=table.allow, lifetimes=configuration.lifetimes)
    usual = CodeBinding.PKCE_OR_NONCE if of_profile is None else of_profile.code_binding
    policy = attrs.evolve(
        policy,
        code_binding=usual if table.code_binding is None else CodeBinding[table.code_binding.upper()],
        unknown_scope=UnknownScope(table.unknown_scope),
        implies=implied_by(table.implies),
        client_assertions=configuration.client_assertions or (of_profile or policy).client_assertions,
        refresh_rotation=rotation_of(table, of_profile),
    )
    if of_profile is not None and table.preset == "oauth21":
        return attrs.evolve(policy, response_types=of_profile.response_types)
    return policy if configuration.oidc is None else policy.with_id_tokens()


def rotation_of(table: PolicyTable, of_profile: Policy | None) -> RefreshRotation:
    """Return which refresh tokens are replaced when they are used."""
    if table.refresh_rotation is not None:
        return RefreshRotation[table.refresh_rotation.upper()]
    return RefreshRotation.ALWAYS if of_profile is None else of_profile.refresh_rotation


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
    """Return the settings of registration; None if it is off."""
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
            id_token_claims=table.id_token_claims,
            unused_lifetime=table.unused_lifetime or None,
            max_clients=table.max_clients or None,
            max_from_address=table.max_from_address or None,
            max_from_user=table.max_from_user or None,
        )
    except ConfigurationError as error:
        prefix = "" if error.setting.startswith("registration.") else "registration."
        raise ConfigurationError(f"{prefix}{error.setting}", error.value, error.remedy) from None


def device_of(configuration: Configuration) -> DeviceGrant | None:
    """Return the settings of the device grant; None if it is off."""
    table = configuration.device
    if table is None:
        return None
    return DeviceGrant(
        lifetime=table.lifetime,
        interval=table.interval,
        verification_uri=table.verification_uri,
        max_wrong_of_user=table.max_wrong_of_user or None,
        max_wrong_from_address=table.max_wrong_from_address or None,
        max_from_address=table.max_from_address or None,
    )


def ciba_of(configuration: Configuration) -> Ciba | None:
    """Return the settings of backchannel authentication; None if it is off."""
    table = configuration.ciba
    if table is None:
        return None
    if configuration.oidc is None:
        raise ConfigurationError("ciba", "a table", "add a table [oidc], or leave it out: clients get ID tokens")
    return Ciba(
        lifetime=table.lifetime,
        max_lifetime=table.max_lifetime,
        interval=table.interval,
        max_pending=table.max_pending or None,
        max_pending_of_user=table.max_pending_of_user or None,
        max_unknown=table.max_unknown or None,
        require_signed=table.require_signed,
        require_binding_message=table.require_binding_message,
        max_request_lifetime=table.max_request_lifetime,
    )


def pushed_requests_of(configuration: Configuration) -> PushedRequests | None:
    """Return the settings of pushed requests; None if they are off."""
    table = configuration.pushed_requests
    if table is None:
        return None
    return PushedRequests(
        lifetime=table.lifetime, required=table.required, max_from_address=table.max_from_address or None
    )


def dpop_of(configuration: Configuration) -> Dpop | None:
    """Return the settings of DPoP; None if it is off."""
    table = configuration.dpop
    return None if table is None else Dpop(**attrs.asdict(table))


def request_objects_of(configuration: Configuration) -> RequestObjects | None:
    """Return what is demanded of request objects; None if the file does not say."""
    table = configuration.request_objects
    if table is None:
        return None
    return RequestObjects(required=table.required, max_lifetime=table.max_lifetime or None)


def mutual_tls_of(configuration: Configuration) -> MutualTls | None:
    """Return what is offered to clients with certificates; None if it is off."""
    table = configuration.mutual_tls
    return None if table is None else MutualTls(methods=table.methods, endpoint_aliases=table.endpoint_aliases)


def resources_of(configuration: Configuration) -> Resources | None:
    """Return the resources that clients may name; None if the file has none."""
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
    """Say whose metadata documents are taken, and for what; None if none are."""
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


def token_exchange_of(configuration: Configuration) -> TokenExchange | None:
    """Return which clients may exchange which tokens; None for none."""
    keys = keys_of(configuration)
    algorithms = () if keys is None else keys.algorithms
    trusted = [one.issuer for one in configuration.trusted_issuers if "token-exchange" in one.uses]
    rules: list[ExchangeRule | IdJagRule] = []
    tables: dict[str, tuple[type[ExchangeRule | IdJagRule], Sequence[TokenExchangeTable | IdJagTable]]] = {
        "token_exchange": (ExchangeRule, configuration.token_exchange),
        "id_jag": (IdJagRule, configuration.id_jag),
    }
    for place, (kind, made) in tables.items():
        for number, table in enumerate(made, 1):
            try:
                rule = kind(**attrs.asdict(table, recurse=False))
                # Each by itself, so that what is wrong is named by its place.
                _ = TokenExchange(rules=[rule]).signed_by(
                    algorithms,
                    configuration.issuer,
                    openid=configuration.oidc is not None,
                    trusted=trusted,
                )
            except ConfigurationError as error:
                setting = place if error.setting == "token_exchange" else error.setting
                where = f"{place}[{number}]" + ("" if setting == place else f".{setting}")
                needs_oidc = configuration.oidc is None and setting in {place, "subject_token_types"}
                remedy = "add a table [oidc], whose keys sign" if needs_oidc else error.remedy
                raise ConfigurationError(where, error.value, remedy) from None
            rules.append(rule)
    return TokenExchange(rules=rules) if rules else None


def trusted_issuers_of(configuration: Configuration) -> tuple[TrustedIssuer, ...]:
    """Return the issuers whose assertions are taken."""
    found: list[TrustedIssuer] = []
    for number, table in enumerate(configuration.trusted_issuers, 1):
        place = f"trusted_issuers[{number}]"
        settings = attrs.asdict(table, recurse=False)
        jwks_file, single_use = settings.pop("jwks_file"), settings.pop("single_use")
        settings["subjects"] = [rule_of(f"{place}.subjects[{m}]", rule) for m, rule in enumerate(table.subjects, 1)]
        try:
            keys = None if jwks_file is None else jwks_in("jwks_file", jwks_file)
            found.append(TrustedIssuer(**settings, keys=keys, reuse=None if single_use else AllowReuse()))
        except ConfigurationError as error:
            # As they are called in the file.
            setting = {"keys": "jwks_file", "reuse": "single_use"}.get(error.setting, error.setting)
            value = False if setting == "single_use" else error.value
            raise ConfigurationError(f"{place}.{setting}", value, error.remedy) from None
        if table.issuer in [before.issuer for before in found[:-1]]:
            raise ConfigurationError(f"{place}.issuer", table.issuer, "name each issuer once, with all of its subjects")
    return tuple(found)


def rule_of(place: str, table: TrustedSubjectTable) -> SubjectRule:
    """Return a rule, which says for whom assertions stand."""
    try:
        return SubjectRule(**attrs.asdict(table, recurse=False))
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}.{error.setting}", error.value, error.remedy) from None


def webfinger_of(configuration: Configuration) -> WebFinger | None:
    """Return the settings of WebFinger; None if it is off."""
    table = configuration.webfinger
    if table is None:
        return None
    if configuration.oidc is None:
        raise ConfigurationError("webfinger", list(table.domains), "add a table [oidc], or leave it out")
    try:
        return WebFinger(table.domains)
    except ConfigurationError as error:
        raise ConfigurationError(f"webfinger.{error.setting}", error.value, error.remedy) from None


def keys_of(configuration: Configuration) -> KeyPolicy | KeyFiles | None:
    """Say what tokens are signed with; None if none are."""
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
    if table.algorithms is None:
        profile = profile_of(configuration)
        settings["algorithms"] = (() if profile is None else profile.default_algorithms) or KEYS.algorithms
    try:
        return KeyPolicy(**settings)
    except ConfigurationError as error:
        raise ConfigurationError(f"oidc.{error.setting}", error.value, error.remedy) from None


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


def passwords_of(configuration: Configuration) -> Passwords:
    """Make what hashes passwords."""
    table = configuration.passwords
    return Passwords(memory=table.memory, passes=table.passes, at_once=table.at_once)


def rules_of(configuration: Configuration) -> PasswordRules:
    """Say what a new password may not be."""
    table = configuration.passwords
    return PasswordRules(minimum_length=table.minimum_length, refuse_common=table.refuse_common)


def new_token_key() -> Secret:
    """Make a token key of 256 random bits."""
    return Secret(base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode("ascii"))
