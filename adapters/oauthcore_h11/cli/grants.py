"""`oauthcore grant` and `oauthcore purge`: what users have authorized, and removal of expired records."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from oauthcore import Client, ConfigurationError
from oauthcore.errors import EffectFailed, TemporarilyUnavailable
from oauthcore.records.grant import Grant
from oauthcore.records.liveness import IssuedTo, is_live_grant
from oauthcore.storage.purging import BATCH, due
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Identifier, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace
from oauthcore_h11.users import find_user

grants = App(name="grant", help="List what users have authorized, and revoke it.")


@grants.command(name="list")
def list_(
    *,
    user: str | None = None,
    subject: Identifier | None = None,
    client: Identifier | None = None,
    all_: Annotated[bool, Parameter(name="--all", negative="")] = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """List the valid grants: neither revoked nor expired, of a client that is neither disabled nor removed.

    Parameters
    ----------
    user
        Only those of this user.
    subject
        Only those of this subject.
    client
        Only those of this client.
    all_
        Also those that are no longer valid, until they are purged.
    """
    now = int(time.time())
    with workplace(config) as place:
        whose = subject_of(user, subject, place)
        found = place.database.every(Grant) if whose is None else place.database.find_of(Grant, whose)
        clients = {known.client_id: known for known in place.clients()}
        rows = [
            described(grant, place)
            for grant in found
            if client in {None, grant.client_id} and (all_ or is_live(grant, clients, place, now))
        ]
    show(
        rows,
        ("grant", "subject", "client_id", "scope", "resources", "granted_at", "expires_at", "state"),
        as_json=as_json,
    )


@grants.command
def revoke(
    grant: str | None = None,
    /,
    *,
    user: str | None = None,
    subject: Identifier | None = None,
    client: Identifier | None = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Revoke one grant, or everything that a user has authorized; all tokens of it become invalid at once.

    Parameters
    ----------
    grant
        The grant, as `grant list` shows it.
    user
        Everything that this user has authorized.
    subject
        Everything that this subject has authorized.
    client
        Only what was authorized for this client.
    """
    if (grant is None) is (user is None and subject is None):
        raise ConfigurationError("grant", grant, "name a grant, or else --user or --subject")
    with workplace(config) as place:
        if grant is not None:
            place.flow(place.server.grants.revoke(grant))
        else:
            whose = subject_of(user, subject, place)
            assert whose is not None
            try:
                place.flow(place.server.applications.withdraw(whose, client))
            except EffectFailed as failure:
                reason = "the storage did not answer, so not all of it may be revoked: run this again"
                raise TemporarilyUnavailable(reason) from failure
    say({"revoked": True}, "It is revoked.", as_json=as_json)


def purge(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Remove expired records. A running server does this by itself.

    It may be interrupted at any time; what is removed stays removed. Records that expired within the last five minutes
    are kept, since clocks differ.
    """
    before, removed = due(time.time()), 0
    with workplace(config) as place:
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        console = Console(stderr=True)
        progress = Progress(*columns, console=console, disable=as_json or not sys.stderr.isatty(), transient=True)
        try:
            with progress:
                task = progress.add_task("Purging", total=place.opened.expired(before))
                for batch in place.opened.batches(before, BATCH):
                    removed += batch
                    progress.update(task, completed=removed)
        finally:
            say({"removed": removed}, f"{removed} expired records are removed.", as_json=as_json)


def is_live(grant: Grant, clients: Mapping[str, Client], place: Workplace, now: int) -> bool:
    """Return whether tokens of a grant are valid; removal of its user would have revoked it."""
    to, context = IssuedTo(clients.get(grant.client_id), grant), place.server.context()
    return is_live_grant(to, context.policy, now, context.admits)


def subject_of(user: str | None, subject: str | None, place: Workplace) -> str | None:
    """Return the subject whose grants are meant; None for all."""
    if user is None:
        return subject
    if subject is not None:
        raise ConfigurationError("--user", user, "leave it out, or --subject")
    return place.wait(lambda: find_user(place.storage, user)).subject


def described(grant: Grant, place: Workplace) -> dict[str, object]:
    """Return what may be shown of a grant; its APIs by their names, or by their URIs if they have none."""
    return {
        "grant": grant.key,
        "subject": grant.subject,
        "client_id": grant.client_id,
        "scope": list(grant.scope.tokens),
        "resources": [resource.name or resource.uri for resource in place.server.grants.resources(grant)],
        "granted_at": moment(grant.granted_at),
        "expires_at": moment(grant.expires_at),
        "state": grant.state.value,
    }
