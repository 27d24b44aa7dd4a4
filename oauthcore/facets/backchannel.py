"""Backchannel authentication: what clients ask of users who are elsewhere, and what these answer (CIBA Core 1.0)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oauthcore.context import Context
from oauthcore.endpoints.backchannel_answer import PendingBackchannelRequest, allow, deny, pending_requests
from oauthcore.endpoints.ping_delivery import PINGS, DuePings
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import commit_with_retry
from oauthcore.given import check_kind
from oauthcore.records.backchannel import BackchannelRequest
from oauthcore.records.grant import Grant
from oauthcore.records.login import Login
from oauthcore.scope import as_scope


class Backchannel:
    """Be `server.backchannel`: list the requests that wait for a user, report what they answered, notify clients.

    The world's `audit` is called with the event `backchannel_requested` and the subject as soon as there is a request:
    send the user a message then, and show them `pending` on a page or in an app.
    """

    def __init__(self, context: Callable[[], Context]) -> None:
        self._context = context

    def pending(self, subject: str) -> Flow[tuple[PendingBackchannelRequest, ...]]:
        """Return the requests that wait for a user, the oldest first. Raises `EffectFailed` if storage fails."""
        return pending_requests(subject, self._context())

    def allow(self, request_id: str, login: Login, scope: Iterable[str] | None = None) -> Flow[Grant]:
        """Report that the user who is signed in has allowed a request: all of it, or less by a `scope` with openid.

        Returns the grant, on which the client gets its tokens when it asks next.

        Ask them each time: consent is not remembered. Raises `InteractionOver` if it was answered before, is over, or
        is not this user's, `InvalidScope` for a scope that was not requested, `LoginRequired` if the login is older
        than the client accepts, `AccessDenied` for a user who may not use the client, and `EffectFailed` if storage
        fails.
        """
        check_kind("login", login, Login, "give a Login(subject=…, auth_time=…)")
        context, allowed = self._context(), None if scope is None else as_scope(scope)
        return commit_with_retry(lambda: allow(request_id, login, allowed, context))

    def deny(self, request_id: str, login: Login) -> Flow[BackchannelRequest]:
        """Report that the user who is signed in has denied a request, and return it; raises what `allow` raises."""
        check_kind("login", login, Login, "give a Login(subject=…, auth_time=…)")
        context = self._context()
        return commit_with_retry(lambda: deny(request_id, login, context))

    def notify(self, limit: int = 20) -> Flow[int]:
        """Notify clients in ping mode of what was answered, as far as that is due; return how many were tried.

        Call it every few seconds; several workers may do so at the same time. Raises `EffectFailed` if storage fails.
        """
        return PINGS.deliver(limit, self._context)

    def due_notifications(self, limit: int = 20) -> Flow[tuple[DuePings, ...]]:
        """Return what `notify` would try, by client, for a host that notifies several at the same time."""
        return PINGS.due_by_client(limit, self._context().now)

    def notify_client(self, due: DuePings) -> Flow[int]:
        """Notify one client of what was answered; return how many were tried. Raises as `notify` does."""
        return PINGS.deliver_to(due, self._context)
