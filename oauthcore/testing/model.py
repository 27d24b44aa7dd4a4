"""The model of a lifetime: the grants of users with their tokens, as they must be whatever the server does."""

from __future__ import annotations

from typing import Any

import attrs

from oauthcore.testing.client_session import Waiting


@attrs.define(eq=False)
class WaitingModel:
    """Model an authorization request that waits for its person; `requested` is the scope that it named."""

    waiting: Waiting
    expires_at: int
    requested: str
    resources: tuple[str, ...] = ()


@attrs.define(eq=False)
class GrantModel:
    """Model a grant: whose it is, until when, for what, whether it was ended, and its tokens, oldest first.

    `resources` are those that it was given for, none where that is the server itself; `withheld` is what its request
    named beside `scope` and none of them understands.
    """

    subject: str
    over_at: int
    scope: str
    resources: tuple[str, ...] = ()
    withheld: frozenset[str] = frozenset()
    ended: bool = False
    refreshes: list[RefreshModel] = attrs.field(factory=list, repr=False)
    accesses: list[AccessModel] = attrs.field(factory=list, repr=False)

    def is_live(self, now: int) -> bool:
        """Return whether anything on it can be live."""
        return not self.ended and now < self.over_at


@attrs.define(eq=False)
class CodeModel:
    """Model a code."""

    value: str = attrs.field(repr=False)
    verifier: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    redeemed: bool = False


@attrs.define(eq=False)
class RefreshModel:
    """Model a refresh token; `answer`, `rotated_at` and `audience`, that of the answer, are set when it is used."""

    value: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    rotated_at: int | None = None
    answer: dict[str, Any] | None = attrs.field(default=None, repr=False)
    audience: tuple[str, ...] = ()
    retry_closed: bool = False


@attrs.define(eq=False)
class AccessModel:
    """Model an access token."""

    value: str = attrs.field(repr=False)
    grant: GrantModel
    expires_at: int
    scope: str
    audience: tuple[str, ...] = ()
    revoked: bool = False
