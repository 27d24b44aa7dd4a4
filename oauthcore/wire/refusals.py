"""Errors as responses, in the two forms that peers read: JSON for clients, a page for people."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

import attrs

from oauthcore.errors import Explanation, InvalidClient, OAuthError
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
class WayOn:
    """Say where the user's browser would go on: to a `url` at a `host`, by a link, or by posting `fields` if any."""

    host: str
    url: str
    fields: tuple[tuple[str, str], ...] = ()


class UntrustedRedirect(OAuthError):
    """Refuse to redirect an error to an unapproved site without asking the user (RFC 9700 section 4.11.2)."""

    code = "invalid_request"
    description = "An application that nobody here has checked would be told about a problem with its request."

    def __init__(self, error: OAuthError, way_on: WayOn) -> None:
        super().__init__(f"{error.code}, for a redirect URI that is not approved: {error.reason}")
        # The code that the client would get, so that logs and metrics count the actual error.
        self.code = error.code  # type: ignore[misc]  # of this one
        self.way_on = way_on
        self.explanation = error.explanation


@attrs.frozen
class ErrorPage:
    """Hold the content of an error page; nothing in it is from the request, except `way_on` and `explanation`.

    With a `way_on`, the error is meant for a site that is not approved: name its host, and let the user decide whether
    to continue to it. There is an `explanation` in developer mode only. It may contain text of the request, which
    anybody can have written: say that it is for developers, and make no link of it.
    """

    status: int
    code: str
    description: str
    way_on: WayOn | None = None
    explanation: Explanation | None = None


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
    way = error.way_on if isinstance(error, UntrustedRedirect) else None
    response = render(ErrorPage(error.status, error.code, error.description, way, error.explanation))
    wait: Headers = () if error.retry_after is None else (("Retry-After", str(error.retry_after)),)
    refusal = Refusal(error.code, error.reason, cause)
    return attrs.evolve(response, headers=(*response.headers, *wait), refusal=refusal)


def plain_error_page(page: ErrorPage) -> Response:
    """Render an error page for a host that has no templates of its own."""
    html = (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>The request was refused</title>'
        f"<h1>The request was refused.</h1><p>{escape(page.description)}</p><p><code>{escape(page.code)}</code></p>"
        f"{'' if page.explanation is None else _explained(page.explanation)}"
        f"{'' if page.way_on is None else _link_on(page.way_on)}</html>"
    )
    # RFC 9700 section 4.16: pages of an authorization server must not be framed (clickjacking).
    policy = ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'")
    return Response(page.status, (*PAGE_HEADERS, policy), html.encode())


def _explained(explanation: Explanation) -> str:
    """Return what the developer of the client reads, escaped: parts of it are from the request."""
    setting = ""
    if explanation.setting is not None:
        value = "" if explanation.value is None else f" = {escape(explanation.value)}"
        setting = f"<p>Setting: <code>{escape(explanation.setting)}{value}</code></p>"
    return f"<h2>For the developer of the application</h2><p><code>{escape(explanation.reason)}</code></p>{setting}"


def _link_on(way: WayOn) -> str:
    """Return a link to a site that is not approved, preceded by its name."""
    warning = f"<p>It would send you to <strong>{escape(way.host)}</strong>. Go on only if you know it.</p>"
    if not way.fields:
        return f'{warning}<p><a href="{escape(way.url)}" rel="noreferrer nofollow">Continue</a></p>'
    fields = "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in way.fields
    )
    form = f'<form method="post" action="{escape(way.url)}">{fields}'
    return f'{warning}{form}<button type="submit">Continue</button></form>'
