"""The configuration file of a provider for tests: the bodies of the control API, as TOML tables.

```toml
[[issuers]]
name = "shop"
audience = "https://api.example"

[[issuers.clients]]
client_id = "web"
redirect_uris = ["http://localhost:3000/callback"]

[[issuers.users]]
sub = "bob"
claims = { email = "bob@example.com" }
```

There may also be `logins` and `faults`, in the order of their use.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from oauthcore import ConfigurationError
from oauthcore_mock.fields import Field, read
from oauthcore_mock.members import CLIENT, FAULT, ISSUER, LOGIN, USER
from oauthcore_mock.operations import Act, Call, add_client, add_user, queue_fault, queue_login
from oauthcore_mock.provider import Provider

_PARTS: Mapping[str, tuple[tuple[Field, ...], Act]] = {
    "clients": (CLIENT, add_client),
    "users": (USER, add_user),
    "logins": (LOGIN, queue_login),
    "faults": (FAULT, queue_fault),
}


def configure(provider: Provider, settings: Mapping[str, Any]) -> None:
    """Create the issuers that a file declares; raises `ConfigurationError` for the first mistake."""
    for name, value in settings.items():
        if name != "issuers":
            raise ConfigurationError(name, value, "there is no such setting; declare [[issuers]]")
    for number, table in enumerate(_tables(settings, "issuers", "")):
        where = f"issuers.{number}."
        own = read(ISSUER, {name: value for name, value in table.items() if name not in _PARTS}, where)
        if "name" not in own:
            raise ConfigurationError(f"{where}name", None, "give the path of its URL, as in shop")
        _ = provider.issuer(**own)
        for part, (fields, act) in _PARTS.items():
            for index, members in enumerate(_tables(table, part, where)):
                values = read(fields, members, f"{where}{part}.{index}.")
                _ = act(Call(provider, values, {"name": own["name"]}))


def _tables(settings: Mapping[str, Any], name: str, where: str) -> Sequence[Mapping[str, Any]]:
    tables = settings.get(name, [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise ConfigurationError(where + name, tables, f"declare tables, each under [[{where and 'issuers.'}{name}]]")
    return tables
