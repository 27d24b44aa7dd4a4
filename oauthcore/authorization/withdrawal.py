"""Withdrawal marks: a withdrawal also ends consent that was given on a page and not used yet.

Between the page on which a user gives consent and the redirect back to the client, there is neither a consent nor a
grant that a withdrawal could find. So each withdrawal changes the user's mark, and the consent from the page counts
only while the mark is the one it was given under. Remembered consent needs no mark: it is a record, which is required.
"""

from __future__ import annotations

import attrs

from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert, Replace, Require
from oauthcore.records.grant import WithdrawalMark
from oauthcore.records.interaction import Interaction


def mark_key(subject: str, context: Context) -> Digest:
    """Return the key of a person's withdrawal mark."""
    return context.digest("withdrawal", Secret(subject))


def find_mark(subject: str, context: Context) -> Flow[WithdrawalMark | None]:
    """Find a person's withdrawal mark."""
    return (yield from find(WithdrawalMark, mark_key(subject, context)))


def new_mark(subject: str, expires_at: int, context: Context) -> WithdrawalMark:
    """Return a new mark."""
    return WithdrawalMark(
        key=mark_key(subject, context), mark=context.digest("withdrawal", context.mint()), expires_at=expires_at
    )


def change_mark(subject: str, mark: WithdrawalMark | None, context: Context) -> Change:
    """Set another mark, whether there was one or not: who has seen none inserts one, and so decides again."""
    expires_at = context.now + context.policy.lifetimes.interaction_lifetime
    # A withdrawal always changes the mark: commits that required the old one fail and decide again.
    fresh = new_mark(subject, expires_at if mark is None else max(expires_at, mark.expires_at), context)
    return Insert(fresh) if mark is None else Replace(mark, fresh)


def note_mark(answered: Interaction, mark: WithdrawalMark | None, context: Context) -> tuple[Interaction, Change]:
    """Note in an interaction under which mark consent is given, and keep that mark longer than the interaction."""
    assert answered.login is not None
    # Purging leaves it a while longer still; the interaction lifetime on top spares the next ones the change.
    lasting = answered.expires_at + context.policy.lifetimes.interaction_lifetime
    if mark is None:
        fresh = new_mark(answered.login.subject, lasting, context)
        return attrs.evolve(answered, withdrawal_mark=fresh.mark), Insert(fresh)
    noted = attrs.evolve(answered, withdrawal_mark=mark.mark)
    if mark.expires_at > answered.expires_at:
        return noted, Require(mark)
    return noted, Replace(mark, attrs.evolve(mark, expires_at=lasting))


def is_withdrawn(answered: Interaction, mark: WithdrawalMark | None) -> bool:
    """Return whether the person has withdrawn something since they gave consent in this interaction.

    One without a note was answered before there were marks.
    """
    # Compared with the note from the page, not with the time: clocks of two workers may differ.
    return answered.withdrawal_mark is not None and (mark is None or mark.mark != answered.withdrawal_mark)
