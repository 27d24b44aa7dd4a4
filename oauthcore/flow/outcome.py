"""What a decision comes to: a value, the changes that must hold for it to be returned, and events for the audit log.

Four changes are the whole concurrency model. A commit applies all of them or none; each states a precondition, and
where one no longer holds the commit fails and the decision is made again on fresh facts.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic, Literal, TypeAlias, TypeVar, assert_never

from oauthcore.per_request import per_request
from oauthcore.records.record import Owned, Record
from oauthcore.wire.http import Response

R = TypeVar("R", bound=Record)
S = TypeVar("S", bound=Owned)
R_co = TypeVar("R_co", bound=Record, covariant=True)
T_co = TypeVar("T_co", covariant=True)


@per_request
class Insert:
    """Add a record; fails if one of its kind has the key."""

    record: Record


@per_request
class Replace(Generic[R_co]):
    """Put `new` in the place of `old`, under the same key; fails unless the stored record is `old`."""

    old: R_co
    new: R_co


@per_request
class Require:
    """Change nothing; fails unless the stored record is still this one."""

    record: Record


@per_request
class Delete:
    """Remove a record; fails unless the stored record is this one."""

    record: Record


Change: TypeAlias = Insert | Replace[Record] | Require | Delete


def precondition_and_result(change: Change) -> tuple[Record | None, Record | None]:
    """Return the record before and after a change, None for no record: all that a storage has to know of it."""
    if isinstance(change, Insert):
        return None, change.record
    if isinstance(change, Require):
        return change.record, change.record
    if isinstance(change, Replace):
        return change.old, change.new
    if isinstance(change, Delete):
        return change.record, None
    assert_never(change)


# The core's own; `tests/house` holds it to them.
EventName: TypeAlias = Literal[
    "consent_given",
    "consent_denied",
    "consent_withdrawn",
    "code_issued",
    "code_replayed",
    "device_authorization_started",
    "device_code_replayed",
    "user_code_entered",
    "user_code_refused",
    "token_issued",
    "token_refreshed",
    "token_refresh_retried",
    "refresh_token_reused",
    "token_exchanged",
    "id_jag_issued",
    "token_revoked",
    "grant_revoked",
    "client_registered",
    "client_secret_rotated",
    "client_updated",
    "client_approved",
    "client_disabled",
    "client_enabled",
    "client_removed",
    "client_document_read",
    "client_document_changed",
    "client_document_withdrawn",
    "signed_in",
    "session_ended",
    "logout_delivered",
    "logout_undelivered",
    "authorization_request_pushed",
    "backchannel_requested",
    "backchannel_denied",
    "backchannel_unknown_user",
    "backchannel_notified",
    "backchannel_not_notified",
]


@per_request
class Event:
    """Tell the audit log what was committed, by identifiers that are not secret; some events have no client.

    `name` is one of the core's own, or one of an extension's: lower-case words after a prefix and a colon, as in
    `acme:invitation_redeemed`. It appears unchanged in logs, metrics and traces.
    """

    name: EventName | str
    client_id: str | None
    subject: str | None = None
    grant: str | None = None


def profile_events(rules: Iterable[str], client_id: str) -> tuple[Event, ...]:
    """Return an event for each rule of a profile that was broken and only reported: `profile:` and its name."""
    return tuple(Event(f"profile:{name}", client_id) for name in rules)


@per_request
class Decision(Generic[T_co]):
    """Hold one decision: the value is returned only if the changes could be committed.

    What answers a browser or a client has a response for its value; what a host calls has whatever the host needs.
    """

    value: T_co
    changes: tuple[Change, ...] = ()
    events: tuple[Event, ...] = ()


Outcome: TypeAlias = Decision[Response]
"""The decision of an endpoint: a response, in which everything is signed already."""
