"""oauthlib's `Server`, through the thinnest `RequestValidator` that is still honest.

`Server` is `WebApplicationServer` with the client credentials grant beside it, at no cost per request. oauthlib takes
bytes and reads forms itself; client authentication is the validator's business and uses the floor's reader. It takes a
token generator as a setting: `our_mint=True` gives it the floor's minting, which is much cheaper than its own, and so
shows what the rest of oauthlib costs (its codes are minted by its `generate_token` whatever is set). Consent is looked
up in `validate_scopes`, which saves the second validation that the documented pair of GET and POST views makes.
"""

# oauthlib publishes no types: its bases are `Any` to the checker, hence the narrow `misc` and `import-untyped`.
from __future__ import annotations

import hmac
import time
from typing import Any, Final, NamedTuple

from oauthlib.oauth2 import FatalClientError, RequestValidator, Server
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
    TUNED,
)
from benchmarks.wire import RawRequest, mint, read_basic, serialised


class _Client(NamedTuple):
    client_id: str
    secret: str
    scope: frozenset[str]


class _Code(NamedTuple):
    client_id: str
    user: str
    scopes: list[str]
    redirect_uri: str
    challenge: str | None
    challenge_method: str | None
    expires_at: float


class _Token(NamedTuple):
    client_id: str
    user: str | None
    scopes: list[str]
    issued_at: float


class _Validator(RequestValidator):  # type: ignore[misc]  # see above
    def __init__(self, client: _Client) -> None:
        self.clients = {client.client_id: client}
        self.consents = {(SUBJECT, CLIENT_ID): frozenset(SCOPE.split(" "))}
        self.codes: dict[str, _Code] = {}
        self.access_tokens: dict[str, _Token] = {}
        self.refresh_tokens: dict[str, _Token] = {}

    @override
    def authenticate_client(self, request: Any, *args: Any, **kwargs: Any) -> bool:
        client_id, secret = read_basic(request.headers.get("Authorization", ""))
        client = self.clients.get(client_id)
        if client is None or not hmac.compare_digest(client.secret, secret):
            return False
        request.client = client
        return True

    @override
    def validate_client_id(self, client_id: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        request.client = self.clients.get(client_id)
        return request.client is not None

    @override
    def validate_redirect_uri(self, client_id: str, redirect_uri: str, request: Any, *args: Any, **kwargs: Any) -> bool:
        return redirect_uri == REDIRECT_URI

    @override
    def validate_response_type(
        self, client_id: str, response_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return response_type == "code"

    @override
    def validate_grant_type(
        self, client_id: str, grant_type: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")

    @override
    def validate_scopes(
        self, client_id: str, scopes: list[str], client: _Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        allowed = client.scope if request.user is None else self.consents[request.user, client.client_id]
        return allowed.issuperset(scopes)

    @override
    def save_authorization_code(
        self, client_id: str, code: dict[str, str], request: Any, *args: Any, **kwargs: Any
    ) -> None:
        self.codes[code["code"]] = _Code(
            client_id,
            request.user,
            request.scopes,
            request.redirect_uri,
            request.code_challenge,
            request.code_challenge_method,
            time.time() + CODE_LIFETIME,
        )

    @override
    def validate_code(
        self, client_id: str, code: str, client: _Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        found = self.codes.get(code)
        if found is None or found.client_id != client.client_id or found.expires_at <= time.time():
            return False
        request.user = found.user
        request.scopes = found.scopes
        return True

    @override
    def get_code_challenge(self, code: str, request: Any) -> str | None:
        return self.codes[code].challenge

    @override
    def get_code_challenge_method(self, code: str, request: Any) -> str | None:
        return self.codes[code].challenge_method

    @override
    def confirm_redirect_uri(
        self, client_id: str, code: str, redirect_uri: str, client: Any, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        return self.codes[code].redirect_uri == redirect_uri

    @override
    def invalidate_authorization_code(self, client_id: str, code: str, request: Any, *args: Any, **kwargs: Any) -> None:
        del self.codes[code]

    @override
    def save_bearer_token(self, token: dict[str, str], request: Any, *args: Any, **kwargs: Any) -> None:
        record = _Token(request.client.client_id, request.user, request.scopes, time.time())
        self.access_tokens[token["access_token"]] = record
        if "refresh_token" in token:
            self.refresh_tokens[token["refresh_token"]] = record
        if request.refresh_token is not None:
            del self.refresh_tokens[request.refresh_token]

    @override
    def validate_refresh_token(
        self, refresh_token: str, client: _Client, request: Any, *args: Any, **kwargs: Any
    ) -> bool:
        found = self.refresh_tokens.get(refresh_token)
        if found is None or found.client_id != client.client_id:
            return False
        request.user = found.user
        return found.issued_at + REFRESH_TOKEN_LIFETIME > time.time()

    @override
    def get_original_scopes(self, refresh_token: str, request: Any, *args: Any, **kwargs: Any) -> list[str]:
        return self.refresh_tokens[refresh_token].scopes

    @override
    def introspect_token(
        self, token: str, token_type_hint: str | None, request: Any, *args: Any, **kwargs: Any
    ) -> dict[str, object] | None:
        found = self.access_tokens.get(token) or self.refresh_tokens.get(token)
        if found is None or found.client_id != request.client.client_id:
            return None
        issued_at = int(found.issued_at)
        if issued_at + ACCESS_TOKEN_LIFETIME <= time.time():
            return None
        return {
            "scope": " ".join(found.scopes),
            "client_id": found.client_id,
            "token_type": "Bearer",
            "exp": issued_at + ACCESS_TOKEN_LIFETIME,
            "iat": issued_at,
            "sub": found.user,
            "iss": ISSUER,
        }


def _quick(_request: Any) -> str:
    return mint()


class Oauthlib:
    """Run oauthlib's `Server`."""

    def __init__(self, *, our_mint: bool = False) -> None:
        self.name: Final = f"oauthlib{TUNED if our_mint else ''}"
        self.secret: Final = mint()
        scope = frozenset((*SCOPE.split(" "), "admin"))
        self._validator = _Validator(_Client(CLIENT_ID, self.secret, scope))
        generator = _quick if our_mint else None
        self._server = Server(self._validator, token_expires_in=ACCESS_TOKEN_LIFETIME, token_generator=generator)

    def forget(self) -> None:
        """Drop every code and token."""
        self._validator.codes.clear()
        self._validator.access_tokens.clear()
        self._validator.refresh_tokens.clear()

    def authorize(self, raw: RawRequest) -> bytes:
        """Let oauthlib redirect, for the signed-in person."""
        uri = ISSUER.encode("ascii") + raw.target
        try:
            return _raw(
                *self._server.create_authorization_response(
                    uri, raw.method, None, dict(raw.headers), credentials={"user": SUBJECT}
                )
            )
        except FatalClientError as error:
            return _raw({}, error.json, error.status_code)

    def token(self, raw: RawRequest) -> bytes:
        """Answer at the token endpoint."""
        uri = ISSUER.encode("ascii") + raw.target
        return _raw(*self._server.create_token_response(uri, raw.method, raw.body, dict(raw.headers)))

    def introspect(self, raw: RawRequest) -> bytes:
        """Answer at the introspection endpoint."""
        uri = ISSUER.encode("ascii") + raw.target
        return _raw(*self._server.create_introspect_response(uri, raw.method, raw.body, dict(raw.headers)))


def _raw(headers: dict[str, str], body: str | None, status: int) -> bytes:
    return serialised(status, headers.items(), body.encode("utf-8") if body else b"")
