"""Actor: who acts with a token for the person whose it is (RFC 8693 section 4.1)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

# RFC 8693 section 4.1: nesting expresses a chain of delegation. Without an end, two clients that exchange each other's
# tokens would make tokens of any size.
MAX_ACTORS = 8


@attrs.frozen
class Actor:
    """Name one who acts for another: the subject as `issuer` knows them, this server where that is None.

    So a user of this server is named as in `AccessToken.subject`, and not as any client knows them.
    """

    subject: str
    issuer: str | None = None


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
