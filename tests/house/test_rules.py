"""The core keeps the rules of the house, and each rule can be broken."""

from __future__ import annotations

import ast
import sys

import pytest

from tests.house import rules
from tests.house.rules import ADAPTERS, BY_UNICODE_AFTER_ALL, CORE, ROOT, RULES, RULES_FOR_ALL, Rule, modules
from tests.processes import run

EVERYWHERE = modules(CORE, ADAPTERS)

# What each rule must object to: the shortest text that breaks it.
BROKEN: dict[Rule, tuple[str, str]] = {
    rules.imports_nothing_from_outside: ("oauthcore/grants/x.py", "def f():\n    from time import time\n"),
    rules.yields_only_effects_through_helpers: (
        "oauthcore/grants/x.py",
        "def f() -> Flow[int]:\n    yield Find(A, k)\n",
    ),
    rules.drops_no_flow: ("oauthcore/grants/x.py", "def f() -> Flow[int]:\n    find(A, k)\n    return 1\n"),
    rules.tells_nothing_of_a_request_s_values: (
        "oauthcore/grants/x.py",
        'def f():\n    raise InvalidRequest.with_description(f"{request.state} is wrong")\n',
    ),
    rules.guards_no_yield_from: (
        "oauthcore/grants/x.py",
        "def f() -> Flow[int]:\n    try:\n        return (yield from find(A, k))\n    finally:\n        pass\n",
    ),
    rules.returns_something: ("oauthcore/grants/x.py", "def f() -> Flow[None]:\n    x = yield from find(A, k)\n"),
    rules.commits_in_one_place: (
        "oauthcore/grants/x.py",
        "def f() -> Flow[bool]:\n    return (yield from commit(()))\n",
    ),
    rules.signs_by_its_context: ("oauthcore/grants/x.py", "from oauthcore.flow.effects import Flow, sign\n"),
    rules.uses_up_what_a_client_has_proven_itself_with: (
        "oauthcore/endpoints/x.py",
        "def f() -> Flow[Outcome]:\n    caller = yield from authenticate_client(r, p, c)\n    return Decision(OK)\n",
    ),
    rules.says_why_there_are_no_more: (
        "oauthcore/endpoints/x.py",
        "def f() -> Flow[Outcome]:\n    found = yield from find_of(Grant, s)\n    return Decision(OK)\n",
    ),
    rules.is_named_for_its_idea: ("oauthcore/utils.py", ""),
    rules.says_what_it_is_for: ("oauthcore/x.py", '"""A module."""\ndef f(): pass\n'),
    rules.names_kinds_of_secrets_that_there_are: ("oauthcore/x.py", "context.digest('acess_token', secret)\n"),
    rules.reads_json_strictly: ("oauthcore/x.py", "def f(text):\n    return json.loads(text)\n"),
    rules.names_events_that_there_are: ("oauthcore/x.py", "EVENT = Event('token_isued', client_id)\n"),
    rules.makes_nothing_by_a_generic_alias: ("oauthcore/x.py", "def f():\n    return Outcome(OK)\n"),
    rules.changes_no_value_of_a_request: (
        "oauthcore/x.py",
        "def f(response):\n    response.status = 500\n",
    ),
    rules.decides_by_one_value_of_facts: (
        "oauthcore/x.py",
        "def decide(request, client, grant, person, context): pass\n",
    ),
    rules.reads_text_by_named_characters: ("adapters/oauthcore_x/x.py", "def f(text):\n    return text.strip()\n"),
    rules.says_what_to_do_about_a_setting: (
        "adapters/oauthcore_x/x.py",
        "def f(path):\n    why = f\"it can't be read ({path})\"\n    raise ConfigurationError('file', path, why)\n",
    ),
    rules.raises_what_testers_read: ("oauthcore/testing/x.py", 'def f(text):\n    assert text, "there is none"\n'),
}


@pytest.fixture(scope="module")
def trees() -> dict[str, ast.Module]:
    """Return the syntax tree of every module: parsing takes longer than most rules."""
    return {name: ast.parse(text) for name, text in EVERYWHERE.items()}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_core_keeps(rule: Rule, trees: dict[str, ast.Module]) -> None:
    core = {name: tree for name, tree in trees.items() if name.startswith("oauthcore/")}
    assert len(core) > 100

    breaches = [f"{name} {breach}" for name, tree in core.items() for breach in rule(name, tree)]

    assert breaches == []


