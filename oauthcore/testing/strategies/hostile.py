"""Requests of those who know the standard and mean harm, and noise."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from hypothesis import strategies as st

from oauthcore.context import Paths
from oauthcore.records.client import Client
from oauthcore.testing.strategies.attacks import BREAKS, EVIL, HEADERS, PARAMETERS, elsewhere
from oauthcore.testing.strategies.requests import FORM, Asking, Pairs, authorizations
from oauthcore.wire.http import Request

_PATHS = Paths()
_CALLBACK = "https://client.example/callback"
# The target of an attack if no client is given.
TARGET = Client(client_id="client", redirect_uris=(_CALLBACK,), scope="openid email profile")
_ALL = tuple(path for path in attrs.asdict(_PATHS).values() if path is not None)


def hostile(paths: Sequence[str] = (), client: Client = TARGET) -> st.SearchStrategy[Request]:
    """Return attacks on a server: most go where they are read, at its endpoints, some anywhere, at `paths` too.

    An authorization request of `client`, which should be registered, with something of it changed to the attacker's
    liking; the parameters of any endpoint with values that have broken others; forged tokens and assertions; the same
    parameter twice, and in query and body; headers that lie; broken escapes, floods and bytes.
    """
    return st.one_of(_on_authorization(client), _on_endpoint(client), _on_endpoint(client), _noise((*paths, *_ALL)))


@st.composite
def _on_authorization(draw: st.DrawFn, client: Client) -> Request:
    """Change some of a right request (RFC 9700 section 4): one of its own parameters, or one beside them."""
    asking = draw(authorizations(client))
    changed = draw(st.lists(_pair(client, _OF_AUTHORIZATION), min_size=1, max_size=3))
    return _sent(draw, attrs.evolve(asking, pairs=_mixed(draw, asking.pairs, changed)))


@st.composite
def _on_endpoint(draw: st.DrawFn, client: Client) -> Request:
    """Send what an endpoint reads, by the method that it takes."""
    path, methods, names = draw(st.sampled_from(_ENDPOINTS))
    expected = tuple((name, draw(st.sampled_from(PARAMETERS[name]))) for name in names)
    known: Pairs = (("client_id", client.client_id), ("redirect_uri", (client.redirect_uris or (_CALLBACK,))[0]))
    usual: Pairs = tuple(pair for pair in (*known, *_USUAL.get(path, ())) if draw(st.booleans()))
    changed = draw(st.lists(_pair(client, tuple(PARAMETERS)), max_size=2))
    pairs = _mixed(draw, (*usual, *(pair for pair in expected if pair[0] not in dict(usual))), changed)
    return _sent(draw, Asking(path, pairs, draw(st.sampled_from(methods))))


def _pair(client: Client, names: Sequence[str]) -> st.SearchStrategy[tuple[str, str]]:
    own = {"redirect_uri": [place for uri in client.redirect_uris for place in elsewhere(uri)]}
    return st.sampled_from(names).flatmap(
        lambda name: st.tuples(st.just(name), st.sampled_from((*own.get(name, ()), *PARAMETERS[name])))
    )


def _mixed(draw: st.DrawFn, pairs: Pairs, changed: Sequence[tuple[str, str]]) -> Pairs:
    """Put pairs in the place of those of that name, or now and then beside them: which of the two will be believed?"""
    if draw(st.integers(0, 7)) == 0:
        return (*pairs, *changed)
    return tuple({**dict(pairs), **dict(changed)}.items())


def _sent(draw: st.DrawFn, asking: Asking) -> Request:
    headers = draw(st.lists(_header, max_size=2) if draw(st.booleans()) else st.just([]))
    request = attrs.evolve(asking, headers=tuple(headers)).request()
    if request.body and draw(st.integers(0, 4)) == 0:
        return attrs.evolve(request, target=f"{asking.path}?{request.body.decode()}")  # in both places
    return request


def _noise(paths: Sequence[str]) -> st.SearchStrategy[Request]:
    names = st.sampled_from(list(PARAMETERS)) | st.text(max_size=10)
    values = st.text(max_size=30) | st.sampled_from(BREAKS)
    text = st.lists(st.tuples(names, values), max_size=8).map(lambda pairs: "&".join(f"{n}={v}" for n, v in pairs))
    return st.builds(
        lambda method, path, query, more, body: Request(method, f"{path}?{query}", tuple(more), body),
        st.sampled_from(("GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "")),
        st.sampled_from(paths) | st.text(max_size=12),
        text,
        st.lists(_header | st.just(FORM), max_size=4),
        st.binary(max_size=60) | text.map(lambda written: written.encode("utf-8", "surrogatepass")),
    )


_header = st.sampled_from(list(HEADERS)).flatmap(lambda name: st.tuples(st.just(name), st.sampled_from(HEADERS[name])))
_OF_AUTHORIZATION = (
    "client_id",
    "redirect_uri",
    "response_type",
    "response_mode",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "prompt",
    "max_age",
    "claims",
    "request",
    "request_uri",
    "id_token_hint",
    "login_hint",
    "ui_locales",
    "resource",
)
_ENDPOINTS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    (_PATHS.token, ("POST",), ("grant_type", "code", "code_verifier")),
    (_PATHS.token, ("POST",), ("grant_type", "refresh_token", "scope")),
    (_PATHS.token, ("POST",), ("grant_type", "client_assertion", "client_assertion_type")),
    (_PATHS.token, ("POST",), ("grant_type", "username", "password")),
    (_PATHS.introspection, ("POST",), ("token", "token_type_hint")),
    (_PATHS.revocation, ("POST",), ("token", "token_type_hint")),
    (_PATHS.userinfo, ("GET", "POST"), ("access_token",)),
    (_PATHS.resume, ("GET",), ("interaction", "proof")),
    (_PATHS.end_session, ("GET", "POST"), ("id_token_hint", "post_logout_redirect_uri", "state")),
)
# What lets the rest be looked at.
_USUAL: dict[str, Pairs] = {
    _PATHS.token: (("grant_type", "authorization_code"), ("code", "a" * 43), ("redirect_uri", EVIL)),
    _PATHS.introspection: (("token", "a" * 43),),
    _PATHS.revocation: (("token", "a" * 43),),
}
