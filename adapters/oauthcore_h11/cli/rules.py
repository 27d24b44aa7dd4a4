"""`oauthcore check --rules`: how each rule of a profile stands in a deployment, and which setting obeys it."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Literal, TypeAlias

from oauthcore import ConfigurationError, Profile
from oauthcore.profiles.fapi2_message_signing import PARTS
from oauthcore.profiles.profile import ProfileName
from oauthcore.profiles.rule import Problem
from oauthcore_h11.assembly import profile_of, server_of
from oauthcore_h11.cli.options import show
from oauthcore_h11.configuration import Configuration
from oauthcore_h11.declarations import described_client

RuleSet: TypeAlias = ProfileName | Literal["configured"]

COLUMNS = ("rule", "requirement", "setting", "state", "source")


def show_rules(configuration: Configuration, wanted: RuleSet, *, as_json: bool) -> None:
    """Print a row for each rule; the exit code is 1 if one is not obeyed."""
    profile = chosen(wanted, profile_of(configuration))
    rows = list(rows_of(configuration, profile))
    show(rows, COLUMNS, as_json=as_json)
    if any(str(row["state"]).startswith("not obeyed") for row in rows):
        sys.exit(1)


def chosen(wanted: RuleSet, configured: Profile | None) -> Profile:
    """Return the profile whose rules are shown; raises `ConfigurationError` if the file has none."""
    if wanted != "configured":
        return Profile(name=wanted, parts=PARTS if wanted == "fapi2_message_signing" else ())
    if configured is None:
        raise ConfigurationError("profile", None, "name one, as in --rules rfc9700, or add a table: [profile]")
    return configured


def rows_of(configuration: Configuration, profile: Profile) -> Iterator[Mapping[str, object]]:
    """Return a row for each rule, and after one about clients a row for each declared client that breaks it."""
    clients = [described_client(f"clients[{n}]", table) for n, table in enumerate(configuration.clients, 1)]
    for one in server_of(configuration).rule_states(profile):
        row = {
            "rule": one.rule.name,
            "requirement": one.rule.requirement,
            "setting": one.rule.setting,
            "state": one.state if one.problem is None else f"not obeyed: {spelled(one.problem)}",
            "source": one.rule.source,
        }
        yield row
        for client in clients:
            problem = None if one.rule.client is None or not client.grant_types else one.rule.client(client)
            if problem is not None:
                yield {**row, "state": f"not obeyed by {client.client_id}: {spelled(problem)}"}


def spelled(problem: Problem) -> str:
    """Return what does not obey a rule, in one line."""
    return f"{problem.setting} = {problem.value!r}, {problem.remedy}"
