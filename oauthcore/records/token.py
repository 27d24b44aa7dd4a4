"""What is issued on a grant, and what a client has proven itself with."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from oauthcore.digest import Digest
from oauthcore.jose.strict_json import parse_object
from oauthcore.per_request import per_request
from oauthcore.pkce import CodeChallenge
from oauthcore.records.actor import Actor, act_claim
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.lifecycle import CodeState
from oauthcore.scope import Scope


@per_request(kw_only=True)
class AuthorizationCode:
    """An authorization code (RFC 6749 section 4.1.2).

    After its redemption it is kept until its tokens have expired, so that a replay is detected.
    """

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    redirect_uri: str
    # RFC 6749 section 4.1.3: it has to come again at the exchange only if it was in the request.
    redirect_uri_given: bool
    # None if the policy allows a confidential client to go without (RFC 9700 section 2.1.1).
    code_challenge: CodeChallenge | None
    issued_at: int
    expires_at: int
    # OIDC Core section 3.1.3.6: the ID token of the exchange has the request's nonce.
    nonce: str | None = None
    state: CodeState = CodeState.ACTIVE
    # RFC 9449 section 10: the key that the token request has to prove, where the authorization request has named one.
    dpop_jkt: str | None = None


@per_request(kw_only=True)
class AccessToken:
    """An access token; without a `grant` it is the client's own (RFC 6749 section 4.4).

    `client_generation` is the registration of that `client_id` to which it belongs, if it has no grant, or that of
    another client: what was exchanged (RFC 8693) is on the grant of the token that it was exchanged for. With a
    `confirmation` it needs a proof of possession of that key. `actors` act with it for the user, the current one first;
    `actor_grants` are the grants of those who are users, whose tokens came as actor tokens: it ends with each of them.
    """

    key: Digest
    client_id: str
    subject: str | None
    grant: Digest | None
    scope: Scope
    # The resources that it is meant for (RFC 8707 section 2); each refuses a token that is meant for others.
    audience: tuple[str, ...]
    issued_at: int
    expires_at: int
    client_generation: str = ""
    # RFC 7800: the key that the presenter has to prove; None for a plain bearer token (RFC 6750).
    confirmation: Confirmation | None = None
    actors: tuple[Actor, ...] = ()
    actor_grants: tuple[Digest, ...] = ()
    # RFC 9396: each in its one spelling.
    details: tuple[str, ...] = ()

    @property
    def authorization_details(self) -> list[dict[str, object]]:
        """Return the authorization details, as JSON has them."""
        return [parse_object(text) for text in self.details]

    def further_claims(self, name: Callable[[str], str]) -> dict[str, object]:
        """Return what a JWT and introspection say alike, if anything.

        `cnf` (RFC 7800), `act` (RFC 8693 section 4.1), `authorization_details` (RFC 9396 section 9).

        `name` returns the subject by which the reader knows one of this server.
        """
        claims: dict[str, object] = {} if self.confirmation is None else {"cnf": self.confirmation.members}
        if self.actors:
            claims["act"] = act_claim(self.actors, name)
        if self.details:
            claims["authorization_details"] = self.authorization_details
        return claims


@per_request(kw_only=True)
class RefreshToken:
    """Remember a refresh token; its scope and its place in the succession are its grant's.

    With a `confirmation` it takes a proof of possession of that key: a public client has nothing else to prove itself
    with (RFC 9449 section 5, RFC 8705 section 4).
    """

    key: Digest
    client_id: str
    subject: str
    grant: Digest
    issued_at: int
    # If it stays unused until then; the grant's own end comes first where that is sooner.
    expires_at: int
    confirmation: Confirmation | None = None


@attrs.frozen(kw_only=True)
class SpentProof:
    """Remember that a DPoP proof was used, until it can't be used any more (RFC 9449 section 11.1)."""

    # Of `jkt` and the `jti` together: with another key, the same `jti` is another proof.
    key: Digest
    jkt: str
    # Not before the proof is too old to be accepted: else it could be used once more.
    expires_at: int


@attrs.frozen(kw_only=True)
class SpentAssertion:
    """Remember that a client assertion was used, until it can't be used any more (RFC 7523 section 3, on `jti`)."""

    # Of `jti` and the client together: another client may draw the same one.
    key: Digest
    client_id: str
    # Not before the assertion's own `exp`, and the clock's skew: else it could be used once more.
    expires_at: int
