"""What all tests share: no property fails for being slow, and what is run again and again is not traced."""

from __future__ import annotations

import logging
import os
import re
import sys
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from zlib import crc32

import pytest
from hypothesis import settings

pytest_plugins = ("pytester", "tests.servers.plugin")

settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


ROOT = Path(__file__).parent
# What these tests start, if anything, is in one process and gone with the test: any worker may take any of them.
ALONE = frozenset({"core", "house", "documents", "typing"})
# What is slow here is a rule of the core's, proven nowhere else.
OURS = frozenset({"core", "house"})
# Here each test opens a browser, or another vendor's program.
OTHERS = frozenset({"browser", "relying_parties"})
# What a file of these has to say for a test of its to be left to `full`.
LEFT_TO_FULL = re.compile(r"\bmark\.full\b|\bmemory_alone\b")
# Parameters by which a module's tests are parted between the workers: each value has a server or a database to itself.
PARTED_BY = ("target", "base", "emptied")
# Parameters that say what records are kept in.
BY_STORAGE = ("emptied", "engine")
# The storages that share out the tests of a product: those of `sql/` by the number of their parameter.
SHARING = ("sql0", "sql1", "sql2", "redis0", "sqlite0")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that `nox -s full` has nothing of: to import them all takes each worker eight seconds."""
    is_ours = collection_path.relative_to(ROOT).parts[:1] in {(folder,) for folder in OURS}
    if config.getoption("markexpr") != "full" or not is_ours or not collection_path.name.startswith("test_"):
        return None
    return None if LEFT_TO_FULL.search(collection_path.read_text(encoding="utf-8")) else True


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to `nox -s full` what is slow outside of these, and keep together what shares something started."""
    again = [item for item in items if is_run_again(item) or is_of_another_storage(item)]
    config.hook.pytest_deselected(items=again)
    items[:] = [item for item in items if item not in set(again)]
    for item in items:
        folder, *rest = item.path.relative_to(ROOT).parts
        is_slow = item.get_closest_marker("slow") is not None
        takes_minutes = is_slow and item.get_closest_marker("memory_alone") is not None
        if takes_minutes or (is_slow and folder not in OURS) or folder in OTHERS:
            item.add_marker("full")
        if rest and folder not in ALONE:
            item.add_marker(pytest.mark.xdist_group("-".join((folder, *rest, *parted(item)))))


def is_run_again(item: pytest.Item) -> bool:
    """Return whether a test that is to be run once is one of its later parameters."""
    if (
        item.get_closest_marker("once") is None
        or not isinstance(item, pytest.Function)
        or not hasattr(item, "callspec")
    ):
        return False
    return any(index for name, index in item.callspec.indices.items() if name not in BY_STORAGE)


def is_of_another_storage(item: pytest.Item) -> bool:
    """Return whether a test that is `shared_out` is run over another storage than this; memory runs all of them."""
    folder = item.path.relative_to(ROOT).parts[0]
    if item.get_closest_marker("shared_out") is None or not isinstance(item, pytest.Function) or folder in OURS:
        return False
    spec = item.callspec
    what = (item.originalname, sorted((name, str(v)) for name, v in spec.params.items() if name not in BY_STORAGE))
    return SHARING[crc32(repr(what).encode()) % len(SHARING)] != f"{folder}{spec.indices.get('emptied', 0)}"


def parted(item: pytest.Item) -> Iterator[str]:
    """Return which of the servers or databases a test is for, where its module has several."""
    if not isinstance(item, pytest.Function) or not hasattr(item, "callspec"):
        return
    for name in PARTED_BY:
        if name in item.callspec.indices:
            value = item.callspec.params[name]
            # A host that serves below several prefixes is started once.
            yield str(value[0].name if isinstance(value, tuple) and name == "target" else item.callspec.indices[name])


@pytest.fixture(scope="session", autouse=True)
def one_trust_store() -> None:
    """Have all clients of httpx share what trusts the public authorities: each would read them anew, for 17 ms."""
    transport = sys.modules.get("httpx._transports.default")  # a worker that has no test with httpx imports none
    if transport is None:
        return
    make = vars(transport)["create_ssl_context"]
    trusting = make(trust_env=False)

    def context(verify: object = True, cert: object = None, trust_env: bool = True) -> object:
        return trusting if verify is True and cert is None and not trust_env else make(verify, cert, trust_env)

    vars(transport)["create_ssl_context"] = context


@pytest.fixture(autouse=True)
def logging_as_it_was() -> Iterator[None]:
    """Set logging back to what it was: commands and servers that run in this process set it up for all of it."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    if root.level != level:
        root.setLevel(level)
    # What pytest itself has added for this test stays until it takes it away.
    root.handlers[:] = [handler for handler in root.handlers if handler in handlers or is_of_pytest(handler)]


def is_of_pytest(handler: logging.Handler) -> bool:
    """Return whether pytest has added it to hear what is logged."""
    return type(handler).__module__.startswith("_pytest.")


# How coverage has what a test starts traced, too.
_TRACING = "COVERAGE_PROCESS_CONFIG"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Trace neither a test marked `untraced` nor what it starts.

    It is for what runs lines that other tests run as well, thousands of times: traced they take three times as long.
    pytest-cov's own mark stops and starts coverage each time, which then handles each fork and exit once more.
    """
    if item.get_closest_marker("untraced") is None:
        return (yield)
    here, in_threads, elsewhere = sys.gettrace(), threading.gettrace(), os.environ.pop(_TRACING, None)
    sys.settrace(None)
    threading.settrace(None)
    try:
        return (yield)
    finally:
        sys.settrace(here)
        threading.settrace(in_threads)
        if elsewhere is not None:
            os.environ[_TRACING] = elsewhere


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how much was gone through, where it is many."""
    for report in terminalreporter.getreports("passed"):
        for name, value in getattr(report, "user_properties", ()):
            if name == "schedules" and getattr(report, "when", None) == "call":
                terminalreporter.write_line(f"{report.nodeid.rpartition('::')[2]}: {value}")
