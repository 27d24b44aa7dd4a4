"""Redirect URIs of clients that register themselves: which are taken, which are left out, which refuse the client.

`redirect_uri_problem` says what no client of anybody's may have. Beyond it, three rules for strangers.

One bad URI does not always refuse the client. Editors register a scheme of one word, as in `cursor://`, beside https
and loopback URIs; any application may claim such a scheme, so it is taken only where the operator's settings name it,
and is left out where others remain (RFC 7591 section 3.2.1: a server may replace what was asked for, and answers with
what is registered). Everything else that is wrong refuses the whole: no honest client is known to send `javascript:`
or plain http to another host, and one that did would wait at a URI that was dropped in silence.

`application_type` is believed as far as it restricts. A web client is redirected to by https alone, and never to
localhost (OIDC Dynamic Client Registration section 2). A native one has custom schemes and loopback URIs, and https,
too, which that section left out and RFC 8252 section 7.2 (BCP 212, three years later) has as the first choice: clients
of MCP say `native` whatever they register. Where nothing is said the URIs speak for themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from oauthcore.errors import InvalidRedirectUri
from oauthcore.redirect_uri import LOOPBACK_HOSTS, is_impersonable, redirect_uri_problem


def usable_redirect_uris(
    uris: tuple[str, ...], application_type: str | None, schemes: Sequence[str], *, one_word_scheme: bool
) -> tuple[str, ...]:
    """Return the redirect URIs that can be registered; raises `InvalidRedirectUri` where one may never be.

    `schemes` are those of one word that are taken; all of them are with `one_word_scheme`.
    """
    for uri in uris:
        reason = redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=True)
        if reason is not None:
            # The log alone shows it, and no more of it than fits into a line.
            raise InvalidRedirectUri(f"{uri[:100]!r}: {reason}")
        if application_type == "web" and (is_impersonable(uri) or urlsplit(uri).hostname in LOOPBACK_HOSTS):
            raise InvalidRedirectUri.with_description("a web client has https redirect URIs, and none on localhost")
    taken = tuple(uri for uri in uris if one_word_scheme or is_taken(uri, schemes))
    if uris and not taken:
        raise InvalidRedirectUri.with_description(
            "redirect URIs need https, a loopback host, or a scheme that is a reversed domain name"
        )
    return taken


def is_taken(uri: str, schemes: Sequence[str]) -> bool:
    """Return whether a URI is one of any application's own, or has one of the schemes that the operator knows."""
    return (
        redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=False) is None
        or urlsplit(uri).scheme in schemes
    )
