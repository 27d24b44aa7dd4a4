"""Liveness: the one definition of what is valid, for all code that reads a record.

A token is valid until it expires, while what it was issued on is valid: its grant, or for a client's own token the
client. A token that one client got in exchange for another's depends on the grant and both clients, and one with which
a user acts for another on the grant of that user, too. A grant is valid while five conditions hold: it is neither
revoked nor expired; its client is still the one it was made for, and may be served; its user is known to the
application and may use the client; and its login session has not been ended, unless offline access is allowed. Whether
a client with a metadata document may be served is a setting, applied at each read.

The session is not looked up: ending it revokes its grants in the same commit, and marks those that outlive it.
So this condition is decided from the grant alone, and costs no find. A session that merely expires ends no grants; its
lifetime is only that of the login in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from oauthcore.per_request import per_request
from oauthcore.policy import Allowance, Policy
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent, Grant
from oauthcore.records.lifecycle import GRANT, GrantInput, advance
from oauthcore.records.record import Record
from oauthcore.records.token import AccessToken, RefreshToken
from oauthcore.scope import Scope

# The answer for a user whose claims are not needed.
KNOWN: Mapping[str, object] = MappingProxyType({})


@per_request
class IssuedTo:
    """Hold what the liveness of a token depends on, as it is found now; None for what does not exist any more.

    `client` is the one that the token was issued to. `person` is the answer of the application to `Claims`; it is not
    used for a client's own token. `grantee` is the client of the grant where the token was exchanged by another one
    (RFC 8693), and not used otherwise. `records` are those from which the application concluded that the user may use
    `client` as well, if there is a grantee. `actors` are what the grants of users who act with the token depend on.
    """

    client: Client | None
    grant: Grant | None = None
    person: Mapping[str, object] | None = KNOWN
    grantee: Client | None = None
    records: tuple[Record, ...] = ()
    actors: tuple[IssuedTo, ...] = ()


# For so many seconds the grants of a client stay valid whose document is gone: an hour, in which it can be restored
# after a faulty deployment; after that, its absence is taken seriously.
WITHDRAWN_FOR = 3_600


Admits: TypeAlias = Callable[[str], bool]
"""Returns whether a client is taken that says what it is in a document at its identifier: `ClientIdMetadata.admits`."""


def is_admitted(client: Client, admits: Admits | None) -> bool:
    """Return whether a client may come: one with a document may not if there are none, or its host is not taken."""
    return client.document is None or (admits is not None and admits(client.client_id))


def is_live_client(client: Client | None, now: int, admits: Admits | None) -> bool:
    """Return whether the client may be served at all; `admits` is None if documents are off."""
    if client is None or not client.enabled or (client.expires_at is not None and now >= client.expires_at):
        return False
    document = client.document
    if document is None:
        return True
    # The operator's own word counts at once; of the host's, that its document is gone may be a mishap.
    if document.is_refused or not is_admitted(client, admits):
        return False
    return document.withdrawn_at is None or now < document.withdrawn_at + WITHDRAWN_FOR


def of_generation(client: Client | None, generation: str) -> Client | None:
    """Return the client if it is the registration that something was made for, None if it is another one."""
    return client if client is not None and client.generation == generation else None


def is_standing(record: Grant | Consent | None, now: int) -> bool:
    """Return whether a grant or a consent is in force and can be withdrawn, whatever the state of its client."""
    if record is None or (record.expires_at is not None and now >= record.expires_at):
        return False
    return isinstance(record, Consent) or advance(GRANT, record.state, GrantInput.ISSUE) is not None


def is_live_consent(consent: Consent | None, client: Client, now: int) -> bool:
    """Return whether a user's consent counts for a client: it has not expired, and the client has not changed since."""
    if consent is None or client.generation != consent.client_generation:
        return False
    # The consent is for this registration and its redirect URIs. Otherwise a client could be allowed under one name,
    # and then get codes under another, at a host that no user has seen.
    changed_at = None if client.dynamic is None else client.dynamic.changed_at
    if changed_at is not None and consent.granted_at <= changed_at:
        return False
    return is_standing(consent, now)


