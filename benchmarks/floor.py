"""The floor: the least that any implementation of these five operations must do, in straight plain functions.

It reads the form, decodes Basic, hashes and compares in constant time, looks up, mints with `os.urandom`, stores the
SHA-256 of what it minted in dicts and writes JSON. No layers, no types, no error handling beyond a bare refusal, no
policy, no second method of anything: not an implementation, but the number an implementation is compared to.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import quote

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
from benchmarks.wire import RawRequest, mint, read_basic, read_form, read_query

AnswerT = TypeVar("AnswerT")

_JSON = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))
_PKCE_SYNTAX = re.compile(r"[A-Za-z0-9._~-]{43,128}")


class _Client(NamedTuple):
    secret: bytes
    redirect_uris: frozenset[str]
    scope: frozenset[str]


class _Code(NamedTuple):
    client_id: str
    subject: str
    scope: str
    redirect_uri: str
    challenge: str
    expires_at: float


class _Token(NamedTuple):
    client_id: str
    subject: str
    scope: str
    issued_at: float
    expires_at: float


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode("ascii")).digest()


class Floor(Generic[AnswerT]):
    """Hold the dicts; the methods are the plain functions.

    `answer` makes what they return of a status, headers and a body.
    """

    name: Final = "floor"

    def __init__(self, answer: Callable[[int, Iterable[tuple[str, str]], bytes], AnswerT]) -> None:
        self._answer = answer
        self.secret: Final = mint()
        scope = frozenset((*SCOPE.split(" "), "admin"))
        self._clients = {CLIENT_ID: _Client(_digest(self.secret), frozenset((REDIRECT_URI,)), scope)}
        self._consents = {(SUBJECT, CLIENT_ID): frozenset(SCOPE.split(" "))}
        self._codes: dict[bytes, _Code] = {}
        self._access_tokens: dict[bytes, _Token] = {}
        self._refresh_tokens: dict[bytes, _Token] = {}

    def forget(self) -> None:
        """Drop every code and token."""
        self._codes.clear()
        self._access_tokens.clear()
        self._refresh_tokens.clear()

    def authorize(self, request: RawRequest) -> AnswerT:
        """Redirect with a code."""
        asked = read_query(request.target)
        client = self._clients.get(asked["client_id"])
        redirect_uri = asked["redirect_uri"]
        if client is None or redirect_uri not in client.redirect_uris:
            return self._refusal(400, "invalid_request")
        scope = asked["scope"]
        tokens = frozenset(scope.split(" "))
        if (
            asked["response_type"] != "code"
            or asked["code_challenge_method"] != "S256"
            or not _PKCE_SYNTAX.fullmatch(challenge := asked["code_challenge"])
            or not tokens <= client.scope
            or not tokens <= self._consents[SUBJECT, CLIENT_ID]
        ):
            return self._refusal(400, "invalid_request")
        code = mint()
        self._codes[_digest(code)] = _Code(
            asked["client_id"], SUBJECT, scope, redirect_uri, challenge, time.time() + CODE_LIFETIME
        )
        location = f"{redirect_uri}?code={code}&state={quote(asked['state'], safe='')}"
        return self._answer(302, (("Location", location), ("Cache-Control", "no-store")), b"")

    def token(self, request: RawRequest) -> AnswerT:
        """Authenticate the client and answer with tokens."""
        client_id = self._authenticated(request)
        if client_id is None:
            return self._refusal(401, "invalid_client")
        form = read_form(request.body.decode("ascii"))
        grant_type = form["grant_type"]
        if grant_type == "authorization_code":
            return self._exchange(client_id, form)
        if grant_type == "refresh_token":
            return self._refresh(client_id, form)
        scope = form["scope"]
        if grant_type != "client_credentials" or not frozenset(scope.split(" ")) <= self._clients[client_id].scope:
            return self._refusal(400, "invalid_request")
        now = time.time()
        access_token = mint()
        token = _Token(client_id, client_id, scope, now, now + ACCESS_TOKEN_LIFETIME)
        self._access_tokens[_digest(access_token)] = token
        members = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFETIME,
            "scope": scope,
        }
        return self._answer(200, _JSON, json.dumps(members).encode("ascii"))

    def introspect(self, request: RawRequest) -> AnswerT:
        """Authenticate the client and tell what the token is."""
        client_id = self._authenticated(request)
        if client_id is None:
            return self._refusal(401, "invalid_client")
        token = self._access_tokens.get(_digest(read_form(request.body.decode("ascii"))["token"]))
        members: dict[str, object] = {"active": False}
        if token is not None and token.client_id == client_id and token.expires_at > time.time():
            members = {
                "active": True,
                "scope": token.scope,
                "client_id": token.client_id,
                "token_type": "Bearer",
                "exp": int(token.expires_at),
                "iat": int(token.issued_at),
                "sub": token.subject,
                "iss": ISSUER,
            }
        return self._answer(200, _JSON, json.dumps(members).encode("ascii"))

    def _authenticated(self, request: RawRequest) -> str | None:
        client_id, secret = "", ""
        for name, value in request.headers:
            if name == b"authorization":
                client_id, secret = read_basic(value.decode("latin-1"))
                break
        client = self._clients.get(client_id)
        if client is None or not hmac.compare_digest(client.secret, _digest(secret)):
            return None
        return client_id

    def _exchange(self, client_id: str, form: dict[str, str]) -> AnswerT:
        now = time.time()
        code = self._codes.pop(_digest(form["code"]), None)
        challenge = base64.urlsafe_b64encode(_digest(form["code_verifier"]))[:43].decode("ascii")
        if (
            code is None
            or code.client_id != client_id
            or code.redirect_uri != form["redirect_uri"]
            or code.expires_at <= now
            or not hmac.compare_digest(challenge, code.challenge)
        ):
            return self._refusal(400, "invalid_grant")
        return self._pair(client_id, code.subject, code.scope, now)

    def _refresh(self, client_id: str, form: dict[str, str]) -> AnswerT:
        now = time.time()
        token = self._refresh_tokens.pop(_digest(form["refresh_token"]), None)
        if token is None or token.client_id != client_id or token.expires_at <= now:
            return self._refusal(400, "invalid_grant")
        return self._pair(client_id, token.subject, token.scope, now)

    def _pair(self, client_id: str, subject: str, scope: str, now: float) -> AnswerT:
        access_token, refresh_token = mint(), mint()
        access = _Token(client_id, subject, scope, now, now + ACCESS_TOKEN_LIFETIME)
        refresh = _Token(client_id, subject, scope, now, now + REFRESH_TOKEN_LIFETIME)
        self._access_tokens[_digest(access_token)] = access
        self._refresh_tokens[_digest(refresh_token)] = refresh
        members = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": ACCESS_TOKEN_LIFETIME,
            "refresh_token": refresh_token,
            "scope": scope,
        }
        return self._answer(200, _JSON, json.dumps(members).encode("ascii"))

    def _refusal(self, status: int, code: str) -> AnswerT:
        return self._answer(status, _JSON, json.dumps({"error": code}).encode("ascii"))
