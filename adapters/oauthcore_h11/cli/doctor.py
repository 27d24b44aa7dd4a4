"""`oauthcore doctor`: problems of a deployment, who they affect, and remedies."""

from __future__ import annotations

import getpass
import json
import os
import sys
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from oauthcore import ConfigurationError, Secret
from oauthcore_h11.cli.options import Identifier, Json

if TYPE_CHECKING:
    from oauthcore_doctor.examination import Report

SECRET = "OAUTHCORE_CLIENT_SECRET"
FOUND = 1
# The width for output to a pipe, which has none: the report is then read as text and compared.
WIDTH = 120
STYLES = {"error": "bold red", "warning": "yellow", "note": "dim"}


def examine(
    url: str | None = None,
    /,
    *,
    resource: str | None = None,
    client_id: Identifier | None = None,
    redirect_uri: str | None = None,
    ask_secret: Annotated[bool, Parameter(negative="")] = False,
    allow: tuple[str, ...] = (),
    ca_file: Path | None = None,
    timeout: float = 10.0,
    fail_on: Literal["error", "warning"] = "warning",
    ignore: tuple[str, ...] = (),
    as_json: Json = False,
) -> None:
    """Examine a deployment as its clients see it: report problems, who they affect, and remedies.

    Works on any authorization server. It never signs in, registers or changes anything. With --client-id it also sends
    requests of that client, and with its secret a client credentials request. Exits with 1 if there are findings.

    Parameters
    ----------
    url
        The issuer, exactly as clients are configured; by default, the one that the resource names.
    resource
        The URL of a protected resource, such as an MCP endpoint, to examine as well.
    client_id
        A registered client; its secret is read from OAUTHCORE_CLIENT_SECRET in the environment, or see --ask-secret.
    redirect_uri
        One of the client's redirect URIs, to check the errors that are sent there.
    ask_secret
        Prompt for the client's secret.
    allow
        A host or network that is not public and may be requested, besides those of URL and --resource.
    ca_file
        A file of certificates to trust besides those of the system, in PEM.
    timeout
        How many seconds each request may take.
    fail_on
        The lowest severity for which the command exits with 1; notes never count.
    ignore
        A check to leave out, by its name in brackets in the report; repeat for more than one.
    """
    from oauthcore_doctor import LentClient, Severity, Target, examine
    from oauthcore_doctor.network import NetworkPort, check_ca_file, hosts_named_by

    check_urls(url, resource, redirect_uri, client_id)
    check_ca_file(ca_file)
    check_ignored(ignore)
    if timeout <= 0:
        raise ConfigurationError("--timeout", timeout, "use a number of seconds above 0")
    client = None if client_id is None else LentClient(client_id, secret_of(ask=ask_secret), redirect_uri)
    begin = perf_counter()
    target = Target(url, resource, client)
    port = NetworkPort((*hosts_named_by(target), *allow), timeout=timeout, ca_file=ca_file)
    report = examine(target, port, ignoring=ignore)
    members = {"resource": resource, "seconds": round(perf_counter() - begin, 2), **members_of(report)}
    if as_json:
        sys.stdout.write(json.dumps(members) + "\n")
    else:
        print_report(members)
    failing = (Severity.ERROR,) if fail_on == "error" else (Severity.ERROR, Severity.WARNING)
    if report.worst() in failing:
        sys.exit(FOUND)


def members_of(report: Report) -> dict[str, object]:
    """Return a report as JSON members."""
    from oauthcore_doctor.finding import printable

    issuer = report.observations.issuer
    return {
        "issuer": None if issuer is None else printable(issuer),
        "requests": len(report.observations.exchanges),
        "findings": [
            {
                "id": finding.check.id,
                "severity": finding.check.severity.value,
                "title": finding.check.title,
                "finding": finding.text,
                "matters_to": finding.check.matters_to,
                "remedy": finding.check.remedy,
                "section": finding.check.section,
            }
            for finding in report.findings
        ],
        "clients": [
            {"client": trouble.name, "reason": trouble.reason, "source": trouble.source} for trouble in report.clients
        ],
    }


def check_urls(url: str | None, resource: str | None, redirect_uri: str | None, client_id: str | None) -> None:
    """Raise `ConfigurationError` for options that name nothing to examine."""
    from oauthcore_doctor.observations import is_url

    if url is None and resource is None:
        raise ConfigurationError("URL", None, "name the issuer, or a resource by --resource")
    for setting, value in (("URL", url), ("--resource", resource)):
        if value is not None and (not is_url(value) or "#" in value):
            raise ConfigurationError(setting, value, "use a whole URL, as in https://as.example")
    if url is not None and "/.well-known/" in url:
        raise ConfigurationError("URL", url, "name the issuer, not the URL of its metadata")
    if redirect_uri is not None and client_id is None:
        raise ConfigurationError("--redirect-uri", redirect_uri, "also name its client by --client-id")


def check_ignored(ids: Sequence[str]) -> None:
    """Raise `ConfigurationError` for a check that does not exist."""
    from oauthcore_doctor import CHECKS

    known = {check.id for check in CHECKS}
    for name in ids:
        if name not in known:
            raise ConfigurationError("--ignore", name, "use the name of a check, as docs/doctor.md lists them")


def secret_of(*, ask: bool) -> Secret | None:
    """Return the client's secret; None if there is none."""
    if ask:
        try:
            return Secret(getpass.getpass("Client secret: "))
        except EOFError:
            raise ConfigurationError("--ask-secret", None, f"type it, or set {SECRET}") from None
    known = os.environ.get(SECRET)
    return Secret(known) if known else None


def print_report(members: Mapping[str, object]) -> None:
    """Print the findings for a person, the most severe first, and the clients that fail."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH, highlight=False)
    findings, clients = members["findings"], members["clients"]
    assert isinstance(findings, list)
    assert isinstance(clients, list)
    if findings:
        console.print(table_of_findings(findings))
    if clients:
        table = Table("client", "why it fails", "source", title="Clients that fail", title_justify="left", box=SIMPLE)
        for trouble in clients:
            table.add_row(*(Text(trouble[column], overflow="fold") for column in ("client", "reason", "source")))
        console.print(table)
    counts = ", ".join(counted(sum(finding["severity"] == name for finding in findings), name) for name in STYLES)
    examined = members["issuer"] or members["resource"]
    console.print(Text(f"{examined}: {counts}; {members['requests']} requests in {members['seconds']} seconds"))


def table_of_findings(findings: Sequence[Mapping[str, str]]) -> Table:
    """Return a table with one row per check: finding, expectation, who it affects, and remedy."""
    table = Table("", "finding", box=SIMPLE, show_lines=True)
    for _, group in groupby(findings, key=lambda finding: finding["id"]):
        found = list(group)
        check = found[0]
        cell = Text("\n".join(finding["finding"] for finding in found), overflow="fold")
        cell.append(f"\nright:  {check['title']}. {check['section']}  [{check['id']}]", "dim")
        cell.append(f"\nfor:    {check['matters_to']}", "dim")
        cell.append(f"\nremedy: {check['remedy']}")
        table.add_row(Text(check["severity"], STYLES[check["severity"]]), cell)
    return table


def counted(number: int, name: str) -> str:
    """Return a number with its noun."""
    return f"{number} {name}" if number == 1 else f"{number} {name}s"
