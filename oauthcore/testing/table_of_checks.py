"""The page of the checks, generated from their tables by `python -m oauthcore.testing.table_of_checks`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from oauthcore.authorization.checks import CHECKS as OF_AUTHORIZATION
from oauthcore.check import Check, Failure
from oauthcore.endpoints.checks import CHECKS as OF_ENDPOINTS

_HEAD = """# Checks

Generated from the tables in `oauthcore/authorization/checks.py` and `oauthcore/endpoints/checks.py` by
`python -m oauthcore.testing.table_of_checks`; a test compares them. `oauthcore replay` tells by the same tables which
checks a request has passed, and which one refused it.
"""

_OF_AUTHORIZATION = """
## An authorization request

In this order, which is policy (RFC 6749 section 4.1.2.1): what fails first is the answer. Until `redirect_uri` is
known to be the client's, a failure is a page to the person; afterwards the client is told by a redirect. The columns
are where a request is checked: as its client pushes it (RFC 9126), where each failure is in the response; as it comes
to the authorization endpoint, pushed or not; when the application looks at it or answers it; and when it goes on at
the resume path. What can change meanwhile is checked each time. A device's request (RFC
8628) is checked as it comes to the device authorization endpoint, where each failure is in the response, and when its
user looks at it or answers it. *OpenID* marks what a server that does not offer OpenID Connect ignores, *resources*
what one ignores that issues tokens for itself alone.
"""

_OF_ENDPOINTS = """
## Beside it, and everywhere else

Each is made by the flow that it belongs to. A failure at the token endpoint, and wherever a client calls, is in the
response itself; at a page's endpoint it is a page.
"""

_ANSWERS: dict[Failure, str] = {"page": "a page", "redirect": "a redirect", "response": "the response"}


def document() -> str:
    """Return the whole page."""
    return _HEAD + _OF_AUTHORIZATION + table(OF_AUTHORIZATION) + _OF_ENDPOINTS + table(OF_ENDPOINTS)


def table(checks: Sequence[Check[Any]]) -> str:
    """Return one table, with a column for each endpoint that is in it."""
    endpoints = tuple(dict.fromkeys(endpoint for check in checks for endpoint in check.endpoints))
    head = ("what holds when it has passed", "section", "error", "answered by", *endpoints)
    lines = [head, ("---",) * len(head), *(cells(check, endpoints) for check in checks)]
    return "\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)


def cells(check: Check[Any], endpoints: Sequence[str]) -> Iterator[str]:
    """Return the cells of a row."""
    yield check.name + (" (*OpenID*)" if check.needs_openid else " (*resources*)" if check.needs_resources else "")
    yield check.section
    yield ", ".join(dict.fromkeys(f"`{error.code}`" for error in check.errors)) or "none"
    yield _ANSWERS[check.failure]
    yield from ("yes" if endpoint in check.endpoints else "" for endpoint in endpoints)


if __name__ == "__main__":
    print(document(), end="")
