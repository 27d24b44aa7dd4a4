"""`oauthcore keys`: the keys that sign tokens."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from oauthcore import ConfigurationError
from oauthcore.records.key_ring import KeyRing, RingKey
from oauthcore.records.lifecycle import KeyState
from oauthcore.signing.keys import Keys, KeySet, StoredKeys
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, moment, say, show
from oauthcore_h11.cli.workplace import Workplace, workplace

keys = App(name="keys", help="List, rotate and import the keys that sign tokens.")

Now = Annotated[bool, Parameter(name="--now", negative="")]


@keys.command(name="list")
def list_(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """List the signing keys; creates the first key of an algorithm if it is missing."""
    with workplace(config) as place:
        known = keys_of(place)
        if isinstance(known, StoredKeys):
            rows = [described(key) for key in place.flow(place.server.keys.ring()).keys]
        else:
            rows = given(place.flow(known.current(int(time.time()))))
    show(rows, ("kid", "alg", "state", "created_at", "activated_at", "retired_at"), as_json=as_json)


@keys.command
def rotate(*, alg: str | None = None, now: Now = False, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Create a successor: it is published at once, and signs after every client can have seen it.

    Parameters
    ----------
    alg
        Its algorithm; may be left out if there is only one.
    now
        Sign with it at once, as after a theft. Clients with a cached key set have to fetch it again.
    """
    with workplace(config) as place:
        stored = stored_keys_of(place)
        rotated = place.server.keys.rotate(alg or only_algorithm(stored), at_once=now)
        tell(place.flow(rotated), stored, as_json=as_json)


@keys.command(name="import")
def import_(
    file: Path | None = None,
    /,
    *,
    alg: str | None = None,
    now: Now = False,
    config: Config = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Import a private key as a successor, like `rotate`.

    Parameters
    ----------
    file
        The key, PEM or JWK, unencrypted; read from standard input if left out.
    alg
        Its algorithm; by default that of its `alg` member, or the usual one for its kind.
    now
        Sign with it at once, as after a theft. Clients with a cached key set have to fetch it again.
    """
    try:
        text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError("file", str(file), f"it can't be read ({error}); name another") from None
    with workplace(config) as place:
        stored = stored_keys_of(place)
        imported = place.server.keys.add(text, alg, at_once=now)
        tell(place.flow(imported), stored, as_json=as_json)


def tell(ring: KeyRing, stored: StoredKeys, *, as_json: bool) -> None:
    """Print which key was added, and when it signs."""
    key = ring.keys[-1]
    signs_at = moment(key.created_at + stored.policy.published_lifetime)
    when = f"signs from {signs_at} on" if key.state is KeyState.PUBLISHED else "signs now"
    say(described(key), f"{key.kid} ({key.alg}) is published, and {when}.", as_json=as_json)


def stored_keys_of(place: Workplace) -> StoredKeys:
    """Return the keys in storage; raises `ConfigurationError` if they are in files."""
    known = keys_of(place)
    if not isinstance(known, StoredKeys):
        raise ConfigurationError("oidc.keys.files", "(given)", "the keys are in files; change them there")
    return known


def keys_of(place: Workplace) -> KeySet:
    """Return the keys of the server; raises `ConfigurationError` if it has none."""
    key_set = place.server.keys.key_set
    if key_set is None:
        raise ConfigurationError(
            "oidc", None, "there are no signing keys without it; add the table [oidc] to the configuration"
        )
    return key_set


def only_algorithm(known: KeySet) -> str:
    """Return the algorithm that needs no naming."""
    if len(known.algorithms) > 1:
        raise ConfigurationError("--alg", None, f"name one of {', '.join(known.algorithms)}")
    return known.algorithms[0]


def described(key: RingKey) -> dict[str, object]:
    """Return what may be shown of a key."""
    return {
        "kid": key.kid,
        "alg": key.alg,
        "state": key.state.value,
        "created_at": moment(key.created_at),
        "activated_at": moment(key.activated_at),
        "retired_at": moment(key.retired_at),
    }


def given(known: Keys) -> list[dict[str, object]]:
    """Return what may be shown of keys that were handed in, of which only their place tells."""
    signing = {key.kid for key in known.signing.values()}
    states = [(key, "active" if key.kid in signing else "published") for key in known.published]
    states += [(key, "remembered") for key in known.remembered]
    return [
        {
            "kid": key.kid,
            "alg": key.alg,
            "state": state,
            **dict.fromkeys(("created_at", "activated_at", "retired_at")),
        }
        for key, state in states
    ]
