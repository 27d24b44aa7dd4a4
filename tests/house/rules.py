"""The rules of the house that no tool checks, each a function from a module's syntax tree to its breaches."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import get_args

from oauthcore.digest import Kind, Proof
from oauthcore.flow.outcome import EventName

Rule = Callable[[str, ast.Module], Iterator[str]]

ROOT = Path(__file__).parent.parent.parent
CORE = ROOT / "oauthcore"
ADAPTERS = ROOT / "adapters"

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
    ("oauthcore/storage/memory.py", "threading"),
    ("oauthcore/jose/crypto.py", "joserfc"),
    *(("oauthcore/testing/loop.py", package) for package in ("asyncio", "threading")),
    *(("oauthcore/testing/concurrency.py", package) for package in ("asyncio", "sys", "threading", "time")),
}
VAGUE = frozenset({"utils", "util", "helpers", "common", "base", "mixins", "misc", "manager"})


def imports(tree: ast.Module) -> Iterator[str]:
    """Return the top-level package of every import."""
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
        if is_flow(function) and name != "oauthcore/flow/effects.py":
            yield from (
                f"{function.name} yields by itself" for node in own_nodes(function) if isinstance(node, ast.Yield)
            )


# RFC 6749 section 5.2: what may stand in error_description.
_DESCRIBABLE = frozenset(map(chr, range(0x20, 0x7F))) - set('"\\')
# What may be put into a text that the peer reads: names and numbers of our own, never a value of a request.
_OURS = frozenset(
    {
        "name",
        "rule.requirement",
        "MAX_DETAILS",
        "FORM",
        "MAX_LENGTH",
        "MAX_PARAMETERS",
        "MAX_CLAIMS",
        "client.authentication_methods[0]",
    }
)


def tells_nothing_of_a_request_s_values(name: str, tree: ast.Module) -> Iterator[str]:
    """What `OAuthError.with_description` sends out is a text of our own, of the characters that it may have."""
    for node in ast.walk(tree):
        if not (
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "with_description"
        ):
            continue
        text = node.args[0]
        parts = text.values if isinstance(text, ast.JoinedStr) else [text]
        for part in parts:
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                if not set(part.value) <= _DESCRIBABLE:
                    yield f"sends {part.value!r}"
            elif not isinstance(part, ast.FormattedValue) or ast.unparse(part.value) not in _OURS:
                yield f"sends {ast.unparse(part)}"


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
    if name == "oauthcore/flow/transact.py":
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
    if name in {"oauthcore/flow/transact.py", "oauthcore/flow/effects.py"}:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.YieldFrom) and isinstance(node.value, ast.Call) and called(node.value) == "commit":
            yield f"line {node.lineno} commits"


def signs_by_its_context(name: str, tree: ast.Module) -> Iterator[str]:
    """What is signed is signed by `context.sign`, which knows the keys, and which a recorder of decisions hears."""
    if name in {"oauthcore/signing/keys.py", "oauthcore/flow/effects.py"}:
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and "sign" in {alias.name for alias in node.names}:
            yield f"line {node.lineno} imports sign"


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
    """Return every function, however deep."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Return the nodes of a function that are not in a function within it."""
    todo: list[ast.AST] = list(ast.iter_child_nodes(function))
    while todo:
        node = todo.pop()
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            yield node
            todo.extend(ast.iter_child_nodes(node))


def is_flow(function: ast.FunctionDef) -> bool:
    """Return whether a function says that it returns a flow."""
    return function.returns is not None and ast.unparse(function.returns).startswith("Flow[")


