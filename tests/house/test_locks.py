"""Locks: what a session installs was written down before, so that no registry's news turns a green tree red."""

from __future__ import annotations

import ast
import json
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent
LOCKS = ROOT / "tests" / "locks"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
EXTRAS = PROJECT["project"]["optional-dependencies"]
# The same table as in the noxfile: which extras of the project a lock has beside its group.
LOCKED = {"lint": (), "contracts": (), "tests": ("all",), "types": ("all",)}


def wanted_by_extra(name: str) -> list[str]:
    """Return what an extra asks for, with what the extras it is made of ask for."""
    found = []
    for text in EXTRAS[name]:
        requirement = Requirement(text)
        if requirement.name == "oauthcore":
            found += [below for extra in sorted(requirement.extras) for below in wanted_by_extra(extra)]
        else:
            found.append(text)
    return found


def wanted_by_group(name: str) -> list[str]:
    """Return what a dependency group asks for, with what the groups it includes ask for."""
    found = []
    for entry in PROJECT["dependency-groups"][name]:
        found += [entry] if isinstance(entry, str) else wanted_by_group(entry["include-group"])
    return found


def locked(name: str) -> dict[str, set[str]]:
    """Return the versions that a lock has of each package: more than one where Python versions differ."""
    found: dict[str, set[str]] = {}
    for line in (LOCKS / f"{name}.txt").read_text().splitlines():
        if line and not line.startswith((" ", "#")):
            package, _, rest = line.partition("==")
            found.setdefault(canonicalize_name(package.partition("[")[0]), set()).add(rest.split(" ", 1)[0])
    return found


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_a_lock_has_a_version_of_everything_that_is_asked_for(name: str) -> None:
    asked = wanted_by_group(name) + PROJECT["project"]["dependencies"]
    asked += [text for extra in LOCKED[name] for text in wanted_by_extra(extra)]
    versions = locked(name)

    missing = [
        text
        for text in map(Requirement, asked)
        if not any(text.specifier.contains(v) for v in versions.get(canonicalize_name(text.name), ()))
    ]

    assert not missing, f"run nox -s lock, and commit what it writes: {missing}"


@pytest.mark.parametrize("name", sorted(LOCKED))
def test_a_lock_names_each_package_by_its_contents(name: str) -> None:
    entries = [entry for entry in (LOCKS / f"{name}.txt").read_text().split("\n") if entry and entry[0] not in " #"]

    assert entries
    assert all("==" in entry and entry.endswith("\\") for entry in entries)
    assert (LOCKS / f"{name}.txt").read_text().count("--hash=sha256:") >= len(entries)


def test_sessions_install_nothing_but_locks_and_the_project() -> None:
    tree = ast.parse((ROOT / "noxfile.py").read_text())
    inside = {"install", "lock"}
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name not in inside]

    outside = [
        f"{function.name}, line {node.lineno}"
        for function in functions
        for node in ast.walk(function)
        if isinstance(node, ast.Attribute) and node.attr == "install"
    ]

    assert not outside, f"install by a lock: {outside}"


@pytest.mark.parametrize("folder", ["relying_parties", "mcp_clients", "mcp_clients/conformance"])
def test_the_clients_from_npm_are_locked(folder: str) -> None:
    written = json.loads((ROOT / "tests" / folder / "package.json").read_text())
    packages = json.loads((ROOT / "tests" / folder / "package-lock.json").read_text())["packages"]

    for kind in ("dependencies", "optionalDependencies"):
        assert packages[""].get(kind) == written.get(kind)
    assert all("integrity" in package for name, package in packages.items() if name)
