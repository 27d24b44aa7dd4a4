"""aioauth through the thinnest adapter that is still honest.

Its coroutines are driven by hand with one `send`, since this storage never waits: no event loop is paid for. The
adapter reads form and headers as aioauth's own framework integrations do (its core takes no bytes), only faster.
aioauth mints with its own `generate_token` and offers no setting to change that.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from aioauth.collections import HTTPHeaderDict
from aioauth.config import Settings
from aioauth.models import AuthorizationCode, Client, Token
from aioauth.requests import Post, Query, Request
from aioauth.responses import Response
from aioauth.server import AuthorizationServer
from aioauth.storage import BaseStorage
from aioauth.types import CodeChallengeMethod, RequestMethod, TokenType
from typing_extensions import override

from benchmarks.operations import (
    ACCESS_TOKEN_LIFETIME,
    CLIENT_ID,
    CODE_LIFETIME,
    ISSUER,
    REDIRECT_URI,
    REFRESH_TOKEN_LIFETIME,
    SCOPE,
    SUBJECT,
)
from benchmarks.wire import RawRequest, mint, read_form, read_query, serialised


class _Storage(BaseStorage):
    def __init__(self, client: Client) -> None:
        self.clients = {client.client_id: client}
        self.codes: dict[str, AuthorizationCode] = {}
        self.access_tokens: dict[str, Token] = {}
        self.refresh_tokens: dict[str, Token] = {}

    @override
    async def get_client(self, *, request: Request, client_id: str, client_secret: str | None = None) -> Client | None:
        client = self.clients.get(client_id)
        if client is None or client_secret is None or hmac.compare_digest(client.client_secret, client_secret):
            return client
        return None

    @override
    async def create_authorization_code(
        self,
        *,
        request: Request,
        client_id: str,
        scope: str,
        response_type: str,
        redirect_uri: str,
        code: str,
        code_challenge_method: CodeChallengeMethod | None = None,
        code_challenge: str | None = None,
        nonce: str | None = None,
    ) -> AuthorizationCode:
        self.codes[code] = record = AuthorizationCode(
            code=code,
            client_id=client_id,
            redirect_uri=redirect_uri,
            response_type=response_type,
            scope=scope,
            auth_time=int(time.time()),
            expires_in=CODE_LIFETIME,
            code_challenge=code_challenge,
            code_challenge_method=code_challenge_method,
            nonce=nonce,
        )
        return record

    @override
    async def get_authorization_code(self, *, request: Request, client_id: str, code: str) -> AuthorizationCode | None:
        record = self.codes.get(code)
        return record if record is not None and record.client_id == client_id else None

    @override
    async def delete_authorization_code(self, *, request: Request, client_id: str, code: str) -> None:
        del self.codes[code]

    @override
    async def create_token(
        self,
        *,
        request: Request,
        client_id: str,
        scope: str,
        access_token: str,
        refresh_token: str | None = None,
    ) -> Token:
        token = Token(
            access_token=access_token,
            refresh_token=refresh_token,
            scope=scope,
            issued_at=int(time.time()),
            expires_in=ACCESS_TOKEN_LIFETIME,
            refresh_token_expires_in=REFRESH_TOKEN_LIFETIME,
            client_id=client_id,
        )
        self.access_tokens[access_token] = token
        if refresh_token is not None:
            self.refresh_tokens[refresh_token] = token
        return token

    @override
    async def get_token(
        self,
        *,
        request: Request,
        client_id: str,
        token_type: TokenType | None = None,
        access_token: str | None = None,
        refresh_token: str | None = None,
    ) -> Token | None:
        if access_token is not None:
            token = self.access_tokens.get(access_token)
        else:
            token = self.refresh_tokens.get(refresh_token or "")
        return token if token is not None and token.client_id == client_id else None

    @override
    async def revoke_token(
        self,
        *,
        request: Request,
        client_id: str,
        refresh_token: str | None = None,
        token_type: TokenType | None = None,
        access_token: str | None = None,
    ) -> None:
        token = self.refresh_tokens.pop(refresh_token or "")
        token.revoked = True


# Its constructor alone has no types.
_Headers: Callable[[dict[str, str]], HTTPHeaderDict] = HTTPHeaderDict


def _finished(answer: Coroutine[Any, Any, Response]) -> Response:
    try:
        answer.send(None)
    except StopIteration as stop:
        response: Response = stop.value
        return response
    raise RuntimeError("the storage waited")


def _raw(response: Response) -> bytes:
    body = json.dumps(response.content).encode("ascii") if response.content else b""
    return serialised(response.status_code, response.headers.data.items(), body)


class Aioauth:
    """Run aioauth's `AuthorizationServer`."""

    name: Final = "aioauth"

    def __init__(self) -> None:
        self.secret: Final = mint()
        client = Client(
            client_id=CLIENT_ID,
            client_secret=self.secret,
            grant_types=["authorization_code", "refresh_token", "client_credentials"],
            response_types=["code"],
            redirect_uris=[REDIRECT_URI],
            scope=f"{SCOPE} admin",
        )
        self._consents = {(SUBJECT, CLIENT_ID): frozenset(SCOPE.split(" "))}
        self._storage = _Storage(client)
        self._server = AuthorizationServer(self._storage)
        self._settings = Settings(
            TOKEN_EXPIRES_IN=ACCESS_TOKEN_LIFETIME,
            REFRESH_TOKEN_EXPIRES_IN=REFRESH_TOKEN_LIFETIME,
            AUTHORIZATION_CODE_EXPIRES_IN=CODE_LIFETIME,
        )

    def forget(self) -> None:
        """Drop every code and token."""
        self._storage.codes.clear()
        self._storage.access_tokens.clear()
        self._storage.refresh_tokens.clear()

    def authorize(self, raw: RawRequest) -> bytes:
        """Look for the consent, then let aioauth redirect."""
        query: dict[str, Any] = read_query(raw.target)
        if not self._consents[SUBJECT, query["client_id"]].issuperset(query["scope"].split(" ")):
            return serialised(403, (), b"")
        request = self._request(raw, "GET", query=Query(**query))
        return _raw(_finished(self._server.create_authorization_response(request)))

    def token(self, raw: RawRequest) -> bytes:
        """Answer at the token endpoint."""
        return _raw(_finished(self._server.create_token_response(self._posted(raw))))

    def introspect(self, raw: RawRequest) -> bytes:
        """Answer at the introspection endpoint."""
        return _raw(_finished(self._server.create_token_introspection_response(self._posted(raw))))

    def _posted(self, raw: RawRequest) -> Request:
        form: dict[str, Any] = read_form(raw.body.decode("ascii"))
        return self._request(raw, "POST", post=Post(**form))

    def _request(
        self, raw: RawRequest, method: RequestMethod, query: Query | None = None, post: Post | None = None
    ) -> Request:
        return Request(
            method=method,
            query=query or Query(),
            post=post or Post(),
            headers=_Headers({name.decode("ascii"): value.decode("latin-1") for name, value in raw.headers}),
            url=ISSUER + raw.target.decode("ascii"),
            settings=self._settings,
        )
