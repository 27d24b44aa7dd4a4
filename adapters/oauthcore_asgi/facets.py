"""The facets of `OAuth`: those of the server that its pages use, with a framework's requests and responses.

What else a server does, such as `server.clients`, has nothing of a framework in it: run its flows by the driver.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any, Generic

import attrs

from oauthcore import (
    AsyncWorld,
    AuthorizationServer,
    DeviceState,
    Login,
    PendingDevice,
    PendingInteraction,
    PendingLogout,
    World,
    arun,
)
from oauthcore_asgi.framework import Framework, RequestT, ResponseT


@attrs.frozen
class Interactions(Generic[RequestT, ResponseT]):
    """Be `oauth.interactions`: what the application's own pages find out and report of an authorization request."""

    _server: AuthorizationServer
    _world: World | AsyncWorld
    _framework: Framework[RequestT, ResponseT]

    async def find(self, id: str, login: Login | None = None) -> PendingInteraction | None:
        """Find out what an interaction waits for; None if for nothing any more."""
        return await arun(self._server.interactions.find(id, login), self._world)

    async def finish(
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
        return self._framework.respond(await arun(flow, self._world))

    async def deny(self, id: str, *, subject: str | Login | None) -> ResponseT:
        """Report that the user refused; return the framework's own response for their browser.

        What `subject`, who is signed in now, had allowed of this is deleted, so that they are asked again. Use None for
        a page that is shown to a user who is not signed in; then nothing is deleted.
        """
        return self._framework.respond(await arun(self._server.interactions.deny(id, subject), self._world))

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
    _world: World | AsyncWorld
    _framework: Framework[RequestT, ResponseT]

    async def enter(self, request: RequestT, user_code: str, login: Login) -> PendingDevice | None:
        """Return the device whose code a user has submitted, None if none waits; raises `TooManyAttempts`."""
        wire = self._framework.wire_of(request)
        return await arun(self._server.devices.enter(user_code, login, wire), self._world)

    async def find(self, id: str, login: Login | None) -> PendingDevice | None:
        """Return a device whose code this user has entered; None if it waits for nothing any more."""
        return await arun(self._server.devices.find(id, login), self._world)

    async def finish(self, id: str, login: Login, scope: Iterable[str]) -> DeviceState:
        """Report what a user allowed; return what has become of the request, or raise an `OAuthError`."""
        return await arun(self._server.devices.finish(id, login, scope), self._world)

    async def deny(self, id: str, login: Login) -> DeviceState:
        """Report that a user refused; return what has become of the request, or raise an `OAuthError`."""
        return await arun(self._server.devices.deny(id, login), self._world)


@attrs.frozen
class Sessions(Generic[RequestT, ResponseT]):
    """The login sessions, `oauth.sessions`: login and logout at the application, and notices to clients."""

    _server: AuthorizationServer
    _world: World | AsyncWorld
    _framework: Framework[RequestT, ResponseT]

    async def sign_in(self, subject: str, *, before: str | None = None, **how: Any) -> Login:
        """Begin a login session; keep the result in the application's session, and return it from `login`.

        `before` is the `sid` of the login in this browser until now; `how` are the arguments of
        `server.sessions.begin`.
        """
        return await arun(self._server.sessions.sign_in(subject, before=before, **how), self._world)

    async def find_logout(self, id: str, login: Login | None) -> PendingLogout | None:
        """Return the logout request of a client; None if it is unknown or too old."""
        return await arun(self._server.sessions.find_logout(id, login), self._world)

    async def sign_out(self, request: RequestT, login: Login | None, id: str | None = None) -> ResponseT:
        """End the login session, which the user has confirmed; return the framework's own response for their browser.

        `id` is that of a client's logout request, if there is one. The application has to end its own session itself.
        """
        wire = self._framework.wire_of(request)
        return self._framework.respond(await arun(self._server.sessions.sign_out(wire, login, id), self._world))

    async def deliver_logouts(self) -> int:
        """Notify clients of sessions that have ended, as far as that is due; call it every few seconds.

        They are notified at the same time, so that none waits for another that does not answer.
        """
        sessions = self._server.sessions
        due = await arun(sessions.due_logouts(), self._world)
        tried = (arun(sessions.deliver_logouts_to(deliveries), self._world) for deliveries in due)
        return sum(await asyncio.gather(*tried))
