"""`oauthcore init`, `check` and `serve`: from nothing to a server that runs."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Annotated

import attrs
from cyclopts import Parameter

from oauthcore import ConfigurationError, Policy
from oauthcore.issuer import check_issuer
from oauthcore_h11 import logs, monitoring, serving
from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.cautions import cautions
from oauthcore_h11.cli.options import DEFAULT_CONFIG, Config, Json, say
from oauthcore_h11.client_secret_rules import check_client_secrets
from oauthcore_h11.configuration import Configuration, read
from oauthcore_h11.configuration.sample import sample
from oauthcore_h11.file_words import in_file_words
from oauthcore_h11.issuer_change import look_at_issuer
from oauthcore_h11.listeners import listen, raise_open_files, spelled
from oauthcore_h11.workers import CAN_NOT_START, Cord, Parent

logger = logging.getLogger("oauthcore.server")

Reread = Callable[[], Configuration]


def init(
    *,
    issuer: str = "http://localhost:8000",
    openid: bool | None = None,
    config: Annotated[Config, Parameter(help="The file to write; it must not be there yet.")] = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write a configuration file with a fresh token key, for you to read and to change.

    Parameters
    ----------
    issuer
        The URL that clients will know the server by: https, or http for trying it out on this machine.
    openid
        Be an OpenID Connect provider, that signs people in at applications. It is asked on a terminal if left out, and
        is no elsewhere.
    """
    check_issuer(issuer, Policy.oauth21())
    if openid is None:
        openid = sys.stdin.isatty() and not as_json and wants_openid()
    try:
        # The token key is in it: nobody else may read it, not even for the moment before a chmod.
        file = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError("--config", str(config), "it exists already; remove it, or name another") from None
    except OSError as error:
        raise ConfigurationError("--config", str(config), f"it can't be written ({error.strerror})") from None
    with open(file, "w", encoding="utf-8") as written:
        written.write(sample(issuer, new_token_key(), openid=openid))
    scope = "openid profile email" if openid else "email profile"
    sentence = (
        f"{config} is written. {openid_is(on=openid)} Next:\n"
        f'  oauthcore client add my_app --redirect-uri https://app.example/callback --scope "{scope}"\n'
        "  oauthcore user add alice\n"
        "  oauthcore serve"
    )
    say({"config": str(config), "issuer": issuer, "openid": openid}, sentence, as_json=as_json)


def wants_openid() -> bool:
    """Ask whether to be a provider; yes is what Enter says. Raises `ConfigurationError` for Ctrl-D."""
    while True:
        try:
            answer = input("Sign people in at applications, as an OpenID Connect provider? [Y/n] ").lower()
        except EOFError:
            raise ConfigurationError("--openid", None, "say yes or no, or --openid or --no-openid") from None
        if answer in {"", "y", "yes", "n", "no"}:
            return answer not in {"n", "no"}


def openid_is(*, on: bool) -> str:
    """Say whether the server is a provider, and how it becomes one."""
    return "OpenID Connect is on." if on else "OpenID Connect is off; the table [oidc] in the file turns it on."


def check(*, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Check the configuration, and everything it names, without serving."""
    configuration = read(config, os.environ)
    durability_warnings = list(serving.check(configuration))
    warnings = [*cautions(config, configuration), *look_at_issuer(configuration)]
    is_provider = configuration.oidc is not None
    sentence = f"{config} is good: {configuration.issuer}, {len(configuration.clients)} clients declared."
    sentence = f"{sentence} {openid_is(on=is_provider)}"
    sentence = "\n".join(
        (
            sentence,
            *(f"warning: {warning}" for warning in warnings),
            *(f"storage: {warning}" for warning in durability_warnings),
        )
    )
    members = {
        "config": str(config),
        "issuer": configuration.issuer,
        "bind": list(configuration.bind),
        "openid": is_provider,
        "warnings": warnings,
        "storage": {"concerns": durability_warnings},
    }
    say(members, sentence, as_json=as_json)


def serve(
    *,
    workers: int | None = None,
    config: Config = DEFAULT_CONFIG,
    as_json: Annotated[Json, Parameter(help="Say as one line of JSON where it listens, once it does.")] = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C; SIGHUP reads the configuration and the certificates again.

    Parameters
    ----------
    workers
        How many processes share the work; what the configuration says if left out.
    """
    if workers is not None and workers < 1:
        raise ConfigurationError("--workers", workers, "use a number, 1 or more")

    def reread() -> Configuration:
        found = read(config, os.environ)
        return found if workers is None else attrs.evolve(found, workers=workers)

    configuration = reread()
    logs.set_up(json_lines=configuration.logs.format == "json", level=configuration.logs.level)
    # Before it is warned of a secret that is refused, and before there are workers to refuse it one by one.
    check_client_secrets(configuration)
    for warning in cautions(config, configuration):
        logger.warning("%s", warning)
    for concern in asyncio.run(serving.look_at_storage(configuration)):
        logger.warning("storage: %s", concern)
    for warning in look_at_issuer(configuration, remember=True):
        logger.warning("%s", warning)
    sockets = listen(configuration.bind, configuration.folder)
    raise_open_files()

    def announce() -> None:
        places = [spelled(listening) for listening in sockets]
        sentence = f"oauthcore serves {configuration.issuer} at {', '.join(places)}"
        say({"issuer": configuration.issuer, "bind": places, "pid": os.getpid()}, sentence, as_json=as_json)

    with ExitStack() as open_sockets:
        for listening in sockets:
            open_sockets.enter_context(listening)
        if configuration.workers == 1:
            serve_alone(configuration, reread, sockets, announce)
        else:
            serve_together(configuration, reread, sockets, announce)


def serve_alone(
    configuration: Configuration, reread: Reread, sockets: Sequence[socket.socket], announce: Callable[[], None]
) -> None:
    """Serve in this process."""
    serving.run(serving.Process(configuration, reread, sockets), announce)


def serve_together(
    configuration: Configuration, reread: Reread, sockets: Sequence[socket.socket], announce: Callable[[], None]
) -> None:
    """Serve in several processes, which this one watches over."""
    with tempfile.TemporaryDirectory(prefix="oauthcore-metrics-") as folder:
        os.environ[monitoring.MULTIPROCESS] = folder
        current = [configuration]

        def reload() -> None:
            try:
                current[0] = serving.keeping_what_can_not_change(reread(), current[0])
            except ConfigurationError as error:
                logger.error("not reloaded: %s", in_file_words(error))

        def refuse_connections() -> None:
            # While one process has them open, clients connect, and wait for an answer that nobody gives.
            for listening in sockets:
                listening.close()

        def work(cord: Cord) -> int:
            try:
                serving.run(serving.Process(current[0], reread, sockets), cord.ready, cord.parent)
            except ConfigurationError as error:
                sys.stderr.write(f"oauthcore: {in_file_words(error)}\n")
                return CAN_NOT_START
            return 0

        parent = Parent(
            configuration.workers,
            work,
            started=announce,
            reloaded=reload,
            ending=refuse_connections,
            patience=configuration.limits.drain_time + 5,
        )
        status = parent.run()
    if status:
        raise SystemExit(status)
