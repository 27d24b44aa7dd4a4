"""docs/profiles.md and docs/fapi-sections.md: their code runs as it stands, and each rule has its row."""

from __future__ import annotations

import re

import pytest

from oauthcore.profiles.fapi2_message_signing import RULES_OF_PART
from oauthcore.profiles.fapi2_security import FAPI2_SECURITY
from oauthcore.profiles.profile import PROFILE_NAMES
from oauthcore.profiles.rule import Rule
from tests.test_openid_sections import ROOT, names_in
from tests.test_pushed_requests_page import run_blocks

PAGE = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
SECTIONS = (ROOT / "docs" / "fapi-sections.md").read_text(encoding="utf-8")
LINE = re.compile(r"^\| ([\d.]+) \| `(\w+)` \| (.*?) \| (.*?) \| (.*?) ?\|$", re.MULTILINE)
ROWS = {row[1]: row for row in LINE.findall(SECTIONS)}
RULES = (*FAPI2_SECURITY, *(rule for part in RULES_OF_PART.values() for rule in part))


def test_a_server_is_held_to_fapi_as_the_page_has_it() -> None:
    names = run_blocks(PAGE)

    assert names["server"].pushed_requests.required
    assert names["watched"].pushed_requests is None


@pytest.mark.parametrize("name", PROFILE_NAMES)
def test_the_page_says_of_each_profile_whom_it_is_for(name: str) -> None:
    assert re.search(rf"^\| `{name}` \| .+ \| .+ \|$", PAGE, re.MULTILINE)


def test_no_row_is_of_a_rule_that_is_none() -> None:
    assert set(ROWS) == {rule.name for rule in RULES}


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_each_rule_of_fapi_has_a_module_and_a_test(rule: Rule) -> None:
    section, _, requirement, modules, tests = ROWS[rule.name]

    assert (section, requirement) == (rule.source.rpartition(" ")[2], rule.requirement)
    assert rule.is_yours == modules.startswith("the operator's")
    for module in re.findall(r"`([\w/]+\.py)`", modules):
        assert (ROOT / "oauthcore" / module).is_file(), module
    proven = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
    assert proven or rule.is_yours
    for path, name in proven:
        assert name in names_in(ROOT / "tests" / path), name
