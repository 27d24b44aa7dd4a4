"""What commands work on: the configuration, the server it describes, and its storage."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import attrs

from oauthcore import AsyncWorld, AuthorizationServer, Client, ConfigurationError, arun
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Event
from oauthcore.records.record import Record
from oauthcore_h11 import logs
from oauthcore_h11.assembly import passwords_of, rules_of, server_of
from oauthcore_h11.configuration import Configuration, read
from oauthcore_h11.declarations import declared
from oauthcore_h11.declared import WithDeclared
from oauthcore_h11.declared_generations import known_generations
from oauthcore_h11.engines import Awaited, Listing, Opened, engine_of
from oauthcore_h11.password_rules import PasswordRules
from oauthcore_h11.passwords import Passwords
from oauthcore_h11.users import User

T = TypeVar("T")

audit = logging.getLogger("oauthcore.audit")


@attrs.frozen
class Workplace:
    """Hold what a command works on."""

    configuration: Configuration
    server: AuthorizationServer
    opened: Opened
    storage: WithDeclared
    passwords: Passwords
    rules: PasswordRules
    declared: tuple[Record, ...]

    @property
    def database(self) -> Listing:
        """Return the stored records, without the declared ones."""
        return self.opened.storage

    def flow(self, flow: Flow[T]) -> T:
        """Run a flow of the server's."""
        # Only `serve` may have to ask other servers; commands that read storage never fetch.
        from oauthcore_h11.outgoing import fetch_of

        world = AsyncWorld(self.storage, audit=hear, fetch=fetch_of(self.configuration))
        return self.wait(lambda: arun(flow, world))

    def wait(self, call: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """Wait for an asynchronous call of the storage."""
        return asyncio.run(call())

    def users(self) -> Iterator[User]:
        """Return every user, the declared ones first."""
        yield from (record for record in self.declared if isinstance(record, User))
        yield from self.database.every(User)

    def clients(self) -> Iterator[Client]:
        """Return every client, the declared ones first."""
        yield from (record for record in self.declared if isinstance(record, Client))
        yield from self.database.every(Client)

    def must_be_stored(self, kind: type[Record], key: str, setting: str) -> None:
        """Raise `ConfigurationError` for a record that is declared in the configuration file."""
        if self.storage.is_declared(kind, key):
            remedy = "it is declared in the configuration; change it there"
            raise ConfigurationError(setting, key, remedy)


@contextmanager
def workplace(config: Path) -> Iterator[Workplace]:
    """Open what the configuration describes, and close it; raises `ConfigurationError` if that fails."""
    configuration = read(config, os.environ)
    logs.set_up(json_lines=configuration.logs.format == "json", level=configuration.logs.level)
    passwords = passwords_of(configuration)
    server = server_of(configuration)
    records = tuple(declared(configuration, server, passwords))
    opened = engine_of(configuration).open(configuration)
    try:
        storage = WithDeclared(Awaited(opened.storage), records, known_generations)
        yield Workplace(configuration, server, opened, storage, passwords, rules_of(configuration), records)
    finally:
        opened.close()
        passwords.close()


def hear(event: Event) -> None:
    """Write an event of the core to the audit log."""
    fields = {"client_id": event.client_id, "subject": event.subject, "grant": event.grant}
    audit.info(event.name, extra={"fields": fields})
