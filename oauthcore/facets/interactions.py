"""Interactions: what a host's pages find out and report while an authorization request waits for a person."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Literal, Protocol

from oauthcore.authorization.browser import browser_of, form_token
from oauthcore.authorization_details import Detail, spelled
from oauthcore.context import Context
from oauthcore.digest import Secret, same
from oauthcore.endpoints.interaction import Answer, PendingInteraction, deny, describe_interaction, finish
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import Refuse, transact
from oauthcore.given import check_kind
from oauthcore.records.login import Login, check_login
from oauthcore.scope import as_scope
from oauthcore.wire.http import Request, Response
from oauthcore.wire.refusals import RenderErrorPage


class Record(Protocol):
    """Run a call of the host, and record its result."""

    def __call__(self, name: Literal["finish", "deny"], arguments: Mapping[str, Any], /) -> Flow[Response]:
        """Return what the call returns."""


class Interactions:
    """Be `server.interactions`: find out what an interaction waits for, and report what the person decided."""

    def __init__(
        self,
        context: Callable[[], Context],
        refuse_as_page: Callable[[RenderErrorPage | None], Refuse],
        record: Record | None,
    ) -> None:
        self._context = context
        self._refuse_as_page = refuse_as_page
        self._record = record

    def find(self, handle: str, login: Login | None = None) -> Flow[PendingInteraction | None]:
        """Return a pending interaction, None if it does not exist or is over. Raises `EffectFailed` if storage fails.

        `login` is who is signed in now; the default is who was reported before.
        """
        check_login(login)
        return describe_interaction(Secret(handle), login, self._context())

    def finish(
        self,
        handle: str,
        login: Login | str,
        scope: Iterable[str] | None = None,
        *,
        remember: bool = True,
        details: Iterable[Detail] | None = None,
        error_page: RenderErrorPage | None = None,
    ) -> Flow[Response]:
        """Report who is signed in and, if a page asked for it, what they allowed; return the browser's response.

        `login` may be a subject only: then the login time is that of the login at the request, if it was the same
        subject, and now otherwise. A `scope` of None reports only the login, and consent is asked for if it is not
        remembered. `scope` may be less than was requested, never more. `remember` stores the consent for later
        requests. `details` are the authorization details that they allowed (RFC 9396), of
        `PendingInteraction.details`; a consent page has to report them where there are some, and none for none.
        """
        if not isinstance(login, str):
            check_kind("login", login, Login, "give the subject, or a Login(subject=…, auth_time=…)")
        allowed = None if scope is None else as_scope(scope)
        if self._record is not None:
            arguments: dict[str, Any] = {"handle": handle, "login": login, "scope": allowed, "remember": remember}
            if details is not None:
                arguments["details"] = [dict(detail) for detail in details]
            return self._record("finish", {**arguments, "error_page": error_page})
        shown = None if details is None else tuple(spelled(detail) for detail in details)
        answer, context = Answer(Secret(handle), login, allowed, remember, shown), self._context()
        return transact(lambda: finish(answer, context), self._refuse_as_page(error_page))

    def deny(
        self, handle: str, login: Login | str | None, *, error_page: RenderErrorPage | None = None
    ) -> Flow[Response]:
        """Report that the user refused; return the response for their browser.

        `login` is who is signed in now: what they had allowed of this before is deleted, so that they are asked again.
        Use None if no one is signed in: the client gets the error, and nothing is deleted.
        """
        if self._record is not None:
            return self._record("deny", {"handle": handle, "login": login, "error_page": error_page})
        context = self._context()
        return transact(lambda: deny(Secret(handle), login, context), self._refuse_as_page(error_page))

    def form_token(self, request: Request, handle: str) -> str:
        """Return the CSRF token for a form about an interaction (RFC 9700 section 4.7).

        It is blank for a browser that can't have started the interaction.
        """
        context = self._context()
        browser = browser_of(request, context)
        return "" if browser is None else form_token(Secret(handle), browser, context).reveal()

    def is_form_token(self, request: Request, handle: str, token: str) -> bool:
        """Return whether a posted form was shown to this browser, for this interaction."""
        expected = self.form_token(request, handle)
        return bool(expected) and same(expected, token)
