"""Redirect URIs of clients that register themselves: which are accepted, which are left out, which refuse the client.

`redirect_uri_problem` has the rules for all clients. These three apply to strangers in addition.

One bad URI does not always refuse the client. Editors register a scheme of one word, as in `cursor://`, beside https
and loopback URIs. Any application may claim such a scheme, so it is accepted only if the operator's settings name it,
and is left out if other URIs remain (RFC 7591 section 3.2.1: a server may replace requested values, and returns what is
registered). Any other bad URI refuses the whole client: no honest client is known to send `javascript:` or plain http
to another host, and if one did, it would wait at a URI that was silently dropped.

`application_type` only restricts. A web client may have only https, and not localhost (OIDC Dynamic Client Registration
section 2). A native one may have custom schemes and loopback URIs, and also https: that section does not allow it, but
RFC 8252 section 7.2 (BCP 212, three years later) prefers it, and MCP clients say `native` whatever they register. If
the type is missing, the URIs alone decide.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from oauthcore.errors import InvalidRedirectUri
from oauthcore.redirect_uri import LOOPBACK_HOSTS, is_impersonable, redirect_uri_problem


def usable_redirect_uris(
    uris: tuple[str, ...], application_type: str | None, schemes: Sequence[str], *, one_word_scheme: bool
) -> tuple[str, ...]:
    """Return the redirect URIs that can be registered; raises `InvalidRedirectUri` if one may never be.

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
