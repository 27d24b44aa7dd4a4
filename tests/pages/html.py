"""Reading a page as a browser does: its forms' fields, and what they would send."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Self
from urllib.parse import urlencode

import attrs
from typing_extensions import override

from oauthcore import Response


@attrs.define
class Page:
    """Hold what a test wants to know of a page; of its checkboxes, those that are ticked when it is shown."""

    text: str
    action: str | None = None
    fields: list[tuple[str, str]] = attrs.Factory(list)
    checkboxes: list[tuple[str, str]] = attrs.Factory(list)
    buttons: list[tuple[str, str]] = attrs.Factory(list)
    tags: list[tuple[str, dict[str, str | None]]] = attrs.Factory(list)

    @classmethod
    def of(cls, text: str) -> Self:
        """Read a page."""
        page = cls(text)
        reader = _Reader(page)
        reader.feed(text)
        reader.close()
        return page

    @classmethod
    def in_(cls, response: Response) -> Self:
        """Read the page in a response."""
        return cls.of(response.body.decode())

    @property
    def form(self) -> dict[str, str]:
        """Return what the form's fields hold, the hidden ones too, without checkboxes and buttons."""
        return dict(self.fields)

    def submission(self, *more: tuple[str, str], without: str | None = None) -> bytes:
        """Return the body of the form as filled in by `more`; a field of the same name gives way to it."""
        replaced = {name for name, _ in more}
        kept = [(name, value) for name, value in self.fields if name not in replaced and name != without]
        return urlencode([*kept, *more]).encode()


class _Reader(HTMLParser):
    def __init__(self, page: Page) -> None:
        super().__init__()
        self._page = page
        self._forms = 0

    @override
    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self._page.tags.append((tag, found))
        if tag == "form":
            assert (found.get("method") or "").lower() == "post"
            self._forms += 1
            self._page.action = self._page.action or found.get("action")
        pair = (found.get("name") or "", found.get("value") or "")
        if tag == "button":
            self._page.buttons.append(pair)
        elif self._forms > 1:
            return  # a browser sends one form, and these are the first one's
        elif tag == "input" and found.get("type") == "checkbox":
            if "checked" in found:
                self._page.checkboxes.append(pair)
        elif tag == "input":
            self._page.fields.append(pair)
