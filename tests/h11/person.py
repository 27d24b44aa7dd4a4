"""A person with a browser, over a real socket: follows redirects, fills in pages, stops where the client begins."""

from __future__ import annotations

from collections.abc import Iterable
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlsplit

import httpx

from tests.pages.html import Page


class Person:
    """Walk an authorization request through the demo's pages."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.http = httpx.Client(base_url=issuer, trust_env=False)
        self.pages: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def open(self, url: str, *, allow: bool = True, scope: Iterable[str] | None = None, remember: bool = False) -> str:
        """Open a URL, sign in and answer where asked; give the URL at the client where it ends."""
        response = self.http.get(url)
        while response.has_redirect_location or response.status_code == 200:
            if response.has_redirect_location:
                location = response.headers["location"]
                if not location.startswith(("/", self.issuer)):
                    return str(location)
                response = self.http.get(location)
            else:
                response = self._submit(response, allow=allow, scope=scope, remember=remember)
        raise AssertionError(f"{response.status_code}: {response.text}")

    def _submit(
        self, response: httpx.Response, *, allow: bool, scope: Iterable[str] | None, remember: bool
    ) -> httpx.Response:
        page = Page.of(response.text)
        self.pages.append(response.url.path)
        if "password" in page.form:
            body = page.submission(("username", "admin"), ("password", "admin"))
        else:
            ticked = page.checkboxes if scope is None else [("scope", token) for token in scope]
            ticked = [*ticked, ("remember", "1")] if remember else ticked
            body = page.submission(*ticked, ("approval", "1" if allow else "0"))
        assert page.action is not None
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        return self.http.post(page.action, content=body, headers=form)


def query_of(url: str) -> dict[str, str]:
    """Return the parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True))
