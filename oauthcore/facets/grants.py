"""Grants: what an operator does to a single authorization."""

from __future__ import annotations

from collections.abc import Callable

from oauthcore.context import Context
from oauthcore.endpoints.applications import revoke_by_key
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import commit_with_retry
from oauthcore.grants.audience import named
from oauthcore.records.grant import Grant
from oauthcore.resources import Resource


class Grants:
    """The grants of a server, `server.grants`: list the resources of one, and revoke one with all of its tokens."""

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def resources(self, grant: Grant) -> tuple[Resource, ...]:
        """Return the APIs that tokens on a grant may be for, with the names they are registered under (RFC 8707).

        None if they are for the server itself alone. One that is registered no longer has its URI and no name.
        """
        return named(grant.resources, self._context())

    def revoke(self, grant: str) -> Flow[Grant]:
        """Revoke one grant, by its key, and return it as it is then.

        Raises `ConfigurationError` if there is none to revoke, `EffectFailed` if storage fails.
        """
        context = self._context()
        return commit_with_retry(lambda: revoke_by_key(grant, context))
