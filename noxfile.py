# /// script
# requires-python = ">=3.11"
# dependencies = ["nox[uv]"]
# ///
"""What is checked: `nox` proves every rule once, `nox -s full` over every host and storage; `quick` is a loop.

`.ci/run` runs `nox` and `nox -s full`. `nox -s long` does again what races, is killed or is filled up, as often as
before a release. CONTRIBUTING.md says which rule is proven where.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "contracts", "tests"]
# `pythons` runs whatever is found, and fetches none; everything else runs by the Python that nox runs by.
nox.options.error_on_missing_interpreters = False
nox.options.download_python = "never"
# uv installs in two seconds what takes pip a minute, and asks for the same hashes. Where nox was installed without it,
# the block at the top of this file has nox start itself once more in an environment that has it.
nox.options.default_venv_backend = "uv|virtualenv"

# What tests/conftest.py groups stays together, as it shares what was started; the others go to whoever is free.
# More than two at once would start more databases than it saves.
TWO_AT_ONCE = ("--numprocesses=2", "--dist=loadgroup")
# Files in which all is left to `full`, thousands of tests: only to collect them takes half a minute.
LEFT_TO_FULL = (
    *("tests/hosts/test_behaviour.py", "tests/hosts/test_stored.py", "tests/sqlite/test_behaviour.py"),
    *("tests/sql/test_behaviour.py", "tests/sql/test_interleavings.py"),
    *("tests/redis/test_behaviour.py", "tests/redis/test_interleavings.py"),
)
# A test that hangs fails after so many seconds, with the stacks of all threads, and the run goes on.
WITH_AN_END = ("--timeout=900",)
# What is made at each request is plain at run time, and frozen here: nothing assigns to it (oauthcore/per_request.py).
# `python -m pytest`, since the plugin is found by the folder that this runs in.
REALLY_FROZEN = ("-p", "tests.really_frozen")
LOCKS = Path("tests/locks")
# What each lock is made of: the extras that the session needs of the project itself, beside its group of tools.
LOCKED = {"lint": (), "contracts": (), "tests": ("all",), "types": ("all",)}


def install(session: nox.Session, lock: str, project: Sequence[str] = (".",)) -> None:
    """Install what a lock names, checked by its hashes, and then the project without anything that it would bring.

    So nothing that a registry publishes tomorrow changes what a session does (`lock` does that, on purpose).
    """
    # Nothing is compiled but what is imported, and that once: or each process that a test starts would compile it anew.
    session.env["PYTHONDONTWRITEBYTECODE"] = None
    session.install("-q", "--require-hashes", "-r", str(LOCKS / f"{lock}.txt"))
    if project:
        session.install("-q", "--no-deps", "--no-build-isolation", *project)


@nox.session
def lint(session: nox.Session) -> None:
    """Read the code with ruff, and hold it to its format."""
    install(session, "lint", project=())
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check every type: of the tests, the benchmarks, the documents' examples and this file too."""
    install(session, "types")
    session.run("mypy")


@nox.session
def contracts(session: nox.Session) -> None:
    """Check that dependencies point one way."""
    # Imports are read and not made, so that nothing has to be there but what imports.
    install(session, "contracts")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test but those that are left to `full`."""
    install(session, "tests")
    left = [f"--ignore={file}" for file in LEFT_TO_FULL]
    session.run("pytest", *TWO_AT_ONCE, *WITH_AN_END, "-m", "not full", *left, *session.posargs)


@nox.session
def full(session: nox.Session) -> None:
    """Run the rest: everything again over every host and storage, on real databases, and in a browser."""
    install(session, "tests")
    session.run("python", "-m", "pytest", *REALLY_FROZEN, *TWO_AT_ONCE, *WITH_AN_END, "-m", "full", *session.posargs)


@nox.session
def long(session: nox.Session) -> None:
    """Run what `full` does less of, as often as it was meant to be (tests/scale.py): before a release."""
    install(session, "tests")
    session.run("pytest", *TWO_AT_ONCE, "--timeout=3600", "-m", "long", *session.posargs, env={"OAUTHCORE_LONG": "1"})


@nox.session
def coverage(session: nox.Session) -> None:
    """Run every test with branch coverage, which takes three times as long: before a release."""
    install(session, "tests")
    traced = ("--cov", "--cov-report=term")
    session.run("python", "-m", "pytest", *REALLY_FROZEN, *TWO_AT_ONCE, *WITH_AN_END, *traced, *session.posargs)


@nox.session(reuse_venv=True)
def quick(session: nox.Session) -> None:
    """Run what takes no time and starts nothing, and stop at the first failure."""
    install(session, "tests", project=("-e", "."))
    wanted = session.posargs or ("tests/core", "tests/house")
    session.run("pytest", *TWO_AT_ONCE, *WITH_AN_END, "-x", "-q", "-m", "not slow and not full", *wanted)


@nox.session(python=["3.11", "3.12", "3.13", "3.14"])
def pythons(session: nox.Session) -> None:
    """Run the core's tests by every Python that is found; nox says which were not."""
    install(session, "tests")
    # Which addresses are public, `ipaddress` has answered otherwise from one version to the next.
    wanted = ("tests/core", "tests/fetch/test_special_purpose.py")
    session.run("pytest", *TWO_AT_ONCE, *WITH_AN_END, "-q", "-m", "not slow", *wanted, *session.posargs)


@nox.session
def format(session: nox.Session) -> None:
    """Put the code into its format."""
    install(session, "lint", project=())
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure everything, in some eleven minutes on two idle cores; `-- transports storages` measures these alone."""
    install(session, "types")
    session.run("python", "-m", "benchmarks.everything", *session.posargs)


@nox.session
def lock(session: nox.Session) -> None:
    """Write the locks anew, of PyPI and of npm, with the newest that there is: read the change, and run `full`."""
    session.install("-q", "uv>=0.9")
    for name, extras in LOCKED.items():
        wanted = [word for extra in extras for word in ("--extra", extra)]
        target = ("-o", str(LOCKS / f"{name}.txt"))
        made = ("uv", "pip", "compile", "--quiet", "--upgrade", "--universal", "--python-version", "3.11")
        shown = ("--generate-hashes", "--no-header", "--no-emit-index-url")
        session.run(*made, *shown, "--group", name, *wanted, "pyproject.toml", *target)
    clients = ("tests/relying_parties", "tests/mcp_clients", "tests/mcp_clients/conformance")
    for folder in (*clients, "benchmarks/node_provider"):
        session.run("npm", "update", "--prefix", folder, "--save", "--package-lock-only", external=True)
