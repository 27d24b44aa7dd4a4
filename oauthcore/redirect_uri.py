"""Redirect URIs: which are fit to be registered, which of the registered ones a request means, how to add to one.

They are compared and emitted as the exact strings that were registered or received: nothing is normalised, because
two parsers that disagree about one string are how codes get stolen (RFC 9700 section 4.1.3).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal
from urllib.parse import quote, urlsplit

from oauthcore.errors import MissingRedirectUri, UnregisteredRedirectUri
from oauthcore.per_request import per_request

_SETTING = "client.redirect_uris"

ResponseMode = Literal["query", "fragment", "form_post"]

LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

# Enough to see what is wrong with a redirect URI.
MAX_SHOWN = 200

# Ports from 1 to 65535, spelled as everybody spells them.
_PORT = r"(?:[1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
# RFC 8252 section 7.3 names the two literals; localhost is only advised against (8.3), and native clients use it.
_LOOPBACK = re.compile(
    rf"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::{_PORT})?((?:[/?].*)?)",
    re.DOTALL,
)
# RFC 3986 section 3.2.2 knows more: percent-encoding and sub-delims, which are in no host's name. Readers differ in
# what they make of them, and an asterisk is taken for a promise that is not kept.
HOST = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?\.?|\[[0-9A-Fa-f:.]+\]")
PORTS = re.compile(rf"(?::{_PORT}?)?")

# RFC 3986 section 2: anything else has no place in a URI, and a control character would split a header.
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]+")

# RFC 3986 section 2.3: what no encoding changes, as in codes and most states.
_PLAIN = re.compile(r"[A-Za-z0-9\-._~]*")

# Schemes that a browser runs or shows instead of calling an application (RFC 9700 section 4.1 and its CVEs), and those
# of one word that are no application's own: a mail would be written, a call made, or any application be called at all.
_DANGEROUS = frozenset(
    {
        *("javascript", "data", "vbscript", "file", "blob", "about", "view-source", "filesystem", "ws", "wss", "ftp"),
        *("content", "intent", "jar", "chrome", "resource", "mailto", "tel", "sms", "ldap", "smb", "urn"),
    }
)


@per_request
class ValidatedRedirect:
    """Prove that a redirect URI is one of the client's; a redirect to a client can be built only from this.

    Only `validate_redirect` creates it. `given` is true if the request had the parameter (RFC 6749 section 4.1.3
    requires it again at the exchange only then).
    """

    uri: str
    given: bool


def validate_redirect(requested: str | None, registered: tuple[str, ...]) -> ValidatedRedirect:
    """Match the requested redirect URI with the registered ones (RFC 6749 section 3.1.2.3, RFC 9700 section 2.1).

    Raises `MissingRedirectUri` or `UnregisteredRedirectUri`; then there is no URI to which an error could be
    redirected.
    """
    if requested is None:
        # RFC 6749 section 3.1.2.3: with several registered URIs the client MUST name one. To choose the first would
        # send the code to whichever the operator happened to list first.
        if len(registered) != 1:
            raise MissingRedirectUri(
                "redirect_uri is missing, and the client has not exactly one registered"
            ).by_setting(_SETTING)
        return ValidatedRedirect(registered[0], given=False)
    if is_registered(requested, registered):
        return ValidatedRedirect(requested, given=True)
    # The log names it: a slash or a port that differs is seen only where both are.
    reason = f"redirect_uri is not registered for this client: {requested[:MAX_SHOWN]!r}"
    raise UnregisteredRedirectUri(reason).by_setting(_SETTING)


def is_registered(uri: str, registered: tuple[str, ...]) -> bool:
    """Return whether a redirect URI is one of the registered ones, character by character but for a loopback port."""
    return uri in registered or _is_loopback_of(uri, registered)


def _is_loopback_of(requested: str, registered: tuple[str, ...]) -> bool:
    """Return whether it is a registered loopback URI with another port (RFC 8252 section 7.3)."""
    match = _LOOPBACK.fullmatch(requested)
    return match is not None and match.groups() in [m.groups() for m in map(_LOOPBACK.fullmatch, registered) if m]


def is_impersonable(uri: str) -> bool:
    """Return whether any program on the person's machine could be listening there (RFC 8252 section 8.6)."""
    return not uri.startswith("https://")


