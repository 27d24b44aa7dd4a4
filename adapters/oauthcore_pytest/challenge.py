"""An assertion about the challenge of a resource server (RFC 6750 section 3)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from oauthcore.wire.text import ascii_lower

# RFC 9110 section 11.6.1: a parameter is a token or a quoted string.
_PARAMETER = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]+)=(?:\"((?:[^\"\\]|\\.)*)\"|([^ \t,\"]+))")
_SCHEME = re.compile(r"(?:^|,)[ \t]*Bearer(?:[ \t]+|$|,)", re.IGNORECASE)
# RFC 6750 section 3.1; without credentials there is no code, and the status is 401.
_STATUS = {"invalid_request": 400, "invalid_token": 401, "insufficient_scope": 403, None: 401}


@attrs.frozen
class ReceivedChallenge:
    """Hold the parameters of a Bearer challenge."""

    parameters: Mapping[str, str]

    @property
    def error(self) -> str | None:
        """Return the error code; None for a request without credentials."""
        return self.parameters.get("error")

    @property
    def scope(self) -> frozenset[str]:
        """Return the required scope."""
        return frozenset(filter(None, self.parameters.get("scope", "").split(" ")))

    @property
    def resource_metadata(self) -> str | None:
        """Return the URL of the resource's metadata (RFC 9728 section 5.1)."""
        return self.parameters.get("resource_metadata")


def assert_challenge(
    response: Any,
    *,
    error: str | None = None,
    scope: str | Iterable[str] | None = None,
    status: int | None = None,
    resource_metadata: str | None = None,
) -> ReceivedChallenge:
    """Check that a response refuses a request as RFC 6750 section 3 requires, and return its challenge.

    `response` is that of httpx, requests, Starlette, Flask, Django, aiohttp, or `oauthcore`. Without an `error` the
    Without `error` the challenge must have none, as for a request without a token. `status` is by default that of the
    error; a `scope` of None accepts any. Raises `AssertionError`, which says what the response has instead.
    """
    found_status, header = _status_of(response), _header_of(response)
    wanted = _STATUS.get(error, 401) if status is None else status
    if found_status != wanted:
        raise AssertionError(f"the status is {found_status}, and not {wanted}; WWW-Authenticate: {header}")
    if header is None:
        raise AssertionError(f"there is no WWW-Authenticate beside {found_status} (RFC 6750 section 3)")
    scheme = _SCHEME.search(header)
    if scheme is None:
        raise AssertionError(f"the challenge is for no bearer token: {header}")
    challenge = ReceivedChallenge(_parameters(header[scheme.end() :]))
    if challenge.error != error:
        raise AssertionError(f"the error is {challenge.error}, and not {error}: {header}")
    if scope is not None:
        needed = frozenset(scope.split(" ") if isinstance(scope, str) else scope) - {""}
        if challenge.scope != needed:
            raise AssertionError(f"the scope is {sorted(challenge.scope)}, and not {sorted(needed)}: {header}")
    if resource_metadata is not None:
        where = challenge.resource_metadata
        if where != resource_metadata:
            raise AssertionError(f"resource_metadata is {where}, and not {resource_metadata}: {header}")
    return challenge


def _parameters(text: str) -> dict[str, str]:
    """Parse the parameters of one challenge, up to the next one."""
    found: dict[str, str] = {}
    position = 0
    while match := _PARAMETER.match(text, position):
        quoted = match[2]
        found[ascii_lower(match[1])] = match[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        comma = re.compile(r"[ \t]*,[ \t]*").match(text, match.end())
        if comma is None:
            break
        position = comma.end()
    return found


def _status_of(response: Any) -> int:
    # aiohttp and oauthcore call it `status`, which is a string in Flask.
    status = getattr(response, "status_code", None)
    found: int = response.status if status is None else status
    return found


def _header_of(response: Any) -> str | None:
    headers = response.headers
    pairs = headers.items() if hasattr(headers, "items") else headers
    values = [str(value) for name, value in pairs if ascii_lower(str(name)) == "www-authenticate"]
    return ", ".join(values) if values else None
