"""What a person allowed: a grant, the newest rotation of its refresh token, and consent that is remembered."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.per_request import per_request
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.lifecycle import GrantState
from oauthcore.scope import Scope


@attrs.frozen(kw_only=True)
class Consent:
    """Record what a user allowed a client, so that they are not asked again.

    There is one for each user, client and `resource`, apart from the grants: if a grant is revoked because one of its
    tokens was stolen, the user's other sessions with the client and their consent stay. `claims` are those allowed by
    name, beside those of the scope. `client_generation` is the registration of that `client_id` for which it was given.
    """

    key: Digest
    client_id: str
    subject: str
    scope: Scope
    granted_at: int
    # None if it is remembered until the person takes it back.
    expires_at: int | None
    claims: tuple[str, ...] = ()
    client_generation: str = ""
    # None if it was allowed at the server itself, as all consent is without resources.
    resource: str | None = None


@attrs.frozen(kw_only=True)
class WithdrawalMark:
    """Remember which withdrawal of a person was the last: each sets another `mark`.

    An interaction notes the mark under which consent was given in it, and that consent counts only while the mark is
    the same. Until the browser comes back there is nothing else of it that a withdrawal could find. It expires later
    than every interaction that has noted it; consent whose mark is gone does not count either.
    """

    key: Digest
    mark: str
    expires_at: int


@per_request
class Rotation:
    """Record the newest rotation of a grant's refresh token, so that an honest retry gets the same response.

    `confirmation` is the key that the access token was bound to; a retry has to prove possession of the same key.
    `audience` are the resources of the access token, empty if the grant has no resources; `details` its authorization
    details.
    """

    # RFC 9700 section 4.14.2: an older refresh token is a theft, but within seconds of this it is a lost answer.
    rotated_at: int
    # A retry gets the same tokens, so their claims are stored; the tokens themselves are derived again.
    scope: Scope
    access_token_expires_at: int
    refresh_token_expires_at: int
    confirmation: Confirmation | None = None
    audience: tuple[str, ...] = ()
    details: tuple[str, ...] = ()


_NO_SCOPE = Scope()


@per_request(kw_only=True)
class Grant:
    """Record what a user allowed in one authorization; everything issued for it is live only while it is.

    `refresh_token` is the digest of the newest refresh token: a rotation replaces it, so that all workers race for one
    record. `expires_at` is the absolute lifetime of everything issued on it. `acr`, `amr` and `sid` say how, and in
    which login session, the user was authenticated; `claims` is the JSON of the claims parameter (OIDC Core 5.5).
    `client_generation` is the registration of that `client_id` to which it belongs. `outlived_session` is true if its
    login session was ended, and the grant stayed because offline access was allowed. `withheld` is the scope that the
    request asked for and did not get. `resources` are those that its tokens may be for (RFC 8707); if empty, they are
    for the server itself. `grant_type` is how it was obtained if that was by a device (RFC 8628) or in the background
    (CIBA), and blank otherwise.
    """

    key: Digest
    client_id: str
    subject: str
    # What the person allowed. A refresh may ask for less, and never for more (RFC 6749 section 6).
    scope: Scope
    # Seconds since the epoch; None if the grant type has no login, as with the password grant.
    auth_time: int | None
    granted_at: int
    expires_at: int
    acr: str | None = None
    amr: tuple[str, ...] = ()
    sid: str | None = None
    claims: str | None = None
    # OIDC Core section 5.2: in which languages the claims are wanted, at UserInfo as well.
    claims_locales: str | None = None
    withheld: Scope = _NO_SCOPE
    # `revoked` is the end: no input leads out of it (see `lifecycle.py`).
    state: GrantState = GrantState.ACTIVE
    # None until the first tokens are issued, or if it gets no refresh token.
    refresh_token: Digest | None = None
    rotation: Rotation | None = None
    client_generation: str = ""
    # OIDC Back-Channel Logout section 2.7: refresh tokens with offline access are not revoked by a logout.
    outlived_session: bool = False
    resources: tuple[str, ...] = ()
    grant_type: str = ""
    # RFC 9396: what the user allowed beside the scope, each in its one spelling.
    details: tuple[str, ...] = ()

    @property
    def authentication_claims(self) -> dict[str, object]:
        """Return how and when the user was authenticated, as far as known (RFC 9068 section 2.2.1, RFC 9470 6.2)."""
        claims: dict[str, object] = {} if self.auth_time is None else {"auth_time": self.auth_time}
        if self.acr is not None:
            claims["acr"] = self.acr
        if self.amr:
            claims["amr"] = list(self.amr)
        return claims
