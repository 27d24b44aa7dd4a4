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
from oauthcore_h11.cli.client_changes import disable, enable, update
from oauthcore_h11.cli.clients import clients
from oauthcore_h11.cli.database import database
from oauthcore_h11.cli.demonstration import demo
from oauthcore_h11.cli.grants import grants, purge
from oauthcore_h11.cli.keys import keys
from oauthcore_h11.cli.operation import check, init, serve
from oauthcore_h11.cli.people import people
from oauthcore_h11.cli.replay import tell
from oauthcore_h11.engines import trouble
from oauthcore_h11.file_words import in_file_words

# What a shell gives a process that an interrupt has ended: 128 and the signal's number.
INTERRUPTED = 130

app = App(
    name="oauthcore",
    help="An OAuth 2.x authorization server: a demo, and one to run.",
    version=lambda: version("oauthcore"),
)
for command in (demo, init, check, serve, purge):
    app.command(command)
app.command(tell, name="replay")
for change in (update, disable, enable):
    clients.command(change)
for below in (clients, people, grants, keys, database):
    app.command(below)
app.register_install_completion_command(add_to_startup=False)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 when all went well, 2 for input it can't use, 1 for what failed."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        complain(f"{' '.join(str(error).split())} See oauthcore --help.", 2)
    except ConfigurationError as error:
        complain(in_file_words(error), 2)
    except (OAuthError, EffectFailed, sqlite3.Error) as error:
        known = error.__cause__ is None or str(error.__cause__) in str(error)
        complain(str(error) if known else f"{error} ({error.__cause__})", 1)
    except Exception as error:  # what a storage's library raises is known by its module, which need not be there
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
