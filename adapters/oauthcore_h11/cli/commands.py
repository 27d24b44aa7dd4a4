"""The commands of `oauthcore`, each imported when it is called; cyclopts reads their arguments."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version

from cyclopts import App, CycloptsError

from oauthcore_h11.cli.complaint import complain

# As many characters as flags of one letter have that are written as one, at most; what is longer is a value.
LONGEST_FLAGS = 4

app = App(
    name="oauthcore",
    help="An OAuth 2.x authorization server: a demo, and one to run.",
    version=lambda: version("oauthcore"),
)
# A command is imported only when it is called, since `client list` needs nothing that `serve`, `demo` or `replay`
# import. So the summaries in `--help` stand here; a test compares them with the docstrings.
for name, place, summary in (
    ("demo", "demonstration:demo", "Serve the quick start in memory, on the loopback interface only."),
    ("mock", "mocking:mock", "Serve a provider for tests that signs in any user and can simulate faults."),
    ("init", "operation:init", "Write a configuration file with a new token key, to read and to change."),
    ("check", "operation:check", "Check the configuration and everything it refers to, without serving."),
    (
        *("serve", "operation:serve"),
        "Serve until SIGTERM or Ctrl-C; SIGHUP reloads the configuration and the certificates.",
    ),
    (
        *("doctor", "doctor:examine"),
        "Examine a deployment as its clients see it: report problems, who they affect, and remedies.",
    ),
    (
        *("purge", "grants:purge"),
        "Remove expired records. A running server does this by itself.",
    ),
    (
        *("replay", "replay:explain"),
        "Explain a recorded decision: its facts, the checks that passed, and the one that refused, with its section.",
    ),
    (
        *("device-login", "device_login:device_login"),
        "Play a device in the terminal: show a code, wait until its user has answered, and print the tokens.",
    ),
    ("client", "dynamic_clients:clients", "Register, list, change and remove clients, and replace their secrets."),
    (
        *("registration-token", "dynamic_clients:tokens"),
        "Issue, list and revoke the tokens that clients register themselves with.",
    ),
    ("user", "people:people", "Add, list, change, disable and remove users."),
    ("grant", "grants:grants", "List what users have authorized, and revoke it."),
    ("keys", "keys:keys", "List, rotate and import the keys that sign tokens."),
    ("db", "database:database", "Upgrade the tables of a database, and check them."),
):
    app.command(f"oauthcore_h11.cli.{place}", name=name, help=summary)
app.register_install_completion_command(add_to_startup=False)


def run(arguments: Sequence[str]) -> None:
    """Run a command; exits with 2 if its arguments can't be read."""
    try:
        app(arguments, exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        complain(f"{' '.join(str(error).split())} {hint(arguments)}See oauthcore --help.", 2)


def hint(arguments: Sequence[str]) -> str:
    """Return a remedy if a value may have been read as an option, as one that begins with -c or -h."""
    is_value = any(len(text) > LONGEST_FLAGS and text[0] == "-" != text[1] for text in arguments)
    return "Write -- before a value that begins with a hyphen, or = after its option. " if is_value else ""
