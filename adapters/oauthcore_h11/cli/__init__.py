"""The command line `oauthcore`: each command reads what it needs, does one thing, and says what it did."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from cyclopts import App, CycloptsError

from oauthcore import ConfigurationError
from oauthcore.errors import EffectFailed, OAuthError

# What a shell gives a process that an interrupt has ended: 128 and the signal's number.
INTERRUPTED = 130

app = App(
    name="oauthcore",
    help="An OAuth 2.x authorization server: a demo, and one to run.",
    version=lambda: version("oauthcore"),
)
# Each is imported when it is asked for: `client list` has no use for what `serve`, `demo` or `replay` import. So what
# `--help` says of them stands here, and a test holds it to what they say of themselves.
for name, place, summary in (
    ("demo", "demonstration:demo", "Serve the quick start in memory, on the loopback interface only."),
    ("mock", "mocking:mock", "Serve a provider for tests, at which anybody signs in and everything can go wrong."),
    ("init", "operation:init", "Write a configuration file with a fresh token key, for you to read and to change."),
    ("check", "operation:check", "Check the configuration, and everything it names, without serving."),
    (
        *("serve", "operation:serve"),
        "Serve until SIGTERM or Ctrl-C; SIGHUP reads the configuration and the certificates again.",
    ),
    (
        *("doctor", "doctor:examine"),
        "Examine a deployment as its clients meet it: what is wrong, for whom, and what to do about it.",
    ),
    (
        *("purge", "grants:purge"),
        "Remove what has expired. A server does so by itself; this is for one that does not run.",
    ),
    (
        *("replay", "replay:explain"),
        "Tell what was asked and found, which checks passed, and which one refused, with its section of the standard.",
    ),
    ("client", "dynamic_clients:clients", "Register clients, list them, give them new secrets."),
    (
        *("registration-token", "dynamic_clients:tokens"),
        "Issue tokens by which clients register themselves, list and revoke them.",
    ),
    ("user", "people:people", "Add people, list them, change their passwords, disable and enable them."),
    ("grant", "grants:grants", "See what people have authorized, and revoke it."),
    ("keys", "keys:keys", "See the keys that tokens are signed with, turn them, bring in your own."),
    ("db", "database:database", "Bring the tables of a database up to date, and look at them."),
):
    app.command(f"{__name__}.{place}", name=name, help=summary)
app.register_install_completion_command(add_to_startup=False)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 when all went well, 2 for input it can't use, 1 for what failed."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        complain(f"{' '.join(str(error).split())} See oauthcore --help.", 2)
    except ConfigurationError as error:
        # Imported where it is needed, as each command is: what it brings along takes a third of the start of one.
        from oauthcore_h11.file_words import in_file_words

        complain(in_file_words(error), 2)
    except (OAuthError, EffectFailed, sqlite3.Error) as error:
        known = error.__cause__ is None or str(error.__cause__) in str(error)
        complain(str(error) if known else f"{error} ({error.__cause__})", 1)
    except Exception as error:  # what a storage's library raises is known by its module, which need not be there
        from oauthcore_h11.engines import trouble

        said = trouble(error)
        if said is None:
            raise
        complain(said, 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def complain(sentence: str, status: int) -> NoReturn:
    """Say in one line what is wrong, and exit."""
    sys.stderr.write(f"oauthcore: {' '.join(sentence.split())}\n")
    sys.exit(status)
