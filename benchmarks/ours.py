"""oauthcore, as a blocking host runs it: bytes to a `Request`, one `run`, the `Response` back to bytes.

The consent is given through the public interface, once, the way a person gives it; storage is then filled anew for
each batch with the two records that this left behind.
"""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from typing import Final

from typing_extensions import override

from benchmarks.operations import (
    AUTHORIZE,
    CLIENT_ID,
    INTROSPECT,
    ISSUER,
    REDIRECT_URI,
    SCOPE,
    SUBJECT,
    TOKEN,
    Pkce,
    authorization_request,
    redirect_of,
)
from benchmarks.wire import RawRequest, mint, serialised
from oauthcore import (
    AuthorizationServer,
    Client,
    Login,
    MemoryStorage,
    Paths,
    Policy,
    Request,
    Response,
    Scope,
    World,
    run,
)
from oauthcore.flow.outcome import Change, Insert
from oauthcore.records.grant import Consent


class _NotingStorage(MemoryStorage):
    """Remember which client and which consent were inserted."""

    def __init__(self) -> None:
        super().__init__()
        self.lasting: list[Client | Consent] = []

    @override
    def commit(self, changes: Sequence[Change], /) -> bool:
        inserted = [change.record for change in changes if isinstance(change, Insert)]
        self.lasting += [record for record in inserted if isinstance(record, Client | Consent)]
        return super().commit(changes)


class Oauthcore:
    """Run oauthcore's `AuthorizationServer`."""

    name: Final = "oauthcore"

    def __init__(self) -> None:
        self._server = AuthorizationServer(
            issuer=ISSUER,
            clock=time.time,
            entropy=os.urandom,  # as the floor
            token_key=secrets.token_bytes(32),
            policy=Policy.oauth21(),
            paths=Paths(authorization=AUTHORIZE, token=TOKEN, introspection=INTROSPECT),
        )
        self._login = Login(subject=SUBJECT, auth_time=int(time.time()))
        storage = _NotingStorage()
        self._world = World(storage=storage)
        self.secret: Final = self._register()
        self._consent()
        self._lasting = storage.lasting
        self.forget()

    def forget(self) -> None:
        """Drop every code and token, and every grant."""
        self._world = World(storage=MemoryStorage(self._lasting))

    def authorize(self, raw: RawRequest) -> bytes:
        """Answer at the authorization endpoint, for the signed-in person."""
        return _raw(run(self._server.handle(_request(raw), self._login), self._world))

    def token(self, raw: RawRequest) -> bytes:
        """Answer at the token endpoint."""
        return _raw(run(self._server.handle(_request(raw)), self._world))

    def introspect(self, raw: RawRequest) -> bytes:
        """Answer at the introspection endpoint."""
        return _raw(run(self._server.handle(_request(raw)), self._world))

    def _register(self) -> str:
        client = Client(
            client_id=CLIENT_ID,
            redirect_uris=(REDIRECT_URI,),
            grant_types=("authorization_code", "refresh_token", "client_credentials"),
            scope=Scope((*SCOPE.split(" "), "admin")),
        )
        secret = run(self._server.clients.register(client), self._world).secret
        assert secret is not None
        return secret.reveal()

    def _consent(self) -> None:
        asked = run(self._server.handle(_request(authorization_request(Pkce(), mint())), self._login), self._world)
        handle = redirect_of(_raw(asked))[1]["interaction"]
        resumed = run(self._server.interactions.finish(handle, self._login, SCOPE.split(" ")), self._world)
        cookie = (asked.header("set-cookie") or "").partition(";")[0]
        back = Request("GET", resumed.header("location") or "", (("cookie", cookie),))
        run(self._server.handle(back, self._login), self._world)


def _request(raw: RawRequest) -> Request:
    headers = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in raw.headers]
    return Request(raw.method.decode("ascii"), raw.target.decode("ascii"), headers, raw.body)


def _raw(response: Response) -> bytes:
    return serialised(response.status, response.headers, response.body)
