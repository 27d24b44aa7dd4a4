"""The documents say what is true."""

from __future__ import annotations

import asyncio
import re
import stat
import subprocess
from pathlib import Path
from shutil import which
from typing import Any

import pytest

from oauthcore.testing import diagrams, table_of_checks
from oauthcore_sqlite import SqliteStorage

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLES = sorted((DOCS / "examples").glob("*_app.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.stem))
def test_page_shows_the_example_that_is_tested(example: Path) -> None:
    page = DOCS / "frameworks" / f"{example.stem.removesuffix('_app')}.md"

    assert f"```python\n{example.read_text(encoding='utf-8')}```" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: str(path.stem))
def test_example_shows_the_csrf_token_in_its_form(example: Path) -> None:
    assert re.search(
        r"<form [^']*<input type=\"hidden\" name=\"csrf\w*\" value=\"\{\}\">", example.read_text(encoding="utf-8")
    )


def test_readme_shows_the_example_that_is_tested() -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    code = (DOCS / "examples" / "fastapi_app.py").read_text(encoding="utf-8")

    assert f"<!-- example: fastapi_app -->\n```python\n{code}```" in readme


def test_the_storages_that_need_no_extra_are_made_as_the_page_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    page = (DOCS / "storage.md").read_text(encoding="utf-8").partition("## In memory, and in a file\n")[2]
    (block,) = re.findall(r"```python\n(.*?)```", page.partition("\n## ")[0], re.DOTALL)
    names: dict[str, Any] = {}

    exec(compile(block, "storage.md", "exec"), names)
    storage = names["AsyncSqliteStorage"](names["SqliteStorage"]("oauthcore.db"))

    assert (tmp_path / "oauthcore.db").exists()
    assert asyncio.run(storage.purge(0, 1)) == 0


@pytest.mark.skipif(which("sqlite3") is None, reason="there is no sqlite3 here: apt-get install sqlite3")
def test_the_copy_that_the_documented_command_makes_is_readable_for_its_owner_alone(tmp_path: Path) -> None:
    page = (DOCS / "operating.md").read_text(encoding="utf-8")
    (command,) = re.findall(r"^\| SQLite \| `(.*)` \|$", page, re.MULTILINE)
    SqliteStorage(tmp_path / "oauthcore.db").close()

    subprocess.run(["sh", "-c", f"umask 022; {command}"], cwd=tmp_path, check=True, timeout=60)

    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert (DOCS / "lifecycles.md").read_text(encoding="utf-8") == diagrams.document()


def test_the_page_of_the_checks_is_that_of_the_tables() -> None:
    assert (DOCS / "checks.md").read_text(encoding="utf-8") == table_of_checks.document()
