"""`oauthcore init`, `check` and `serve`: from a new configuration to a running server."""

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
from oauthcore_h11.cli.rules import RuleSet, show_rules
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
    config: Annotated[Config, Parameter(help="The file to write; it must not exist.")] = DEFAULT_CONFIG,
    as_json: Json = False,
) -> None:
    """Write a configuration file with a new token key, to read and to change.

    Parameters
    ----------
    issuer
        The URL of the server for its clients: https, or http for tests on this machine.
    openid
        Whether to be an OpenID Connect provider, which signs users in at applications. Asked for on a terminal if left
        out; otherwise no.
    """
    check_issuer(issuer, Policy.oauth21())
    if openid is None:
        openid = sys.stdin.isatty() and not as_json and wants_openid()
    try:
        # The file has the token key, so it is created with this mode: before a later chmod, others could read it.
        file = os.open(config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise ConfigurationError("--config", str(config), "it exists already; remove it, or name another") from None
    except OSError as error:
        remedy = f"it can't be written ({error.strerror}); name another file"
        raise ConfigurationError("--config", str(config), remedy) from None
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
    """Ask whether to be an OpenID provider; Enter means yes. Raises `ConfigurationError` for Ctrl-D."""
    while True:
        try:
            answer = input("Sign people in at applications, as an OpenID Connect provider? [Y/n] ").lower()
        except EOFError:
            raise ConfigurationError("--openid", None, "say yes or no, or --openid or --no-openid") from None
        if answer in {"", "y", "yes", "n", "no"}:
            return answer not in {"n", "no"}


def openid_is(*, on: bool) -> str:
    """Return a sentence that says whether OpenID Connect is on, and how to turn it on."""
    return "OpenID Connect is on." if on else "OpenID Connect is off; the table [oidc] in the file turns it on."


def check(*, rules: RuleSet | None = None, config: Config = DEFAULT_CONFIG, as_json: Json = False) -> None:
    """Check the configuration and everything it refers to, without serving.

    Parameters
    ----------
    rules
        Show how each rule of a profile stands instead, with the setting that obeys it: `configured` for the profile of
        the file. The exit code is 1 if one is not obeyed.
    """
    configuration = read(config, os.environ)
    if rules is not None:
        show_rules(configuration, rules, as_json=as_json)
        return
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
    as_json: Annotated[Json, Parameter(help="Print one line of JSON with the addresses once it listens.")] = False,
) -> None:
    """Serve until SIGTERM or Ctrl-C; SIGHUP reloads the configuration and the certificates.

    Parameters
    ----------
    workers
        How many processes to run; by default, as configured.
    """
    if workers is not None and workers < 1:
        raise ConfigurationError("--workers", workers, "use a number, 1 or more")

    def reread() -> Configuration:
        found = read(config, os.environ)
        return found if workers is None else attrs.evolve(found, workers=workers)

    configuration = reread()
    logs.set_up(json_lines=configuration.logs.format == "json", level=configuration.logs.level)
    # Refused here, once, before a warning about the same secret and before each worker would refuse it.
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
    """Serve in several processes, supervised by this one."""
    with tempfile.TemporaryDirectory(prefix="oauthcore-metrics-") as folder:
        os.environ[monitoring.MULTIPROCESS] = folder
        current = [configuration]

        def reload() -> None:
            try:
                current[0] = serving.keeping_what_can_not_change(reread(), current[0])
            except ConfigurationError as error:
                logger.error("not reloaded: %s", in_file_words(error))

        def refuse_connections() -> None:
            # While any process has the sockets open, clients connect, and would wait for a worker that is gone.
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
