"""What is issued on a grant, and what a client has proven itself with."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge
from oauthcore.records.actor import Actor, act_claim
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.lifecycle import CodeState
from oauthcore.scope import Scope


@per_request(kw_only=True)
class AuthorizationCode:
    """Remember an authorization code (RFC 6749 section 4.1.2).

    After its redemption it stays until what it gave has expired, so that a replay is still known for one.
    """

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    redirect_uri: str
    redirect_uri_given: bool
    code_challenge: CodeChallenge | None
    issued_at: int
    expires_at: int
    nonce: str | None = None
    state: CodeState = CodeState.ACTIVE


@per_request(kw_only=True)
class AccessToken:
    """Remember an access token; without a `grant` it is the client's own (RFC 6749 section 4.4).

    `client_generation` tells which registration of that `client_id` it belongs to, where no grant does. One with a
    `confirmation` is good for whoever proves to have the key. `actors` act with it for the person, the current one
    first.
    """

    key: Digest
    client_id: str
    subject: str | None
    grant: Digest | None
    scope: Scope
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int
    client_generation: str = ""
    confirmation: Confirmation | None = None
    actors: tuple[Actor, ...] = ()

    @property
    def bound_claims(self) -> dict[str, object]:
        """Return `cnf` and `act`, as a JWT and introspection have them (RFC 7800, RFC 8693 section 4.1)."""
        claims: dict[str, object] = {} if self.confirmation is None else {"cnf": self.confirmation.members}
        if self.actors:
            claims["act"] = act_claim(self.actors)
        return claims


@per_request(kw_only=True)
class RefreshToken:
    """Remember a refresh token; its scope and its place in the succession are its grant's."""

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    issued_at: int
    expires_at: int


@attrs.frozen(kw_only=True)
class SpentAssertion:
    """Remember that a client assertion was used, until it can't be used any more (RFC 7523 section 3, on `jti`)."""

    key: Digest
    client_id: str
    expires_at: int
