"""Requests and responses without secrets: anything that is not known to be public counts as a secret."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote_plus

import attrs

from oauthcore.authorization.request_object import hash_of
from oauthcore.dpop.proof import MAX_LENGTH as MAX_PROOF_LENGTH
from oauthcore.jose.strict_json import parse_value, read_json
from oauthcore.pushed_requests import REQUEST_URI
from oauthcore.trace.jwts import flaw_of, looks_signed, rebuilt
from oauthcore.trace.placeholders import UNMISTAKABLE, Placeholders, reshaped
from oauthcore.trace.public import CHOSEN, HINTS, KEY_NUMBERS, PRIVATE_NUMBERS, PUBLIC, SECRET, SEEN, WORDS
from oauthcore.wire.http import Headers, Request, Response
from oauthcore.wire.parameters import FORM, MAX_LENGTH
from oauthcore.wire.text import JSON_WHITE_SPACE, ascii_lower, media_type, strip_ows

_WORD = re.compile(r"[a-z]+([-_.:][a-z]+)*")


def redacted_request(
    request: Request, placeholders: Placeholders, *, is_known: bool = False, has_certificate: bool = False
) -> Request:
    """Return the request without secrets; with `is_known`, its path is that of an endpoint.

    A client's certificate is no secret, but is left out unless `has_certificate`: only mutual TLS decides by it.
    """
    path, mark, query = request.target.partition("?")
    body = _redacted_body(request, placeholders)
    headers = redacted_headers(request.headers, placeholders)
    return Request(
        request.method,
        (path if is_known else _redacted_path(path, placeholders)) + mark + _redacted_form(query, placeholders),
        # The original length would reveal that of a password.
        tuple((name, str(len(body)) if name == "content-length" else value) for name, value in headers),
        body,
        request.peer if has_certificate else request.peer and attrs.evolve(request.peer, certificate=None),
    )


def _redacted_path(path: str, placeholders: Placeholders) -> str:
    """Keep the words of a path; a long piece that is not a word may be the secret of a link."""
    return "/".join(piece if _is_word(piece) else placeholders.of_made(piece) for piece in path.split("/"))


def _is_word(name: str) -> bool:
    """Return whether a text reads as a name, or is too short to be a secret."""
    return len(name) < UNMISTAKABLE or _WORD.fullmatch(name) is not None


def redacted_response(response: Response, placeholders: Placeholders) -> dict[str, Any]:
    """Return the response without secrets; the body of a page is left out, since its forms may hold some."""
    refusal = response.refusal
    return {
        "status": response.status,
        "headers": [list(pair) for pair in redacted_headers(response.headers, placeholders)],
        "body": redacted_json(response.body, placeholders) if is_json(response.headers) else None,
        "refusal": None if refusal is None else {"code": refusal.code, "reason": placeholders.scrubbed(refusal.reason)},
    }


def stand_in_for(name: str, value: str, placeholders: Placeholders) -> str:
    """Return the placeholder for the value of a parameter or member of this name; a public value stays."""
    if name in PUBLIC or not value:
        return placeholders.scrubbed(value)
    if name in CHOSEN:
        return placeholders.of_chosen(value)
    if name in {"request_uri", "request_uris"}:
        return _redacted_reference(value, placeholders)
    if name.endswith(("_uri", "_uris")) or name in {"verification_uri_complete", "htu"}:
        # A URI in client metadata (RFC 7591 section 2) is shown to others, but its query may hold a secret.
        return redacted_uri(value, placeholders, keep_short=True)
    return placeholders.of_verifier(value) if name == "code_verifier" else stand_in_for_token(value, placeholders)


def stand_in_for_token(text: str, placeholders: Placeholders, *, brings_key: bool = False) -> str:
    """Return the placeholder of a token; a JWT keeps what can be read of it, and its flaw if it is broken."""
    if not looks_signed(text):
        return placeholders.of_made(text)
    flaw = flaw_of(text, brings_key=brings_key)

    def made(letters: str) -> str | None:
        """Return a token with the public parts of the original, or of its shape if they can't be read; same flaw."""
        read = rebuilt(text, lambda members: _parts_of_token(members, placeholders), letters)
        # Only some letters may end a piece of base64url, about one in four, so several are tried.
        shapes = (reshaped(text, letters[number:]) for number in range(_TRIES))
        return next((token for token in (read, *shapes) if token is not None and same_flaw(token)), None)

    def same_flaw(token: str) -> bool:
        """Return whether a token is broken as the original is."""
        return flaw_of(token, brings_key=brings_key) is flaw

    return placeholders.of_token(text, made)


_TRIES = 20