def web_host(uri: str) -> str | None:
    """Return the host that a redirect URI leads to, with its port if it has one; None if it opens an application.

    The rest of a private-use URI concerns only that application: `com.evil.app://bank.example/` has nothing to do with
    bank.example (RFC 8252 section 7.1), and must not be shown as that host.
    """
    parts = urlsplit(uri)
    return parts.netloc if parts.scheme in {"https", "http"} else None


def redirect_uri_problem(uri: str, *, insecure_transport: bool, one_word_scheme: bool = False) -> str | None:
    """Return what is wrong with a redirect URI that is to be registered, or None (RFC 6749 section 3.1.2).

    The two settings are those of `Allowance.INSECURE_TRANSPORT` and `Allowance.ONE_WORD_SCHEME`.
    """
    if not _URI.fullmatch(uri):
        return "it must be an absolute URI of URI characters only (RFC 3986)"
    # RFC 6749 section 3.1.2: no fragment. Response parameters of the fragment mode would be appended to it.
    if "#" in uri:
        return "it must have no fragment (RFC 6749 section 3.1.2)"
    try:
        parts = urlsplit(uri)
    except ValueError:
        return "it must be a URI that can be parsed"
    if parts.scheme in _DANGEROUS:
        return f"the scheme {parts.scheme} is not one that may be redirected to"
    if parts.scheme in {"http", "https"}:
        # https://app.example@evil.example misleads readers about the host (RFC 3986 section 7.6).
        if not parts.hostname or "@" in parts.netloc:
            return "it must name a host, with no user information before it"
        if "*" in parts.netloc:
            return "there are no wildcards: register each redirect URI as it is (RFC 9700 section 4.1.3)"
        host = HOST.match(parts.netloc)
        if host is None or (ports := parts.netloc[host.end() :])[:1] not in {"", ":"}:
            return "its host must be a name of letters, digits, hyphens and dots, or an address"
        if not PORTS.fullmatch(ports):
            return "its port must be a number from 1 to 65535"
        if parts.scheme == "http" and not insecure_transport and not _LOOPBACK.fullmatch(uri):
            return "use https; plain http is for loopback hosts, or for Allowance.INSECURE_TRANSPORT"
        return None
    if "." not in parts.scheme and not one_word_scheme:
        return (
            "use a reversed domain name as a private-use scheme, as in com.example.app:/ (RFC 8252 section 7.1), or "
            "allow one_word_scheme (Allowance.ONE_WORD_SCHEME): any other application may claim such a one, too"
        )
    return None


def with_parameters(uri: str, mode: Literal["query", "fragment"], parameters: Mapping[str, str]) -> str:
    """Add response parameters to a redirect URI, leaving its own bytes alone (RFC 6749 section 4.1.2)."""
    return with_encoded(uri, mode, form_encoded(parameters.items()))


def with_encoded(uri: str, mode: Literal["query", "fragment"], added: str) -> str:
    """Add parameters that are encoded already."""
    # A registered URI has no fragment of its own, so this one is appended.
    if mode == "fragment":
        return f"{uri}#{added}"
    if "?" not in uri:
        return f"{uri}?{added}"
    return f"{uri}{added}" if uri.endswith(("?", "&")) else f"{uri}&{added}"


def form_encoded(pairs: Iterable[tuple[str, str]]) -> str:
    """Encode parameters so that form decoders and plain percent-decoders read the same: a space is %20, never +."""
    return "&".join([f"{name}={value if _PLAIN.fullmatch(value) else quote(value, safe='')}" for name, value in pairs])
