"""`oauthcore client update`, `disable` and `enable`: changes to a client that keep its grants."""

from __future__ import annotations

import re
from typing import Annotated

from cyclopts import Parameter

from oauthcore import Client, ConfigurationError
from oauthcore.facets.clients import MAX_EXPLAINED
from oauthcore_h11.cli.client_settings import NO_SETTINGS, ClientSettings
from oauthcore_h11.cli.clients import clients
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Identifier, Json, moment, say
from oauthcore_h11.cli.workplace import workplace

_DURATION = re.compile(r"([0-9]{1,6})([smhd]?)", re.ASCII)
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3_600, "d": 86_400}


@clients.command
def update(
    client_id: Identifier,
    /,
    *,
    settings: ClientSettings = NO_SETTINGS,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Change settings of a client. Options left out change nothing; a blank value removes a setting.

    An option that may be repeated replaces all of its values. What is removed also ends in tokens that were issued
    before. The secret stays the same, unless the new authentication method can't use it.

    Parameters
    ----------
    client_id
        The client.
    """
    changes = settings.named()
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        changed = place.flow(place.server.clients.update(client_id, **changes))
    members = {"client_id": client_id, "updated": sorted(changes)}
    sentence = f"{client_id} is updated."
    if changed.secret is not None:
        members["client_secret"] = changed.secret.reveal()
        sentence += f"\nclient_secret {changed.secret.reveal()}\nIt replaces the old one, and is shown only this once."
    say(members, sentence, as_json=as_json)


@clients.command
def disable(client_id: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Stop serving a client until it is enabled again; meanwhile all of its tokens are refused.

    Parameters
    ----------
    client_id
        The client.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        place.flow(place.server.clients.disable(client_id))
    say({"client_id": client_id, "enabled": False}, f"{client_id} is disabled.", as_json=as_json)


@clients.command
def enable(client_id: Identifier, /, *, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Serve a disabled client again; tokens that have not expired meanwhile are valid again.

    Parameters
    ----------
    client_id
        The client.
    """
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        place.flow(place.server.clients.enable(client_id))
    say({"client_id": client_id, "enabled": True}, f"{client_id} is enabled.", as_json=as_json)


@clients.command
def explain(
    client_id: Identifier,
    /,
    *,
    duration: Annotated[str, Parameter(name="--for")] = "1h",
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Turn developer mode on for a while: the client's errors say their reason, and which setting decided.

    Parameters
    ----------
    client_id
        The client.
    duration
        How long, as in 90s, 30m, 1h or 2d, a week at most; 0 turns it off.
    """
    lifetime = seconds_in(duration)
    with workplace(config) as place:
        place.must_be_stored(Client, client_id, "client_id")
        until = place.flow(place.server.clients.explain(client_id, lifetime=lifetime)).explain_until
    sentence = f"{client_id} has its errors explained until {moment(until)}."
    if until is None:
        sentence = f"{client_id} has its errors explained no more."
    say({"client_id": client_id, "explain_until": moment(until)}, sentence, as_json=as_json)


def seconds_in(duration: str) -> int:
    """Read a duration; raises `ConfigurationError` for none, and for one that is too long."""
    found = _DURATION.fullmatch(duration)
    seconds = MAX_EXPLAINED + 1 if found is None else int(found[1]) * _SECONDS[found[2]]
    if seconds > MAX_EXPLAINED:
        raise ConfigurationError("--for", duration, "use a number with s, m, h or d, as in 30m, a week at most")
    return seconds
