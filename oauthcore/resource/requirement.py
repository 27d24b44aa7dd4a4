"""What a route requires: a scope (RFC 6750 section 3), and how and when the user was authenticated (RFC 9470)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Self

import attrs

from oauthcore.errors import ConfigurationError, InsufficientUserAuthentication, InvalidScope
from oauthcore.given import strings
from oauthcore.jose.strict_json import is_integer
from oauthcore.resource.access import Access
from oauthcore.scope import Scope, as_scope, parse_scope

# They are divided by spaces within a quoted string (RFC 9470 section 3), and half of the clients don't unescape.
_ACR_VALUE = re.compile(r"[\x21\x23-\x5B\x5D-\x7E]+")


@attrs.frozen
class Requirement:
    """Hold what a request has to show: all of `scope`, one of `acr_values`, a login at most `max_age` seconds ago."""

    scope: Scope
    acr_values: tuple[str, ...] = ()
    max_age: int | None = None

    @classmethod
    def of(cls, scope: str | Iterable[str], acr_values: str | Iterable[str] = (), max_age: int | None = None) -> Self:
        """Read what a host requires; raises `ConfigurationError` for what can't be."""
        values = (
            tuple(filter(None, acr_values.split(" ")))
            if isinstance(acr_values, str)
            else strings("acr_values", acr_values)
        )
        if not all(map(_ACR_VALUE.fullmatch, values)):
            raise ConfigurationError("acr_values", values, 'use printable ASCII without " and \\, each without spaces')
        if max_age is not None and not (is_integer(max_age) and max_age >= 1):
            # A login of this very second is older by the time its token comes: everybody would log in for ever.
            raise ConfigurationError("max_age", max_age, "use a number of seconds, 1 or more")
        return cls(required_scope(scope), values, max_age)

    def check_authentication(self, access: Access, now: float) -> None:
        """Refuse a token by how and when its user was authenticated (RFC 9470 section 3).

        A token without that information is refused. Raises `InsufficientUserAuthentication`, which names all
        requirements, so that one new authorization is enough.
        """
        if self.acr_values and access.acr not in self.acr_values:
            raise self._insufficient(f"the token's acr is {access.acr}")
        # RFC 9470 section 3: the age of the authentication itself, not of the token, which a refresh makes new.
        if self.max_age is not None and (access.auth_time is None or now - access.auth_time > self.max_age):
            raise self._insufficient(f"the token's auth_time is {access.auth_time}")

    def _insufficient(self, reason: str) -> InsufficientUserAuthentication:
        parameters = {"acr_values": " ".join(self.acr_values)} if self.acr_values else {}
        if self.max_age is not None:
            parameters["max_age"] = str(self.max_age)
        return InsufficientUserAuthentication(reason, parameters)


def required_scope(scope: str | Iterable[str]) -> Scope:
    """Read the scope that a host requires (RFC 6749 appendix A.4); raises `ConfigurationError` for an invalid one.

    `offline_access` concerns only the client and the authorization server. If a resource required it, clients would
    request it and get refresh tokens that they do not want (OIDC Core section 11).
    """
    try:
        required = parse_scope(as_scope(scope).text)
    except InvalidScope:
        raise ConfigurationError("scope", scope, 'use printable ASCII without " and \\, divided by spaces') from None
    if "offline_access" in required:
        raise ConfigurationError("scope", required.text, "leave out offline_access: it has no meaning at a resource")
    return required
