"""The applications that a user has authorized: list them, and withdraw the authorization of one.

This is not an endpoint of a standard: a host shows it to the user who is signed in there.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.authorization.withdrawal import change_mark, find_mark
from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.context import Context
from oauthcore.device_grant import DEVICE_CODE
from oauthcore.digest import Digest
from oauthcore.errors import ConfigurationError
from oauthcore.find_user import find_permission
from oauthcore.flow.effects import Flow, find, find_of
from oauthcore.flow.outcome import Change, Decision, Delete, Event, Replace
from oauthcore.grants.audience import named
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent, Grant, WithdrawalMark
from oauthcore.records.liveness import is_standing, of_generation
from oauthcore.resources import Resource
from oauthcore.revocation import revoke_grant
from oauthcore.scope import Scope


@attrs.frozen(kw_only=True)
class AuthorizedDevice:
    """Describe a device that uses a client in a user's name: the key of its grant, what it may do, and since when.

    It is one where the user entered a code (RFC 8628), or where the client asked them in the background (CIBA).
    """

    grant: str
    scope: Scope
    granted_at: int


@attrs.frozen(kw_only=True)
class AuthorizedApplication:
    """Describe what one client may do in a user's name.

    `client` is None if it is no longer registered. `scope` is all that was allowed, `resources` are the APIs for which
    (RFC 8707), empty if it is only the server itself. `granted_at` is when the user first allowed what is still in
    force, `expires_at` when the last of it expires, None for never (both in seconds since the epoch). `is_active` is
    true if there are grants, not only remembered consent. `devices` are those that use it (RFC 8628), and `requests`
    what it asked for in the background and the user allowed (CIBA), the newest first. `may_use` is false if the user
    may not use the client at present, so that nothing of it is valid.
    """

    client_id: str
    client: Client | None
    scope: Scope
    granted_at: int
    expires_at: int | None
    is_active: bool
    resources: tuple[Resource, ...] = ()
    devices: tuple[AuthorizedDevice, ...] = ()
    requests: tuple[AuthorizedDevice, ...] = ()
    may_use: bool = True


def applications(subject: str, context: Context) -> Flow[tuple[AuthorizedApplication, ...]]:
    """Find what a user has authorized and what of it is still in force, the newest first."""
    consents = yield from find_of(Consent, subject)
    grants = yield from find_of(Grant, subject)
    # Both are needed: consent without a grant allows the next request without a page, and a grant may outlive consent.
    standing = standing_by_client(consents, grants, context.now)
    found: list[AuthorizedApplication] = []
    for client_id, records in standing.items():
        client = yield from find(Client, client_id)
        # What was given to an earlier client of that name is dead (`oauthcore.records.liveness`).
        ours = [record for record in records if client is None or of_generation(client, record.client_generation)]
        if ours:
            permission = yield from find_permission(subject, client, context.user_policy)
            found.append(attrs.evolve(summary(client_id, client, ours, context), may_use=permission.is_given))
    return tuple(sorted(found, key=lambda application: application.granted_at, reverse=True))


def standing_by_client(
    consents: Sequence[Consent], grants: Sequence[Grant], now: int
) -> dict[str, list[Consent | Grant]]:
    """Sort what has not ended by client."""
    standing: dict[str, list[Consent | Grant]] = {}
    for consent in consents:
        if is_standing(consent, now):
            standing.setdefault(consent.client_id, []).append(consent)
    for grant in grants:
        if is_standing(grant, now):
            standing.setdefault(grant.client_id, []).append(grant)
    return standing


def summary(
    client_id: str, client: Client | None, records: Sequence[Consent | Grant], context: Context
) -> AuthorizedApplication:
    """Combine the consents and grants of one client."""
    scope = Scope()
    uris: dict[str, None] = {}
    for record in records:
        scope = scope.union(record.scope)
        uris |= dict.fromkeys(resources_of(record))
    ends = [record.expires_at for record in records]
    return AuthorizedApplication(
        client_id=client_id,
        client=client,
        scope=scope,
        granted_at=min(record.granted_at for record in records),
        expires_at=None if None in ends else max(end for end in ends if end is not None),
        is_active=any(isinstance(record, Grant) for record in records),
        resources=named(tuple(uris), context),
        devices=obtained_by(DEVICE_CODE, records),
        requests=obtained_by(CIBA, records),
    )


def obtained_by(grant_type: str, records: Sequence[Consent | Grant]) -> tuple[AuthorizedDevice, ...]:
    """Return what was obtained by one grant type, the newest first: each can be withdrawn by itself."""
    grants = [record for record in records if isinstance(record, Grant) and record.grant_type == grant_type]
    devices = [AuthorizedDevice(grant=grant.key, scope=grant.scope, granted_at=grant.granted_at) for grant in grants]
    return tuple(sorted(devices, key=lambda device: device.granted_at, reverse=True))


def resources_of(record: Consent | Grant) -> tuple[str, ...]:
    """Return at which resources something was allowed."""
    if isinstance(record, Grant):
        return record.resources
    return () if record.resource is None else (record.resource,)


@attrs.frozen
class Withdrawal:
    """Hold whose authorizations are withdrawn, and for which client; with None for all of them."""

    subject: str
    client_id: str | None


def withdraw(withdrawal: Withdrawal, context: Context, *, has_begun: bool) -> Flow[Decision[int]]:
    """Withdraw what a user authorized, and return how many records; `has_begun` is true if some are withdrawn already.

    `commit_until_unchanged` repeats this until there is nothing left to withdraw: there may be a new consent or grant
    that was not there at the first find.
    """
    consents = yield from find_of(Consent, withdrawal.subject)
    grants = yield from find_of(Grant, withdrawal.subject)
    consents = [consent for consent in consents if withdrawal.client_id in {None, consent.client_id}]
    grants = [
        grant for grant in grants if withdrawal.client_id in {None, grant.client_id} and is_standing(grant, context.now)
    ]
    # The first round changes the mark even if it finds nothing: consent given a moment ago may be neither record yet.
    if has_begun and not consents and not grants:
        return Decision(0)
    mark = yield from find_mark(withdrawal.subject, context)
    return decide_withdraw(withdrawal, WithdrawalFacts(consents, grants, mark), context)


@attrs.frozen
class WithdrawalFacts:
    """Hold what there is to be withdrawn, and the person's withdrawal mark; None if they have none."""

    consents: Sequence[Consent]
    grants: Sequence[Grant]
    mark: WithdrawalMark | None


