"""Requests: right ones, right ones with one thing wrong, and whatever an attacker may send."""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import TypeAlias
from urllib.parse import quote, urlencode

import attrs
from hypothesis import strategies as st

from oauthcore.context import Paths
from oauthcore.digest import Secret
from oauthcore.http import Request
from oauthcore.records import Client

_PATHS = Paths()
_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# RFC 7636 section 4.2: base64url without padding, of 32 bytes.
challenges = st.binary(min_size=32, max_size=32).map(lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode())
verifiers = st.text(_UNRESERVED, min_size=43, max_size=128)

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@attrs.frozen
class Asking:
    """Hold a request in parts, so that one of them can be changed: pairs of names and values, in a query or a body."""

    path: str
    pairs: Pairs
    method: str = "POST"
    headers: Pairs = ()

    def request(self) -> Request:
        """Give it as it goes over the wire."""
        text = urlencode(self.pairs, errors="surrogatepass")
        if self.method == "GET":
            return Request("GET", f"{self.path}?{text}", self.headers)
        return Request(self.method, self.path, (_FORM, *self.headers), text.encode())


@st.composite
def authorizations(draw: st.DrawFn, client: Client, path: str = _PATHS.authorization) -> Asking:
    """Give an authorization request that leads to a page, whoever is in front of it (RFC 6749 section 4.1.1)."""
    scope = draw(st.none() | st.lists(st.sampled_from(client.scope.tokens), min_size=1, unique=True))
    pairs = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": draw(st.sampled_from(client.redirect_uris)),
        "code_challenge": draw(challenges),
        "code_challenge_method": "S256",
        "scope": None if scope is None else " ".join(scope),
        "state": draw(st.none() | st.text(_UNRESERVED + "%+&= é🔑", min_size=1, max_size=40)),
        "response_mode": draw(st.none() | st.sampled_from(("query", "form_post"))),
        "unknown": draw(st.none() | st.just("ignored")),
    }
    shuffled = draw(st.permutations([(name, value) for name, value in pairs.items() if value]))
    return Asking(path, tuple(shuffled), draw(st.sampled_from(("GET", "POST"))))


def tokens(client: Client, secret: Secret | None, path: str = _PATHS.token, **pairs: str) -> Asking:
    """Give a token request by which the client authenticates as it is registered (RFC 6749 section 2.3.1)."""
    asked: Pairs = tuple(pairs.items())
    if secret is None:
        return Asking(path, (("client_id", client.client_id), *asked))
    if client.token_endpoint_auth_method == "client_secret_post":
        return Asking(path, (("client_id", client.client_id), ("client_secret", secret.reveal()), *asked))
    joined = f"{quote(client.client_id, safe='')}:{quote(secret.reveal(), safe='')}"
    return Asking(path, asked, headers=(("Authorization", "Basic " + base64.b64encode(joined.encode()).decode()),))


def almost_valid(asking: Asking) -> st.SearchStrategy[Request]:
    """Give that request with one thing wrong: left out, repeated, blank, changed by a letter, sent the wrong way."""
    place = st.integers(0, len(asking.pairs) - 1)
    slips = st.tuples(st.sampled_from(_SLIPS), place)
    changed = slips.map(lambda slip: attrs.evolve(asking, pairs=slip[0](asking.pairs, slip[1])))
    twice = (*asking.headers, *(asking.headers[:1] or _BASIC))
    method = st.sampled_from(("GET", "POST", "PUT", "HEAD", "OPTIONS")).map(lambda m: attrs.evolve(asking, method=m))
    return st.one_of(
        changed.map(Asking.request),
        method.map(Asking.request),
        st.just(attrs.evolve(asking, headers=twice).request()),
        st.sampled_from(("text/plain", "application/json", "", "multipart/form-data; boundary=x")).map(
            lambda kind: attrs.evolve(asking.request(), headers=(("Content-Type", kind), *asking.headers))
        ),
    )


def hostile(paths: Sequence[str] = ()) -> st.SearchStrategy[Request]:
    """Give whatever may arrive at those paths, or at any: broken escapes, floods, bytes, headers that are none."""
    at = st.sampled_from((*paths, *attrs.asdict(_PATHS, filter=lambda _, path: path is not None).values()))
    names = st.sampled_from(NAMES) | st.text(max_size=10)
    values = st.text(max_size=30) | st.sampled_from(NASTY)
    text = st.lists(st.tuples(names, values), max_size=8).map(lambda pairs: "&".join(f"{n}={v}" for n, v in pairs))
    header_names = st.sampled_from(("Authorization", "Cookie", "Content-Type", "Origin", "Host", "DPoP"))
    header = st.tuples(header_names, st.text(max_size=40) | st.sampled_from(NASTY)) | st.just(_FORM)
    return st.builds(
        lambda method, path, query, more, body: Request(method, f"{path}?{query}", tuple(more), body),
        st.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "")),
        at | st.text(max_size=12),
        text,
        st.lists(header, max_size=4),
        st.binary(max_size=60) | text.map(lambda written: written.encode("utf-8", "surrogatepass")),
    )


_BASIC: Pairs = (("Authorization", "Basic Og=="),)
NAMES = [
    "client_id",
    "client_secret",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "prompt",
    "request",
    "request_uri",
    "grant_type",
    "code",
    "code_verifier",
    "refresh_token",
    "token",
    "token_type_hint",
    "username",
    "password",
    "interaction",
    "proof",
    "resource",
    "nonce",
    "claims",
    "max_age",
    "id_token_hint",
]
NASTY = (
    "%",
    "%zz",
    "%00",
    "%ff%fe",
    "\r\nSet-Cookie: a=b",
    "javascript:alert(1)",
    "//evil.example",
    "https://client.example@evil.example/",
    "' OR 1=1 --",
    "{}",
    "[" * 500,
    "9" * 400,
    "Basic ====",
    "Bearer " + "a" * 5_000,
    "a" * 70_000,
)


def _without(pairs: Pairs, at: int) -> Pairs:
    return pairs[:at] + pairs[at + 1 :]


def _again(pairs: Pairs, at: int) -> Pairs:
    return (*pairs, pairs[at])


def _blank(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], ""), *pairs[at + 1 :])


def _longer(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], pairs[at][1] + "x"), *pairs[at + 1 :])


def _other_case(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], pairs[at][1].swapcase()), *pairs[at + 1 :])


def _spaced(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], f" {pairs[at][1]}"), *pairs[at + 1 :])


_SLIPS: tuple[Callable[[Pairs, int], Pairs], ...] = (_without, _again, _blank, _longer, _other_case, _spaced)
