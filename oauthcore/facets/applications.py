"""Applications: the clients that a person has authorized, for a page on which they can take that back."""

from __future__ import annotations

from collections.abc import Callable

from oauthcore.context import Context
from oauthcore.endpoints.applications import (
    AuthorizedApplication,
    Withdrawal,
    applications,
    withdraw,
    withdraw_grant,
)
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import commit_until_unchanged, commit_with_retry, total


class Applications:
    """Be `server.applications`: list what a person has authorized, and take it back."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def of(self, subject: str) -> Flow[tuple[AuthorizedApplication, ...]]:
        """Find what a user has authorized and what of it is still in force, the newest first.

        Raises `EffectFailed` if storage fails.
        """
        return applications(subject, self._context())

    def withdraw(self, subject: str, client_id: str | None = None) -> Flow[int]:
        """Take back what a person authorized, for one client or for all; return how many consents and grants ended.

        Consents are forgotten and grants revoked. When it returns, nothing is left of what was authorized before the
        call, nor of what was just being authorized; who says yes after that has authorized something new. Raises
        `EffectFailed` if storage fails: a part may be done then, and it is to be called again.
        """
        withdrawal, context = Withdrawal(subject, client_id), self._context()
        return total(commit_until_unchanged(lambda has_begun: withdraw(withdrawal, context, has_begun=has_begun)))

    def withdraw_grant(self, subject: str, grant: str) -> Flow[int]:
        """Take back what a person allowed one device, or one request in the background, by its grant.

        Returns 1, or 0 if there was nothing to take back. Raises `EffectFailed` if storage fails.
        """
        context = self._context()
        return commit_with_retry(lambda: withdraw_grant(subject, grant, context))
