"""What each answer has to look like when it comes out of a host, whatever else is true of it."""

from __future__ import annotations

from typing import Any

from oauthcore.testing.client_session import members_of
from oauthcore.testing.telling import outlined
from oauthcore.wire.http import Response
from oauthcore.wire.text import ascii_lower, media_type


def granted(response: Response, what: str) -> dict[str, Any]:
    """Return the members of a token response (RFC 6749 section 5.1)."""
    if response.status != 200:
        raise AssertionError(f"{what} was refused: {outlined(response)}")
    members = _members(response, what)
    if ascii_lower(str(members.get("token_type"))) != "bearer":
        raise AssertionError(f"{what} gave no bearer token")
    return members


def refused(response: Response, status: int, code: str, what: str) -> None:
    """Demand an error response of a registered code (RFC 6749 section 5.2), and nothing beside it."""
    if response.status != status:
        raise AssertionError(f"{what} was answered with {response.status}, and not with {status}")
    members = _members(response, what)
    if members.get("error") != code:
        raise AssertionError(f"{what} was refused as {members.get('error')}, not as {code}")
    if any(name.endswith("_token") for name in members):
        raise AssertionError(f"{what} was refused, and given a token")
    challenge = response.header("www-authenticate") or ""
    if status == 401 and not ascii_lower(challenge).startswith("basic "):
        raise AssertionError(
            f"{what} was refused by 401 without the header WWW-Authenticate that says how a client authenticates"
        )


def described(response: Response, what: str) -> dict[str, Any] | None:
    """Return what is said of a token that is live; None of any other, of which nothing else may be said (RFC 7662)."""
    if response.status != 200:
        raise AssertionError(f"asking about {what} was refused: {outlined(response)}")
    members = _members(response, f"asking about {what}")
    if members.get("active") is True:
        return members
    if members != {"active": False}:
        raise AssertionError(f"{what} is dead, and it is told more of it: {sorted(members)}")
    return None


def _members(response: Response, what: str) -> dict[str, Any]:
    kind, kept = response.header("content-type"), response.header("cache-control")
    is_json = media_type(kind) == "application/json"
    if not is_json:
        raise AssertionError(f"{what} was answered with Content-Type: {kind}, and not with application/json")
    if "no-store" not in ascii_lower(kept or ""):
        raise AssertionError(f"{what} was answered with Cache-Control: {kept}, and not with no-store")
    return members_of(response)
