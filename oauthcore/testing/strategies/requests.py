"""Requests that are right, in parts that can be changed."""

from __future__ import annotations

import base64
from typing import TypeAlias
from urllib.parse import quote, urlencode

import attrs
from hypothesis import strategies as st

from oauthcore.context import Paths
from oauthcore.digest import Secret
from oauthcore.records.client import Client
from oauthcore.wire.http import Request

_PATHS = Paths()
FORM = ("Content-Type", "application/x-www-form-urlencoded")
UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
# RFC 7636 section 4.2: base64url without padding, of 32 bytes.
challenges = st.binary(min_size=32, max_size=32).map(lambda b: base64.urlsafe_b64encode(b).rstrip(b"=").decode())
verifiers = st.text(UNRESERVED, min_size=43, max_size=128)

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@attrs.frozen
class Asking:
    """Hold a request in parts, so that one of them can be changed: pairs of names and values, in a query or a body."""

    path: str
    pairs: Pairs
    method: str = "POST"
    headers: Pairs = ()

    def request(self) -> Request:
        """Return it as it goes over the wire."""
        text = urlencode(self.pairs, errors="surrogatepass")
        if self.method == "GET":
            return Request("GET", f"{self.path}?{text}", self.headers)
        return Request(self.method, self.path, (FORM, *self.headers), text.encode())


@st.composite
def authorizations(draw: st.DrawFn, client: Client, path: str = _PATHS.authorization) -> Asking:
    """Return an authorization request that leads to a page for any user (RFC 6749 section 4.1.1)."""
    scope = draw(st.none() | st.lists(st.sampled_from(client.scope.tokens), min_size=1, unique=True))
    pairs = {
        "client_id": client.client_id,
        "response_type": "code",
        "redirect_uri": draw(st.sampled_from(client.redirect_uris)),
        "code_challenge": draw(challenges),
        "code_challenge_method": "S256",
        "scope": None if scope is None else " ".join(scope),
        "state": draw(st.none() | st.text(UNRESERVED + "%+&= é🔑", min_size=1, max_size=40)),
        "response_mode": draw(st.none() | st.sampled_from(("query", "form_post"))),
        "unknown": draw(st.none() | st.just("ignored")),
    }
    shuffled = draw(st.permutations([(name, value) for name, value in pairs.items() if value]))
    return Asking(path, tuple(shuffled), draw(st.sampled_from(("GET", "POST"))))


def tokens(client: Client, secret: Secret | None, path: str = _PATHS.token, **pairs: str) -> Asking:
    """Return a token request by which the client authenticates as it is registered (RFC 6749 section 2.3.1)."""
    form: Pairs = tuple(pairs.items())
    if secret is None:
        return Asking(path, (("client_id", client.client_id), *form))
    if client.token_endpoint_auth_method == "client_secret_post":
        return Asking(path, (("client_id", client.client_id), ("client_secret", secret.reveal()), *form))
    joined = f"{quote(client.client_id, safe='')}:{quote(secret.reveal(), safe='')}"
    return Asking(path, form, headers=(("Authorization", "Basic " + base64.b64encode(joined.encode()).decode()),))