def end_of_grant(to: IssuedTo, policy: Policy, now: int, admits: Admits | None) -> str | None:
    """Return why no tokens may be issued and used on a grant, None if they may; in words for the log alone."""
    client, grant = to.client, to.grant
    # First what the grant itself shows: revoked or expired.
    if grant is None or not is_standing(grant, now):
        return "grant is revoked or over"
    # A client with the same identifier that was removed and registered again may be another application.
    if client is None or client.generation != grant.client_generation:
        return "client is removed, and its identifier is now that of another client"
    if not is_live_client(client, now, admits):
        return "client is disabled, or not taken any more"
    # The application answered that it knows this user no longer: removed or disabled, their tokens end with them. So do
    # the tokens of a user who may not use the client any more (`oauthcore.find_user`).
    if to.person is None:
        return "user is not known to the application any more, or may not use the client"
    # OIDC Core section 11: offline access continues without a session, but only while it is still registered.
    if grant.outlived_session and not may_outlive_session(grant, client, policy):
        return "login session has been ended"
    return None


def is_live_grant(to: IssuedTo, policy: Policy, now: int, admits: Admits | None) -> bool:
    """Return whether tokens may be issued and used on a grant."""
    return end_of_grant(to, policy, now, admits) is None


def is_live(token: AccessToken | RefreshToken, to: IssuedTo, policy: Policy, now: int, admits: Admits | None) -> bool:
    """Return whether a token is valid: not expired, issued on a live grant and, if a refresh token, its grant's newest.

    A refresh token is invalid once its client is no longer registered for that grant type.
    """
    if now >= token.expires_at:
        return False
    if isinstance(token, AccessToken):
        # RFC 8693 section 1.1: a delegated token is used by its actor, so it is worth no more than what that one has.
        acting = tuple(actor for actor in to.actors if is_live_grant(actor, policy, now, admits))
        if len(acting) != len(token.actor_grants):
            return False
        if token.grant is None:
            return is_live_client(of_generation(to.client, token.client_generation), now, admits)
        if to.grant is not None and token.client_id != to.grant.client_id:
            return is_live_exchanged(token, to, policy, now, admits)
        return end_of_grant(to, policy, now, admits) is None
    # RFC 9700 section 4.14.2: only the newest refresh token of a grant is good, whatever else is stored.
    if to.grant is None or to.client is None or token.key != to.grant.refresh_token:
        return False
    # RFC 7591 section 2: a client uses only the grant types that it is registered for, at every use.
    return "refresh_token" in to.client.grant_types and is_live_grant(to, policy, now, admits)


def is_live_exchanged(token: AccessToken, to: IssuedTo, policy: Policy, now: int, admits: Admits | None) -> bool:
    """Return whether a token that another client got by exchange is valid, as far as grant and clients go (RFC 8693).

    It depends on the grant of the token that it was exchanged for, with that grant's client, and on its own client.
    """
    if not is_live_client(of_generation(to.client, token.client_generation), now, admits):
        return False
    return is_live_grant(IssuedTo(to.grantee, to.grant, to.person), policy, now, admits)


def may_outlive_session(grant: Grant, client: Client | None, policy: Policy) -> bool:
    """Return whether a grant stays when its login session is ended (Back-Channel Logout section 2.7).

    Offline access does not count if it was removed from the client's registration (OIDC Core section 11).
    """
    if client is None:
        return False
    allowed = registered_scope(grant.scope, client, policy)
    return "offline_access" in allowed or policy.allows(Allowance.GRANTS_OUTLIVE_SESSION, client.allow)


def registered_scope(scope: Scope, client: Client, policy: Policy) -> Scope:
    """Return what is left of a scope that was allowed once: what the client is still registered for."""
    implies = policy.implies
    return implies.within(scope, client.scope) if implies.implied else scope.within(client.scope)


def scope_of_token(token: AccessToken, to: IssuedTo, policy: Policy) -> Scope:
    """Return what a token still allows: all of it that its client is registered for.

    What it has by an exchange from another client's grant (RFC 8693) is cut by that client's registration, too. A scope
    that the policy of the exchange added by name is not in the grant, and stays.
    """
    assert to.client is not None
    left = registered_scope(token.scope, to.client, policy)
    grant, grantee = to.grant, to.grantee
    if grant is None or grantee is None or grantee.client_id == token.client_id:
        return left
    of_grant = policy.implies.within(left, grant.scope)
    cut = registered_scope(of_grant, grantee, policy)
    if cut == of_grant:
        return left
    kept = cut.union(left.without(of_grant))
    return left.within(kept).union(kept)
