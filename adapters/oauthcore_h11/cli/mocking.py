"""`oauthcore mock`: the arguments of the command."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from oauthcore_h11.cli.mock_options import DEFAULT_PORT, MockOptions
from oauthcore_h11.cli.mock_server import serve_mock
from oauthcore_h11.cli.options import ListeningJson, LoopbackHost, Port
from oauthcore_h11.loopback import LOCALHOST

_FLAG = Parameter(negative="")


def mock(
    *,
    port: Port = DEFAULT_PORT,
    host: LoopbackHost = LOCALHOST,
    url: str | None = None,
    user: list[str] | None = None,
    config: Path | None = None,
    form: Annotated[bool, _FLAG] = False,
    strict_clients: Annotated[bool, _FLAG] = False,
    https: Path | None = None,
    exposed: Annotated[bool, _FLAG] = False,
    as_json: ListeningJson = False,
) -> None:
    """Serve a provider for tests that signs in any user and can simulate faults.

    Parameters
    ----------
    url
        Its scheme, host and port for its clients, if they differ from where it listens.
    user
        A user at each issuer; the first one signs in. Repeat for more than one.
    config
        A TOML file with issuers, their clients, users, logins and faults.
    form
        Show a page to choose a user on, instead of signing in the first one.
    strict_clients
        Refuse clients that are not registered; by default any client is accepted.
    https
        Serve https, with a new certificate authority at each start, whose certificate is written to this file.
    exposed
        Allow a host that other machines can reach.
    """
    options = MockOptions(
        port=port,
        host=host,
        url=url,
        user=tuple(user or ()),
        config=config,
        form=form,
        strict_clients=strict_clients,
        https=https,
        exposed=exposed,
        as_json=as_json,
    )
    serve_mock(options)
