"""What an operator is warned of by `check` and when a server starts: settings that are easily abused, or don't fit."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.clients.secret_strength import secret_problem
from oauthcore.token_exchange import GRANT_TYPE
from oauthcore_h11.assembly import token_key_of
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.configuration.reading import parse
from oauthcore_h11.unnamed_proxies import proxy_warnings

# 32 random bytes have about 30 different values; a key that was typed as one repeated character has few.
_FEW_BYTES = 16


def cautions(path: Path, configuration: Configuration) -> tuple[str, ...]:
    """Return the warnings about a configuration read from a file, each with its remedy and without a secret."""
    return (
        *_exposed_files(path, configuration),
        *_guessable_secrets(configuration),
        *_no_provider(configuration),
        *_unlimited_registration(configuration),
        *_loopback_documents(configuration),
        *_refused_offline_access(configuration),
        *_loose_subjects(configuration),
        *_idle_exchange_rules(configuration),
        *_unlimited_requests(configuration),
        *_unsigned_requests(configuration),
        *proxy_warnings(configuration),
    )


def _no_provider(configuration: Configuration) -> Iterator[str]:
    """Warn of clients that will request ID tokens although OpenID Connect is off."""
    for number, client in enumerate(configuration.clients):
        if configuration.oidc is None and "openid" in client.scope:
            yield f"clients[{number + 1}].scope has openid, and OpenID Connect is off: add the table [oidc]"


def _unlimited_registration(configuration: Configuration) -> Iterator[str]:
    """Warn of a storage that any stranger may fill."""
    table = configuration.registration
    if table is not None and table.open and not (table.max_clients and table.unused_lifetime):
        yield "registration.open lets anybody fill the storage: leave max_clients and unused_lifetime above 0"
    if table is not None and table.open and not table.max_from_user:
        yield "registration.open lets any user take every place for clients: leave max_from_user above 0"


def _loopback_documents(configuration: Configuration) -> Iterator[str]:
    """Warn of a setting for tests: any program on this machine could be a client, and get the server's requests."""
    table = configuration.client_id_metadata
    if table is not None and table.loopback:
        yield "client_id_metadata.loopback is for tests: leave it out where anybody but you can reach the server"


def _refused_offline_access(configuration: Configuration) -> Iterator[str]:
    """Warn of a scope in the metadata that dynamically registered clients can't have.

    The official MCP SDKs request offline_access if the metadata has it, and would be refused at every login.
    """
    if configuration.oidc is None or configuration.policy.unknown_scope == "ignore":
        return
    tables = {"registration": configuration.registration, "client_id_metadata": configuration.client_id_metadata}
    for name, table in tables.items():
        if table is not None and table.scope is not None and "offline_access" not in table.scope:
            yield (
                f"{name}.scope lacks offline_access, which MCP clients ask for where OpenID Connect is on: "
                'add it, or set policy.unknown_scope = "ignore"'
            )


# Anybody may sign up at these, and gets assertions: these claims tell which of their customers one is about.
_OF_A_CUSTOMER = {
    "https://token.actions.githubusercontent.com": frozenset(
        {"sub", "repository", "repository_id", "repository_owner", "repository_owner_id", "enterprise", "enterprise_id"}
    ),
    "https://gitlab.com": frozenset({"sub", "project_path", "project_id", "namespace_path", "namespace_id"}),
}


def _loose_subjects(configuration: Configuration) -> Iterator[str]:
    """Warn of trust that covers more than was probably intended, or nothing."""
    for number, issuer in enumerate(configuration.trusted_issuers, 1):
        place = f"trusted_issuers[{number}]"
        if not issuer.subjects and set(issuer.uses) & {"jwt-bearer", "id-jag"}:
            yield f"{place} has no subjects, so that its assertions stand for nobody: add [[trusted_issuers.subjects]]"
        customers = _OF_A_CUSTOMER.get(issuer.issuer)
        for index, rule in enumerate(issuer.subjects, 1):
            if customers is not None and customers.isdisjoint(rule.claims):
                names = ", ".join(sorted(customers))
                yield f"{place}.subjects[{index}].claims fit anybody's account at {issuer.issuer}: add one of {names}"
            for name, value in rule.claims.items():
                for pattern in value if isinstance(value, list) else [value]:
                    # `acme*` is acme-evil as well; what ends in a slash or a colon is acme's own.
                    if (
                        isinstance(pattern, str)
                        and pattern.endswith("*")
                        and pattern[-2:-1] not in {"/", ":", "-", "."}
                    ):
                        yield (
                            f"{place}.subjects[{index}].claims.{name} = {pattern!r} is for all names that begin so, "
                            f"as in {pattern[:-1]}2: end it in / or : before the *"
                        )


