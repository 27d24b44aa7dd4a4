"""Requests and responses without their secrets: what is not known to be public is taken for a secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_plus

import attrs

from oauthcore.authorization.request_object import hash_of
from oauthcore.http import Headers, Request, Response
from oauthcore.parameters import FORM
from oauthcore.strict_json import parse_object
from oauthcore.testing.trace.jwts import flaw_of, looks_signed, rebuilt
from oauthcore.testing.trace.public import CHOSEN, KEY_NUMBERS, NEVER_KEPT, PRIVATE_NUMBERS, PUBLIC, SEEN
from oauthcore.testing.trace.stand_ins import UNMISTAKABLE, StandIns, reshaped

_WORD = re.compile(r"[a-z]+([-_.:][a-z]+)*")


def redacted_request(request: Request, stand_ins: StandIns, base: str = "") -> Request:
    """Give a request whose secrets are replaced; a certificate is left out. `base` is the issuer's own path."""
    path, mark, query = request.target.partition("?")
    body = _redacted_body(request, stand_ins)
    headers = redacted_headers(request.headers, stand_ins)
    return Request(
        request.method,
        _redacted_path(path, base, stand_ins) + mark + _redacted_form(query, stand_ins),
        # The length would tell that of a password.
        tuple((name, str(len(body)) if name == "content-length" else value) for name, value in headers),
        body,
        request.peer and attrs.evolve(request.peer, certificate=None),
    )


def _redacted_path(path: str, base: str, stand_ins: StandIns) -> str:
    """Keep the words of a path; what is long and no word may be what a link was made of."""
    start = base if path.startswith(base) else ""
    pieces = path[len(start) :].split("/")
    return start + "/".join(piece if _is_word(piece) else stand_ins.of_made(piece) for piece in pieces)


def _is_word(name: str) -> bool:
    """Tell whether it is a name that somebody gave to something, or so short that it opens nothing."""
    return len(name) < UNMISTAKABLE or _WORD.fullmatch(name) is not None


def redacted_response(response: Response, stand_ins: StandIns) -> dict[str, Any]:
    """Give what a response says, without its secrets; a page is left out, since forms in it may hold some."""
    refusal = response.refusal
    return {
        "status": response.status,
        "headers": [list(pair) for pair in redacted_headers(response.headers, stand_ins)],
        "body": redacted_json(response.body, stand_ins) if is_json(response.headers) else None,
        "refusal": None if refusal is None else {"code": refusal.code, "reason": stand_ins.scrubbed(refusal.reason)},
    }


def stand_in_for(name: str, value: str, stand_ins: StandIns) -> str:
    """Give what stands for the value of a parameter or a member of that name."""
    if name in PUBLIC or not value:
        return stand_ins.applied(value)
    if name in CHOSEN:
        return stand_ins.of_chosen(value)
    if name == "request_uri":
        return _redacted_reference(value, stand_ins)
    return stand_ins.of_verifier(value) if name == "code_verifier" else stand_in_for_token(value, stand_ins)


def stand_in_for_token(text: str, stand_ins: StandIns) -> str:
    """Give what stands for a token: one that is read as it, and refused for the same if it is a broken JWT."""
    if not looks_signed(text):
        return stand_ins.of_made(text)
    flaw = flaw_of(text)

    def made(letters: str) -> str | None:
        """Give a token with what is public in it; where it can't be read, one of the same shape and as broken."""
        read = rebuilt(text, lambda members: _members(members, stand_ins), letters)
        # Whether a part is base64url hangs on its last letter; one in four is good for that.
        shapes = (reshaped(text, letters[number:]) for number in range(_TRIES))
        return next((token for token in (read, *shapes) if token is not None and flaw_of(token) is flaw), None)

    return stand_ins.of_token(text, made)


_TRIES = 20


def _redacted_reference(uri: str, stand_ins: StandIns) -> str:
    """Keep where a request object is; its fragment is its hash, and stands for that of what stands for it."""
    url, mark, fragment = uri.partition("#")
    if not url.startswith(("https://", "http://")):
        return stand_ins.of_made(uri)
    stand_in = redacted_uri(url, stand_ins, keep_short=True)
    if stand_in != url:
        stand_ins.put(url, stand_in)
    return stand_in + mark + (fragment and stand_ins.of_made(fragment))


def redacted_document(body: bytes, stand_ins: StandIns) -> bytes:
    """Give what another server said, without its secrets; JSON and JWTs can be read again."""
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return b"x" * len(body)
    redacted = _redacted_text(text.strip(), stand_ins).encode()
    if redacted != body:
        stand_ins.put(hash_of(body), hash_of(redacted))
    return redacted


def _redacted_text(text: str, stand_ins: StandIns) -> str:
    if not text.startswith(("{", "[")):
        return stand_in_for_token(text, stand_ins)
    try:
        value = parse_object(text) if text.startswith("{") else json.loads(text)
    except (ValueError, RecursionError):
        return text[0]  # which is no JSON either
    return json.dumps(redacted_value("", value, stand_ins))


def redacted_headers(headers: Headers, stand_ins: StandIns) -> list[tuple[str, str]]:
    """Give the headers that may be seen, and without their secrets those that have some."""
    kept: list[tuple[str, str]] = []
    for name, value in headers:
        how = _HEADERS.get(name.lower())
        if how is not None:
            kept.append((name, how(value, stand_ins)))
        elif name.lower() in SEEN:
            kept.append((name, value))
    return kept


