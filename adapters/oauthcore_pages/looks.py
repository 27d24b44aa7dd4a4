"""The looks of the pages: Jinja2 templates in, responses out. An operator's own templates go before the package's."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from oauthcore.endpoints.interaction import PendingInteraction
from oauthcore.http import Headers, Response
from oauthcore.refusals import PAGE_HEADERS, ErrorPage

WRONG_PASSWORD = "Wrong username or password."


@attrs.frozen(kw_only=True)
class Hidden:
    """Say where a page's form goes and what it carries along unseen."""

    action: str
    interaction: str = attrs.field(repr=False)
    csrf: str = attrs.field(repr=False)


class Looks:
    """Render the pages. `loaders` are asked first for `login.html`, `approve.html`, `error.html`, `style.css`."""

    def __init__(self, loaders: Iterable[BaseLoader] = ()) -> None:
        loader = ChoiceLoader([*loaders, PackageLoader("oauthcore_pages")])
        self._environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
        style, _, _ = loader.get_source(self._environment, "style.css")
        self._style = style
        digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
        self._headers: Headers = (*PAGE_HEADERS, ("Content-Security-Policy", content_security_policy(digest)))

    def login(
        self, hidden: Hidden, pending: PendingInteraction, username: str = "", *, failed: bool = False
    ) -> Response:
        """Ask who it is; again, where the password was wrong."""
        error = WRONG_PASSWORD if failed else None
        # 400, not 401: that would have to name an authentication scheme (RFC 9110 section 15.5.2), and a form is none.
        return self._page(
            400 if failed else 200,
            "login.html",
            hidden=hidden,
            client=client_name(pending),
            username=username,
            error=error,
        )

    def approve(self, hidden: Hidden, pending: PendingInteraction, username: str) -> Response:
        """Ask whether the client may have what it asks for."""
        return self._page(
            200,
            "approve.html",
            hidden=hidden,
            client=client_name(pending),
            destination=destination(pending.redirect_uri),
            scopes=pending.scope.tokens,
            username=username,
        )

    def error(self, page: ErrorPage) -> Response:
        """Say that a request was refused: what the core calls where it can't redirect."""
        return self._page(page.status, "error.html", code=page.code, description=page.description)

    def _page(self, status: int, template: str, **values: object) -> Response:
        # The style is code, not data, and must stay the bytes that the policy has the hash of.
        text = self._environment.get_template(template).render(style=Markup(self._style), **values)  # noqa: S704
        return Response(status, self._headers, text.encode())


def content_security_policy(style_digest: str) -> str:
    """Allow the page its one style sheet, and nothing else whatever."""
    # No form-action: Chromium holds the redirects that follow a form to it, and these forms end at the client's
    # redirect URI, on an origin that is not known here. 'self' would break every authorization.
    return f"default-src 'none'; style-src 'sha256-{style_digest}'; frame-ancestors 'none'; base-uri 'none'"


def client_name(pending: PendingInteraction) -> str:
    """Give what to call the client."""
    return pending.client.name or pending.client.client_id


def destination(redirect_uri: str) -> str:
    """Give the part of a redirect URI that tells a person where the answer goes: its host, or an app's scheme."""
    parts = urlsplit(redirect_uri)
    return parts.netloc or parts.scheme
