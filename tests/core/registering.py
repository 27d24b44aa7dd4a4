"""Clients that register themselves: what the tests of that send, and what they do with the answer."""

from __future__ import annotations

import json
from typing import Any

from oauthcore import AnyoneMayRegister, Registration, Request, Response
from tests.core.site import FORM, VERIFIER, Site, form, params

OPEN = Registration(access=AnyoneMayRegister(), scope="email profile")
JSON = ("Content-Type", "application/json")
LOOPBACK = "http://127.0.0.1/callback"
CURSOR = (
    "cursor://anysphere.cursor-mcp/oauth/callback",
    "https://www.cursor.com/agents/mcp/oauth/callback",
    "http://localhost:8787/callback",
)


def register(site: Site, *headers: tuple[str, str], **metadata: Any) -> Response:
    """Send metadata to the registration endpoint."""
    return site.handle(Request("POST", "/register", (JSON, *headers), json.dumps(metadata).encode()))


def configure(site: Site, method: str, registered: dict[str, Any], token: str | None = None) -> Response:
    """Use the configuration endpoint as the answer to the registration says."""
    bearer = ("Authorization", f"Bearer {token or registered['registration_access_token']}")
    target = registered["registration_client_uri"].removeprefix("https://as.example")
    return site.handle(Request(method, target, (bearer,)))


def use(site: Site, registered: dict[str, Any], **asked: Any) -> Response:
    """Log somebody in at a public client and redeem its code."""
    client_id, uri = registered["client_id"], registered["redirect_uris"][0]
    code = params(site.approve(site.authorize(None, client_id=client_id, redirect_uri=uri, **asked)))["code"]
    return site.redeem(code, client_id, redirect_uri=uri)


def change(site: Site, registered: dict[str, Any], **metadata: Any) -> Response:
    """Have a client replace its metadata (RFC 7592 section 2.2)."""
    return site.handle(change_request(registered, **metadata))


def change_request(registered: dict[str, Any], **metadata: Any) -> Request:
    """Return the request of a change."""
    bearer = ("Authorization", f"Bearer {registered['registration_access_token']}")
    target = registered["registration_client_uri"].removeprefix("https://as.example")
    body = json.dumps({"client_id": registered["client_id"], **metadata}).encode()
    return Request("PUT", target, (JSON, bearer), body)


def token_request(site: Site, registered: dict[str, Any]) -> Request:
    """Log somebody in at a public client, and return the request that redeems its code."""
    client_id, uri = registered["client_id"], registered["redirect_uris"][0]
    code = params(site.approve(site.authorize(None, client_id=client_id, redirect_uri=uri)))["code"]
    body = form(
        grant_type="authorization_code", code=code, client_id=client_id, redirect_uri=uri, code_verifier=VERIFIER
    )
    return Request("POST", "/token", (FORM,), body)
