"""Parsing the forms of these pages.

Not by `oauthcore.wire.parameters`, which refuses a repeated parameter, as a group of checkboxes sends it.
"""

from __future__ import annotations

from typing import Self
from urllib.parse import parse_qsl

import attrs

from oauthcore.errors import InvalidRequest, RepeatedParameter, UnreadableRequest
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import FORM, MAX_LENGTH, MAX_PARAMETERS
from oauthcore.wire.text import media_type


class UnsupportedMediaType(InvalidRequest):
    """Raised for a body that these pages' forms don't send (RFC 9110 section 15.5.16)."""

    status = 415


@attrs.frozen
class Form:
    """Hold the fields of a posted form in their order, also blank ones: a password must not be trimmed silently."""

    _fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Parse a request's body; raises `InvalidRequest` if it is not a form."""
        if media_type(request.header("content-type")) != FORM:
            raise UnsupportedMediaType("the body is no form")
        if len(request.body) > MAX_LENGTH:
            raise UnreadableRequest("the body is too long for a form")
        try:
            text = request.body.decode("utf-8")
            fields = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
        except ValueError:  # UnicodeDecodeError is one
            raise UnreadableRequest("the form is not UTF-8, or has too many fields") from None
        if any("\0" in name + value for name, value in fields):
            raise UnreadableRequest("a field has a NUL character")
        return cls(tuple(fields))

    def get(self, name: str) -> str:
        """Return a field; blank if it is absent. Raises `InvalidRequest` if it is repeated."""
        values = self.all(name)
        if len(values) > 1:
            raise RepeatedParameter(f"{name} is repeated")
        return values[0] if values else ""

    def need(self, name: str) -> str:
        """Return a field; raises `InvalidRequest` if it is absent or blank."""
        value = self.get(name)
        if not value:
            raise InvalidRequest(f"{name} is missing")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a field."""
        return tuple(value for key, value in self._fields if key == name)
