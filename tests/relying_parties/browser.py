"""A person's browser, over TLS: it follows, signs in and allows, and stops where the client begins."""

from __future__ import annotations

import ssl
from types import TracebackType
from typing import Self
from urllib.parse import urlencode

import attrs
import httpx

from tests.pages.html import Page
from tests.processes import PATIENCE

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# An honest walk takes a handful of pages; more would be a circle.
MANY = 20


@attrs.frozen
class Arrival:
    """Say where the browser came to at a client, and with which posted form, if it was one."""

    url: str
    body: str | None = None


class Browser:
    """Walk through the provider's pages as alice."""

    def __init__(self, issuer: str, trust: ssl.SSLContext) -> None:
        self.http = httpx.Client(base_url=issuer, verify=trust, trust_env=False, timeout=PATIENCE)
        self._issuer = issuer
        self.visited: list[str] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.http.close()

    def open(self, url: str) -> Arrival:
        """Open a URL, and answer every page that is shown, until it ends at a client."""
        return self.follow(self.http.get(url))

    def follow(self, response: httpx.Response) -> Arrival:
        """Go on from a response."""
        for _ in range(MANY):
            self.visited.append(response.url.path)
            if response.has_redirect_location:
                location = response.headers["location"]
                if not location.startswith(("/", f"{self._issuer}/")):
                    return Arrival(location)
                response = self.http.get(location)
                continue
            assert response.status_code == 200, (response.status_code, response.text)
            page = Page.of(response.text)
            assert page.action is not None, response.text
            if not page.action.startswith("/"):
                return Arrival(page.action, page.submission().decode())
            response = self.http.post(page.action, content=self._answer(page), headers=FORM)
        raise AssertionError(f"it goes round in circles: {self.visited}")

    def _answer(self, page: Page) -> bytes:
        if "password" in page.form:
            return page.submission(("username", "alice"), ("password", "wonderland"))
        buttons = [button for button in page.buttons if button[0]]
        yes = next((button for button in buttons if button[1] in {"1", "current"}), None)
        # As browsers do: hidden fields and checkboxes of one name are all sent.
        return urlencode([*page.fields, *page.checkboxes, *([] if yes is None else [yes])]).encode()
