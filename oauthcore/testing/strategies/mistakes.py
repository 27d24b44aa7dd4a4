"""Requests that are right but for one mistake, of those that clients make."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import TypeAlias

import attrs
from hypothesis import strategies as st

from oauthcore.context import Paths
from oauthcore.endpoints.table import own_endpoints
from oauthcore.testing.strategies.requests import Asking, Pairs
from oauthcore.wire.http import Request

Slip: TypeAlias = Callable[[Pairs, int], Pairs]


def almost_valid(asking: Asking) -> st.SearchStrategy[Request]:
    """Return that request with one mistake for which a server has to refuse it.

    A parameter that matters is left out, blank, longer by a letter, in the other case or behind a space; any is there
    twice; all are sent by another method, as another type or in another place; who the client is, is said twice. What
    is no mistake (another `state`, no `scope`) is not among them.
    """
    return st.sampled_from(mistakes(asking))


def mistakes(asking: Asking) -> list[Request]:
    """Return every request that is one mistake away from that one."""
    return [*_in_parameters(asking), *_in_form(asking), *_in_authentication(asking)]


def _in_parameters(asking: Asking) -> Iterator[Request]:
    repeatable = frozenset[str]().union(*(_REPEATABLE.get(name, ()) for name, _ in asking.pairs))
    for at, (name, _) in enumerate(asking.pairs):
        for slip in (*([] if name in repeatable else [_repeated]), *_SLIPS.get(name, ())):
            if (pairs := slip(asking.pairs, at)) != asking.pairs:
                yield attrs.evolve(asking, pairs=pairs).request()


def _in_form(asking: Asking) -> Iterator[Request]:
    # An authorization request may come either way (RFC 6749 section 3.1), every other one by POST.
    right = {"GET", "POST"} if _is_authorization(asking) else {asking.method}
    yield from (attrs.evolve(asking, method=method).request() for method in _METHODS if method not in right)
    if asking.method == "POST":
        request = asking.request()
        headers = tuple(header for header in request.headers if header[0] != "content-type")
        for kind in ("text/plain", "multipart/form-data; boundary=x", ""):
            yield attrs.evolve(request, headers=(("Content-Type", kind), *headers))
        body = json.dumps(dict(asking.pairs)).encode()
        yield attrs.evolve(request, headers=(("Content-Type", "application/json"), *headers), body=body)
        yield attrs.evolve(request, target=f"{asking.path}?{request.body.decode()}", body=b"")


def _in_authentication(asking: Asking) -> Iterator[Request]:
    if not _is_authorization(asking):
        repeated = asking.headers[:1] or (("Authorization", "Basic Og=="),)
        yield attrs.evolve(asking, headers=(*asking.headers, *repeated)).request()


def _is_authorization(asking: Asking) -> bool:
    return "response_type" in dict(asking.pairs)


def _without(pairs: Pairs, at: int) -> Pairs:
    return pairs[:at] + pairs[at + 1 :]


def _repeated(pairs: Pairs, at: int) -> Pairs:
    return (*pairs, pairs[at])


def _blank(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], ""), *pairs[at + 1 :])


def _longer(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], pairs[at][1] + "x"), *pairs[at + 1 :])


def _other_case(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], pairs[at][1].swapcase()), *pairs[at + 1 :])


def _spaced(pairs: Pairs, at: int) -> Pairs:
    return (*pairs[:at], (pairs[at][0], f" {pairs[at][1]}"), *pairs[at + 1 :])


_METHODS = ("GET", "POST", "PUT", "DELETE", "HEAD")
# By the parameter that a request of theirs can't be without: what may be repeated, as the endpoints declare it.
_REPEATABLE = {
    needed: endpoint.repeatable
    for needed, member in (("response_type", "authorization_endpoint"), ("grant_type", "token_endpoint"))
    for endpoint in own_endpoints(Paths(), {}, None, None)
    if endpoint.metadata == member
}
_GONE, _OTHER = (_without, _blank), (_longer, _other_case, _spaced)
# What a server has to find wrong with which parameter. Who has registered one redirect URI may leave it out (RFC 6749
# section 3.1.2.3), another challenge is a challenge as well (RFC 7636 section 4.2), and of a token that is unknown
# nothing is to be said (RFC 7009 section 2.2, RFC 7662 section 2.2).
_SLIPS: dict[str, tuple[Slip, ...]] = {
    "client_id": (*_GONE, *_OTHER),
    "client_secret": (*_GONE, *_OTHER),
    "response_type": (*_GONE, *_OTHER),
    "response_mode": _OTHER,
    "redirect_uri": _OTHER,
    "scope": (_longer, _other_case),
    "code_challenge": (*_GONE, _spaced),
    "code_challenge_method": (*_GONE, *_OTHER),
    "grant_type": (*_GONE, *_OTHER),
    "code": (*_GONE, *_OTHER),
    "code_verifier": (*_GONE, *_OTHER),
    "refresh_token": (*_GONE, *_OTHER),
    "token": _GONE,
}
