"""Errors as responses, in the two forms that peers read: JSON for clients, a page for people."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import attrs

from oauthcore.errors import InvalidClient, OAuthError
from oauthcore.wire.http import NO_STORE, Headers, Refusal, Response, json_response
from oauthcore.wire.text import ascii_lower

# For every page: nothing may frame it, run in it, or learn from it where the person came from (RFC 9700 section 4.16).
PAGE_HEADERS: Headers = (
    ("Content-Type", "text/html; charset=utf-8"),
    ("X-Frame-Options", "DENY"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    *NO_STORE,
)


@attrs.frozen
class ErrorPage:
    """Hold the content of an error page; nothing in it is from the request."""

    status: int
    code: str
    description: str


RenderErrorPage = Callable[[ErrorPage], Response]


def refuse_as_json(error: OAuthError, realm: str, cause: BaseException | None = None) -> Response:
    """Refuse a client (RFC 6749 section 5.2), with the headers that the error has.

    A 401 always says how to do better (RFC 9110 section 15.5.2); a 429 and a 503 say when to try again.
    """
    members = {"error": error.code, "error_description": error.error_description}
    extra: Headers = error.headers
    # RFC 6749 section 5.2: 401 invalid_client answers an attempt by the Authorization header with the scheme that it
    # used.
    if isinstance(error, InvalidClient) and not has_challenge(error):
        extra = (("WWW-Authenticate", f'Basic realm="{realm}", charset="UTF-8"'), *extra)
    # RFC 9110 section 10.2.3: Retry-After, in seconds.
    elif error.retry_after is not None:
        extra = (("Retry-After", str(error.retry_after)), *extra)
    return attrs.evolve(json_response(error.status, members, extra), refusal=Refusal(error.code, error.reason, cause))


def has_challenge(error: OAuthError) -> bool:
    """Return whether an error says by itself how to authenticate."""
    return any(ascii_lower(name) == "www-authenticate" for name, _ in error.headers)


def refuse_as_page(error: OAuthError, render: RenderErrorPage, cause: BaseException | None = None) -> Response:
    """Refuse a person's browser, without sending it anywhere."""
    response = render(ErrorPage(error.status, error.code, error.description))
    wait: Headers = () if error.retry_after is None else (("Retry-After", str(error.retry_after)),)
    refusal = Refusal(error.code, error.reason, cause)
    return attrs.evolve(response, headers=(*response.headers, *wait), refusal=refusal)


def plain_error_page(page: ErrorPage) -> Response:
    """Render an error page for a host that has no templates of its own."""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>The request was refused</title>'
        f"<h1>The request was refused.</h1><p>{escape(page.description)}</p><p><code>{escape(page.code)}</code></p>"
        "</html>"
    )
    # RFC 9700 section 4.16: pages of an authorization server must not be framed (clickjacking).
    policy = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    return Response(page.status, (*PAGE_HEADERS, policy), html.encode())
