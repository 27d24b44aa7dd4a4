"""The rules of the house that no tool checks, each a function from a module's syntax tree to its breaches."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from pathlib import Path

Rule = Callable[[str, ast.Module], Iterator[str]]

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "oauthcore"

OUTSIDE = frozenset(
    {
        "asyncio",
        "socket",
        "ssl",
        "select",
        "selectors",
        "threading",
        "_thread",
        "concurrent",
        "multiprocessing",
        "subprocess",
        "time",
        "datetime",
        "random",
        "secrets",
        "uuid",
        "os",
        "sys",
        "pathlib",
        "tempfile",
        "logging",
        "http",
        "anyio",
        "trio",
        "h11",
        "httpx",
        "jinja2",
        "itsdangerous",
        "joserfc",
    }
)
ALLOWED_OUTSIDE = {
    ("oauthcore/memory.py", "threading"),
    ("oauthcore/jose.py", "joserfc"),
    *(("oauthcore/testing/loop.py", package) for package in ("asyncio", "threading")),
    *(("oauthcore/testing/contenders.py", package) for package in ("asyncio", "sys", "threading", "time")),
}
VAGUE = frozenset({"utils", "util", "helpers", "common", "base", "mixins", "misc", "manager"})


def imports(tree: ast.Module) -> Iterator[str]:
    """Give the top-level package of every import."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def imports_nothing_from_outside(name: str, tree: ast.Module) -> Iterator[str]:
    """The core imports no event loop, socket, thread, clock, randomness, framework or environment."""
    for package in imports(tree):
        if package in OUTSIDE and (name, package) not in ALLOWED_OUTSIDE:
            yield f"imports {package}"


def yields_only_effects_through_helpers(name: str, tree: ast.Module) -> Iterator[str]:
    """A bare `yield` in a flow stands in effects.py alone."""
    for function in functions(tree):
        if is_flow(function) and name != "oauthcore/effects.py":
            yield from (
                f"{function.name} yields by itself" for node in own_nodes(function) if isinstance(node, ast.Yield)
            )


def drops_no_flow(name: str, tree: ast.Module) -> Iterator[str]:
    """A flow that is called is driven by `yield from`, returned, or handed on; its result is used."""
    flows = {function.name for function in functions(tree) if is_flow(function)} | {"find", "commit", "authenticate"}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Expr):
            continue
        value = node.value
        if isinstance(value, ast.YieldFrom) and isinstance(value.value, ast.Call):
            yield f"line {node.lineno} drops the result of a flow"
        elif isinstance(value, ast.Call) and called(value) in flows:
            yield f"line {node.lineno} calls {called(value)} and drops the flow"


def guards_no_yield_from(name: str, tree: ast.Module) -> Iterator[str]:
    """No `try` or `with` stands around a `yield from` but in transact.py."""
    if name == "oauthcore/transact.py":
        return
    for function in functions(tree):
        for node in own_nodes(function):
            if isinstance(node, ast.Try | ast.With) and any(isinstance(n, ast.YieldFrom) for n in ast.walk(node)):
                yield f"{function.name} guards a yield from"


def returns_something(name: str, tree: ast.Module) -> Iterator[str]:
    """No flow is a `Flow[None]`."""
    for function in functions(tree):
        if function.returns is not None and ast.unparse(function.returns) == "Flow[None]":
            yield f"{function.name} is a Flow[None]"


def commits_in_one_place(name: str, tree: ast.Module) -> Iterator[str]:
    """`commit` is called in transact.py alone."""
    if name in {"oauthcore/transact.py", "oauthcore/effects.py"}:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.YieldFrom) and isinstance(node.value, ast.Call) and called(node.value) == "commit":
            yield f"line {node.lineno} commits"


def uses_up_what_a_client_has_proven_itself_with(name: str, tree: ast.Module) -> Iterator[str]:
    """Whoever asks a client who it is gives back an outcome that uses up the answer: an assertion is good for once."""
    for function in functions(tree):
        names = {called(node) for node in ast.walk(function) if isinstance(node, ast.Call)}
        if "authenticate_client" in names and "spend" not in names:
            yield f"{function.name} authenticates a client, and does not spend what it showed"


def is_named_for_its_idea(name: str, tree: ast.Module) -> Iterator[str]:
    """No module has a name that says nothing."""
    if Path(name).stem in VAGUE:
        yield "has a name that says nothing"


def says_what_it_is_for(name: str, tree: ast.Module) -> Iterator[str]:
    """Every module, and everything public in it, has a docstring."""
    if not ast.get_docstring(tree):
        yield "has no docstring"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            nested = isinstance(node, ast.FunctionDef) and node.name == "decision"
            if not ast.get_docstring(node) and not nested:
                yield f"{node.name} has no docstring"


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """Give every function, however deep."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Give the nodes of a function that are not in a function within it."""
    todo: list[ast.AST] = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def is_flow(function: ast.FunctionDef) -> bool:
    """Tell whether a function says that it returns a flow."""
    return function.returns is not None and ast.unparse(function.returns).startswith("Flow[")


# Whoever decides by what was found of a subject concludes that there is no more: why that holds at the commit.
ENDS_ALL = {
    ("oauthcore/endpoints/applications.py", "withdraw"): "decided until nothing changes",
    ("oauthcore/endpoints/sessions.py", "end_sessions"): "decided until nothing changes",
    ("oauthcore/endpoints/sessions.py", "sign_in"): "the session's record is changed by every grant bound to it",
    ("oauthcore/endpoints/sessions.py", "end_session"): "the session's record is changed by every grant bound to it",
    ("oauthcore/endpoints/end_session.py", "sign_out"): "the session's record is changed by every grant bound to it",
}


def says_why_there_are_no_more(name: str, tree: ast.Module) -> Iterator[str]:
    """What decides by `find_of` stands in the table above, with what makes absence of others hold at the commit."""
    for function in functions(tree):
        if function.returns is None or ast.unparse(function.returns) != "Flow[Outcome]":
            continue
        looks = any(isinstance(node, ast.Call) and called(node) == "find_of" for node in own_nodes(function))
        if looks and (name, function.name) not in ENDS_ALL:
            yield f"{function.name} decides by find_of: another record may be inserted before its commit"


def called(call: ast.Call) -> str:
    """Give the last part of what a call names."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


RULES: tuple[Rule, ...] = (
    imports_nothing_from_outside,
    yields_only_effects_through_helpers,
    drops_no_flow,
    guards_no_yield_from,
    returns_something,
    commits_in_one_place,
    uses_up_what_a_client_has_proven_itself_with,
    says_why_there_are_no_more,
    is_named_for_its_idea,
    says_what_it_is_for,
)


def modules() -> dict[str, str]:
    """Give the core's modules: path from the root, and text."""
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in sorted(CORE.rglob("*.py"))}
