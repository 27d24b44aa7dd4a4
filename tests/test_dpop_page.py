"""docs/dpop.md: its code runs as it stands, and its tables are true."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from oauthcore import Access, Dpop
from tests.test_pushed_requests_page import run_blocks

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "dpop.md").read_text(encoding="utf-8")


def test_a_client_gets_a_bound_token_as_the_page_has_it() -> None:
    names = run_blocks(PAGE)

    assert names["tokens"]["token_type"] == "DPoP"
    assert isinstance(names["verdict"], Access)


@pytest.mark.parametrize("name", [field.name for field in attrs.fields(Dpop)])
def test_the_page_has_the_true_default_of_each_setting(name: str) -> None:
    default = getattr(Dpop(), name)
    shown = " ".join(f"`{one}`" for one in default) if name == "algorithms" else str(default)

    assert re.search(rf"^\| `{name}` \| `?{re.escape(shown)}`? \|", PAGE, re.MULTILINE), (name, shown)


def test_each_rule_names_modules_and_tests_that_exist() -> None:
    rows = re.findall(r"^\| [\d., and]+: [^|]+\| ([^|]+) \| ([^|]+) \|", PAGE, re.MULTILINE)

    assert len(rows) >= 7
    for modules, tests in rows:
        for name in re.findall(r"`([\w.]+)`", modules):
            path = ROOT / name.replace(".", "/")
            assert path.with_suffix(".py").exists() or path.parent.with_suffix(".py").exists(), name
        for name in re.findall(r"`([\w./]+)`", tests):
            assert (ROOT / "tests" / name).exists(), name