@pytest.mark.parametrize("rule", RULES_FOR_ALL, ids=lambda rule: rule.__name__)
def test_core_and_adapters_keep(rule: Rule, trees: dict[str, ast.Module]) -> None:
    breaches = [f"{name} {breach}" for name, tree in trees.items() for breach in rule(name, tree)]

    assert breaches == []


@pytest.mark.parametrize("rule", [*RULES, *RULES_FOR_ALL], ids=lambda rule: rule.__name__)
def test_a_breach_is_found_of(rule: Rule) -> None:
    name, text = BROKEN[rule]

    assert list(rule(name, ast.parse(text))) != []


def test_a_dropped_result_is_found() -> None:
    tree = ast.parse("def f() -> Flow[int]:\n    yield from find(A, k)\n    return 1\n")

    assert list(rules.drops_no_flow("oauthcore/x.py", tree)) == ["line 2 drops the result of a flow"]


@pytest.mark.parametrize(
    "text",
    [
        "a.split()",
        "a.split(None, 1)",
        "a.rsplit(maxsplit=1)",
        "a.isdigit()",
        "a.lower()",
        "a.casefold()",
        "int(a)",
        "int(a.strip(' '))",
        "float(a)",
        "list(map(str.strip, a))",
        "sorted(a, key=str.lower)",
        "list(map(int, a))",
        "import re\nre.compile(r'\\d+')",
        "import re\nPART = r'\\s'\nre.compile(PART)",
    ],
)
def test_text_that_is_read_by_unicode_is_found(text: str) -> None:
    assert list(rules.reads_text_by_named_characters("oauthcore/x.py", ast.parse(text))) != []


@pytest.mark.parametrize(
    "text",
    [
        "a.split(' ')",
        "a.strip(OWS)",
        "int(self._clock())",
        "int(time.time())",
        "import re\nre.compile(r'\\d+', re.ASCII)",
        "import re\nre.compile(r'[0-9]+')",
    ],
)
def test_text_that_is_read_by_named_characters_is_let_pass(text: str) -> None:
    assert list(rules.reads_text_by_named_characters("oauthcore/x.py", ast.parse(text))) == []


@pytest.mark.slow
def test_every_exception_from_named_characters_is_needed(trees: dict[str, ast.Module]) -> None:
    used = {rules.excuse_of(name, kind) for name, tree in trees.items() for _, kind in rules.by_unicode(name, tree)}

    assert BY_UNICODE_AFTER_ALL.keys() - used == set()


def test_a_boolean_that_is_taken_for_a_number_is_found() -> None:
    for text in ("isinstance(a, int)", "isinstance(a, int | float)", "isinstance(a, (str, int))"):
        assert list(rules.reads_json_strictly("oauthcore/x.py", ast.parse(text))) != []

    assert list(rules.reads_json_strictly("oauthcore/x.py", ast.parse("isinstance(a, int | bool)"))) == []


@pytest.mark.parametrize("excused", ["JSON_BY_ITSELF", "NUMBERS_OF_OURS"])
def test_every_exception_from_strict_json_is_needed(excused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    names = set(getattr(rules, excused))
    monkeypatch.setattr(rules, excused, {})

    assert names == {name for name in names if list(rules.reads_json_strictly(name, ast.parse(EVERYWHERE[name])))}


def test_importing_the_core_loads_no_event_loop_and_no_dependency_but_attrs() -> None:
    unwanted = {"asyncio", "socket", "ssl", "h11", "jinja2", "itsdangerous", "cattrs", "anyio", "hypothesis", "joserfc"}
    program = f"import sys; known = {{*sys.modules}}; import oauthcore; print({unwanted} & sys.modules.keys() - known)"

    result = run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT)

    assert result.stdout == "set()\n"


def test_importing_the_testing_kit_loads_neither_hypothesis_nor_pytest() -> None:
    program = "import sys, oauthcore.testing; print({'hypothesis', 'pytest', '_pytest'} & sys.modules.keys())"

    result = run([sys.executable, "-c", program], capture_output=True, check=True, cwd=ROOT)

    assert result.stdout == "set()\n"
