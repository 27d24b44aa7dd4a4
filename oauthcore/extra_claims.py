"""Claims of a host's own in tokens, introspection and UserInfo: the function that adds them, and what it may not add.

RFC 9068 section 2.2.2 and OIDC Core section 5.1.2 let a server add claims. `oauthcore.add_claims` calls the function.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Generator, Mapping
from typing import Any, Literal, TypeAlias

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import shown
from oauthcore.openid import RESERVED_CLAIMS
from oauthcore.records.client import Client
from oauthcore.scope import Scope

ClaimsPlace: TypeAlias = Literal["access_token", "id_token", "introspection", "userinfo"]

# What the server alone says: of a token (RFC 9068 section 2.2), of its introspection (RFC 7662 section 2.2; RFC 9701
# section 5), and who may do what with it (RFC 8693 section 4, RFC 9396 section 9). Otherwise a function could make one
# token pass for another's, or for one that allows more than was granted.
PROTECTED_CLAIMS = RESERVED_CLAIMS | {
    *("client_id", "scope", "active", "token_type", "token_introspection"),
    *("may_act", "authorization_details", "grant_id"),
}
REMEDY = "leave these out: the server sets them itself"


@attrs.frozen(kw_only=True)
class ClaimsTarget:
    """Describe what claims can be added to: an access token that is a JWT, an ID token, or a response about a token.

    `client` is the one that the token was issued to, `subject` the user, None for a client's own token. `scope` is what
    was granted, `audience` for whom the claims are: in an ID token and at UserInfo the client. `caller` is the client
    that introspects, None elsewhere, and for a resource server that finds the token in the server's own storage.
    """

    place: ClaimsPlace
    client: Client
    subject: str | None
    scope: Scope
    audience: tuple[str, ...]
    caller: Client | None = None


AddClaims: TypeAlias = Callable[[ClaimsTarget], Mapping[str, object] | Generator[Any, Any, Mapping[str, object]]]
"""Return the claims to add, or a flow that does, which may find records and ask for claims of the user."""

ExtraClaims: TypeAlias = Callable[[ClaimsTarget], Generator[Any, Any, Mapping[str, object]]]
"""The same, always as a flow, and with claims that have been checked."""


def checked(add: AddClaims) -> ExtraClaims:
    """Return a host's function as a flow whose claims are checked."""

    def extra_claims(target: ClaimsTarget) -> Generator[Any, Any, Mapping[str, object]]:
        """Return the claims to add; raises `ConfigurationError` for what can't be added."""
        added = add(target)
        if isinstance(added, Generator):
            added = yield from added
        return check_claims(added)

    return extra_claims


def check_claims(added: object) -> Mapping[str, object]:
    """Return claims without those that are None; raises `ConfigurationError`, which has names and no values."""
    if inspect.iscoroutine(added):
        added.close()
        raise ConfigurationError("extra_claims", shown(added), "give a function or a flow; the world's claims may wait")
    if not isinstance(added, Mapping):
        raise ConfigurationError("extra_claims", shown(added), "return a mapping of claims, {} for none")
    if protected := sorted(PROTECTED_CLAIMS.intersection(added)):
        raise ConfigurationError("extra_claims", protected, REMEDY)
    for name, value in added.items():
        if not isinstance(name, str) or not is_json(value):
            raise ConfigurationError("extra_claims", str(name), "use a string as its name, and a value that JSON has")
    return {name: value for name, value in added.items() if value is not None}


def is_json(value: object) -> bool:
    """Return whether a value can be written as JSON (RFC 8259), which has no infinity."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError, RecursionError):
        return False
    return True