# Whoever decides by what was found of a subject concludes that there is no more: why that holds at the commit.
ENDS_ALL = {
    ("oauthcore/endpoints/applications.py", "withdraw"): "decided until nothing changes",
    ("oauthcore/endpoints/sessions.py", "end_sessions"): "decided until nothing changes",
    ("oauthcore/authorization/backchannel_limits.py", "find_waiting"): "each request changes the tally of its user",
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
    """Return the last part of what a call names."""
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


# Methods of `str` that go by Unicode when they are given no characters to go by, and functions that read numbers.
BY_UNICODE = frozenset(
    {
        *("strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "expandtabs"),
        *("isspace", "isdigit", "isdecimal", "isnumeric", "isalpha", "isalnum", "isupper", "islower", "istitle"),
        *("lower", "upper", "casefold", "swapcase", "title", "capitalize", "isidentifier"),
    }
)
NUMBERS = frozenset({"int", "float"})
CLOCKS = frozenset({"time", "clock", "_clock", "timestamp"})

# Where they may stand all the same: in which module or folder, what is called, and why it is no text of a stranger's.
BY_UNICODE_AFTER_ALL: dict[tuple[str, str], str] = {
    ("oauthcore/wire/text.py", "lower"): "of ASCII alone; this is the module that the others use",
    ("oauthcore/wire/text.py", "int"): "of a bounded number of ASCII digits; this is the module that the others use",
    ("oauthcore/jose/jwk.py", "int"): "of the digits in the name of one of our algorithms",
    ("oauthcore/clients/registered_keys.py", "int"): "of the digits in the name of one of our algorithms",
    ("oauthcore/clients/secret_strength.py", "int"): "of a number of bits",
    (
        "oauthcore/jose/strict_json.py",
        "int",
    ): "of a number as JSON spells it, bounded, which the json module has read already",
    ("oauthcore/jose/strict_json.py", "float"): "of a number as JSON spells it, which the json module has read already",
    ("oauthcore/resource/access.py", "int"): "of a number that was read from JSON",
    ("oauthcore/storage/purging.py", "int"): "of the reading of a clock",
    ("oauthcore/testing/", "lower"): "of a class's name, and of what the kit itself has made",
    ("oauthcore/testing/", "upper"): "of what the kit itself has made",
    ("oauthcore/testing/", "swapcase"): "of what the kit itself has made",
    ("oauthcore/testing/", "isalnum"): "of a key in a storage, to be shown shorter",
    ("oauthcore/testing/", "int"): "of the kit's own clock, and of what a storage was told to keep",
    ("oauthcore/trace/placeholders.py", "\\w"): "of letters in any script, which a stand-in has as well",
    ("adapters/oauthcore_h11/cli/", "split"): "of what the operator types, and of sentences of ours",
    ("adapters/oauthcore_h11/cli/", "strip"): "of what the operator types",
    ("adapters/oauthcore_h11/cli/", "lower"): "of an allowance's name",
    ("adapters/oauthcore_h11/configuration/", "lower"): "of an allowance's name",
    ("adapters/oauthcore_h11/file_words.py", "lower"): "of an allowance's name",
    ("adapters/oauthcore_h11/cli/", "int"): "of the reading of a clock",
    ("adapters/oauthcore_h11/configuration/", "float"): "of a number in the operator's file",
    ("adapters/oauthcore_h11/readiness.py", "int"): "of the reading of a clock",
    ("adapters/oauthcore_mock/clock.py", "int"): "of the reading of a clock",
    ("adapters/oauthcore_sqlite/writer.py", "int"): "of a number of milliseconds",
    ("adapters/oauthcore_sqlalchemy/driver_options.py", "float"): "of a bounded number of ASCII digits",
    ("adapters/oauthcore_h11/connection.py", "lower"): "of bytes, of which only those of ASCII have a lower case",
    ("adapters/oauthcore_h11/connection.py", "int"): "of a length that h11 has read as ASCII digits, twenty at most",
    (
        "adapters/oauthcore_h11/spelling.py",
        "casefold",
    ): "people's names are of all scripts, and compared as Unicode says",
    ("adapters/oauthcore_h11/password_rules.py", "casefold"): "of a new password, which is of any script",
    ("adapters/oauthcore_h11/users.py", "strip"): "people's names are of all scripts, and have no space around them",
    ("adapters/oauthcore_h11/engines.py", "strip"): "of what a database driver says",
    ("adapters/oauthcore_h11/engines.py", "splitlines"): "of what a database driver says",
    ("adapters/oauthcore_h11/traces.py", "lower"): "of what becomes a file's name, whose characters are named after it",
    ("adapters/oauthcore_h11/listeners.py", "int"): "of a port that a socket has told",
    ("adapters/oauthcore_h11/assembly.py", "upper"): "of the name of a setting's value",
    ("adapters/oauthcore_h11/service.py", "lower"): "of the name of the operator's file",
    ("adapters/oauthcore_h11/logs.py", "lower"): "of a log level's name",
    ("adapters/oauthcore_h11/logs.py", "upper"): "of a log level's name",
    ("adapters/oauthcore_pages/brand.py", "int"): "of hexadecimal digits, matched before",
    ("adapters/oauthcore_pages/brand.py", "float"): "of a number",
    ("adapters/oauthcore_pages/language.py", "float"): "of a quality, matched before",
    ("adapters/oauthcore_sqlalchemy/", "strip"): "of what a database driver says",
    ("adapters/oauthcore_sqlalchemy/", "splitlines"): "of what a database driver says",
    ("adapters/oauthcore_sqlalchemy/", "int"): "of a number from the database",
    ("adapters/oauthcore_redis/", "splitlines"): "of what the server says of itself",
    ("adapters/oauthcore_redis/", "int"): "of a number from the server",
    ("adapters/oauthcore_sqlite/storage.py", "int"): "of a number from the database",
    ("adapters/oauthcore_fetch/special_purpose.py", "int"): "of an address that is one",
}


def by_unicode(name: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Return what reads text by Unicode's characters in a module: in which line, and what it is."""
    nodes = list(ast.walk(tree))
    for call in (node for node in nodes if isinstance(node, ast.Call)):
        kind = called(call)
        is_method = isinstance(call.func, ast.Attribute) and kind in BY_UNICODE and not names_characters(call)
        is_number = isinstance(call.func, ast.Name) and kind in NUMBERS and not is_reading_of_a_clock(call)
        if is_method or is_number:
            yield call.lineno, kind
        # Handed on and called elsewhere, as in map(str.strip, values).
        for given in (*call.args, *(keyword.value for keyword in call.keywords)):
            if isinstance(given, ast.Attribute) and given.attr in BY_UNICODE and ast.unparse(given.value) == "str":
                yield given.lineno, given.attr
            elif isinstance(given, ast.Name) and given.id in NUMBERS and kind == "map":
                yield given.lineno, given.id
    if "re" in set(imports(tree)):
        in_ascii = {id(part) for node in nodes if is_ascii_pattern(node) for part in ast.walk(node)}
        for text in (node for node in nodes if isinstance(node, ast.Constant) and id(node) not in in_ascii):
            yield from ((text.lineno, kind) for kind in re.findall(r"\\[wWsSdDbB]", str(text.value)))


def names_characters(call: ast.Call) -> bool:
    """Return whether a call says by which characters: `strip(" ")` does, `strip()` and `split(maxsplit=1)` do not."""
    return bool(call.args) and not (isinstance(call.args[0], ast.Constant) and call.args[0].value is None)


def is_reading_of_a_clock(call: ast.Call) -> bool:
    """Return whether what is made a number of is what a clock says, and so is a number."""
    return len(call.args) == 1 and isinstance(call.args[0], ast.Call) and called(call.args[0]) in CLOCKS


def is_ascii_pattern(node: ast.AST) -> bool:
    """Return whether a node is a call that takes the classes in a regular expression for ASCII's."""
    flags = (*node.args[1:], *(keyword.value for keyword in node.keywords)) if isinstance(node, ast.Call) else ()
    return any(isinstance(part, ast.Attribute) and part.attr == "ASCII" for flag in flags for part in ast.walk(flag))


def excuse_of(name: str, kind: str) -> tuple[str, str] | None:
    """Return which exception lets a module read text by Unicode's characters; None if there is none."""
    places = (name, *(f"{parent.as_posix()}/" for parent in Path(name).parents))
    return next(((place, kind) for place in places if (place, kind) in BY_UNICODE_AFTER_ALL), None)


def reads_text_by_named_characters(name: str, tree: ast.Module) -> Iterator[str]:
    """Text from the wire is stripped, divided, lowered and read as a number by characters that are named, in ASCII."""
    for line, kind in by_unicode(name, tree):
        if excuse_of(name, kind) is None:
            yield f"line {line} goes by Unicode in {kind}: see oauthcore.wire.text, or BY_UNICODE_AFTER_ALL"


# Which modules read JSON by themselves, and why it is not a stranger's.
JSON_BY_ITSELF: dict[str, str] = {
    "oauthcore/jose/strict_json.py": "this is the module that the others use",
    "oauthcore/storage/codec.py": "records that this server wrote",
    "oauthcore/jose/jwk.py": "the text of a key that was read already",
    "oauthcore/handle.py": "what this server has sealed itself",
    "oauthcore/testing/client_session.py": "answers of the server under test",
    "oauthcore/trace/trace.py": "what was dumped the moment before",
    "oauthcore/trace/replay.py": "the server's own metadata",
    "oauthcore/trace/recording.py": "the server's own metadata",
    "adapters/oauthcore_h11/profiles.py": "a record that this server wrote",
}
# Where a number is no JSON's: whoever asks there whether something is one need not think of true and false.
NUMBERS_OF_OURS: dict[str, str] = {
    "oauthcore/jose/strict_json.py": "this is the module that the others use",
    "adapters/oauthcore_h11/configuration/reading.py": "TOML's numbers, told from its booleans before",
    "adapters/oauthcore_redis/commands.py": "what Redis answers",
    "adapters/oauthcore_django/auth_time.py": "what the same function put into the session",
    "adapters/oauthcore_h11/loopback.py": "what a socket says of its port",
}


def reads_json_strictly(name: str, tree: ast.Module) -> Iterator[str]:
    """JSON is read by strict_json.py, and whether a value of it is a number is asked there: to Python, true is one."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if called(call) == "loads" and name not in JSON_BY_ITSELF and is_of_json(call):
            yield f"line {call.lineno} reads JSON: use oauthcore.jose.strict_json"
        if called(call) == "isinstance" and name not in NUMBERS_OF_OURS and len(call.args) == 2:
            kinds = {node.id for node in ast.walk(call.args[1]) if isinstance(node, ast.Name)}
            if kinds & NUMBERS and "bool" not in kinds:
                yield f"line {call.lineno} takes true for a number: use strict_json.is_integer or is_time"


def is_of_json(call: ast.Call) -> bool:
    """Return whether `loads` is the json module's, by name or by itself."""
    return not isinstance(call.func, ast.Attribute) or getattr(call.func.value, "id", "") == "json"


def names_kinds_of_secrets_that_there_are(name: str, tree: ast.Module) -> Iterator[str]:
    """What the core digests and derives is of a kind in digest.py: hosts may name others, and a typo would be one."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        known = {"digest": get_args(Kind), "derive": get_args(Proof)}.get(called(call))
        kind = call.args[0]
        if known and isinstance(kind, ast.Constant) and isinstance(kind.value, str) and kind.value not in known:
            yield f"line {call.lineno} names {kind.value}, which digest.py does not"


# A remedy has one of these words: something that the operator, or the host's author, can do.
INSTRUCTIONS = frozenset(
    {
        *("add", "allow", "ask", "change", "check", "choose", "correct", "declare", "give", "have", "install", "keep"),
        *("leave", "look", "make", "mean", "name", "open", "pass", "point", "publish", "put", "register", "remove"),
        *(
            "request",
            "restore",
            "return",
            "rotate",
            "run",
            "say",
            "serve",
            "set",
            "shorten",
            "sign",
            "start",
            "stop",
            "take",
        ),
        *("trust", "try", "turn", "type", "update", "upgrade", "use", "write"),
    }
)


def says_what_to_do_about_a_setting(name: str, tree: ast.Module) -> Iterator[str]:
    """A `ConfigurationError` has a setting, its value and a remedy: on one line, which says what to do about it."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if called(call) != "ConfigurationError":
            continue
        if len(call.args) != 3 or not all(texts_of(call.args[0], tree)):
            yield f"line {call.lineno} names no setting, value and remedy"
            continue
        for text in texts_of(call.args[2], tree):
            if "\n" in text or text.endswith(".") or not INSTRUCTIONS.intersection(re.findall("[a-z]+", text.lower())):
                yield f"line {call.lineno} says not what to do: {text}"


def texts_of(node: ast.expr, tree: ast.Module) -> list[str]:
    """Return the texts that an expression may be, as far as the module's own literals tell."""
    if isinstance(node, ast.Constant):
        return [str(node.value)]
    if isinstance(node, ast.JoinedStr):
        inner = ((texts_of(part, tree) or ["…"])[0] for part in node.values)
        return ["".join(inner)]
    if isinstance(node, ast.FormattedValue):
        return texts_of(node.value, tree)
    if isinstance(node, ast.IfExp):
        return texts_of(node.body, tree) + texts_of(node.orelse, tree)
    if not isinstance(node, ast.Name):
        return []
    values = assigned_in(tree).get(node.id, ())
    return [text for value in values if not isinstance(value, ast.Name) for text in texts_of(value, tree)]


@cache
def assigned_in(tree: ast.Module) -> dict[str, list[ast.expr]]:
    """Return what is assigned to each name in a module."""
    found: dict[str, list[ast.expr]] = {}
    for part in (node for node in ast.walk(tree) if isinstance(node, ast.Assign)):
        for target in part.targets:
            if isinstance(target, ast.Name):
                found.setdefault(target.id, []).append(part.value)
    return found


# A decision takes what is asked, the facts in one value, and the context; two of them have something of their own.
MOST_ARGUMENTS = 4


def decides_by_one_value_of_facts(name: str, tree: ast.Module) -> Iterator[str]:
    """Find decisions whose facts came one by one, so that nobody sees at a call which is which; context comes last."""
    for function in functions(tree):
        if not re.match(r"_?decide(_|\b)", function.name):
            continue
        names = [argument.arg for argument in function.args.args if argument.arg != "self"]
        if len(names) > MOST_ARGUMENTS:
            yield f"line {function.lineno} takes {len(names)} arguments: put what was found into one value"
        if "context" in names[:-1]:
            yield f"line {function.lineno} takes something after the context"


def per_request_classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    """Return the classes of a module whose values are frozen by these rules alone."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and any("per_request" in ast.unparse(one) for one in node.decorator_list):
            yield node


@cache
def per_request_fields() -> frozenset[str]:
    """Return the name of every field of every class that is `per_request`."""
    return frozenset(
        statement.target.id
        for text in modules(CORE, ADAPTERS).values()
        for kind in per_request_classes(ast.parse(text))
        for statement in kind.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


# A really frozen value completes itself while it is made, as attrs has it done.
NOT_OURS: dict[str, str] = {
    "oauthcore/authorization/checks.py": "the draft, which the checks of one request write and nobody else sees",
    "oauthcore/authorization/requested_access.py": "likewise",
    "oauthcore/authorization/requested_response.py": "likewise",
    "oauthcore/testing/lifetime.py": "a token as the model of a lifetime remembers it, no record",
    "adapters/oauthcore_asgi/litestar.py": "Litestar's state of a request",
    "adapters/oauthcore_asgi/quart.py": "Quart's g",
    "adapters/oauthcore_asgi/starlette.py": "Starlette's state of a request",
    "adapters/oauthcore_django/views.py": "Django's request",
    "adapters/oauthcore_wsgi/bottle.py": "Bottle's request",
    "adapters/oauthcore_wsgi/flask.py": "Flask's g",
}
SETTERS = frozenset({"setattr", "delattr", "__setattr__", "__delattr__"})
COMPLETES_ITSELF = frozenset({"oauthcore/signing/keys.py"})


def changes_no_value_of_a_request(name: str, tree: ast.Module) -> Iterator[str]:
    """Nothing assigns to a field of a `per_request` value, which is plain at run time, and nothing by `setattr`."""
    plain = set(per_request_classes(tree))
    of_itself = {
        id(store)
        for kind in ast.walk(tree)
        if isinstance(kind, ast.ClassDef) and kind not in plain
        for store in ast.walk(kind)
        if isinstance(store, ast.Attribute) and isinstance(store.value, ast.Name) and store.value.id == "self"
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store | ast.Del):
            if node.attr in per_request_fields() and id(node) not in of_itself and name not in NOT_OURS:
                yield f"line {node.lineno} assigns to {node.attr}: use attrs.evolve"
        elif isinstance(node, ast.Call) and called(node) in SETTERS and name not in COMPLETES_ITSELF:
            yield f"line {node.lineno} calls {called(node)}"


def names_events_that_there_are(name: str, tree: ast.Module) -> Iterator[str]:
    """An event of the core's is one of `EventName`: hosts may name others, and a typo would be one."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call) and node.args):
        event = call.args[0].value if isinstance(call.args[0], ast.Constant) else None
        if called(call) == "Event" and isinstance(event, str) and event not in get_args(EventName):
            yield f"line {call.lineno} names {event}, which outcome.py does not"


def makes_nothing_by_a_generic_alias(name: str, tree: ast.Module) -> Iterator[str]:
    """`Outcome(…)` would go by typing, and take five times as long as the class that it names: `Decision(…)`."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        if called(call) == "Outcome" or (isinstance(call.func, ast.Subscript) and "/testing/" not in name):
            yield f"line {call.lineno} calls {ast.unparse(call.func)}"


# What people run in tests of their own.
FOR_TESTERS = ("oauthcore/testing/", "adapters/oauthcore_pytest/", "adapters/oauthcore_mock/")


def raises_what_testers_read(name: str, tree: ast.Module) -> Iterator[str]:
    """A failure with a message is raised, not asserted.

    pytest rewrites the `assert` of every module whose distribution has a plugin, as ours does: it appends what it makes
    of the values to our message, a thousand lines where `CI` is set. And `python -O` would leave the check out.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert) and node.msg is not None and name.startswith(FOR_TESTERS):
            yield f"line {node.lineno} asserts {ast.unparse(node.test)}"


RULES: tuple[Rule, ...] = (
    tells_nothing_of_a_request_s_values,
    imports_nothing_from_outside,
    yields_only_effects_through_helpers,
    drops_no_flow,
    guards_no_yield_from,
    returns_something,
    commits_in_one_place,
    signs_by_its_context,
    uses_up_what_a_client_has_proven_itself_with,
    says_why_there_are_no_more,
    is_named_for_its_idea,
    says_what_it_is_for,
    names_kinds_of_secrets_that_there_are,
    makes_nothing_by_a_generic_alias,
    names_events_that_there_are,
    decides_by_one_value_of_facts,
)
RULES_FOR_ALL: tuple[Rule, ...] = (
    reads_text_by_named_characters,
    reads_json_strictly,
    changes_no_value_of_a_request,
    raises_what_testers_read,
    says_what_to_do_about_a_setting,
)


def modules(*folders: Path) -> dict[str, str]:
    """Return the modules in these folders, in the core where none is named: path from the root, and text."""
    paths = (path for folder in folders or (CORE,) for path in sorted(folder.rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}
