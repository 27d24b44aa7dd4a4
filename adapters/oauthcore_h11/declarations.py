"""What the file declares: its clients and users, each looked over as if it were being registered, made into records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import attrs

from oauthcore import AuthorizationServer, Client, ConfigurationError, Scope
from oauthcore.records.client import IdTokenClaims
from oauthcore.records.record import Record
from oauthcore_h11.client_secret_rules import check_client_secrets
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.reading import check_readable
from oauthcore_h11.configuration.tables import ClientTable, UserTable
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.profiles import GROUPS, Profile, check_groups, profile_of
from oauthcore_h11.spelling import key_of
from oauthcore_h11.users import User, check_subject, check_username


def declared(configuration: Configuration, server: AuthorizationServer, passwords: Passwords) -> Iterator[Record]:
    """Return what the file declares, as records; each is named once."""
    check_client_secrets(configuration)
    seen: set[tuple[str, str]] = set()
    for number, table in enumerate(configuration.clients):
        place = f"clients[{number + 1}]"
        check_once(seen, f"{place}.client_id", table.client_id)
        yield declared_client(place, table, server)
    for number, user in enumerate(configuration.users):
        place = f"users[{number + 1}]"
        check_username(user.username)
        check_once(seen, f"{place}.username", key_of(user.username))
        check_subject(f"{place}.subject", user.subject or user.username)
        if not passwords.is_hash(user.password_hash.reveal()):
            remedy = "use a hash as oauthcore user hash-password gives it"
            raise ConfigurationError(f"{place}.password_hash", user.password_hash, remedy)
        yield User(
            key=key_of(user.username),
            username=user.username,
            subject=user.subject or user.username,
            password_hash=user.password_hash.reveal(),
            created_at=0,
        )
        yield declared_profile(place, user)


def declared_profile(place: str, user: UserTable) -> Profile:
    """Make what is known of a declared user; raises `ConfigurationError`."""
    try:
        claims = {"preferred_username": user.username, **user.claims}
        if user.groups:
            if GROUPS in claims:
                raise ConfigurationError("groups", list(user.groups), "leave it out, or take groups out of claims")
            claims[GROUPS] = check_groups("groups", user.groups)
        return profile_of(user.subject or user.username, claims)
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}.{error.setting}", error.value, error.remedy) from None


def declared_client(place: str, table: ClientTable, server: AuthorizationServer) -> Client:
    """Make one declared client; raises `ConfigurationError` as its registration would."""
    client = described_client(place, table)
    if client.has_secret and table.secret is None:
        raise ConfigurationError(f"{place}.secret", None, 'set it, or token_endpoint_auth_method = "none"')
    try:
        return server.clients.prepare(client, table.secret).client
    except ConfigurationError as error:
        raise ConfigurationError(f"{place}.{error.setting}", error.value, error.remedy) from None


def described_client(place: str, table: ClientTable) -> Client:
    """Return a client as the file describes it, without its secret, whether it can be registered so or not."""
    settings = attrs.asdict(table, recurse=False)
    jwks_file = settings.pop("jwks_file")
    del settings["secret"]
    if jwks_file is not None:
        settings["jwks"] = jwks_in(f"{place}.jwks_file", jwks_file)
    if table.response_types is None:
        settings["response_types"] = response_types_for(table.grant_types)
    if table.explain_until is not None:
        settings["explain_until"] = int(table.explain_until.timestamp())
    if table.id_token_claims is None:
        settings["id_token_claims"] = usual_id_token_claims(table.scope)
    return Client(**settings)


def jwks_in(setting: str, path: Path) -> str:
    """Return the key set that a file holds; raises `ConfigurationError` if it can't be read."""
    check_readable(setting, path)
    return path.read_bytes().decode("utf-8-sig", "replace")


def usual_id_token_claims(scope: Scope) -> IdTokenClaims:
    """Return which claims a client's ID tokens have, if its operator does not say: all, where it signs users in.

    It can have these claims from UserInfo anyway, and many applications look at nothing but the ID token.
    """
    return "all" if "openid" in scope else "requested"


def response_types_for(grant_types: tuple[str, ...]) -> tuple[str, ...]:
    """Return what a client asks the authorization endpoint for, if it does not say."""
    types = {"authorization_code": "code", "implicit": "token"}
    return tuple(response_type for grant_type, response_type in types.items() if grant_type in grant_types)


def check_once(seen: set[tuple[str, str]], setting: str, value: str) -> None:
    """Raise `ConfigurationError` for what was named before."""
    kind = setting.rpartition(".")[2]
    if (kind, value) in seen:
        raise ConfigurationError(setting, value, "it is declared twice; leave one out")
    seen.add((kind, value))
