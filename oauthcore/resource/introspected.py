"""Tokens of another server: what they allow is found out by asking it (RFC 7662), and remembered for a while."""

from __future__ import annotations

import base64
import hashlib
from codecs import BOM_UTF8
from urllib.parse import quote_plus, urlencode, urlsplit

import attrs

from oauthcore.clock import Clock
from oauthcore.digest import Secret
from oauthcore.errors import ConfigurationError, InvalidScope, TemporarilyUnavailable
from oauthcore.flow.effects import Flow, fetch
from oauthcore.jose.registered_claims import SKEW
from oauthcore.jose.strict_json import is_time, parse_object
from oauthcore.redirect_uri import LOOPBACK_HOSTS
from oauthcore.resource.access import Access, access_of_members, text_of
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.http import Outgoing, Response
from oauthcore.wire.text import ascii_lower


@attrs.frozen
class _CachedAccess:
    access: Access
    until: int


class IntrospectedTokens:
    """Introspect tokens at another server (RFC 7662), as a client with a secret.

    A response is cached for at most `cache_lifetime` seconds and never past the token's `exp`; a revocation may go
    unnoticed for that long. 0 disables caching. At most `capacity` responses are cached, under digests of their tokens.
    With `issuer`, a response with another `iss` is refused. `skew` is the tolerance in seconds for that server's clock.

    Raises `ConfigurationError` for invalid settings.
    """

    def __init__(
        self,
        endpoint: str,
        *,
        client_id: str,
        client_secret: Secret,
        clock: Clock,
        issuer: str | None = None,
        cache_lifetime: int = 30,
        capacity: int = 10_000,
        skew: int = SKEW,
    ) -> None:
        parts = urlsplit(endpoint)
        if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in LOOPBACK_HOSTS):
            raise ConfigurationError("endpoint", endpoint, "use an https URL, as tokens and a secret are sent to it")
        if cache_lifetime < 0 or capacity < 1 or skew < 0:
            setting, value = "cache_lifetime, capacity, skew", (cache_lifetime, capacity, skew)
            raise ConfigurationError(setting, value, "use 0, 1 and 0, or more")
        # RFC 6749 section 2.3.1: form-encoded first, then Basic.
        pair = f"{quote_plus(client_id)}:{quote_plus(client_secret.reveal())}"
        self._headers = (
            ("Authorization", "Basic " + base64.b64encode(pair.encode()).decode()),
            ("Content-Type", "application/x-www-form-urlencoded"),
            ("Accept", "application/json"),
        )
        self._endpoint = endpoint
        self.clock = clock
        self.issuer = issuer
        self._skew = skew
        self._cache_lifetime = cache_lifetime
        self._capacity = capacity
        self._cache: dict[bytes, _CachedAccess] = {}

    def __call__(self, token: Secret) -> Flow[Access | None]:
        """Return what a token allows, None if it allows nothing; raises `TemporarilyUnavailable` without an answer."""
        # Under a digest, so that the cache contains no tokens to steal.
        key = hashlib.sha256(token.reveal().encode("ascii")).digest()
        now = int(self.clock())
        kept = self._cache.get(key)
        if kept is not None and now < kept.until:
            return kept.access
        body = urlencode({"token": token.reveal(), "token_type_hint": "access_token"}).encode("ascii")
        # RFC 7662 section 2.1: POST, form-encoded; the token is in no URL.
        response = yield from fetch(Outgoing("POST", self._endpoint, self._headers, body))
        access = access_of(response, self.issuer, now, self._skew)
        self._keep(key, access, now)
        return access

    def _keep(self, key: bytes, access: Access | None, now: int) -> None:
        # Only valid tokens are cached: a stranger's guesses would otherwise push them out.
        if access is None or not self._cache_lifetime:
            self._cache.pop(key, None)
            return
        if len(self._cache) >= self._capacity:
            # Copied before it is read, and put in place whole: threads may be at it together.
            kept = {key: kept for key, kept in list(self._cache.items()) if now < kept.until}
            self._cache = kept if len(kept) < self._capacity else {}
        # RFC 7662 section 4: a cached answer must not outlive the token's own exp.
        until = now + self._cache_lifetime
        self._cache[key] = _CachedAccess(access, until if access.expires_at is None else min(until, access.expires_at))


def access_of(response: Response, issuer: str | None, now: int, skew: int = SKEW) -> Access | None:
    """Read an introspection answer (RFC 7662 section 2.2): None for whatever is not plainly a live token's.

    Raises `TemporarilyUnavailable` for what is no answer: that is the server's fault or ours, not the token's.
    """
    # RFC 7662 section 2.3: a 401 means that our own credentials are wrong. The client must not be told that its token
    # is.
    if response.status != 200:
        raise TemporarilyUnavailable(f"the introspection endpoint answered {response.status}")
    try:
        # RFC 8259 section 8.1: a byte order mark may be forgiven.
        members = parse_object(response.body.removeprefix(BOM_UTF8))
    except ValueError:
        raise TemporarilyUnavailable("the introspection endpoint answered with no JSON object") from None
    if not isinstance(members.get("active"), bool):
        raise TemporarilyUnavailable("the introspection endpoint's answer does not say whether the token is active")
    if not members["active"] or not _is_usable(members) or not _is_current(members, now, skew):
        return None
    # RFC 7662 section 2.2: iss is OPTIONAL; if it is there, it has to be right.
    if issuer is not None and members.get("iss", issuer) != issuer:
        return None
    return _described(members)


def _is_usable(members: dict[str, object]) -> bool:
    """Return whether it is a bearer token, or one whose key is named: a `ResourceServer` wants a proof of that."""
    return ascii_lower(str(members.get("token_type", "Bearer"))) == "bearer" or isinstance(members.get("cnf"), dict)


def _is_current(members: dict[str, object], now: int, skew: int) -> bool:
    starts, ends = members.get("nbf", now), members.get("exp", now + 1)
    return is_time(starts) and is_time(ends) and starts - skew <= now < ends + skew


def _described(members: dict[str, object]) -> Access | None:
    try:
        scope = parse_scope(text_of(members.get("scope")) or "")
    except InvalidScope:
        # A scope that can't be parsed grants nothing.
        scope = Scope()
    return access_of_members(members, text_of(members.get("client_id")) or "", scope)
