"""Find a user for a client: what the application knows of them, if they exist and may use it.

All code that asks the application about a user calls `find_user`, so no grant or endpoint can forget to ask who may use
the client.
"""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.flow.effects import Claims, Flow, KnownUser, claims
from oauthcore.flow.outcome import Change, Require
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.record import Record
from oauthcore.user_policy import ClientUse, UserPolicy

Person = Mapping[str, object]


class ReliedOn(dict[str, object]):
    """The claims of a user, with the records from which the application took them."""

    __slots__ = ("records",)

    def __init__(self, claims: Person, records: tuple[Record, ...]) -> None:
        super().__init__(claims)
        self.records = records


def preconditions(person: Person | None) -> tuple[Change, ...]:
    """Return what a commit has to require that relies on a user's permission: the records it was concluded from."""
    return tuple(map(Require, records_of(person)))


def records_of(person: Person | None) -> tuple[Record, ...]:
    """Return the records from which it was concluded that a user may use a client; none if all users may."""
    return person.records if isinstance(person, ReliedOn) else ()


def find_user(
    subject: str, client: Client, policy: UserPolicy, names: tuple[str, ...] = (), locales: tuple[str, ...] = ()
) -> Flow[Person | None]:
    """Return the claims of a user; None if the user does not exist (any more), or may not use the client.

    Both have the same consequences: nothing is issued, and what was issued is not valid.
    """
    is_restricted = policy.restricts(client)
    wanted = tuple(dict.fromkeys((*names, *policy.claims_for(client)))) if is_restricted else names
    answer = yield from claims(Claims(subject, client.client_id, wanted, locales))
    person = answer.claims if isinstance(answer, KnownUser) else answer
    if person is None or not is_restricted:
        return person
    if not policy.allows(ClientUse(client, subject, person)):
        return None
    # What makes the user permitted must still be so when something is issued (`preconditions`).
    return ReliedOn(person, answer.relying_on) if isinstance(answer, KnownUser) else person


@per_request
class Permission:
    """Hold whether a user may use a client, and the records from which that was concluded."""

    is_given: bool
    records: tuple[Record, ...] = ()

    @property
    def changes(self) -> tuple[Change, ...]:
        """Return the preconditions of a commit that relies on it."""
        return tuple(map(Require, self.records))


NOT_NEEDED = Permission(True)


def find_permission(subject: str | None, client: Client | None, policy: UserPolicy) -> Flow[Permission]:
    """Find out whether a user may use a client; if all users may, it costs nothing."""
    if subject is None or client is None or not policy.restricts(client):
        return NOT_NEEDED
    person = yield from find_user(subject, client, policy)
    return Permission(person is not None, records_of(person))