def decide_withdraw(withdrawal: Withdrawal, facts: WithdrawalFacts, context: Context) -> Decision[int]:
    """Delete the consents, so that the user is asked again, and revoke the grants, so that every token ends.

    A concurrent authorization requires the consent that is deleted here, or the mark that is changed here. If it
    commits first, the next attempt finds its grant; otherwise it decides again, and has to ask the user.
    """
    # Also if there is nothing to delete: consent that was just given on a page is in neither record yet.
    changes: list[Change] = [change_mark(withdrawal.subject, facts.mark, context)]
    changes += [Delete(consent) for consent in facts.consents]
    standing = (consent for consent in facts.consents if is_standing(consent, context.now))
    events = [Event("consent_withdrawn", consent.client_id, consent.subject) for consent in standing]
    for grant in facts.grants:
        # Revoking the grant ends all of its tokens at once, since each token's validity depends on it.
        changes.append(Replace(grant, revoke_grant(grant)))
        events.append(Event("grant_revoked", grant.client_id, grant.subject, grant.key))
    return Decision(len(events), tuple(changes), tuple(events))


def withdraw_grant(subject: str, key: str, context: Context) -> Flow[Decision[int]]:
    """Revoke the grant of one of a user's devices; return how many were revoked, none if it is not theirs."""
    grant = yield from find(Grant, Digest(key))
    if (
        grant is None
        or grant.subject != subject
        or grant.grant_type not in {DEVICE_CODE, CIBA}
        or not is_standing(grant, context.now)
    ):
        return Decision(0)
    event = Event("grant_revoked", grant.client_id, grant.subject, grant.key)
    return Decision(1, (Replace(grant, revoke_grant(grant)),), (event,))


def revoke_by_key(key: str, context: Context) -> Flow[Decision[Grant]]:
    """Revoke one grant for the operator; raises `ConfigurationError` if there is none to revoke."""
    grant = yield from find(Grant, Digest(key))
    if grant is None or not is_standing(grant, context.now):
        raise ConfigurationError("grant", key, "name a grant that is active; grant list shows them")
    event = Event("grant_revoked", grant.client_id, grant.subject, grant.key)
    revoked = revoke_grant(grant)
    return Decision(revoked, (Replace(grant, revoked),), (event,))
