"""`client_secret_basic`: the Authorization header of HTTP Basic (RFC 6749 section 2.3.1, RFC 7617)."""

from __future__ import annotations

import binascii
from urllib.parse import unquote_plus

from oauthcore.clients.presented import Presented
from oauthcore.digest import Secret
from oauthcore.errors import InvalidClient, InvalidRequest
from oauthcore.wire.http import Request
from oauthcore.wire.text import ascii_lower, strip_ows


def read_basic(request: Request) -> Presented | None:
    """Return the credentials in the Authorization header, None if it has none (RFC 6749 section 2.3.1, RFC 7617).

    Raises `InvalidClient` for another scheme, and if it can't be decoded: the client tried to authenticate and failed.
    """
    values = request.headers_named("authorization")
    if not values:
        return None
    if len(values) > 1:
        raise InvalidRequest.with_description("the Authorization header is repeated")
    scheme, _, encoded = values[0].partition(" ")
    if scheme != "Basic":  # as almost all spell it; but RFC 9110 section 11.1: case does not matter
        scheme, _, encoded = strip_ows(values[0]).partition(" ")
    # RFC 6749 section 5.2: who tried by the Authorization header gets 401 and a challenge, not 400.
    if scheme != "Basic" and ascii_lower(scheme) != "basic":
        raise InvalidClient.with_description("the Authorization header has a scheme other than Basic")
    try:
        text = binascii.a2b_base64(strip_ows(encoded), strict_mode=True).decode("utf-8")
    except ValueError:
        raise InvalidClient.with_description("the Basic credentials are not Base64 of UTF-8 text") from None
    client_id, colon, secret = text.partition(":")
    # An empty secret is no authentication: taken for a public client, it would open confidential ones.
    if not colon or not client_id or not secret or "\0" in text:
        raise InvalidClient.with_description(
            "the Basic credentials are not an identifier and a secret separated by a colon"
        )
    if "%" not in text and "+" not in text:  # as in almost all: there is one way to read them
        return Presented("client_secret_basic", (client_id,), (Secret(secret),))
    return Presented("client_secret_basic", _readings(client_id), tuple(map(Secret, _readings(secret))))


def _readings(text: str) -> tuple[str, ...]:
    """Return the form-decoded reading that RFC 6749 section 2.3.1 demands, then the raw one that many clients send."""
    if "%" not in text and "+" not in text:
        return (text,)
    try:
        decoded = unquote_plus(text, errors="strict")
    except UnicodeDecodeError:
        return (text,)
    return (text,) if "\0" in decoded else tuple(dict.fromkeys((decoded, text)))