def _idle_exchange_rules(configuration: Configuration) -> Iterator[str]:
    """Warn of clients that a rule of token exchange names, and that are not registered for it."""
    grants = {client.client_id: client.grant_types for client in configuration.clients}
    named = [
        (f"token_exchange[{number}]", one.client_ids) for number, one in enumerate(configuration.token_exchange, 1)
    ]
    named += [(f"id_jag[{number}]", one.client_ids) for number, one in enumerate(configuration.id_jag, 1)]
    for place, client_ids in named:
        for client_id in client_ids:
            # Those that are not in the file may be in the storage.
            if client_id in grants and GRANT_TYPE not in grants[client_id]:
                yield f"{place} names the client {client_id}, whose grant_types lack {GRANT_TYPE}: add it"


def _unlimited_requests(configuration: Configuration) -> Iterator[str]:
    """Warn of limits that are off, by which users would be asked on and on, or found out (CIBA Core section 15)."""
    table = configuration.ciba
    if table is None:
        return
    if not table.max_pending or not table.max_pending_of_user:
        yield "clients may ask a user on and on until they allow something: leave ciba.max_pending(_of_user) above 0"
    if not table.max_unknown:
        yield "clients may find out by guessing who is a user: leave ciba.max_unknown above 0"


def _unsigned_requests(configuration: Configuration) -> Iterator[str]:
    """Warn of clients that have to sign what they ask, and have no key for it."""
    if configuration.ciba is None or not configuration.ciba.require_signed:
        return
    for number, client in enumerate(configuration.clients, 1):
        if CIBA in client.grant_types and client.jwks_uri is None and client.jwks_file is None:
            yield f"clients[{number}] has to sign its requests (ciba.require_signed): give it a jwks_uri or jwks_file"


def _guessable_secrets(configuration: Configuration) -> Iterator[str]:
    """Warn of secrets that a person chose."""
    if len(set(token_key_of(configuration))) < _FEW_BYTES:
        yield "token_key is not random: use 32 random bytes in base64url, as oauthcore init writes them"
    for number, client in enumerate(configuration.clients):
        problem = None if client.secret is None else secret_problem(client.secret)
        if problem is not None:
            yield f"clients[{number + 1}].secret: {problem}"


def _exposed_files(path: Path, configuration: Configuration) -> Iterator[str]:
    """Warn of files that hold secrets and that everybody on this machine can read or write."""
    seen: set[Path] = set()
    for what, file in _files_with_secrets(path, configuration):
        try:
            mode = stat.S_IMODE(file.stat().st_mode)
        except OSError:  # it is not there yet, or not for this user to look at
            continue
        # A group may be meant to read it, as where root owns the file and the server's group reads it.
        if mode & (stat.S_IROTH | stat.S_IWOTH) and file not in seen:
            seen.add(file)
            act = "read" if mode & stat.S_IROTH else "write"
            yield f"everybody on this machine can {act} {file} (mode {mode:04o}), which holds {what}: chmod o= {file}"


def _files_with_secrets(path: Path, configuration: Configuration) -> Iterator[tuple[str, Path]]:
    """Find the files that must be private, and what is in each."""
    settings = parse(path)
    for name, value in _secrets(settings):
        if isinstance(value, str):
            yield name, path
        elif isinstance(value, dict) and "file" in value:
            yield name, configuration.folder / str(value["file"])
    if configuration.tls is not None:
        yield "tls.key", configuration.tls.key
    if configuration.oidc is not None:
        yield from (("a signing key", file) for file in configuration.oidc.keys.files)
    if configuration.storage.scheme == "sqlite":
        database = configuration.database
        for file in (database, database.with_name(f"{database.name}-wal")):
            yield "who authorized what", file


def _secrets(settings: Mapping[str, Any]) -> Iterator[tuple[str, object]]:
    """Find the settings that are secrets, by name."""
    yield "token_key", settings.get("token_key")
    for table, name in (("clients", "secret"), ("users", "password_hash")):
        for number, members in enumerate(settings.get(table, ())):
            yield f"{table}[{number + 1}].{name}", members.get(name)
    yield "ciba.notify_token", settings.get("ciba", {}).get("notify_token")
    storage = settings.get("storage")
    if not isinstance(storage, str) or "@" in storage or "password" in storage:
        yield "storage", storage
