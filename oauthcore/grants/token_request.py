"""The token request as a grant gets it: the client, the parameters, and what was proven (RFC 6749 section 3.2)."""

from __future__ import annotations

from oauthcore.clients.authentication import Authenticated
from oauthcore.flow.outcome import Change
from oauthcore.per_request import per_request
from oauthcore.possession import ProofOfPossession
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.scope import Scope, parse_scope
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters


@per_request
class TokenRequest:
    """Hold a request to the token endpoint by a client that is authenticated, and registered for its grant type.

    `proof` is None if the request has no proof of possession of a key.
    """

    caller: Authenticated
    parameters: Parameters
    http_request: Request
    proof: ProofOfPossession | None = None

    @property
    def client(self) -> Client:
        """Return the authenticated client."""
        return self.caller.client

    @property
    def scope(self) -> Scope | None:
        """Return the requested scope (RFC 6749 section 3.3), None if there is none; raises `InvalidScope`."""
        named = self.parameters.get("scope")
        return None if named is None else parse_scope(named)

    @property
    def resources(self) -> tuple[str, ...]:
        """Return the requested resources, as the client spells them (RFC 8707 section 2.2)."""
        return self.parameters.all("resource")

    @property
    def confirmation(self) -> Confirmation | None:
        """Return the proven keys, None if the request has no proof of possession."""
        return None if self.proof is None else self.proof.confirmation

    @property
    def spent(self) -> tuple[Change, ...]:
        """Return the changes that use up what the request was proven with, for the commit that answers it."""
        return self.caller.spent if self.proof is None else (*self.caller.spent, *self.proof.spent)
