"""Authlib's framework-neutral `AuthorizationServer`, through the thinnest adapter that is still honest.

Authlib leaves the token generator to the host and lets `generate_authorization_code` be overridden. As it comes, with
its Flask and Django integrations, both use its own `generate_token`; `our_mint=True` gives it the floor's minting
instead, which is much cheaper, and so shows what the rest of Authlib costs. A request for which consent exists goes
straight from `get_authorization_grant` to the answer, which saves the second validation that the documented pair of
GET and POST views makes.
"""

# Authlib publishes no types: its bases are `Any` to the checker, hence the narrow `misc` and `import-untyped`.
from __future__ import annotations

import hmac
import json
import time
from typing import Any, Final

from authlib.common.security import generate_token
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    OAuth2Error,
    OAuth2Request,
    grants,
)
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
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
from benchmarks.wire import RawRequest, mint, read_form, read_query, serialised


class _Client:
    __slots__ = ("_scope", "_secret", "client_id")

    def __init__(self, secret: str) -> None:
        self.client_id = CLIENT_ID
        self._secret = secret
        self._scope = frozenset((*SCOPE.split(" "), "admin"))

    def get_allowed_scope(self, scope: str | None) -> str:
        return " ".join([token for token in scope.split() if token in self._scope]) if scope else ""

    def get_default_redirect_uri(self) -> str:
        return REDIRECT_URI

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == REDIRECT_URI

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(self._secret, client_secret)

    def check_endpoint_auth_method(self, method: str, _endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in ("authorization_code", "refresh_token", "client_credentials")


class _Code:
    __slots__ = (
        "client_id",
        "code",
        "code_challenge",
        "code_challenge_method",
        "expires_at",
        "redirect_uri",
        "scope",
        "user",
    )

    def __init__(self, code: str, request: Any) -> None:
        asked = request.payload.data
        self.code = code
        self.client_id = request.client.client_id
        self.redirect_uri: str | None = asked.get("redirect_uri")
        self.scope: str = request.scope
        self.user: str = request.user
        self.code_challenge = asked.get("code_challenge")
        self.code_challenge_method = asked.get("code_challenge_method")
        self.expires_at = time.time() + CODE_LIFETIME

    def get_redirect_uri(self) -> str | None:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope


class _Token:
    __slots__ = ("access_token", "client_id", "issued_at", "refresh_token", "scope", "user")

    def __init__(self, token: dict[str, str], request: Any) -> None:
        self.access_token = token["access_token"]
        self.refresh_token = token.get("refresh_token")
        self.scope = token.get("scope", "")
        self.client_id: str = request.client.client_id
        self.user: str = request.user
        self.issued_at = time.time()

    def check_client(self, client: _Client) -> bool:
        return self.client_id == client.client_id

    def get_scope(self) -> str:
        return self.scope

    def is_expired(self) -> bool:
        return self.issued_at + ACCESS_TOKEN_LIFETIME <= time.time()

    def is_revoked(self) -> bool:
        return False


class _Request(OAuth2Request):  # type: ignore[misc]  # see above
    def __init__(self, raw: RawRequest) -> None:
        # Authlib asks for "Authorization" in that spelling.
        headers = {name.decode("ascii").title(): value.decode("latin-1") for name, value in raw.headers}
        super().__init__(raw.method.decode("ascii"), ISSUER + raw.target.decode("ascii"), headers=headers)
        self._form = read_form(raw.body.decode("ascii")) if raw.body else read_query(raw.target)
        self.payload = BasicOAuth2Payload(self._form)

    @property
    @override
    def args(self) -> dict[str, str]:
        return self._form

    @property
    @override
    def form(self) -> dict[str, str]:
        return self._form


class _Server(AuthorizationServer):  # type: ignore[misc]  # see above
    def __init__(self, client: _Client) -> None:
        super().__init__()
        self.clients = {client.client_id: client}
        self.codes: dict[str, _Code] = {}
        self.access_tokens: dict[str, _Token] = {}
        self.refresh_tokens: dict[str, _Token] = {}

    @override
    def query_client(self, client_id: str) -> _Client | None:
        return self.clients.get(client_id)

    @override
    def save_token(self, token: dict[str, str], request: Any) -> None:
        record = _Token(token, request)
        self.access_tokens[record.access_token] = record
        if record.refresh_token is not None:
            self.refresh_tokens[record.refresh_token] = record

    @override
    def create_oauth2_request(self, request: RawRequest | _Request) -> _Request:
        return request if isinstance(request, _Request) else _Request(request)

    @override
    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> bytes:
        return serialised(status, headers, json.dumps(body).encode("ascii") if body else b"")

    @override
    def send_signal(self, name: str, *args: object, **kwargs: object) -> None:
        pass


class _AuthorizationCodeGrant(grants.AuthorizationCodeGrant):  # type: ignore[misc]  # see above
    TOKEN_ENDPOINT_AUTH_METHODS = ["client_secret_basic"]  # noqa: RUF012  # Authlib's own way to configure

    @override
    def save_authorization_code(self, code: str, request: Any) -> None:
        self.server.codes[code] = _Code(code, request)

    @override
    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        found: _Code | None = self.server.codes.get(code)
        if found is None or found.client_id != client.client_id or found.expires_at <= time.time():
            return None
        return found

    @override
    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.server.codes[authorization_code.code]

    @override
    def authenticate_user(self, authorization_code: _Code) -> str:
        return authorization_code.user


class _QuickCodeGrant(_AuthorizationCodeGrant):
    @override
    def generate_authorization_code(self) -> str:
        return mint()


class _RefreshTokenGrant(grants.RefreshTokenGrant):  # type: ignore[misc]  # see above
    INCLUDE_NEW_REFRESH_TOKEN = True

    @override
    def authenticate_refresh_token(self, refresh_token: str) -> _Token | None:
        found: _Token | None = self.server.refresh_tokens.get(refresh_token)
        return None if found is None or found.issued_at + REFRESH_TOKEN_LIFETIME <= time.time() else found

    @override
    def authenticate_user(self, refresh_token: _Token) -> str:
        return refresh_token.user

    @override
    def revoke_old_credential(self, refresh_token: _Token) -> None:
        del self.server.refresh_tokens[refresh_token.refresh_token]


class _Introspection(IntrospectionEndpoint):  # type: ignore[misc]  # see above
    @override
    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:
        server: _Server = self.server
        return server.access_tokens.get(token_string) or server.refresh_tokens.get(token_string)

    @override
    def check_permission(self, token: _Token, client: _Client, request: Any) -> bool:
        return token.check_client(client)

    @override
    def introspect_token(self, token: _Token) -> dict[str, object]:
        issued_at = int(token.issued_at)
        return {
            "active": True,
            "scope": token.scope,
            "client_id": token.client_id,
            "token_type": "Bearer",
            "exp": issued_at + ACCESS_TOKEN_LIFETIME,
            "iat": issued_at,
            "sub": token.user,
            "iss": ISSUER,
        }


def _lifetime(_client: _Client, _grant_type: str) -> int:
    return ACCESS_TOKEN_LIFETIME


class Authlib:
    """Run Authlib's `AuthorizationServer`."""

    def __init__(self, *, our_mint: bool = False) -> None:
        self.name: Final = f"Authlib{TUNED if our_mint else ''}"
        self.secret: Final = mint()
        self._consents = {(SUBJECT, CLIENT_ID): frozenset(SCOPE.split(" "))}
        self._server = _Server(_Client(self.secret))
        if our_mint:
            generator = BearerTokenGenerator(lambda **_: mint(), lambda **_: mint(), _lifetime)
        else:
            generator = BearerTokenGenerator(lambda **_: generate_token(42), lambda **_: generate_token(48), _lifetime)
        self._server.register_token_generator("default", generator)
        code_grant = _QuickCodeGrant if our_mint else _AuthorizationCodeGrant
        self._server.register_grant(code_grant, [CodeChallenge(required=True)])
        self._server.register_grant(_RefreshTokenGrant)
        self._server.register_grant(grants.ClientCredentialsGrant)
        self._server.register_endpoint(_Introspection)

    def forget(self) -> None:
        """Drop every code and token."""
        self._server.codes.clear()
        self._server.access_tokens.clear()
        self._server.refresh_tokens.clear()

    def authorize(self, raw: RawRequest) -> bytes:
        """Look for the consent, then let Authlib redirect."""
        server = self._server
        request = _Request(raw)
        asked = request.payload
        if not self._consents[SUBJECT, asked.client_id].issuperset(asked.scope.split(" ")):
            return serialised(403, (), b"")
        try:
            grant = server.get_authorization_grant(request)
        except OAuth2Error as error:
            refusal: bytes = server.handle_error_response(request, error)
            return refusal
        answer: bytes = server.create_authorization_response(request, grant_user=SUBJECT, grant=grant)
        return answer

    def token(self, raw: RawRequest) -> bytes:
        """Answer at the token endpoint."""
        answer: bytes = self._server.create_token_response(raw)
        return answer

    def introspect(self, raw: RawRequest) -> bytes:
        """Answer at the introspection endpoint."""
        answer: bytes = self._server.create_endpoint_response("introspection", raw)
        return answer
