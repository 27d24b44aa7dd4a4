"""The page on which a developer chooses a user, to try an application by hand: no password, any claims.

It is for the developer's own machine. It has no secrets: every visitor can sign in as any user.
"""

from __future__ import annotations

import json
from html import escape
from urllib.parse import parse_qsl

from oauthcore import PendingInteraction, Request, Response
from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.refusals import PAGE_HEADERS
from oauthcore_mock.people import Decision, People, decision

_STYLE = (
    "body{font:1rem/1.5 system-ui,sans-serif;max-width:34rem;margin:2rem auto;padding:0 1rem}"
    "input,textarea{font:inherit;width:100%;box-sizing:border-box}button{font:inherit;margin:.5rem .5rem 0 0}"
)
_HEADERS = (
    *PAGE_HEADERS,
    (
        "Content-Security-Policy",
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'",
    ),
)


def form_page(handle: str, pending: PendingInteraction | None, people: People, problem: str = "") -> Response:
    """Show the users and what they are asked to allow."""
    if pending is None and not problem:
        return page(
            400, "Nothing waits here", "<p>This login is over, or was never begun. Begin again at the application."
        )
    known = "".join(
        f'<button name="sub" value="{escape(user.sub)}">{escape(user.sub)}</button>' for user in people.all()
    )
    what = (
        ""
        if pending is None
        else (
            f"<p>The client <strong>{escape(pending.client.client_id)}</strong> asks for "
            f"<strong>{escape(pending.scope.text or 'no scope')}</strong>, and the answer goes to "
            f"<code>{escape(pending.redirect_uri)}</code>."
        )
    )
    said = f'<p role="alert"><strong>{escape(problem)}</strong>' if problem else ""
    hidden = f'<input type="hidden" name="interaction" value="{escape(handle)}">'
    return page(
        400 if problem else 200,
        "Sign in to the provider for tests",
        f'{said}{what}<form method="post">{hidden}<p>{known}</form>'
        f'<form method="post">{hidden}<p><label>Somebody else (sub)<input name="sub" required></label>'
        f'<p><label>Their claims, as JSON<textarea name="claims" rows="6">{escape(json.dumps({}))}</textarea></label>'
        f'<p><button name="allow" value="1">Sign in and allow</button></form>'
        f'<form method="post">{hidden}<input type="hidden" name="sub" value="{escape(people.default.sub)}">'
        f'<p><button name="deny" value="1">Deny</button></form>',
    )


def sign_out_page(handle: str) -> Response:
    """Ask whether the user wants to sign out."""
    hidden = f'<input type="hidden" name="logout" value="{escape(handle)}">'
    button = "<p><button>Sign out</button>"
    return page(200, "Sign out of the provider for tests", f'<form method="post">{hidden}{button}</form>')


def form_values(request: Request) -> dict[str, str]:
    """Return the fields of the posted form."""
    return dict(parse_qsl(request.body.decode("utf-8", "replace")))


def decision_of(values: dict[str, str], people: People) -> Decision | str:
    """Parse the user's decision; a text says what is wrong with it."""
    sub = values.get("sub", "")
    if not sub:
        return "Say who signs in."
    try:
        claims = parse_object(values.get("claims") or "{}")
    except ValueError as error:
        return f"The claims are no JSON object: {error}."
    return decision(sub, claims, people, denies="deny" in values)


def page(status: int, title: str, content: str) -> Response:
    """Return a page for a developer's own browser."""
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style></head>'
        f"<body><main><h1>{title}</h1>{content}</main></body></html>"
    )
    return Response(status, _HEADERS, text.encode())
