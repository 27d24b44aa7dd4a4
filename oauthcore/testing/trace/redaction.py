"""Requests and responses without their secrets: what is not known to be public is taken for a secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_plus

import attrs

from oauthcore.http import Headers, Request, Response
from oauthcore.parameters import FORM
from oauthcore.testing.trace.stand_ins import UNMISTAKABLE, StandIns

# Parameters and members that are meant to be seen, by whoever handles the request.
PUBLIC = frozenset(
    {
        "client_id",
        "client_assertion_type",
        "grant_type",
        "response_type",
        "response_mode",
        "redirect_uri",
        "scope",
        "code_challenge",
        "code_challenge_method",
        "prompt",
        "display",
        "max_age",
        "ui_locales",
        "claims_locales",
        "acr_values",
        "claims",
        "token_type_hint",
        "resource",
        "audience",
        "username",
        "error",
        "error_description",
        "error_uri",
        "token_type",
        "jti",
        "iss",
        "aud",
        "sub",
        "issuer",
        "interaction_id",
        "active",
        "kid",
        "alg",
        "kty",
        "use",
        "crv",
        "client_name",
        "client_uri",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
        "token_endpoint_auth_method",
        "application_type",
    }
)
_WORD = re.compile(r"[a-z]+([-_.:][a-z]+)*")
# Those that a person chose: nothing of them is kept, not even how long they are.
CHOSEN = frozenset({"password", "client_secret"})
# Headers that are meant to be seen; any other is left out altogether.
SEEN = frozenset(
    {
        "content-type",
        "content-length",
        "accept",
        "accept-language",
        "origin",
        "host",
        "cache-control",
        "pragma",
        "vary",
        "allow",
        "www-authenticate",
        "retry-after",
        "x-content-type-options",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-request-method",
        "access-control-request-headers",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
        "x-frame-options",
        "content-security-policy",
        "referrer-policy",
    }
)


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
    return stand_ins.of_verifier(value) if name == "code_verifier" else stand_ins.of_made(value)


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
        pair = client_id + colon + (stand_ins.of_chosen(secret) if secret else "")
        return f"{scheme} {base64.b64encode(pair.encode()).decode()}"
    return f"{scheme} {stand_ins.of_made(credentials.strip())}"


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


def redacted_uri(value: str, stand_ins: StandIns) -> str:
    """Redact what stands behind the question mark and the hash."""
    parts = re.split(r"([?#])", value)
    return parts[0] + "".join(p if p in "?#" else _redacted_form(p, stand_ins) for p in parts[1:])


_HEADERS: dict[str, Callable[[str, StandIns], str]] = {
    "authorization": _redacted_authorization,
    "cookie": _redacted_cookies,
    "set-cookie": _redacted_set_cookie,
    "location": redacted_uri,
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


def _redacted_form(text: str, stand_ins: StandIns) -> str:
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
        stand_in = stand_in_for(known, secret, stand_ins)
        return piece if stand_in == secret else name + equals + quote(stand_in, safe="")

    return "&".join(map(redacted, text.split("&")))


def is_json(headers: Headers) -> bool:
    """Tell whether what comes with these headers is JSON."""
    return any(name.lower() == "content-type" and "json" in value for name, value in headers)


def redacted_json(body: bytes, stand_ins: StandIns) -> Any:
    """Give JSON with its secret members replaced, None for what is no JSON."""
    try:
        return _redacted_value("", json.loads(body), stand_ins)
    except ValueError:
        return None


def _redacted_value(name: str, value: Any, stand_ins: StandIns) -> Any:
    if isinstance(value, dict):
        return {
            key if _is_word(key) else stand_ins.of_made(key): _redacted_value(key, member, stand_ins)
            for key, member in value.items()
        }
    if isinstance(value, list):
        return [_redacted_value(name, member, stand_ins) for member in value]
    if isinstance(value, str):
        # Where a server is, and what it offers, is public; so is whatever is short enough to be guessed.
        return value if re.match(r"https?://", value) or _is_offer(name) else stand_in_for(name, value, stand_ins)
    return value


def _is_offer(name: str) -> bool:
    return name.endswith(("_supported", "_types", "_methods", "_uris", "_endpoint"))