def _redacted_reference(uri: str, placeholders: Placeholders) -> str:
    """Keep the URL of a request object; its fragment is the hash of the object, and gets that of the placeholder."""
    if uri.startswith(REQUEST_URI):
        # What comes after the name of RFC 9126 is the secret, drawn here.
        return REQUEST_URI + placeholders.of_made(uri.removeprefix(REQUEST_URI))
    _, mark, fragment = uri.partition("#")
    url = hide_url(uri, placeholders)
    return placeholders.of_made(uri) if url is None else url + mark + (fragment and placeholders.of_made(fragment))


def hide_url(uri: str, placeholders: Placeholders) -> str | None:
    """Replace what may be secret in a client's URL from now on; return the URL without it, None for other schemes."""
    url = uri.partition("#")[0]
    if not url.startswith(("https://", "http://")):
        return None
    stand_in = redacted_uri(url, placeholders, keep_short=True)
    if stand_in != url:
        placeholders.put(url, stand_in)
    return stand_in


def redacted_document(body: bytes, placeholders: Placeholders) -> bytes:
    """Return a document of another server without secrets; JSON and JWTs stay readable."""
    try:
        redacted = _redacted_text(body.decode().strip(JSON_WHITE_SPACE), placeholders).encode()
    except UnicodeDecodeError:
        redacted = b"x" * len(body)
    placeholders.put(hash_of(body), hash_of(redacted))
    return redacted


def _redacted_text(text: str, placeholders: Placeholders) -> str:
    if not text.startswith(("{", "[")):
        return stand_in_for_token(text, placeholders)
    try:
        value = parse_value(text)
        # A sector identifier's document is an array of redirect URIs (OIDC Core section 8.1).
        name = "redirect_uris" if isinstance(value, list) else ""
        return json.dumps(redacted_value(name, value, placeholders))
    except ValueError:
        return text[0]  # not JSON, like the original


def redacted_headers(headers: Headers, placeholders: Placeholders) -> list[tuple[str, str]]:
    """Return the headers that a trace shows, without the secrets in them."""
    kept: list[tuple[str, str]] = []
    for name, value in headers:
        how = _HEADERS.get(ascii_lower(name))
        if how is not None:
            kept.append((name, how(value, placeholders)))
        elif ascii_lower(name) in SEEN:
            kept.append((name, value))
    return kept


# A scheme without credentials has no secret in it, and is refused for lacking them.
_SCHEMES = frozenset({"basic", "bearer", "dpop"})
_SCHEME = re.compile(r"[A-Za-z]+")


def _redacted_authorization(value: str, placeholders: Placeholders) -> str:
    scheme, space, credentials = strip_ows(value).partition(" ")
    if ascii_lower(strip_ows(value)) in _SCHEMES:
        return value
    if not space or not _SCHEME.fullmatch(scheme):
        return placeholders.of_made(value)
    if ascii_lower(scheme) == "basic":
        return f"{scheme} {_redacted_basic(strip_ows(credentials), placeholders)}"
    token = strip_ows(credentials)
    # The proof beside a token of the scheme DPoP has the token's hash (`ath`).
    stand_in = placeholders.of_hashed(token, stand_in_for_token(token, placeholders))
    return f"{scheme} {stand_in}"


def _redacted_proof(value: str, placeholders: Placeholders) -> str:
    """Keep what a DPoP proof says and the public key in it; without its signature it proves nothing."""
    if len(value) > MAX_PROOF_LENGTH:
        return placeholders.of_made(value)
    return stand_in_for_token(value, placeholders, brings_key=True)


def _redacted_basic(credentials: str, placeholders: Placeholders) -> str:
    try:
        text = base64.b64decode(credentials, validate=True).decode()
    except UnicodeDecodeError:
        return base64.b64encode(b"\xff").decode()
    except ValueError:
        return "*"
    client_id, colon, secret = text.partition(":")
    # Without a colon this is not a client identifier but may be anything, even a secret.
    known = placeholders.scrubbed(client_id) if colon else placeholders.of_made(client_id)
    return base64.b64encode((known + colon + (secret and placeholders.of_chosen(secret))).encode()).decode()


def _redacted_cookies(value: str, placeholders: Placeholders) -> str:
    def redacted(piece: str) -> str:
        """Keep the name of one cookie, and replace its value."""
        name, equals, text = piece.partition("=")
        if not equals:
            return placeholders.of_made(piece)
        inner = strip_ows(text).strip('"')
        return name + equals + (text.replace(inner, placeholders.of_made(inner)) if inner else text)

    return ";".join(map(redacted, value.split(";")))


def _redacted_set_cookie(value: str, placeholders: Placeholders) -> str:
    cookie, semicolon, attributes = value.partition(";")
    return _redacted_cookies(cookie, placeholders) + semicolon + attributes


def redacted_uri(value: str, placeholders: Placeholders, *, keep_short: bool = False) -> str:
    """Redact query and fragment of a URI; `keep_short` keeps short values that a client chose for itself."""
    parts = re.split(r"([?#])", value)
    return parts[0] + "".join(
        p if p in "?#" else _redacted_form(p, placeholders, keep_short=keep_short) for p in parts[1:]
    )


