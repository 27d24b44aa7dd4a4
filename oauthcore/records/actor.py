"""Actor: who acts with a token for the person whose it is (RFC 8693 section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs


@attrs.frozen
class Actor:
    """Name one who acts for another: the subject as `issuer` knows them, this server where that is None.

    So a user of this server is named as in `AccessToken.subject`, and not as any client knows them.
    """

    subject: str
    issuer: str | None = None


def actors_in(claim: object, issuer: str, limit: int) -> tuple[Actor, ...]:
    """Return the chain in an `act` claim of another issuer, the current actor first; none if there is no claim.

    Raises `ValueError` for a claim that can't be read, and for more than `limit` actors: a part of the chain would say
    that fewer act than do.
    """
    actors: list[Actor] = []
    while claim is not None:
        subject, named = (claim.get("sub"), claim.get("iss")) if isinstance(claim, dict) else (None, None)
        if (
            not isinstance(subject, str)
            or not isinstance(named, str | None)
            or not subject.isprintable()
            or not subject
        ):
            raise ValueError("an act claim can't be read")
        if len(actors) == limit:
            raise ValueError("an act claim is too long a chain")
        actors.append(Actor(subject, named or issuer))
        claim = claim.get("act") if isinstance(claim, dict) else None
    return tuple(actors)


def act_claim(actors: Sequence[Actor], name: Callable[[str], str] = str) -> dict[str, object]:
    """Return the `act` claim of a chain of actors, the current one first: each holds the one that it got it from.

    `name` returns the subject by which the reader knows one of this server (OIDC Core section 8.1).
    """
    claim: dict[str, object] = {}
    for actor in reversed(actors):
        before = {"act": claim} if claim else {}
        if actor.issuer is None:
            claim = {"sub": name(actor.subject), **before}
        else:
            claim = {"sub": actor.subject, "iss": actor.issuer, **before}
    return claim
