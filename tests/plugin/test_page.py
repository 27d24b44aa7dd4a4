"""The page on testing one's application: its files are run as they stand there, and its tables are complete."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from oauthcore_mock import FLAWS
from oauthcore_mock.faults import ENDPOINTS
from oauthcore_mock.imitations import IMITATIONS
from oauthcore_pytest import plugin
from oauthcore_pytest.attacks import ATTACKS

PAGE = (Path(__file__).parents[2] / "docs" / "testing-your-app.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"```python\n# ([a-z_]+\.py)\n(.*?)```", PAGE, re.DOTALL))
# The modules that the tests of the page import, which pytest leaves behind.
MODULES = ("api", "shop")


@pytest.fixture
def pages_files(pytester: pytest.Pytester) -> Iterator[pytest.Pytester]:
    """Write the page's files into an empty project."""
    for name, text in FILES.items():
        (pytester.path / name).write_text(text, encoding="utf-8")
    yield pytester
    for name in MODULES:
        sys.modules.pop(name, None)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("test_")])
def test_its_tests_pass(name: str, pages_files: pytest.Pytester) -> None:
    is_installed = any(found.name == "oauthcore" for found in entry_points(group="pytest11"))
    named = () if is_installed else ("-p", "oauthcore_pytest.plugin")

    result = pages_files.runpytest_inprocess("-p", "no:cacheprovider", *named, name)

    outcomes = result.parseoutcomes()
    assert set(outcomes) <= {"passed", "skipped", "warnings", "warning"}, result.stdout.str()
    assert outcomes["passed"] >= 1


def test_it_has_every_flaw_with_its_section() -> None:
    section = PAGE.partition("### Tokens with a flaw")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", section, re.MULTILINE))

    assert rows == {name: f"{flaw.says} ({flaw.section})" for name, flaw in FLAWS.items()}
    of_id_tokens = [name for name, flaw in FLAWS.items() if "access_token" not in flaw.tokens]
    assert list(FLAWS)[-5:] == of_id_tokens


def test_it_has_every_endpoint_and_fixture() -> None:
    assert all(f"`{endpoint}`" in PAGE for endpoint in ENDPOINTS)
    fixtures = {name for name in vars(plugin) if name.startswith("oauth_")}
    assert {name for name in fixtures if f"`{name}`" in PAGE or f"def {name}" in PAGE} == fixtures


def test_it_counts_what_there_is() -> None:
    row = dict(
        re.findall(
            r"^\| (tokens with a flaw|attacks on a relying party|pytest fixtures) \| (\S+?),? ", PAGE, re.MULTILINE
        )
    )

    fixtures = [name for name in vars(plugin) if name.startswith("oauth_") and name != "oauth_url"]
    assert (row["pytest fixtures"], len(fixtures)) == ("nine", 9)
    assert row["tokens with a flaw"] == str(len(FLAWS))
    assert row["attacks on a relying party"] == str(len(ATTACKS))


def test_it_has_every_imitation() -> None:
    assert all(f'| `"{name}"` |' in PAGE for name in IMITATIONS)
