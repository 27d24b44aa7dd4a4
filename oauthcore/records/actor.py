"""Actor: who acts with a token for the person whose it is (RFC 8693 section 4.1)."""

from __future__ import annotations

from collections.abc import Sequence

import attrs


@attrs.frozen
class Actor:
    """Name one who acts for another: the subject, as the issuer of that name knows them if another server's."""

    subject: str
    issuer: str | None = None


def act_claim(actors: Sequence[Actor]) -> dict[str, object]:
    """Return the `act` claim of a chain of actors, the current one first: each holds the one that it got it from."""
    claim: dict[str, object] = {}
    for actor in reversed(actors):
        before = {"act": claim} if claim else {}
        issuer = {} if actor.issuer is None else {"iss": actor.issuer}
        claim = {"sub": actor.subject, **issuer, **before}
    return claim
