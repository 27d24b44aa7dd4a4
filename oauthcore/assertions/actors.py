"""Who acts for the user of an assertion, by its `act` (RFC 8693 section 4.1)."""

from __future__ import annotations

from oauthcore.assertions.subject_rule import is_name
from oauthcore.assertions.verified import VerifiedAssertion
from oauthcore.context import Context
from oauthcore.errors import InvalidGrant
from oauthcore.records.actor import MAX_ACTORS, Actor
from oauthcore.resource_uri import comparable


def actors_of(assertion: VerifiedAssertion, context: Context) -> tuple[Actor, ...]:
    """Return the chain of those who act by an assertion, the current one first; empty if it has no `act`.

    Raises `InvalidGrant` for what can't be read, and for more than are taken: a part of the chain would say that fewer
    act than do.
    """
    actors: list[Actor] = []
    claim = assertion.claims.get("act")
    while claim is not None:
        if not isinstance(claim, dict):
            raise InvalidGrant("the assertion does not say who acts: an act claim can't be read")
        if len(actors) == MAX_ACTORS:
            raise InvalidGrant("the assertion does not say who acts: the chain is too long")
        actors.append(_actor_in(claim, assertion.issuer.issuer, context))
        claim = claim.get("act")
    return tuple(actors)


def is_perhaps(named: str, own: str) -> bool:
    """Return whether a reader of a token might take one issuer for another, however it spells URLs.

    An issuer has no query and no fragment (RFC 8414 section 2); one that has, or that is no https URL, or escapes what
    need not be, is written to be read in two ways.
    """
    form, mine = comparable(named), comparable(own)
    if form is None or mine is None or not form.startswith("https://") or set(form) & set("?%"):
        return True
    return _without_dot(form) == _without_dot(mine)


def _without_dot(url: str) -> str:
    # DNS takes a final dot for the root: as.example. is as.example (RFC 1034 section 3.1).
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rstrip('.')}{slash}{path.rstrip('/')}"


def _actor_in(claim: dict[str, object], issuer: str, context: Context) -> Actor:
    # Section 4.1: `sub` is a name of `iss`; without `iss`, of the issuer of the assertion: never of this server.
    subject, named = claim.get("sub"), claim.get("iss", issuer)
    if not isinstance(subject, str) or not isinstance(named, str) or not is_name(subject) or not is_name(named):
        raise InvalidGrant("the assertion does not say who acts: an act claim can't be read")
    # No one but this server can say that one of its users acts: a token that said so would be this server's word for
    # it. Also where it is spelled otherwise: the token's reader may normalise it.
    if named != issuer and is_perhaps(named, context.issuer):
        raise InvalidGrant("the assertion does not say who acts: it names one of this server's users")
    return Actor(subject, named)
