"""`oauthcore user`: the users who can sign in."""

from __future__ import annotations

import getpass
import secrets
import sys
import time
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from cyclopts import App, Parameter

from oauthcore import ConfigurationError, Secret
from oauthcore.errors import EffectFailed, TemporarilyUnavailable
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace
from oauthcore_h11.profiles import GROUPS, check_groups, parse_claims, profile_of
from oauthcore_h11.spelling import key_of
from oauthcore_h11.users import (
    User,
    add_user,
    change_profile,
    change_user,
    check_subject,
    check_username,
    find_user,
    remove_user,
)

people = App(name="user", help="Add, list, change, disable and remove users.")

HashConfig = Annotated[Config, Parameter(help="The configuration file, which has the parameters of hashes.")]
Groups = Annotated[tuple[str, ...], Parameter(negative="")]
Generate = Annotated[bool, Parameter(negative="")]


@people.command
def add(
    username: str,
    /,
    *,
    subject: str | None = None,
    claim: tuple[str, ...] = (),
    group: Groups = (),
    generate: Generate = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Add a user. The password is prompted for, or read from standard input if that is not a terminal.

    Parameters
    ----------
    username
        The name to sign in with; letter case and Unicode form are ignored.
    subject
        The permanent identifier of the user for clients, up to 255 ASCII characters; 128 random bits by default.
    claim
        A claim about the user, name=value, by its name in OpenID Connect; repeat for more than one.
    group
        A group that the user is in, which clients may require; repeat for more than one.
    generate
        Generate a password and show it, only this once.
    """
    check_username(username)
    if subject is not None:
        check_subject("--subject", subject)
    claims = {"preferred_username": username, **parse_claims(claim)}
    if group:
        claims[GROUPS] = check_groups("--group", group)
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        password = new_password(place, username, generate=generate)
        user = User(
            key=key_of(username),
            username=username,
            subject=subject or secrets.token_hex(16),
            password_hash=place.passwords.hash(password),
            created_at=int(time.time()),
        )
        profile = profile_of(user.subject, {name: value for name, value in claims.items() if value is not None})
        place.wait(lambda: add_user(place.storage, user, profile))
    tell_password({"username": username, "subject": user.subject}, password, generate=generate, as_json=as_json)


@people.command(name="list")
def list_(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the users."""
    with workplace(config) as place:
        rows = [
            {
                "username": user.username,
                "subject": user.subject,
                "enabled": user.enabled,
                "created_at": moment(user.created_at or None),
                "declared": place.storage.is_declared(User, user.key),
            }
            for user in place.users()
        ]
    show(rows, ("username", "subject", "enabled", "created_at", "declared"), as_json=as_json)


@people.command
def requests(username: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List what clients ask a user in the background, and what they have not answered yet (CIBA).

    Parameters
    ----------
    username
        The user.
    """
    with workplace(config) as place:
        user = place.wait(lambda: find_user(place.storage, username))
        rows = [
            {
                "client_id": request.client.client_id,
                "scope": request.scope.text,
                "binding_message": request.binding_message,
                "requested_at": moment(request.requested_at),
                "answer_before": moment(request.answer_before),
            }
            for request in place.flow(place.server.backchannel.pending(user.subject))
        ]
    columns = ("client_id", "scope", "binding_message", "requested_at", "answer_before")
    show(rows, columns, as_json=as_json)


@people.command
def set_password(
    username: str, /, *, generate: Generate = False, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Change a user's password, and end their sessions.

    The password is prompted for, or read from standard input if that is not a terminal.

    Parameters
    ----------
    username
        The user.
    generate
        Generate a password and show it, only this once.
    """
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        place.wait(lambda: find_user(place.storage, username))
        password = new_password(place, username, generate=generate)
        password_hash = place.passwords.hash(password)
        changes = {"password_hash": password_hash, "password_changed_at": int(time.time())}
        user = place.wait(lambda: change_user(place.storage, username, **changes))
        try:
            place.flow(place.server.sessions.end_all(user.subject))
        except EffectFailed as failure:
            reason = f"{username} has the new password, but clients were told of no logout: set it again"
            raise TemporarilyUnavailable(reason) from failure
    tell_password({"username": user.username, "subject": user.subject}, password, generate=generate, as_json=as_json)


@people.command
def set_claims(
    username: str, claims: tuple[str, ...], /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Set claims about a user: name=value for each; a blank value removes the claim.

    Parameters
    ----------
    username
        The user.
    claims
        Claims by the names of OpenID Connect: name="Alice Liddell" email=alice@example.com email_verified=true.
    """
    changes = parse_claims(claims)
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        user = place.wait(lambda: find_user(place.storage, username))
        profile = place.wait(lambda: change_profile(place.storage, username, changes))
    lines = [f"{name} {value}" for name, value in profile.members.items()]
    say({"username": user.username, "claims": profile.members}, "\n".join(lines), as_json=as_json)


@people.command
def set_groups(
    username: str, groups: tuple[str, ...] = (), /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False
) -> None:
    """Say in which groups a user is, instead of those before; without any, the user is in none.

    Who is taken out of a group that a client requires can use it no more, and none of its tokens for them is good.

    Parameters
    ----------
    username
        The user.
    groups
        The names of the groups, as clients require them: staff for group:staff.
    """
    names = check_groups("groups", groups)
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        user = place.wait(lambda: find_user(place.storage, username))
        _ = place.wait(lambda: change_profile(place.storage, username, {GROUPS: names or None}))
    sentence = f"{user.username} is in {', '.join(names)}." if names else f"{user.username} is in no group."
    say({"username": user.username, "groups": names}, sentence, as_json=as_json)


@people.command
def disable(username: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Stop a user from signing in until they are enabled again; meanwhile all of their tokens are refused.

    Parameters
    ----------
    username
        The user.
    """
    switch(username, config, enabled=False, as_json=as_json)


@people.command
def enable(username: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Let a disabled user sign in again; tokens that have not expired meanwhile are valid again.

    Parameters
    ----------
    username
        The user.
    """
    switch(username, config, enabled=True, as_json=as_json)


def switch(username: str, config: Path, *, enabled: bool, as_json: bool) -> None:
    """Disable or enable a user, and print it."""
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        user = place.wait(lambda: change_user(place.storage, username, enabled=enabled))
    members = {"username": user.username, "subject": user.subject, "enabled": enabled}
    say(members, f"{user.username} is {'enabled' if enabled else 'disabled'}.", as_json=as_json)


@people.command
def remove(username: str, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Remove a user, and revoke everything that they have authorized.

    Parameters
    ----------
    username
        The user.
    """
    with workplace(config) as place:
        place.must_be_stored(User, key_of(username), "username")
        # First end sign-in, then revoke: in the other order, the user could sign in and authorize again in between.
        user = place.wait(lambda: remove_user(place.storage, username))
        try:
            place.flow(place.server.sessions.end_all(user.subject))
            place.flow(place.server.applications.withdraw(user.subject))
        except EffectFailed as failure:
            reason = (
                f"{username} is removed, but what they authorized stands: try grant revoke --subject {user.subject}"
            )
            raise TemporarilyUnavailable(reason) from failure
    members = {"username": user.username, "subject": user.subject, "removed": True}
    say(members, f"{user.username} is removed, and everything they authorized is revoked.", as_json=as_json)


@people.command
def hash_password(*, config: HashConfig = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Print the hash of a password, for a user that is declared in the configuration."""
    with workplace(config) as place:
        hashed = place.passwords.hash(new_password(place))
    say({"password_hash": hashed}, hashed, as_json=as_json)


def new_password(place: Workplace, username: str = "", *, generate: bool = False) -> Secret:
    """Return a password: generated, typed twice, or the first line of standard input."""
    if generate:
        return Secret(secrets.token_urlsafe(16))
    password = typed_password() if sys.stdin.isatty() else Secret(sys.stdin.readline().rstrip("\r\n"))
    host = urlsplit(place.configuration.issuer).hostname or ""
    place.rules.check(password, username, host, *host.split("."), place.configuration.pages.name or "")
    return password


def typed_password() -> Secret:
    """Prompt for a password twice; raises `ConfigurationError` if they differ, and for Ctrl-D."""
    try:
        password = Secret(getpass.getpass("Password: "))
        repeated = getpass.getpass("Once more: ")
    except EOFError:
        raise ConfigurationError("password", None, "type one, or let --generate make one") from None
    if repeated != password.reveal():
        raise ConfigurationError("password", password, "the two passwords differ; try again")
    return password


def tell_password(members: dict[str, object], password: Secret, *, generate: bool, as_json: bool) -> None:
    """Print whose password was set, and the password itself only if it was generated."""
    sentence = f"username {members['username']}\nsubject  {members['subject']}"
    if generate:
        members["password"] = password.reveal()
        sentence += f"\npassword {password.reveal()}\nThe password is shown only this once, and stored as a hash."
    say(members, sentence, as_json=as_json)
