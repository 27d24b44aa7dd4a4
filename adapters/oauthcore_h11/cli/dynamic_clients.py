"""`oauthcore client approve` and `forget-unused`, for clients that register themselves; `registration-token`."""

from __future__ import annotations

import sys
import time

from cyclopts import App
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from oauthcore import Client, ConfigurationError
from oauthcore.records.initial_access_token import InitialAccessToken
from oauthcore_h11.cli import client_changes
from oauthcore_h11.cli.clients import clients
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Identifier, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace

# `client_changes` adds its commands to the same group when it is imported.
__all__ = ["client_changes", "clients", "tokens"]

tokens = App(name="registration-token", help="Issue, list and revoke the tokens that clients register themselves with.")

# One day: enough to use a token that was requested, and short for one that is left in a mailbox.
LIFETIME = 86_400
# Any shorter, and two tokens could share it.
SHORTEST_KEY = 8


@clients.command
def approve(client_id: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Approve a client that registered itself: it is served, kept, and shown to users without a warning.

    `client show` prints its metadata. Approval covers the metadata of this moment, whose name and redirect hosts are
    printed; if the client changes them, it has to be approved again.

    Parameters
    ----------
    client_id
        The client.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        client = place.flow(place.server.clients.approve(client_id))
    sent = ", ".join(client.redirect_uris) or "nowhere"
    sentence = f"{client_id} is approved: {client.name or 'it has no name'}, and sends its users to {sent}."
    members = {
        "client_id": client_id,
        "approved": True,
        "name": client.name,
        "redirect_uris": list(client.redirect_uris),
    }
    say(members, sentence, as_json=as_json)


@clients.command
def forget_unused(*, older_than: int = 0, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Remove clients that registered themselves and were never used, before they expire.

    Use this after an attacker has filled the limit on clients. It may be interrupted at any time.

    Parameters
    ----------
    older_than
        Keep those that registered within the last so many seconds.
    """
    before, removed = int(time.time()) - older_than, 0
    with workplace(config) as place:
        unused = [client.client_id for client in place.database.every(Client) if is_litter(client, before)]
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        hidden = as_json or not sys.stderr.isatty()
        try:
            with Progress(*columns, console=Console(stderr=True), disable=hidden, transient=True) as progress:
                task = progress.add_task("Forgetting", total=len(unused))
                for client_id in unused:
                    removed += place.flow(place.server.clients.forget_unused(client_id))
                    progress.advance(task)
        finally:
            say({"removed": removed}, f"{removed} unused clients are removed.", as_json=as_json)


def is_litter(client: Client, before: int) -> bool:
    """Return whether a client registered itself before that second and was never used."""
    dynamic = client.dynamic
    return dynamic is not None and dynamic.is_unused and dynamic.registered_at <= before


@tokens.command
def add(
    *,
    uses: int = 1,
    lifetime: int = LIFETIME,
    note: str | None = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Issue an initial access token (RFC 7591 section 3); it is shown only this once.

    Parameters
    ----------
    uses
        How many clients it may register.
    lifetime
        For how many seconds it is valid.
    note
        Who it is for; stored with the clients that it registers.
    """
    for option, value in (("--uses", uses), ("--lifetime", lifetime)):
        if value < 1:
            raise ConfigurationError(option, value, "use a number, 1 or more")
    with workplace(config) as place:
        if place.server.registration is None:
            remedy = "add the table [registration] to the configuration: without it, the token is of no use"
            raise ConfigurationError("registration", None, remedy)
        issue = place.server.clients.issue_initial_access_token(lifetime=lifetime, uses=uses, note=note)
        token = place.flow(issue).reveal()
    sentence = f"initial_access_token {token}\nIt registers {uses} within {lifetime} seconds, and is shown once."
    say({"initial_access_token": token, "uses": uses, "lifetime": lifetime}, sentence, as_json=as_json)


@tokens.command(name="list")
def list_(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the initial access tokens by the beginning of their digests; the tokens themselves are not stored."""
    columns = ("digest", "note", "uses", "expires_at")
    with workplace(config) as place:
        rows = [
            {"digest": token.key[:16], "note": token.note, "uses": token.uses, "expires_at": moment(token.expires_at)}
            for token in place.database.every(InitialAccessToken)
        ]
    show(rows, columns, as_json=as_json)


@tokens.command
def revoke(digest: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Revoke an initial access token. Clients that it registered are kept.

    Parameters
    ----------
    digest
        The beginning of its digest, as `registration-token list` shows it.
    """
    with workplace(config) as place:
        key = key_of(digest, place)
        place.flow(place.server.clients.revoke_initial_access_token(key))
    say({"digest": key[:16], "revoked": True}, f"{key[:16]} is revoked.", as_json=as_json)


def key_of(digest: str, place: Workplace) -> str:
    """Return the key of the one token whose digest begins so; raises `ConfigurationError` if there is none."""
    found = [token.key for token in place.database.every(InitialAccessToken) if token.key.startswith(digest)]
    if len(digest) < SHORTEST_KEY or len(found) != 1:
        remedy = f"give {SHORTEST_KEY} characters or more of one that registration-token list shows"
        raise ConfigurationError("digest", digest, remedy)
    return str(found[0])
