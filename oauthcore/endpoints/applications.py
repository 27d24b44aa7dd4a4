"""The person's side of what was authorized: which applications there are, and how to be rid of one.

Not an endpoint of a standard: a host shows it to whoever is signed in there.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.authorization.withdrawal import change_mark, find_mark
from oauthcore.context import Context
from oauthcore.digest import Digest
from oauthcore.errors import ConfigurationError
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
class AuthorizedApplication:
    """Tell a person what one client may do in their name.

    `client` is None where it is registered no longer. `scope` is all of it, `resources` the APIs at which (RFC 8707),
    none where it is for the server itself alone, `granted_at` when they first allowed what
    still stands, `expires_at` when the last of it ends, None for never (both in seconds since the epoch). `is_active`
    tells that there are grants, not just a consent that is remembered.
    """

    client_id: str
    client: Client | None
    scope: Scope
    granted_at: int
    expires_at: int | None
    is_active: bool
    resources: tuple[Resource, ...] = ()


def applications(subject: str, context: Context) -> Flow[tuple[AuthorizedApplication, ...]]:
    """Find what a person has authorized and what still stands of it, the newest first."""
    consents = yield from find_of(Consent, subject)
    grants = yield from find_of(Grant, subject)
    standing = standing_by_client(consents, grants, context.now)
    found: list[AuthorizedApplication] = []
    for client_id, records in standing.items():
        client = yield from find(Client, client_id)
        # What was given to an earlier client of that name is dead (`oauthcore.records.liveness`).
        ours = [record for record in records if client is None or of_generation(client, record.client_generation)]
        if ours:
            found.append(summary(client_id, client, ours, context))
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
    """Put together what stands for one client."""
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
    )


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
    """Take back what a person authorized, and return how much; `has_begun` tells that some of it is taken back already.

    To be decided until there is nothing more to take back, by `commit_until_unchanged`: there may be a consent or a
    grant by then that was not there when this looked.
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
    """Forget the consents, so that they are asked again, and revoke the grants, so that every token ends.

    Whoever authorizes meanwhile requires what they rely on: the consent that is deleted here, or the mark that is
    changed here. So they come first, and the next look finds their grant; or they decide again, and have to ask.
    """
    changes: list[Change] = [change_mark(withdrawal.subject, facts.mark, context)]
    changes += [Delete(consent) for consent in facts.consents]
    standing = (consent for consent in facts.consents if is_standing(consent, context.now))
    events = [Event("consent_withdrawn", consent.client_id, consent.subject) for consent in standing]
    for grant in facts.grants:
        changes.append(Replace(grant, revoke_grant(grant)))
        events.append(Event("grant_revoked", grant.client_id, grant.subject, grant.key))
    return Decision(len(events), tuple(changes), tuple(events))


def revoke_by_key(key: str, context: Context) -> Flow[Decision[Grant]]:
    """Revoke one grant at the operator's wish; raises `ConfigurationError` where there is none to revoke."""
    grant = yield from find(Grant, Digest(key))
    if grant is None or not is_standing(grant, context.now):
        raise ConfigurationError("grant", key, "name a grant that is active; grant list shows them")
    event = Event("grant_revoked", grant.client_id, grant.subject, grant.key)
    revoked = revoke_grant(grant)
    return Decision(revoked, (Replace(grant, revoked),), (event,))
