"""The settings of client ID metadata documents (draft-ietf-oauth-client-id-metadata-document-00, "CIMD").

A client that is not registered uses an https URL as its identifier, and publishes its metadata there as JSON. This
module has what the operator allows, and which client identifiers are such URLs; `oauthcore.clients` reads and stores
documents.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import attrs

from oauthcore.documents import Documents, host_of
from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_strings, check_kind
from oauthcore.records.client import Client
from oauthcore.scope import Scope, as_scope

# A URL is stored with everything that its client is given, and shown to people. Honest ones have 60 characters.
MAX_URL = 512

_PORT = r"[1-9][0-9]{0,4}"
# In lower case, and without a final dot: of one host there is one spelling, since the client is the string. The last
# label begins with a letter, or it would be an address to some readers (WHATWG URL section 3.5, "ends in a number");
# a name of one label alone is no host of the Internet's. Other alphabets come as they are in the DNS (RFC 5890).
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?"
# RFC 3986 section 3.3. No query, which the draft advises against (section 3): one document would be as many clients as
# there are queries. No fragment and no user information, which it forbids.
_PATH = r"(?:/(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-F]{2})*)+"
_URL = re.compile(rf"https://{_HOST}(?::(?!443/){_PORT})?({_PATH})")
_LOOPBACK_URL = re.compile(rf"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::{_PORT})?({_PATH})")
_ENCODED = re.compile(r"%([0-9A-F]{2})")
# What some server decodes on the way and another doesn't: letters and digits, dots, slashes, % itself, controls.
_NEVER_ENCODED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/\\%\x7f") | {
    *range(0x21)
}

_HOST_PATTERN = re.compile(rf"(?:\*\.)?(?:{_LABEL}\.)*[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?|127\.0\.0\.1|::1")

# The grant types of a client that was not vetted: only those with a user's consent, no tokens of its own.
_GRANT_TYPES = ("authorization_code", "refresh_token")


@attrs.frozen
class LoopbackDocuments:
    """Accept documents of loopback hosts, by plain http too: for tests, where no client has a site of its own."""


@attrs.frozen(kw_only=True)
class ClientIdMetadata:
    """Turn client ID metadata documents on.

    `scope` is the scope that such a client may request, and its default if its document names none; `grant_types` are
    those that it may use. With `allowed_hosts` only clients of these hosts are accepted, and those of `denied_hosts`
    never: each is a host, as `client.example`, or all below a domain, as `*.client.example`. `trust` is called with the
    URL of a client that has passed these, for each request, and returns whether it is accepted. `review` is called with
    each client that was read from a document, and returns it, changed or not, or raises an `OAuthError`.

    A document is fetched again as often as its Cache-Control says, within `min_fresh` and `max_fresh` seconds. At most
    `new_per_minute` unknown documents are fetched, not counting those of allowed hosts, so that strangers can't fill
    the storage. `loopback` is for tests.
    """

    scope: Scope = attrs.field(default=Scope(), converter=as_scope)
    grant_types: tuple[str, ...] = attrs.field(default=_GRANT_TYPES, converter=as_strings, validator=are_strings)
    allowed_hosts: tuple[str, ...] | None = attrs.field(
        default=None,
        converter=attrs.converters.optional(as_strings),
        validator=attrs.validators.optional(are_strings),
    )
    denied_hosts: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    trust: Callable[[str], bool] | None = None
    review: Callable[[Client], Client] | None = None
    # Long enough that this server can't be used to flood a host; short enough for a redirect URI that was removed.
    min_fresh: int = 300
    max_fresh: int = 86_400
    new_per_minute: int = 120
    loopback: LoopbackDocuments | None = None

    def __attrs_post_init__(self) -> None:
        for host in (*(self.allowed_hosts or ()), *self.denied_hosts):
            if not _HOST_PATTERN.fullmatch(host):
                name = "denied_hosts" if host in self.denied_hosts else "allowed_hosts"
                raise ConfigurationError(
                    name, host, "use a host in lower case, as in client.example or *.client.example"
                )
        for grant_type in self.grant_types:
            if grant_type not in _GRANT_TYPES:
                # RFC 6749 section 4.4: a client's own tokens are for clients that the operator has arranged it with.
                raise ConfigurationError("grant_types", grant_type, f"use {' and '.join(_GRANT_TYPES)}, and no others")
        if "authorization_code" not in self.grant_types:
            raise ConfigurationError("grant_types", self.grant_types, "add authorization_code")
        if not 1 <= self.min_fresh <= self.max_fresh:
            numbers = (self.min_fresh, self.max_fresh)
            raise ConfigurationError("min_fresh, max_fresh", numbers, "use seconds, 1 or more, the second no less")
        if self.new_per_minute < 1:
            raise ConfigurationError("new_per_minute", self.new_per_minute, "use a number, 1 or more")
        remedy = "leave it out, or name it: loopback=LoopbackDocuments()"
        check_kind("loopback", self.loopback, (LoopbackDocuments, type(None)), remedy)

    def admits(self, client_id: str) -> bool:
        """Return whether a client identifier is a URL that a document may be at, and its host one that is taken."""
        if not is_document_url(client_id, loopback=self.loopback is not None):
            return False
        host = host_of(client_id)
        if _is_among(host, self.denied_hosts):
            return False
        if self.allowed_hosts is not None and not _is_among(host, self.allowed_hosts):
            return False
        return self.trust is None or self.trust(client_id)

    def is_known_host(self, client_id: str) -> bool:
        """Return whether the operator has named the host, so that its documents are not a stranger's."""
        return self.allowed_hosts is not None and _is_among(host_of(client_id), self.allowed_hosts)


def is_document_url(client_id: str, *, loopback: bool = False) -> bool:
    """Return whether a client identifier is a URL that a document may be at (section 3 of the draft).

    Stricter than the draft: since each spelling would be a client of its own, only one spelling of a URL is valid.
    """
    if len(client_id) > MAX_URL:
        return False
    match = _URL.fullmatch(client_id) or (_LOOPBACK_URL.fullmatch(client_id) if loopback else None)
    if match is None:
        return False
    path = match[1]
    if path == "/" or not {".", ".."}.isdisjoint(path.split("/")):
        return False
    return all(bytes.fromhex(octet)[0] not in _NEVER_ENCODED for octet in _ENCODED.findall(path))


def _is_among(host: str, patterns: tuple[str, ...]) -> bool:
    return any(host == pattern or (pattern[:2] == "*." and host.endswith(pattern[1:])) for pattern in patterns)


@attrs.frozen(kw_only=True)
class MetadataDocuments:
    """Hold the settings together with what the server adds.

    `documents` caches recent responses, apart from those of registered clients, so that strangers' documents can't
    evict their keys. `check` is the check that every registration has to pass.
    """

    settings: ClientIdMetadata
    documents: Documents
    grant_types: frozenset[str]
    check: Callable[[Client], None]
