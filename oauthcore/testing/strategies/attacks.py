"""What attackers put into parameters and headers, by name: each has been tried on real servers.

Most are from RFC 9700 section 4, RFC 7636 section 7, RFC 8725 section 2 and RFC 9101 section 10; the rest are floods,
and what breaks out of the header, the page, the query, the log or the statement that it is put into.
"""

from __future__ import annotations

import base64
import json

EVIL = "https://evil.example/"
BREAKS = (
    "\r\nSet-Cookie: a=b",
    "\nfake log line",
    '"><script>alert(1)</script>',
    "' OR '1'='1",
    "*)(uid=*))(|(uid=*",
    "../../etc/passwd",
    "{{7*7}}${7*7}",
    "\x00",
    "\x7f\x1b[31m",
    "\u202e\ufeff\u2028",
    "é" * 300,
    "🔑",
    "%",
    "%zz%00%ff",
    "[" * 500,
    "9" * 400,
    "-1",
    "a" * 50_000,
    "",
    " ",
)


def forged(claims: dict[str, object]) -> str:
    """Return a JWT that says it needs no signature (RFC 8725 section 2.1)."""
    parts = ({"alg": "none", "typ": "JWT"}, claims)
    text = (base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts)
    return ".".join((*text, ""))


JWTS = (
    forged({"sub": "admin", "iss": "https://as.example", "aud": "https://as.example", "exp": 2**40, "scope": "admin"}),
    forged({"client_id": "client", "redirect_uri": EVIL, "response_type": "code"}),
    forged({"sub": "client", "iss": "client", "aud": ["https://as.example", EVIL], "jti": "1", "exp": 2**60}),
    "e30.e30.",
    "...." * 1_000,
)
PARAMETERS: dict[str, tuple[str, ...]] = {
    "client_id": ("admin", "*", "client\x00", *BREAKS),
    "redirect_uri": (EVIL, "//evil.example", "javascript:alert(1)", "data:text/html,x", "/", *BREAKS),
    "response_type": ("token", "id_token token", "code token", "code code", "none code", *BREAKS),
    "response_mode": ("fragment", "web_message", "query.jwt", *BREAKS),
    "code_challenge_method": ("plain", "none", "S512", *BREAKS),
    "code_challenge": ("a", "=" * 43, "é" * 43, "a" * 129, *BREAKS),
    "scope": ("admin", "openid " * 2_000, 'email" b', "email\\", "email\temail", *BREAKS),
    "state": BREAKS,
    "nonce": BREAKS,
    "prompt": ("none", "none login", "login " * 500, *BREAKS),
    "max_age": ("0", "1e9", "0x10", "٣", "-0", *BREAKS),
    "claims": ('{"userinfo": {"sub": {"value": "admin"}}}', '{"a": 1, "a": 2}', '{"id_token": ' * 90, "null", *BREAKS),
    "ui_locales": BREAKS,
    "login_hint": BREAKS,
    "request": (*JWTS, *BREAKS),
    "request_uri": ("http://169.254.169.254/", "file:///etc/passwd", EVIL, "urn:ietf:params:oauth:request_uri:1"),
    "id_token_hint": (*JWTS, *BREAKS),
    "grant_type": ("password", "implicit", "__class__", "urn:ietf:params:oauth:grant-type:jwt-bearer", *BREAKS),
    "code": (*JWTS, *BREAKS),
    "code_verifier": ("a" * 43, "a" * 129, *BREAKS),
    "refresh_token": (*JWTS, *BREAKS),
    "token": (*JWTS, *BREAKS),
    "access_token": (*JWTS, *BREAKS),
    "token_type_hint": ("password", *BREAKS),
    "client_secret": BREAKS,
    "client_assertion": (*JWTS, *BREAKS),
    "client_assertion_type": ("urn:ietf:params:oauth:client-assertion-type:jwt-bearer", *BREAKS),
    "username": BREAKS,
    "password": BREAKS,
    "interaction": BREAKS,
    "proof": BREAKS,
    "resource": (EVIL, "urn:x#fragment", *BREAKS),
    "post_logout_redirect_uri": (EVIL, "javascript:alert(1)", *BREAKS),
    "logout_hint": BREAKS,
}


def _basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


HEADERS: dict[str, tuple[str, ...]] = {
    "Authorization": (
        "Basic",
        "Basic ====",
        "Basic /w==",
        _basic("client"),
        _basic(":"),
        _basic("client:"),
        _basic("%00:%zz"),
        _basic("client:" + "a" * 50_000),
        "Bearer",
        "Bearer a b",
        "Bearer " + "a" * 50_000,
        *(f"Bearer {jwt}" for jwt in JWTS),
        "DPoP " + JWTS[0],
        'Digest username="client"',
        "\x00",
    ),
    "Cookie": ("a", "=;=;;", "a=b; " * 5_000, '__Host-oauthcore="', "\x00=\xff"),
    "Content-Type": (
        "application/json",
        "multipart/form-data; boundary=x",
        "application/x-www-form-urlencoded;charset=utf-7",
    ),
    "Origin": ("null", "https://evil.example", "\xff"),
    "Host": ("evil.example", "as.example:443@evil.example", ""),
    "X-Forwarded-Host": ("evil.example",),
    "X-Forwarded-Proto": ("javascript",),
    "Forwarded": ("host=evil.example;proto=http",),
    "X-Original-URL": ("/token",),
    "X-HTTP-Method-Override": ("DELETE",),
    "DPoP": (*JWTS, "\x00"),
}


def elsewhere(uri: str) -> tuple[str, ...]:
    """Return places that look like a registered redirect URI, and are none (RFC 9700 section 4.1)."""
    scheme, _, rest = uri.partition(":")
    host, slash, path = rest.removeprefix("//").partition("/")
    return (
        f"{scheme}://{host}.evil.example{slash}{path}",
        f"{scheme}://{host}@evil.example{slash}{path}",
        f"{scheme}://evil.example\\@{host}{slash}{path}",
        f"{scheme}://evil.example#{host}{slash}{path}",
        f"{uri}/../../evil",
        f"{uri}/",
        f"{uri}#fragment",
        f"{uri}?to={EVIL}",
        f"{uri}%0d%0aSet-Cookie:a=b",
        f"{uri}\r\nSet-Cookie: a=b",
        f"{uri}\x00",
        f" {uri}",
        uri.upper(),
    )
