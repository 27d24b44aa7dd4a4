"""Reading the forms of these pages.

Not `oauthcore.wire.parameters`: that refuses a repeated parameter, and a group of checkboxes is one.
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
    """Refuse a body that is not what these pages' forms send (RFC 9110 section 15.5.16)."""

    status = 415


@attrs.frozen
class Form:
    """Hold a posted form's fields, in order; blank ones too, since a password may not be trimmed away unseen."""

    _fields: tuple[tuple[str, str], ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, request: Request) -> Self:
        """Read a request's body; raises `InvalidRequest` if it is no form."""
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
        """Return a field that may be there once, blank where it is absent; raises `InvalidRequest` for a second one."""
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
