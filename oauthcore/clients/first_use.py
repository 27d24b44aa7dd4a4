"""The first use of a client that has registered itself: from then on it is kept, on the account of a user.

Anybody can register clients, and anybody with an account can use them. If one use were enough to be kept, one account
could fill every place there is (`Registration.max_clients`). So a stranger's client needs a user who answers for it,
the first who allows it something, and each user answers for `max_from_user` within thirty days. Who connects more is
not refused: those clients work like others, and are forgotten when their `unused_lifetime` is over. What the operator
has vouched for, by an initial access token, a software statement or an approval, needs no user; nor does a client that
gets tokens for itself, which strangers' clients only get where the operator offers them `client_credentials`.

A use of a client says nothing about who is behind it: pages warn of it until the operator has approved it.
"""

from __future__ import annotations

import attrs

from oauthcore.clients.dynamic_registration import KEPT_COUNTED_FOR
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Change, Insert, Replace, Require
from oauthcore.records.client import Client, DynamicRegistration
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.registration_limits import KeptClientCount, RegistrationSlot


@attrs.frozen
class KeptBefore:
    """Hold how many new clients a user has had kept so far; None if that is not counted, or there were none."""

    key: Digest | None
    before: KeptClientCount | None = None

    def may_keep(self, context: Context) -> bool:
        """Return whether the user can have one more kept."""
        if self.before is None or context.max_from_user is None or context.now >= self.before.expires_at:
            return True
        return self.before.count < context.max_from_user

    def one_more(self, now: int) -> tuple[Change, ...]:
        """Return what counts one more: of two that are the last at the same time, one is decided again."""
        if self.key is None:
            return ()
        if self.before is None:
            return (Insert(KeptClientCount(key=self.key, count=1, expires_at=now + KEPT_COUNTED_FOR)),)
        if now >= self.before.expires_at:
            return (Replace(self.before, attrs.evolve(self.before, count=1, expires_at=now + KEPT_COUNTED_FOR)),)
        return (Replace(self.before, attrs.evolve(self.before, count=self.before.count + 1)),)


def find_kept(subject: str, client: Client | None, context: Context) -> Flow[KeptBefore | None]:
    """Find what a user has had kept; None, and no find, if the client needs no user any more."""
    if client is None or client.dynamic is None or not needs_user(client.dynamic):
        return pure(None)
    return find_count(subject, context)


def find_count(subject: str, context: Context) -> Flow[KeptBefore | None]:
    """Find the count of a user, unless there is no limit."""
    if context.max_from_user is None:
        return KeptBefore(None)
    # Only a digest of the subject: a stolen database must not say who connected which clients.
    key = context.digest("registration_user", Secret(subject))
    return KeptBefore(key, (yield from find(KeptClientCount, key)))


def needs_user(dynamic: DynamicRegistration) -> bool:
    """Return whether a client is forgotten even if it is used, since neither a user nor the operator answers for it."""
    return dynamic.is_unused and dynamic.by == "" and dynamic.first_user is None


def allowed_by(
    subject: str, client: Client, kept: KeptBefore | None, context: Context, *, is_used: bool
) -> tuple[Change, ...]:
    """Return what becomes of a client that a user allows something; it `is_used` if a response goes to it at once."""
    dynamic, noted = client.dynamic, client
    counted: tuple[Change, ...] = ()
    if dynamic is not None and needs_user(dynamic) and kept is not None and kept.may_keep(context):
        noted = attrs.evolve(client, dynamic=attrs.evolve(dynamic, first_user=subject))
        counted = kept.one_more(context.now)
    if is_used:
        # In the commit that issues something. So if the client is removed meanwhile, nothing is issued to it.
        return (*first_use(client, noted), *counted)
    return (Require(client) if noted is client else Replace(client, noted), *counted)


def first_use(client: Client, noted: Client | None = None, *, without_user: bool = False) -> tuple[Change, ...]:
    """Require the client to be unchanged, and keep it permanently if a user answers for it.

    Its entry in the list and its slot need not be found, since they were written with the client and expire with it. So
    the token request makes no more finds than for any other client. `noted` is the client with what is to be stored of
    it anyway. A token that a client got for itself, `without_user`, takes no user who answers for it.
    """
    noted = noted or client
    dynamic = noted.dynamic
    if dynamic is None or not dynamic.is_unused or (needs_user(dynamic) and not without_user):
        return (Require(client),)
    used = attrs.evolve(noted, dynamic=attrs.evolve(dynamic, is_unused=False), expires_at=None)
    if client.expires_at is None:
        return (Replace(client, used),)
    # As preconditions: if the purge has removed either of them meanwhile, the commit fails, and is decided again.
    entry = ListedClient(client_id=client.client_id, registered_at=dynamic.registered_at, expires_at=client.expires_at)
    changes: tuple[Change, ...] = (Replace(client, used), Replace(entry, attrs.evolve(entry, expires_at=None)))
    if dynamic.slot is None:
        return changes
    slot = RegistrationSlot(key=str(dynamic.slot), client_id=client.client_id, expires_at=client.expires_at)
    return (*changes, Replace(slot, attrs.evolve(slot, expires_at=None)))