_HEADERS: dict[str, Callable[[str, Placeholders], str]] = {
    "authorization": _redacted_authorization,
    "dpop": _redacted_proof,
    "dpop-nonce": lambda value, placeholders: placeholders.of_made(value),
    "cookie": _redacted_cookies,
    "set-cookie": _redacted_set_cookie,
    "location": lambda value, placeholders: redacted_uri(value, placeholders, keep_short=True),
}


def _redacted_body(request: Request, placeholders: Placeholders) -> bytes:
    if not request.body:
        return b""
    kind = media_type(request.header("content-type"))
    try:
        text = request.body.decode()
    except UnicodeDecodeError:
        # A body that is not UTF-8 is refused for that, or first for its length: both have to stay so.
        return b"\xff" * (len(request.body) if len(request.body) > MAX_LENGTH else 1)
    if kind == FORM:
        return _redacted_form(text, placeholders).encode()
    if is_json(request.headers):
        return json.dumps(redacted_json(request.body, placeholders)).encode()
    return placeholders.of_made(text).encode()


def _redacted_form(text: str, placeholders: Placeholders, *, keep_short: bool = False) -> str:
    """Redact a form as it is spelled: repeated, blank and broken parameters stay so."""

    def redacted(piece: str) -> str:
        """Keep the name if it reads as one, and the value if it is public."""
        name, equals, value = piece.partition("=")
        try:
            known, secret = unquote_plus(name, errors="strict"), unquote_plus(value, errors="strict")
        except UnicodeDecodeError:
            # A parameter that is not UTF-8 is refused for that, so its placeholder must not be UTF-8 either.
            return "%ff"
        if not _is_word(known) or (not equals and known not in WORDS):
            name = quote(placeholders.of_made(known), safe="")
            return name + equals + quote(placeholders.of_made(secret), safe="")
        if keep_short and len(secret) < UNMISTAKABLE and known not in SECRET:
            return piece
        stand_in = stand_in_for(known, secret, placeholders)
        if stand_in == secret:
            return piece
        # Characters that were not percent-encoded stay so, since the length of a body is limited.
        plain = "".join(set(_PLAIN) & set(value))
        return name + equals + quote(stand_in, safe=plain, errors="surrogatepass")

    return "&".join(map(redacted, text.split("&")))


_PLAIN = "!$'()*,/:;?@[]~"


def is_json(headers: Headers) -> bool:
    """Return whether these headers declare JSON."""
    return any(ascii_lower(name) == "content-type" and "json" in value for name, value in headers)


def redacted_json(body: bytes, placeholders: Placeholders) -> Any:
    """Return JSON with its secret members replaced; None if the body is not JSON."""
    try:
        return redacted_value("", read_json(body), placeholders)
    except ValueError:
        return None


def redacted_value(name: str, value: Any, placeholders: Placeholders, depth: int = 0) -> Any:
    """Return the value of a JSON member with its secrets replaced; None below a depth that no endpoint reads."""
    if isinstance(value, dict | list) and depth > _DEEPEST:
        return None
    if isinstance(value, dict):
        return _members(value, placeholders, depth + 1)
    if isinstance(value, list):
        return [redacted_value(name, member, placeholders, depth + 1) for member in value]
    if isinstance(value, str):
        if value in placeholders.people and name not in CHOSEN | HINTS and not name.endswith(("token", "secret")):
            return value
        return value if value in placeholders.public else stand_in_for(name, value, placeholders)
    return 0 if name in CHOSEN and not isinstance(value, bool | None) else value


_DEEPEST = 20


def _members(members: dict[str, Any], placeholders: Placeholders, depth: int = 0) -> dict[str, Any]:
    is_public_key = "kty" in members and not members.keys() & PRIVATE_NUMBERS
    return {
        _member_name(key, placeholders): member
        if is_public_key and key in KEY_NUMBERS
        else redacted_value(_LANGUAGE.sub("", key), member, placeholders, depth)
        for key, member in members.items()
    }


# RFC 7591 section 2.2: `client_name#de` is the client's name in another language.
_LANGUAGE = re.compile(r"#[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*\Z")


def _member_name(name: str, placeholders: Placeholders) -> str:
    is_known = _is_word(_LANGUAGE.sub("", name)) or name in placeholders.people or name in placeholders.public
    return name if is_known else placeholders.of_made(name)


def _parts_of_token(members: dict[str, Any], placeholders: Placeholders) -> dict[str, Any]:
    """Redact a header or claims; the member `claims` of a request object is as public as the parameter `claims`."""
    claims = {"claims": members["claims"]} if isinstance(members.get("claims"), dict) else {}
    return _members(members, placeholders) | claims
