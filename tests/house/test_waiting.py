"""No wait in the tests is without an end: a server or a thread that hangs fails its test, and not the whole run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest

from tests.house.rules import ROOT, called

# Where processes are started and waited for, with limits.
PROCESSES = "tests/processes.py"
# What waits for as long as it takes if it is given no number of seconds: of processes, threads, events, futures.
WAITS = frozenset({"wait", "join", "communicate", "result"})
RUNS = frozenset({"run", "call", "check_call", "check_output"})


def waits_without_an_end(name: str, tree: ast.Module) -> Iterator[str]:
    """Every wait for a process, a thread, an event or a future says how long it may take at most.

    What is awaited is left out: it is a task of the test's own, and the whole test has a limit.
    """
    awaited = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Await)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or id(node) in awaited:
            continue
        named = {keyword.arg for keyword in node.keywords}
        is_method = isinstance(node.func, ast.Attribute)
        if is_method and called(node) in WAITS and not node.args and "timeout" not in named:
            yield f"{name} line {node.lineno}: {ast.unparse(node)} says not for how long"
        is_run = called(node) in RUNS and ast.unparse(node.func).startswith("subprocess.")
        if is_run and "timeout" not in named:
            yield f"{name} line {node.lineno}: subprocess.{called(node)} without a timeout; see {PROCESSES}"
        is_process = called(node) in {"Popen", "waitpid"} and "WNOHANG" not in ast.unparse(node)
        if is_process and name != PROCESSES:
            yield f"{name} line {node.lineno}: {called(node)} stands in {PROCESSES} alone"


@pytest.mark.slow
def test_every_wait_in_the_tests_has_an_end() -> None:
    paths = [path for path in sorted((ROOT / "tests").rglob("*.py")) if "node_modules" not in path.parts]

    breaches = [
        breach
        for path in paths
        for breach in waits_without_an_end(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8")))
    ]

    assert breaches == []


@pytest.mark.parametrize(
    "text",
    [
        "process.wait()",
        "thread.join()",
        "process.communicate()",
        "process.communicate(input='x')",
        "pool.submit(f).result()",
        "threading.Event().wait()",
        "subprocess.run(['x'], check=True)",
        "subprocess.check_output('x')",
        "subprocess.Popen(['x'])",
        "os.waitpid(pid, 0)",
    ],
)
def test_a_wait_without_an_end_is_found(text: str) -> None:
    assert len(list(waits_without_an_end("tests/x.py", ast.parse(text)))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "process.wait(60)",
        "thread.join(timeout=60)",
        "', '.join(words)",
        "future.result(PATIENCE)",
        "subprocess.run(['x'], timeout=60)",
        "async def f(): await event.wait()",
    ],
)
def test_a_wait_with_an_end_is_left_alone(text: str) -> None:
    assert list(waits_without_an_end("tests/x.py", ast.parse(text))) == []
