"""A client of the provider, by hand: it makes requests, and reads what comes back without any check."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import urlencode

from oauthcore import Request, Response
from oauthcore.jose.strict_json import parse_object
from oauthcore_mock import Browser, Issuer, RegisteredClient

REDIRECT = "http://testserver/callback"


def authorization_url(issuer: Issuer, **changes: str | None) -> str:
    """Return where a client sends a browser to; None takes a parameter out."""
    parameters: dict[str, str | None] = {
        "client_id": "test-client",
        "response_type": "code",
        "redirect_uri": REDIRECT,
        "scope": "openid email",
        "state": "s",
        "nonce": "n",
        **changes,
    }
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{issuer.url}/authorize?{urlencode(given)}"


def post(issuer: Issuer, path: str, client: RegisteredClient | None = None, **form: str) -> Response:
    """Post a form, as a client that authenticates by HTTP Basic."""
    headers = [("Content-Type", "application/x-www-form-urlencoded")]
    if client is not None:
        pair = base64.b64encode(":".join(client.auth).encode()).decode()
        headers.append(("Authorization", f"Basic {pair}"))
    return issuer.handle(Request("POST", issuer.base + path, tuple(headers), urlencode(form).encode())).response


def get(issuer: Issuer, path: str, token: str | None = None) -> Response:
    """Get a path below the issuer, with a bearer token if there is one."""
    headers = () if token is None else (("Authorization", f"Bearer {token}"),)
    return issuer.handle(Request("GET", issuer.base + path, headers)).response


def redeem(issuer: Issuer, client: RegisteredClient, code: str) -> Response:
    """Redeem a code."""
    return post(issuer, "/token", client, grant_type="authorization_code", code=code, redirect_uri=REDIRECT)


def tokens(issuer: Issuer, client: RegisteredClient, browser: Browser, **changes: str | None) -> dict[str, Any]:
    """Go all the way, and return the token response."""
    response = redeem(issuer, client, browser.authorize(authorization_url(issuer, **changes)).code)
    assert response.status == 200, response.body
    return members(response)


def members(response: Response) -> dict[str, Any]:
    """Return the members of a JSON answer."""
    return parse_object(response.body)


def claims_of(token: str) -> dict[str, Any]:
    """Return what a JWT says."""
    return part(token, 1)


def header_of(token: str) -> dict[str, Any]:
    """Return the header of a JWT."""
    return part(token, 0)


def part(token: str, index: int) -> dict[str, Any]:
    """Return a part of a JWT."""
    text = token.split(".")[index]
    return parse_object(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
