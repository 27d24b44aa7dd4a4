"""`oauthcore mock`: the provider for tests, on a port, for test suites in any language."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cache
from pathlib import Path
from socket import socket
from typing import Any
from urllib.parse import urlsplit

from oauthcore import ConfigurationError, Outgoing, Request, Response
from oauthcore.wire.text import ascii_lower
from oauthcore_h11.cli.in_memory import serve_until_signal
from oauthcore_h11.cli.mock_options import MockOptions
from oauthcore_h11.known_hosts import KnownHosts
from oauthcore_h11.loopback import LOCALHOST, listen, listen_at, port_of
from oauthcore_h11.settings import Settings
from oauthcore_h11.transport import Server
from oauthcore_mock import Issuer, Provider
from oauthcore_mock.configuration import configure
from oauthcore_mock.control import DOCUMENT, Control

ISSUER = "default"
CLIENT = "test-client"
# What clients publish, and where they are told of logouts, is on this machine.
LOOPBACK = ("127.0.0.0/8", "::1/128", "localhost")
# All clients of a suite share an address.
SETTINGS = Settings(connections_per_address=1_000)
_EXPOSED = "its callers can sign in as any user: use a loopback host, or allow this with --exposed"


def serve_mock(options: MockOptions) -> None:
    """Serve a provider for tests until a signal."""
    with ExitStack() as listening:
        sockets = [listening.enter_context(each) for each in _listening(options)]
        port = port_of(sockets[0])
        provider = _provider(options, port)
        issuer = provider.issuers[0] if provider.issuers else provider.issuer(ISSUER)
        tls = None if options.https is None else throw_away_tls(options.https, provider.url)
        greeting = for_programs(issuer, provider) if options.as_json else for_people(issuer, provider, options.https)
        answer = _answering(provider, port, exposed=options.exposed)
        # The RSA key, and what makes it, is wanted by the first client that reads the key set: not by the start.
        prepare = provider.material.prepare
        serving = serve_until_signal(
            Server(answer, SETTINGS), sockets, greeting, tls=tls, grace=0, once_listening=prepare
        )
        asyncio.run(serving)


def _listening(options: MockOptions) -> list[socket]:
    if options.exposed:
        return listen_at((options.host,), options.host, options.port)
    return listen(options.host, options.port, _EXPOSED)


def _provider(options: MockOptions, port: int) -> Provider:
    """Return a provider with what the options and the file say."""
    scheme = "http" if options.https is None else "https"
    name = ascii_lower(options.host).strip("[]")
    provider = Provider(
        options.url or f"{scheme}://{f'[{name}]' if ':' in name else name}:{port}",
        makes_issuers=True,
        shows_form=options.form,
        takes_any_client=not options.strict_clients,
        begin=lambda issuer: begin(issuer, options.user),
        fetch=lambda request: fetcher(exposed=options.exposed)(request),
    )
    if options.config is not None:
        configure(provider, _parsed(options.config))
    return provider


@cache
def fetcher(*, exposed: bool = False) -> Callable[[Outgoing], Response]:
    """Return what asks clients for their keys, and tells them of logouts; made when one is asked.

    If others reach the provider, it does not reach what listens on this machine's loopback interface: its control API
    takes any address.
    """
    from oauthcore_fetch import Fetcher

    return Fetcher() if exposed else Fetcher(allow=LOOPBACK)


def begin(issuer: Issuer, users: Sequence[str]) -> None:
    """Add its client and users to a new issuer."""
    _ = issuer.client(CLIENT)
    for sub in users:
        _ = issuer.user(sub)
    if users:
        issuer.people.default = issuer.people.find(users[0])


def known_hosts(url: str, port: int) -> set[str]:
    """Return the accepted values of `Host` for the control API."""
    loopback = {f"{name}:{port}" for name in (LOCALHOST, "127.0.0.1", "[::1]")}
    return {*loopback, urlsplit(url).netloc}


def throw_away_tls(ca_file: Path, url: str) -> ssl.SSLContext:
    """Return a TLS context with a certificate for a URL's host, and write that of its authority to a file."""
    try:
        import trustme
    except ImportError:
        raise ConfigurationError(
            "--https", str(ca_file), 'install what it takes: pip install "oauthcore[mock]"'
        ) from None
    authority = trustme.CA()
    try:
        authority.cert_pem.write_to_path(str(ca_file))
    except OSError as error:
        remedy = f"it can't be written ({error.strerror}); name another file"
        raise ConfigurationError("--https", str(ca_file), remedy) from None
    names = dict.fromkeys((urlsplit(url).hostname or LOCALHOST, LOCALHOST, "127.0.0.1", "::1"))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


def for_programs(issuer: Issuer, provider: Provider) -> str:
    """Return one line of JSON: the metadata, a client, and the URL of the control API."""
    client = {"client_id": CLIENT, "client_secret": issuer.client(CLIENT).client_secret}
    return json.dumps({**issuer.metadata, **client, "control": provider.url + DOCUMENT.rpartition("/")[0]}) + "\n"


def for_people(issuer: Issuer, provider: Provider, ca_file: Path | None) -> str:
    """Return the settings for an application, as text."""
    client = issuer.client(CLIENT)
    trust = "" if ca_file is None else f"authority      {ca_file} (trust it only in the test suite)\n"
    return (
        "oauthcore mock: a provider for tests. It signs in any user, without a password: never rely on it.\n\n"
        f"issuer         {issuer.url}\n"
        f"client_id      {client.client_id}\n"
        f"client_secret  {client.client_secret}\n"
        f"{trust}"
        f"signs in       {issuer.people.default.sub}\n\n"
        f"Any other first segment of a path is an issuer of its own, as {provider.url}/another.\n"
        f"The control API is described by {provider.url}{DOCUMENT}\n\n"
        "Ctrl-C ends it.\n"
    )


def _parsed(config: Path) -> Mapping[str, Any]:
    from oauthcore_h11.configuration.reading import parse

    return parse(config)


def _answering(provider: Provider, port: int, *, exposed: bool) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers, for the known names of `Host`; if it is exposed, those that others use are unknown."""
    control = Control(provider, None if exposed else known_hosts(provider.url, port))

    async def answer(request: Request) -> Response:
        if control.owns(request.path):
            # In a thread: a client that is told of a logout asks for the keys before it answers.
            return await asyncio.to_thread(control.handle, request)
        reply = provider.handle(request)
        if reply.delay:
            await asyncio.sleep(reply.delay)
        return reply.response

    if exposed:
        return answer
    return KnownHosts(answer, frozenset({ascii_lower(urlsplit(provider.url).netloc)}))
