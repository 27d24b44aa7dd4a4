"""A site where clients push their requests, and clients that do so."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from oauthcore import Login, Peer, PushedRequests, Request, Response, run
from tests.core.site import CHALLENGE, FORM, REDIRECT, SECRETS, Drive, Site, basic, form, make_site, members

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"


def pushing_site(drive: Drive = run, **settings: Any) -> Site:
    """Make a site where clients may push."""
    settings.setdefault("pushed_requests", PushedRequests())
    return make_site(drive, **settings)


def push_request(client_id: str = "confidential", peer: Peer | None = None, **changes: str | None) -> Request:
    """Return the request of a client that pushes a request which is right but for the changes."""
    values: dict[str, str | None] = {
        "client_id": client_id,
        "redirect_uri": "https://public.example/cb" if client_id == "public" else REDIRECT,
        "response_type": "code",
        "scope": "email",
        "state": "s",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    headers = (FORM, basic(client_id, SECRETS[client_id])) if client_id in SECRETS else (FORM,)
    return Request("POST", "/par", headers, form(**(values | changes)), peer)


def push(site: Site, client_id: str = "confidential", peer: Peer | None = None, **changes: str | None) -> Response:
    """Push a request."""
    return site.handle(push_request(client_id, peer, **changes))


def pushed(site: Site, client_id: str = "confidential", **changes: str | None) -> str:
    """Return the request_uri of a pushed request."""
    response = push(site, client_id, None, **changes)
    assert response.status == 201, response
    return str(members(response)["request_uri"])


def target(request_uri: str, client_id: str | None = "confidential", **beside: str) -> str:
    """Return where the client sends the browser."""
    named = {} if client_id is None else {"client_id": client_id}
    return "/authorize?" + urlencode({**named, "request_uri": request_uri, **beside})


def use(site: Site, request_uri: str, login: Login | None = None, /, **beside: str) -> Response:
    """Send the browser to the authorization endpoint with a request_uri."""
    return site.get(target(request_uri, **beside), login)
