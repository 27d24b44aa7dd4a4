"""The facets of `OAuth`: those of the server that its pages use, with a framework's requests and responses.

What else a server does, such as `server.clients`, has nothing of a framework in it: run its flows by the driver.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Generic

import attrs

from oauthcore import (
    AuthorizationServer,
    DeviceState,
    Login,
    PendingDevice,
    PendingInteraction,
    PendingLogout,
    World,
    run,
)
from oauthcore_wsgi.framework import Framework, RequestT, ResponseT


@attrs.frozen
class Interactions(Generic[RequestT, ResponseT]):
    """Be `oauth.interactions`: what the application's own pages find out and report of an authorization request."""

    _server: AuthorizationServer
    _world: World
    _framework: Framework[RequestT, ResponseT]

    def find(self, id: str, login: Login | None = None) -> PendingInteraction | None:
        """Find out what an interaction waits for; None if for nothing any more."""
        return run(self._server.interactions.find(id, login), self._world)

    def finish(
        self,
        id: str,
        *,
        subject: str | Login,
        scope: Iterable[str] | None = None,
        remember: bool = True,
        details: Iterable[Mapping[str, object]] | None = None,
    ) -> ResponseT:
        """Report who is signed in and what they allowed; return the framework's own response for their browser.

        A bare `subject` has the login time that `login` returned for the request, or now; a `Login` has its own.
        """
        flow = self._server.interactions.finish(id, subject, scope, remember=remember, details=details)
        return self._framework.respond(run(flow, self._world))

    def deny(self, id: str, *, subject: str | Login | None) -> ResponseT:
        """Report that the user refused; return the framework's own response for their browser.

        What `subject`, who is signed in now, had allowed of this is deleted, so that they are asked again. Use None for
        a page that is shown to a user who is not signed in; then nothing is deleted.
        """
        return self._framework.respond(run(self._server.interactions.deny(id, subject), self._world))

    def form_token(self, request: RequestT, id: str) -> str:
        """Return what a form about an interaction carries, against cross-site posts."""
        return self._server.interactions.form_token(self._framework.wire_of(request), id)

    def is_form_token(self, request: RequestT, id: str, token: str) -> bool:
        """Return whether a posted form was shown to this browser, for this interaction."""
        return self._server.interactions.is_form_token(self._framework.wire_of(request), id, token)


@attrs.frozen
class Devices(Generic[RequestT, ResponseT]):
    """The devices, `oauth.devices`: what the application's page does with the code that a device shows (RFC 8628)."""

    _server: AuthorizationServer
    _world: World
    _framework: Framework[RequestT, ResponseT]

    def enter(self, request: RequestT, user_code: str, login: Login) -> PendingDevice | None:
        """Return the device whose code a user has submitted, None if none waits; raises `TooManyAttempts`."""
        wire = self._framework.wire_of(request)
        return run(self._server.devices.enter(user_code, login, wire), self._world)

    def find(self, id: str, login: Login | None) -> PendingDevice | None:
        """Return a device whose code this user has entered; None if it waits for nothing any more."""
        return run(self._server.devices.find(id, login), self._world)

    def finish(self, id: str, login: Login, scope: Iterable[str]) -> DeviceState:
        """Report what a user allowed; return what has become of the request, or raise an `OAuthError`."""
        return run(self._server.devices.finish(id, login, scope), self._world)

    def deny(self, id: str, login: Login) -> DeviceState:
        """Report that a user refused; return what has become of the request, or raise an `OAuthError`."""
        return run(self._server.devices.deny(id, login), self._world)


@attrs.frozen
class Sessions(Generic[RequestT, ResponseT]):
    """The login sessions, `oauth.sessions`: login and logout at the application, and notices to clients."""

    _server: AuthorizationServer
    _world: World
    _framework: Framework[RequestT, ResponseT]

    def sign_in(self, subject: str, *, before: str | None = None, **how: Any) -> Login:
        """Begin a login session; keep the result in the application's session, and return it from `login`.

        `before` is the `sid` of the login in this browser until now; `how` are the arguments of
        `server.sessions.begin`.
        """
        return run(self._server.sessions.sign_in(subject, before=before, **how), self._world)

    def find_logout(self, id: str, login: Login | None) -> PendingLogout | None:
        """Return the logout request of a client; None if it is unknown or too old."""
        return run(self._server.sessions.find_logout(id, login), self._world)

    def sign_out(self, request: RequestT, login: Login | None, id: str | None = None) -> ResponseT:
        """End the login session, which the user has confirmed; return the framework's own response for their browser.

        `id` is that of a client's logout request, if there is one. The application has to end its own session itself.
        """
        wire = self._framework.wire_of(request)
        return self._framework.respond(run(self._server.sessions.sign_out(wire, login, id), self._world))

    def deliver_logouts(self) -> int:
        """Notify clients of sessions that have ended, as far as that is due; call it every few seconds."""
        return run(self._server.sessions.deliver_logouts(), self._world)
