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
    """Remember what a person allowed a client, so as not to ask again.

    One for each person, client and `resource`, apart from the grants: revoking a grant because one of its
    tokens was stolen neither ends the person's other sessions with the client nor makes the decision undone. `claims`
    are those allowed by name, beside what the scope stands for. `client_generation` tells which registration of that
    `client_id` it was for.
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
    # None if it was allowed at the server itself, as everything is where no resources are told apart.
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
    """Remember the newest rotation of a grant's refresh token: what an honest retry is answered with.

    `confirmation` is the key that the access token was bound to: the same is given to nobody who has not proven it.
    `audience` is what it was meant for, empty where the grant is for no resources in particular.
    """

    # RFC 9700 section 4.14.2: an older refresh token is a theft, but within seconds of this it is a lost answer.
    rotated_at: int
    # A retry is answered with the same tokens, so what they said is kept; they themselves are derived anew.
    scope: Scope
    access_token_expires_at: int
    refresh_token_expires_at: int
    confirmation: Confirmation | None = None
    audience: tuple[str, ...] = ()


_NO_SCOPE = Scope()


@per_request(kw_only=True)
class Grant:
    """Remember what a person allowed in one authorization; everything issued for it is live only while it is.

    `refresh_token` is the digest of the newest refresh token: a rotation replaces it, so that all workers race for one
    record. `expires_at` is the absolute lifetime of everything issued on it. `acr`, `amr` and `sid` tell how, and in
    which login session, the person was authenticated; `claims` is the JSON of the claims parameter (OIDC Core 5.5).
    `client_generation` tells which registration of that `client_id` it belongs to; `outlived_session` that its login
    session has been ended, and that it went on because offline access was allowed then. `withheld` is what the same
    request asked for and did not get. `resources` are those that tokens on it may be for (RFC 8707); with none, they
    are for the server itself.
    """

    key: Digest
    client_id: str
    subject: str
    # What the person allowed. A refresh may ask for less, and never for more (RFC 6749 section 6).
    scope: Scope
    # Seconds since the epoch; None where nobody was signed in for it, as with the password grant.
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
    # None if there is none, or until the first tokens are issued.
    refresh_token: Digest | None = None
    rotation: Rotation | None = None
    client_generation: str = ""
    # OIDC Back-Channel Logout section 2.7: refresh tokens with offline access are not revoked by a logout.
    outlived_session: bool = False
    resources: tuple[str, ...] = ()