# Alone they are no secret, and are refused for being alone.
_SCHEMES = frozenset({"basic", "bearer", "dpop"})


def _redacted_authorization(value: str, stand_ins: StandIns) -> str:
    scheme, space, credentials = value.strip().partition(" ")
    if value.lower() in _SCHEMES:
        return value
    if not space or not scheme.isalpha():
        return stand_ins.of_made(value)
    if scheme.lower() == "basic":
        try:
            text = base64.b64decode(credentials.strip(), validate=True).decode()
        except ValueError:
            return f"{scheme} {stand_ins.of_made(credentials)}"
        client_id, colon, secret = text.partition(":")
        # Without a colon it is no client's identifier, and may be anything.
        pair = (client_id if colon else stand_ins.of_made(client_id)) + colon + (secret and stand_ins.of_chosen(secret))
        return f"{scheme} {base64.b64encode(pair.encode()).decode()}"
    return f"{scheme} {stand_in_for_token(credentials.strip(), stand_ins)}"


def _redacted_cookies(value: str, stand_ins: StandIns) -> str:
    def redacted(piece: str) -> str:
        """Keep the name of one cookie."""
        name, equals, text = piece.partition("=")
        inner = text.strip().strip('"')
        return name + equals + (text.replace(inner, stand_ins.of_made(inner)) if inner else text)

    return ";".join(map(redacted, value.split(";")))


def _redacted_set_cookie(value: str, stand_ins: StandIns) -> str:
    cookie, semicolon, attributes = value.partition(";")
    return _redacted_cookies(cookie, stand_ins) + semicolon + attributes


def redacted_uri(value: str, stand_ins: StandIns, *, keep_short: bool = False) -> str:
    """Redact what stands behind the question mark and the hash; `keep_short` is for what may be a client's own."""
    parts = re.split(r"([?#])", value)
    return parts[0] + "".join(
        p if p in "?#" else _redacted_form(p, stand_ins, keep_short=keep_short) for p in parts[1:]
    )


_HEADERS: dict[str, Callable[[str, StandIns], str]] = {
    "authorization": _redacted_authorization,
    "cookie": _redacted_cookies,
    "set-cookie": _redacted_set_cookie,
    "location": lambda value, stand_ins: redacted_uri(value, stand_ins, keep_short=True),
}


def _redacted_body(request: Request, stand_ins: StandIns) -> bytes:
    if not request.body:
        return b""
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        return re.sub(rb"[A-Za-z0-9]", b"x", request.body)
    if kind == FORM:
        return _redacted_form(text, stand_ins).encode()
    if is_json(request.headers):
        return json.dumps(redacted_json(request.body, stand_ins)).encode()
    return stand_ins.of_made(text).encode()


def _redacted_form(text: str, stand_ins: StandIns, *, keep_short: bool = False) -> str:
    """Redact a form as it is spelled: what is repeated, blank or broken stays so."""

    def redacted(piece: str) -> str:
        """Keep the name if it is one, and the value where it is public."""
        name, equals, value = piece.partition("=")
        try:
            known, secret = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            # It is refused for this, so the stand-in must be no UTF-8 either.
            return stand_ins.of_made(piece.replace("%", "_")) + "%ff"
        if not _is_word(known):
            name = quote(stand_ins.of_made(known), safe="")
            return name + equals + quote(stand_ins.of_made(secret), safe="")
        if keep_short and len(secret) < UNMISTAKABLE and known not in NEVER_KEPT:
            return piece
        stand_in = stand_in_for(known, secret, stand_ins)
        return piece if stand_in == secret else name + equals + quote(stand_in, safe="")

    return "&".join(map(redacted, text.split("&")))


def is_json(headers: Headers) -> bool:
    """Tell whether what comes with these headers is JSON."""
    return any(name.lower() == "content-type" and "json" in value for name, value in headers)


def redacted_json(body: bytes, stand_ins: StandIns) -> Any:
    """Give JSON with its secret members replaced, None for what is no JSON."""
    try:
        return redacted_value("", json.loads(body), stand_ins)
    except ValueError:
        return None


def redacted_value(name: str, value: Any, stand_ins: StandIns) -> Any:
    """Give the value of a JSON member with what is secret in it replaced."""
    if isinstance(value, dict):
        # What is asked for by the parameter `claims` is as public in a request object as it is beside it.
        return value if name == "claims" else _members(value, stand_ins)
    if isinstance(value, list):
        return [redacted_value(name, member, stand_ins) for member in value]
    if isinstance(value, str):
        if value in stand_ins.people and name not in CHOSEN and not name.endswith(("token", "secret")):
            return value
        # Where a server is, and what it offers, is public; so is whatever is short enough to be guessed.
        return value if re.match(r"https?://", value) or _is_offer(name) else stand_in_for(name, value, stand_ins)
    return value


def _members(members: dict[str, Any], stand_ins: StandIns) -> dict[str, Any]:
    is_public_key = "kty" in members and not members.keys() & PRIVATE_NUMBERS
    return {
        key if _is_word(key) else stand_ins.of_made(key): member
        if is_public_key and key in KEY_NUMBERS
        else redacted_value(key, member, stand_ins)
        for key, member in members.items()
    }


def _is_offer(name: str) -> bool:
    return name.endswith(("_supported", "_types", "_methods", "_uris", "_endpoint"))
