"""Devices: what a host's page does with the code that a device shows (RFC 8628 section 3.3)."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from oauthcore.context import Context
from oauthcore.device_grant import DeviceGrant
from oauthcore.digest import Secret
from oauthcore.endpoints.device import DeviceAnswer, Entry, PendingDevice, answer, describe_device, enter
from oauthcore.errors import ConfigurationError
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import commit_with_retry
from oauthcore.given import check_kind
from oauthcore.records.lifecycle import DeviceState
from oauthcore.records.login import Login
from oauthcore.scope import as_scope
from oauthcore.wire.http import Request

_LOGIN = "give the Login(subject=…, auth_time=…) of who is signed in: only they can enter a code"


class Devices:
    """The devices of a server, `server.devices`: enter a user code, look at what waits, and allow or deny it."""

    def __init__(self, context: Callable[[], Context], settings: DeviceGrant | None) -> None:
        self._context = context
        self._settings = settings

    def enter(self, user_code: str, login: Login, request: Request) -> Flow[PendingDevice | None]:
        """Return the device whose code a user has entered, None if no device waits with that code.

        Call it for a form that the user has submitted, not for a link. `request` is that of the browser: its address is
        counted. Raises `TooManyAttempts`, whose `retry_after` is in seconds, `LoginRequired` if the login session has
        ended, and `EffectFailed` if storage fails.
        """
        if self._settings is None:
            raise ConfigurationError("device", None, "turn the device grant on: device=DeviceGrant()")
        check_kind("user_code", user_code, str, "give the code as the user typed it")
        check_kind("login", login, Login, _LOGIN)
        check_kind("request", request, Request, "give the oauthcore.Request that the code came with")
        entry, settings, context = Entry(user_code, login, request), self._settings, self._context()
        return commit_with_retry(lambda: enter(entry, settings, context))

    def find(self, id: str, login: Login | None) -> Flow[PendingDevice | None]:
        """Return a device whose code this user has entered in this login session, None if it waits no more.

        Raises `EffectFailed` if storage fails.
        """
        return describe_device(Secret(id), login, self._context())

    def finish(self, id: str, login: Login, scope: Iterable[str]) -> Flow[DeviceState]:
        """Report what a user allowed, which may be less than was requested; return what has become of the request.

        An empty scope of a request that has one is a no. Raises an `OAuthError` if it can't be answered (any more), and
        `EffectFailed` if storage fails.
        """
        check_kind("login", login, Login, _LOGIN)
        given, context = DeviceAnswer(Secret(id), login, as_scope(scope)), self._context()
        return commit_with_retry(lambda: answer(given, context))

    def deny(self, id: str, login: Login) -> Flow[DeviceState]:
        """Report that a user refused; return what has become of the request.

        Raises an `OAuthError` if it can't be answered (any more), and `EffectFailed` if storage fails.
        """
        check_kind("login", login, Login, _LOGIN)
        given, context = DeviceAnswer(Secret(id), login, None), self._context()
        return commit_with_retry(lambda: answer(given, context))
