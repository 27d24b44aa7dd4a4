"""The type of `oauth_token`: what `Issuer.token` takes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from oauthcore_mock import FlawName


class TokenFactory(Protocol):
    """Make an access token, as `Issuer.token` does."""

    def __call__(
        self,
        sub: str | None = "alice",
        *,
        aud: str | list[str] | None = None,
        scope: str | Iterable[str] = "",
        claims: Mapping[str, object] | None = None,
        expires_in: int = 300,
        client_id: str | None = None,
        alg: str | None = None,
        kid: str | None = None,
        typ: str = "at+jwt",
        opaque: bool = False,
        flaw: FlawName | None = None,
    ) -> str:
        """Return the token."""
