"""Strict reading of what a peer can write: forms, queries, cookies.

Parsed once, at the edge. A blank value counts as absent and a repeated one is refused (RFC 6749 section 3.1), before
anything else looks. Nothing here knows what a parameter means.
"""

from __future__ import annotations

from collections.abc import Container
from urllib.parse import unquote_to_bytes

import attrs

from oauthcore.errors import InvalidRequest, RepeatedParameter, UnreadableRequest
from oauthcore.per_request import per_request
from oauthcore.wire.http import Request
from oauthcore.wire.text import media_type, strip_ows

FORM = "application/x-www-form-urlencoded"

# Far above any honest request (a 2 kB state, a long list of scopes), far below what would cost anything to read.
MAX_LENGTH = 65_536
MAX_PARAMETERS = 100

NO_NAMES: frozenset[str] = frozenset()
_NO_LISTS: dict[str, tuple[str, ...]] = {}


@per_request
class Parameters:
    """Hold the parameters of one request by name; none is blank, and only what may be repeated has several values."""

    _values: dict[str, str] = attrs.field(repr=False)
    _lists: dict[str, tuple[str, ...]] = attrs.field(repr=False)

    def get(self, name: str) -> str | None:
        """Return the value, or None if it was absent or blank."""
        return self._values.get(name)

    def need(self, name: str) -> str:
        """Return the value; raises `InvalidRequest` if it is absent."""
        value = self._values.get(name)
        if value is None:
            raise InvalidRequest.with_description(f"{name} is missing")
        return value

    def all(self, name: str) -> tuple[str, ...]:
        """Return every value of a repeatable parameter, in order; blank ones are absent, here as elsewhere."""
        return self._lists.get(name, ())

    def among(self, names: Container[str]) -> dict[str, str]:
        """Return those of the names that have a value, with it."""
        return {name: value for name, value in self._values.items() if name in names}

    @property
    def names(self) -> frozenset[str]:
        """Return the names of all parameters that have a value."""
        return frozenset(self._values)

    def isdisjoint(self, names: frozenset[str]) -> bool:
        """Return whether none of the names has a value."""
        return names.isdisjoint(self._values)

    def __contains__(self, name: str) -> bool:
        return name in self._values


def parse_form(text: str, repeatable: frozenset[str] = NO_NAMES) -> Parameters:
    """Read form encoding, the syntax of queries and bodies alike (RFC 6749 appendix B).

    `repeatable` are the names that may have several values, as RFC 8707 section 2 has it of `resource`.
    Raises `InvalidRequest` for a repeated name, for bytes that are no UTF-8, for a NUL and for too much of anything.
    """
    if len(text) > MAX_LENGTH:
        raise UnreadableRequest.with_description(f"the parameters take more than {MAX_LENGTH} bytes")
    pieces = text.split("&")
    if len(pieces) > MAX_PARAMETERS:
        raise UnreadableRequest.with_description(f"there are more than {MAX_PARAMETERS} parameters")
    is_plain = text.isascii() and "\0" not in text
    if is_plain and "%" not in text and "+" not in text:
        plain = _as_written(pieces, repeatable)
        if plain is not None:
            return Parameters(plain, _NO_LISTS)
    values: dict[str, str] = {}
    lists: dict[str, tuple[str, ...]] = {}
    for piece in pieces:
        if not piece:
            continue
        name, _, value = piece.partition("=")
        if not is_plain or "%" in piece or "+" in piece:
            # Names are mostly plain where values are not.
            name = name if is_plain and "%" not in name and "+" not in name else _decoded(name)
            value = _decoded(value)
        if name in repeatable:
            if value:
                lists[name] = (*lists.get(name, ()), value)
                values.setdefault(name, value)
            continue
        if name in values:
            # RFC 6749 section 3.1: parameters MUST NOT be included more than once. Two readers that choose different
            # ones could be made to disagree.
            raise RepeatedParameter.with_description("a parameter is repeated")
        values.setdefault(name, value)
    # RFC 6749 section 3.1: parameters sent without a value MUST be treated as if they were omitted.
    if "" in values.values():
        values = {name: value for name, value in values.items() if value}
    return Parameters(values, lists)


