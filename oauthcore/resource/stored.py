"""Tokens of the server that shares the storage: what they allow is what is stored of them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oauthcore.clock import Clock
from oauthcore.context import OwnKeys
from oauthcore.digest import Digester, Secret
from oauthcore.extra_claims import ClaimsTarget, ExtraClaims
from oauthcore.flow.effects import Flow, pure
from oauthcore.jose.crypto import verify
from oauthcore.policy import Policy
from oauthcore.records.actor import act_claim
from oauthcore.records.liveness import Admits, is_live, scope_of_token
from oauthcore.resource.access import Access
from oauthcore.resource.stored_token import find_access_token, issued_to
from oauthcore.user_policy import EVERYBODY, UserPolicy


class StoredTokens:
    """Find tokens in the storage of the server that issued them: three finds, or two for a client's own token.

    `own_keys` finds the server's keys, which verify signed tokens; without it, signed tokens are refused. `policy` is
    the server's: it says which grants outlive a login session. `admits` is `ClientIdMetadata.admits` of the server;
    without it, tokens of clients with a metadata document are refused. `user_policy` is the server's: it says who may
    use which client. `extra_claims` is the server's function, whose claims `Access.claims` has; for the function this
    is an introspection without a caller.

    Whether the user still exists is decided by the world's `claims`. In a `World` without it every user exists, and
    tokens stay valid after the application has removed their user.
    """

    def __init__(
        self,
        issuer: str,
        clock: Clock,
        own_keys: OwnKeys = lambda: pure(()),
        policy: Policy | None = None,
        admits: Admits | None = None,
        user_policy: UserPolicy = EVERYBODY,
        extra_claims: ExtraClaims | None = None,
    ) -> None:
        self.issuer = issuer
        self.clock = clock
        self._policy = policy or Policy.oauth21()
        self.implies = self._policy.implies
        self._own_keys = own_keys
        self._admits = admits
        self._user_policy = user_policy
        self._extra_claims = extra_claims
        self._digest = Digester(issuer)

    def __call__(self, value: Secret) -> Flow[Access | None]:
        """Return what a live token allows, of what its client is registered for now."""
        token = yield from find_access_token(value, self._digest, self._own_keys, verify)
        to = yield from issued_to(token, self._user_policy)
        if token is None or to.client is None:
            return None
        if not is_live(token, to, self._policy, int(self.clock()), self._admits):
            return None
        grant, scope = to.grant, scope_of_token(token, to, self._policy)
        claims: Mapping[str, object] = {}
        if self._extra_claims is not None:
            claims = yield from self._extra_claims(
                ClaimsTarget(
                    place="introspection",
                    client=to.client,
                    subject=token.subject,
                    scope=scope,
                    audience=token.audience,
                )
            )
        return Access(
            client_id=token.client_id,
            subject=token.subject,
            scope=scope,
            issued_at=token.issued_at,
            expires_at=token.expires_at,
            audience=token.audience,
            issuer=self.issuer,
            acr=None if grant is None else grant.acr,
            auth_time=None if grant is None else grant.auth_time,
            amr=() if grant is None else grant.amr,
            # For the `ResourceServer` to look at: having a token that is bound to a key is not enough.
            cnf=None if token.confirmation is None else token.confirmation.members,
            act=act_claim(token.actors) if token.actors else None,
            claims=claims,
            authorization_details=tuple(MappingProxyType(one) for one in token.authorization_details),
        )
