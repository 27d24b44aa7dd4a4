"""The published keys (RFC 7517 section 5, OIDC Discovery section 3 for `jwks_uri`)."""

from __future__ import annotations

from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Decision, Outcome
from oauthcore.signing.keys import Keys, KeySet
from oauthcore.wire.http import Response


def jwks(keys: KeySet, now: int) -> Flow[Outcome]:
    """Answer with the public halves of the keys."""
    current = yield from keys.current(now)
    return decide(current)


def decide(keys: Keys) -> Outcome:
    """Return the set, and how long it may be kept: no longer than a key is published before it signs."""
    # OIDC Core section 10.1.1: the cache lifetime lets clients know how soon to look for rotated keys.
    caching = ("Cache-Control", f"public, max-age={keys.jwks_lifetime}")
    headers = (("Content-Type", "application/jwk-set+json"), caching)
    return Decision(Response(200, headers, keys.jwks))