def _as_written(pieces: list[str], repeatable: frozenset[str]) -> dict[str, str] | None:
    """Return the parameters of unencoded pairs, None if a slower parse is needed: a list, a blank, a repeated name.

    Most bodies at the token endpoint are that simple.
    """
    try:
        values: dict[str, str] = dict([piece.split("=", 1) for piece in pieces])
    except ValueError:  # a piece without =
        return None
    is_simple = len(values) == len(pieces) and repeatable.isdisjoint(values)
    return values if is_simple and "" not in values and "" not in values.values() else None


# The characters of escapes that mean one printable character of ASCII, as in URLs: most escapes are such.
_PRINTABLE = {f"{code:02{digits}}": chr(code) for code in range(0x20, 0x7F) for digits in "xX"}


def _decoded(text: str) -> str:
    text = text.replace("+", " ")
    if "%" in text and text.isascii():
        first, *escaped = text.split("%")
        try:
            text = first + "".join([_PRINTABLE[part[:2]] + part[2:] for part in escaped])
        except KeyError:
            pass  # another character, or no escape at all: as the standard library reads it
        else:
            return _without_nul(text)
    try:
        # Only lone surrogates can't be encoded; ASCII without escapes has been handled above.
        if "%" in text or not text.isascii():
            text = unquote_to_bytes(text).decode("utf-8")
    except UnicodeError:
        raise UnreadableRequest.with_description("a parameter is not UTF-8") from None
    return _without_nul(text)


def _without_nul(text: str) -> str:
    # No parameter has a use for NUL, and databases choke on it.
    if "\0" in text:
        raise UnreadableRequest.with_description("a parameter has a NUL character")
    return text


def form_of(request: Request, repeatable: frozenset[str] = NO_NAMES) -> Parameters:
    """Read the form in a request's body; raises `InvalidRequest` if it is something else (RFC 6749 section 3.2).

    Parameters in the query of such a request are not read at all: they would end up in logs (RFC 6749 section 2.3.1).
    """
    content_type = request.header("content-type")
    if content_type != FORM and media_type(content_type) != FORM:
        raise UnreadableRequest.with_description(f"the content type is not {FORM}")
    # A host may accept longer bodies; parsing is bounded here in any case.
    if len(request.body) > MAX_LENGTH:
        raise UnreadableRequest.with_description(f"the parameters take more than {MAX_LENGTH} bytes")
    try:
        return parse_form(request.body.decode("utf-8"), repeatable)
    except UnicodeDecodeError:
        raise UnreadableRequest.with_description("the form is not UTF-8") from None


def query_of(request: Request, repeatable: frozenset[str] = NO_NAMES) -> Parameters:
    """Read the parameters in a request's query."""
    return parse_form(request.query, repeatable)


def cookies_named(request: Request, name: str) -> list[str]:
    """Return every value that a browser sent under that cookie name (RFC 6265 section 5.4: there may be several).

    As in browsers, only SP and HTAB around a name are stripped. `str.strip` would also strip U+00A0 and U+0085: another
    host of the domain, which browsers don't let set a `__Host-` cookie, could then set one with such a character before
    the name, and it would be read here as this host's own.
    """
    return [
        strip_ows(pair.partition("=")[2]).strip('"')
        for header in request.headers_named("cookie")
        for pair in header.split(";")
        if _cookie_name(pair) == name
    ]


def cookie_of(request: Request, name: str) -> str | None:
    """Return the value of the only cookie of that name; None if there is none or several.

    A browser keeps one `__Host-` cookie of a name (RFC 6265bis section 4.1.3.2). If two arrive, one of them was set by
    an attacker, and it is unknown which.
    """
    values = cookies_named(request, name)
    return values[0] if len(values) == 1 else None


def without_cookies(request: Request, name: str) -> Request:
    """Return a request in which `cookies_named` finds none of that name, however they are spelled; all others stay."""
    headers = [
        (key, ";".join(pair for pair in value.split(";") if _cookie_name(pair) != name) if key == "cookie" else value)
        for key, value in request.headers
    ]
    return attrs.evolve(request, headers=tuple(headers))


def _cookie_name(pair: str) -> str | None:
    name, equals, _ = pair.partition("=")
    return strip_ows(name) if equals else None  # RFC 6265bis section 5.6: without "=" it is a value that has no name
