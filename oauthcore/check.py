"""Checks as data: a row for each, so that what is refused, in which order and where, can be read and tested."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, Literal, TypeVar

import attrs

from oauthcore.errors import OAuthError

F = TypeVar("F", bound=Callable[..., object])

Failure = Literal["page", "redirect", "response"]
"""How a failure is answered: by a page to the person, by a redirect to the client, or in the response to the client."""


@attrs.frozen
class Check(Generic[F]):
    """Describe a check.

    `name` is what holds when it has passed, `function` what finds that out, `section` the standard's that asks for it.
    `errors` are what it raises, and `failure` is how they are answered. It belongs to the `endpoints`, by name; one
    that `needs_openid` only where OpenID Connect is offered, and one that `needs_resources` where resources are told
    apart, since RFC 6749 section 3.1 has parameters ignored that are not known.
    """

    name: str
    function: F
    section: str
    errors: tuple[type[OAuthError], ...]
    failure: Failure
    endpoints: tuple[str, ...]
    needs_openid: bool = False
    needs_resources: bool = False
