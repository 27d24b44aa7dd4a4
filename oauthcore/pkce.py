"""Proof Key for Code Exchange (RFC 7636): only the client that requested a code can redeem it."""

from __future__ import annotations

import hashlib
import re
from typing import Literal

from oauthcore.digest import base64url, same
from oauthcore.errors import InvalidGrant, InvalidRequest
from oauthcore.per_request import per_request

Method = Literal["S256", "plain"]

# RFC 7636 sections 4.1 and 4.2: 43 to 128 unreserved characters, for the verifier and the challenge alike.
_SYNTAX = re.compile(r"[A-Za-z0-9\-._~]{43,128}")


@per_request
class CodeChallenge:
    """Remember what a verifier will have to match."""

    value: str
    method: Method


def parse_challenge(value: str | None, method: str | None, *, plain_allowed: bool) -> CodeChallenge | None:
    """Read the challenge of an authorization request (RFC 7636 section 4.3).

    An absent method means `plain`, so it never switches the check off; a method without a challenge is a mistake
    that would, and is refused. Raises `InvalidRequest`.
    """
    if value is None:
        if method is not None:
            raise InvalidRequest.with_description("code_challenge_method was sent without code_challenge")
        return None
    if not _SYNTAX.fullmatch(value):
        raise InvalidRequest.with_description("code_challenge is not 43 to 128 unreserved characters")
    match method or "plain":
        case "S256":
            return CodeChallenge(value, "S256")
        # RFC 7636 section 4.3: absent means plain. RFC 9700 section 2.1.1 recommends methods that don't expose the
        # verifier in the authorization request, which only S256 is, so plain needs an allowance.
        case "plain" if plain_allowed:
            return CodeChallenge(value, "plain")
        case "plain":
            raise InvalidRequest.with_description(
                "code_challenge_method plain (the default) is not allowed; use S256"
            ).by_setting("policy.allow")
        case _:
            raise InvalidRequest.with_description("code_challenge_method is unknown; use S256")


def check_verifier(challenge: CodeChallenge | None, verifier: str | None) -> None:
    """Match the verifier of an exchange with the code's challenge (RFC 7636 section 4.6).

    Raises `InvalidGrant`, also for a verifier without a challenge: accepting it would let an attacker strip the
    challenge from the authorization request unnoticed (RFC 9700 section 4.8.2).
    """
    if challenge is None:
        if verifier is not None:
            raise InvalidGrant.with_description(
                "code_verifier was sent, but the authorization request had no code_challenge"
            )
        return
    if verifier is None:
        raise InvalidGrant.with_description("code_verifier is missing")
    if not _SYNTAX.fullmatch(verifier):
        raise InvalidGrant.with_description("code_verifier is not 43 to 128 unreserved characters")
    # RFC 7636 section 4.6: the method is the one stored with the challenge; the exchange can't choose another.
    if not same(_transformed(verifier, challenge.method), challenge.value):
        raise InvalidGrant("code_verifier does not match the challenge")


def _transformed(verifier: str, method: Method) -> str:
    if method == "plain":
        return verifier
    return base64url(hashlib.sha256(verifier.encode("ascii")).digest())
