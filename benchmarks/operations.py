"""The five operations and the requests they begin with.

Every request is prepared outside the measured time, and through the contestant's own endpoints: the code that is
exchanged, the token that is refreshed and the one that is introspected are its own. No two requests are alike (state,
challenge, code and tokens differ), so no cache gains what it would not gain in service.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Protocol
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import attrs

from benchmarks.wire import RawRequest, mint

ISSUER = "https://as.example"
CLIENT_ID = "s6BhdRkqt3"
REDIRECT_URI = "https://client.example/callback"
SCOPE = "read write"
SUBJECT = "alice"

# What is added to the name of a peer that was given the floor's minting.
TUNED = ", our mint"

AUTHORIZE = "/authorize"
TOKEN = "/token"
INTROSPECT = "/introspect"

# As long as people stay signed in and tokens live matters to nobody here; that all say the same does.
ACCESS_TOKEN_LIFETIME = 300
REFRESH_TOKEN_LIFETIME = 900
CODE_LIFETIME = 60

Answer = Callable[[RawRequest], bytes]


class Contestant(Protocol):
    """Answer raw requests from storage that knows one confidential client, and one person who consented to `SCOPE`."""

    @property
    def name(self) -> str:
        """Return the name that stands in the table."""

    @property
    def secret(self) -> str:
        """Return the client's secret."""

    def forget(self) -> None:
        """Drop every code and token, so that storage never grows beyond one batch."""

    def authorize(self, request: RawRequest, /) -> bytes:
        """Answer at the authorization endpoint, for the signed-in person."""

    def token(self, request: RawRequest, /) -> bytes:
        """Answer at the token endpoint."""

    def introspect(self, request: RawRequest, /) -> bytes:
        """Answer at the introspection endpoint."""


@attrs.frozen
class Operation:
    """Name an operation, how one request for it is made, and the method that is timed."""

    name: str
    prepare: Callable[[Contestant], RawRequest]
    timed: Callable[[Contestant], Answer]


@attrs.frozen
class Pkce:
    """Hold a fresh verifier and its S256 challenge (RFC 7636 section 4.2)."""

    verifier: str = attrs.field(factory=mint)

    @property
    def challenge(self) -> str:
        """Return the challenge."""
        digest = hashlib.sha256(self.verifier.encode("ascii")).digest()
        return base64.urlsafe_b64encode(digest)[:43].decode("ascii")


def authorization_request(
    pkce: Pkce, state: str, *, redirect_uri: str = REDIRECT_URI, scope: str = SCOPE
) -> RawRequest:
    """Make what the person's browser sends."""
    parameters = {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": scope,
        "state": state,
        "code_challenge": pkce.challenge,
        "code_challenge_method": "S256",
    }
    headers = [(b"host", b"as.example"), (b"user-agent", b"Mozilla/5.0"), (b"accept", b"text/html")]
    return RawRequest(b"GET", f"{AUTHORIZE}?{urlencode(parameters)}".encode("ascii"), headers)


def client_request(secret: str, path: str, parameters: dict[str, str]) -> RawRequest:
    """Make what the client sends, authenticated with HTTP Basic."""
    body = urlencode(parameters).encode("ascii")
    credentials = base64.b64encode(f"{quote(CLIENT_ID)}:{quote(secret)}".encode("ascii"))
    headers = [
        (b"host", b"as.example"),
        (b"user-agent", b"client/1.0"),
        (b"accept", b"application/json"),
        (b"authorization", b"Basic " + credentials),
        (b"content-type", b"application/x-www-form-urlencoded"),
        (b"content-length", b"%d" % len(body)),
    ]
    return RawRequest(b"POST", path.encode("ascii"), headers, body)


def exchange_request(secret: str, code: str, verifier: str) -> RawRequest:
    """Make the request that turns a code into tokens."""
    parameters = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": REDIRECT_URI,
        "code_verifier": verifier,
    }
    return client_request(secret, TOKEN, parameters)


def refresh_request(secret: str, refresh_token: str) -> RawRequest:
    """Make the request that turns a refresh token into the next pair."""
    return client_request(secret, TOKEN, {"grant_type": "refresh_token", "refresh_token": refresh_token})


def introspection_request(secret: str, token: str) -> RawRequest:
    """Make the request that asks about an access token, with the hint that helps those who take it."""
    return client_request(secret, INTROSPECT, {"token": token, "token_type_hint": "access_token"})


def credentials_request(secret: str) -> RawRequest:
    """Make the request for a token of the client's own."""
    return client_request(secret, TOKEN, {"grant_type": "client_credentials", "scope": "read"})


def redirect_of(answer: bytes) -> tuple[str, dict[str, str]]:
    """Return where a response sends the browser, without its query, and that query's parameters."""
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    for line in head.split("\r\n"):
        name, _, value = line.partition(": ")
        if name.lower() == "location":
            return value.partition("?")[0], dict(parse_qsl(urlsplit(value).query))
    return "", {}


def members_of(answer: bytes) -> dict[str, object]:
    """Return the members of the JSON object in a response, none if there is no such object."""
    body = answer.partition(b"\r\n\r\n")[2]
    if not body.startswith(b"{"):
        return {}
    members: dict[str, object] = json.loads(body)
    return members


def status_of(answer: bytes) -> int:
    """Return the status of a response."""
    return int(answer.split(b" ", 2)[1])


def fresh_code(contestant: Contestant, pkce: Pkce) -> str:
    """Let the person allow the client once more, and give the code."""
    return redirect_of(contestant.authorize(authorization_request(pkce, mint())))[1]["code"]


def fresh_pair(contestant: Contestant) -> tuple[str, str]:
    """Return an access token and a refresh token out of a new code."""
    pkce = Pkce()
    members = members_of(
        contestant.token(exchange_request(contestant.secret, fresh_code(contestant, pkce), pkce.verifier))
    )
    return str(members["access_token"]), str(members["refresh_token"])


def _exchange(contestant: Contestant) -> RawRequest:
    pkce = Pkce()
    return exchange_request(contestant.secret, fresh_code(contestant, pkce), pkce.verifier)


OPERATIONS = (
    Operation("client credentials", lambda one: credentials_request(one.secret), lambda one: one.token),
    Operation("code exchange", _exchange, lambda one: one.token),
    Operation("refresh", lambda one: refresh_request(one.secret, fresh_pair(one)[1]), lambda one: one.token),
    Operation(
        "introspection", lambda one: introspection_request(one.secret, fresh_pair(one)[0]), lambda one: one.introspect
    ),
    Operation("authorize", lambda _: authorization_request(Pkce(), mint()), lambda one: one.authorize),
)
