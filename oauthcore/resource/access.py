"""What a token allows, as one value, whether it is from our storage, introspection (RFC 7662) or the token itself.

Not every source knows every field. Unknown ones are None or empty, and a check that needs one refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import attrs

from oauthcore.digest import Secret
from oauthcore.flow.effects import Flow
from oauthcore.jose.strict_json import is_time
from oauthcore.records.client_subject import client_subject
from oauthcore.scope import Scope

_NOTHING: Mapping[str, object] = MappingProxyType({})


@attrs.frozen(kw_only=True)
class Access:
    """Say what a token allows: on behalf of which user (`subject`, None for the client itself), and until when.

    `acr`, `amr` and `auth_time` (seconds since the epoch) say how and when the user was authenticated (RFC 9068 section
    2.2.1, RFC 9470 section 6). `cnf` is the key that a token is bound to (RFC 7800): a `ResourceServer` refuses such a
    token unless `is_possession_proven`, which it sets where the request was made with that key. `act` is who acts for
    the subject (RFC 8693 section 4.1). `authorization_details` are what was allowed beside the scope, each an object
    with a `type` (RFC 9396). `claims` has all members of a JWT or an introspection response; the others are not
    verified. For a token of the server's own storage it has what the host's function adds (`extra_claims`).
    """

    client_id: str
    subject: str | None
    scope: Scope
    issued_at: int | None
    expires_at: int | None
    audience: tuple[str, ...] = ()
    issuer: str | None = None
    acr: str | None = None
    auth_time: int | None = None
    amr: tuple[str, ...] = ()
    cnf: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    is_possession_proven: bool = False
    act: Mapping[str, object] | None = attrs.field(default=None, repr=False)
    authorization_details: tuple[Mapping[str, object], ...] = attrs.field(default=(), repr=False)
    claims: Mapping[str, object] = attrs.field(default=_NOTHING, repr=False)

    @property
    def identity(self) -> str:
        """Return who acts, for a host that has one name for both: a person's subject, or what no person is called."""
        return client_subject(self.client_id) if self.subject is None else self.subject


FindAccess: TypeAlias = Callable[[Secret], Flow[Access | None]]
"""Return what a token allows, None if nothing; an `InvalidToken` says the same, with a reason for the log."""


def access_of_members(members: Mapping[str, object], client_id: str, scope: Scope) -> Access | None:
    """Read the members that JWTs (RFC 9068 section 2.2) and introspection responses (RFC 7662 section 2.2) share.

    Returns None if `cnf` or `act` is malformed. If a malformed `cnf` were ignored, a bound token would count as a
    bearer token; with a malformed `act`, an actor would count as the user.
    """
    cnf, act = members.get("cnf"), members.get("act")
    # RFC 7800 section 3.1: cnf is an object. What can't be read is refused, never ignored.
    if not isinstance(cnf, dict | None) or not isinstance(act, dict | None):
        return None
    # RFC 9396 section 9: an array of objects. What can't be read may be what limits the token.
    details = _details_of(members.get("authorization_details"))
    if details is None:
        return None
    subject = text_of(members.get("sub"))
    if subject in {client_id, client_subject(client_id)}:
        # Many servers call the client so in its own tokens: that is no person (RFC 9700 section 4.15).
        subject = None
    return Access(
        client_id=client_id,
        subject=subject,
        scope=scope,
        issued_at=_second_of(members.get("iat")),
        expires_at=_second_of(members.get("exp")),
        audience=_strings_of(members.get("aud")),
        issuer=text_of(members.get("iss")),
        acr=text_of(members.get("acr")),
        auth_time=_second_of(members.get("auth_time")),
        amr=_strings_of(members.get("amr")),
        cnf=None if cnf is None else MappingProxyType(cnf),
        act=None if act is None else MappingProxyType(act),
        authorization_details=details,
        claims=MappingProxyType(dict(members)),
    )


def _details_of(value: object) -> tuple[Mapping[str, object], ...] | None:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        return None
    return tuple(MappingProxyType(one) for one in value)


def text_of(value: object) -> str | None:
    """Return a JSON value that is a string, None for any other."""
    return value if isinstance(value, str) else None


def _strings_of(value: object) -> tuple[str, ...]:
    # RFC 7519 section 4.1.3: one string, or a list of them.
    values = value if isinstance(value, list) else [value]
    return tuple(one for one in values if isinstance(one, str))


def _second_of(value: object) -> int | None:
    return int(value) if is_time(value) else None
