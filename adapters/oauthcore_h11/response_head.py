"""The head of a response, spelled: its status line and its fields, as h11 would write them.

h11 makes two events of a response and validates each, which takes longer than everything else that it does for a
request. So the text is made here, of the same rules, and h11 is told only that a response was sent: it keeps the state.
What h11 checked is therefore checked here: nothing of a response goes out unless all of it can (`UnsendableResponse`).

The fields that belong to the connection and not to the application (RFC 9112 sections 6 and 9.6) are not spelled here:
of an application's `Connection` its options are returned, of the others nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus

from oauthcore.wire.cors import CORS
from oauthcore.wire.http import NO_BODY, NO_STORE, Headers
from oauthcore.wire.text import ascii_lower, strip_ows

# RFC 9110 section 5.6.2.
_TOKEN = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
# RFC 9110 section 5.5: visible characters and those above ASCII, between which may be white space. No control character
# is among them: CR and LF would begin another line (response splitting), and NUL would end one for some readers.
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")

_CONNECTION = "connection"
# How long a message is and when it was sent, the connection says itself.
_OWN = frozenset({"content-length", "transfer-encoding", "date"})


class UnsendableResponse(Exception):
    """Report that a response can't be put into HTTP; nothing of it was sent, another may be given in its place."""


def status_line(status: int) -> str:
    """Spell the first line, without a phrase if the status has none; raises `UnsendableResponse`."""
    known = _STATUS_LINES.get(status)
    if known is not None:
        return known
    # RFC 9110 section 15: three digits. One below 200 would say that the response is still to come.
    if not 200 <= status <= 999:
        raise UnsendableResponse("the status of the response is not that of a final one")
    return f"HTTP/1.1 {status:d} \r\n"


def field_lines(headers: Headers) -> tuple[list[str], frozenset[str]]:
    """Spell an application's fields, a line each, and return the options of its `Connection`.

    Raises `UnsendableResponse`.
    """
    lines: list[str] = []
    options: frozenset[str] = frozenset()
    for pair in headers:
        line = USUAL.get(pair)
        if line is None:
            name = ascii_lower(pair[0])
            if name in _OWN:
                continue
            line = field_line(pair)
            if name == _CONNECTION:
                options |= options_of(pair[1])
                continue
        lines.append(line)
    return lines, options


def field_line(pair: tuple[str, str]) -> str:
    """Spell a field; raises `UnsendableResponse`."""
    name, value = pair
    if not _TOKEN.fullmatch(name) or not _VALUE.fullmatch(value):
        # Not which one: the value may hold a code or a cookie, and this ends up in the log.
        raise UnsendableResponse("a header of the response is not fit to be sent")
    return f"{name}: {value}\r\n"


def options_of(value: str) -> frozenset[str]:
    """Return the options that a `Connection` field lists, in lower case (RFC 9110 section 7.6.1)."""
    return frozenset(ascii_lower(strip_ows(option)) for option in value.split(",")) - {""}


_STATUS_LINES: Mapping[int, str] = {
    status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n" for status in HTTPStatus if status >= 200
}
# What is in nearly every response is spelled once. Only pairs that are the same in all of them are here, and none is
# added later: of a Location or a cookie, which hold secrets, nothing is remembered.
USUAL: Mapping[tuple[str, str], str] = {
    pair: field_line(pair)
    for pair in (
        ("Content-Type", "application/json"),
        NO_BODY,
        *NO_STORE,
        *CORS,
        ("X-Content-Type-Options", "nosniff"),
    )
}
