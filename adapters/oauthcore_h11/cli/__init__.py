"""The command line `oauthcore`: how a command is run, and how its failure is told.

`oauthcore mock` is started by test suites, which wait for it: a start whose options are all written in the plain way is
read by `mock_options.py`. Any other command line is read by cyclopts, whose import takes as long as that of asyncio.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

from oauthcore import ConfigurationError
from oauthcore.errors import EffectFailed, OAuthError
from oauthcore_h11.cli.complaint import complain

# The exit status that a shell reports for a process ended by SIGINT: 128 plus the signal's number.
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 for success, 2 for unusable input, 1 for any other failure."""
    try:
        _run(sys.argv[1:] if arguments is None else arguments)
    except ConfigurationError as error:
        # Imported here, as the commands are: its imports take a third of the start of a command.
        from oauthcore_h11.file_words import in_file_words

        complain(in_file_words(error), 2)
    except (OAuthError, EffectFailed) as error:
        complain(_with_cause(error), 1)
    except Exception as error:  # a storage's errors are recognised by module name: its library may not be imported
        from oauthcore_h11.engines import trouble

        sqlite = sys.modules.get("sqlite3")
        said = _with_cause(error) if sqlite and isinstance(error, sqlite.Error) else trouble(error)
        if said is None:
            raise
        complain(said, 1)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    sys.exit(0)


def _with_cause(error: Exception) -> str:
    known = error.__cause__ is None or str(error.__cause__) in str(error)
    return str(error) if known else f"{error} ({error.__cause__})"


def _run(arguments: Sequence[str]) -> None:
    if arguments and arguments[0] == "mock":
        from oauthcore_h11.cli import mock_options

        options = mock_options.read(arguments[1:])
        if options is not None:
            from oauthcore_h11.cli.mock_server import serve_mock

            return serve_mock(options)
    from oauthcore_h11.cli.commands import run

    return run(arguments)
