"""The lifecycles, as tables of (state, input) -> state.

Two rules. A pair that is absent is refused. A change of state reaches storage only by `Replace`, so a decision about a
state that is no longer the stored one is made again.

Why an input happens is not known here; the diagrams in docs/lifecycles.md are generated from these tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import TypeVar

from oauthcore.named import Named


class CodeState(Named):
    """The states of an authorization code; a redeemed one is kept as long as its tokens, to detect a replay."""

    ACTIVE = "active"
    REDEEMED = "redeemed"


class CodeInput(Named):
    """What happens to an authorization code."""

    REDEEM = "redeem"


class GrantState(Named):
    """Where a grant is."""

    ACTIVE = "active"
    REVOKED = "revoked"


class GrantInput(Named):
    """What happens to a grant: tokens are issued on it, or it is revoked."""

    ISSUE = "issue"
    REVOKE = "revoke"


class RefreshState(Named):
    """The states of a refresh token, which follow from its grant's rotation.

    `CURRENT`: the newest of its grant. `SUPERSEDED`: its successor is the newest, and the retry window is open.
    `SPENT`: a successor has been used, or the window has closed.
    """

    CURRENT = "current"
    SUPERSEDED = "superseded"
    SPENT = "spent"


class RefreshInput(Named):
    """What happens to a refresh token."""

    PRESENT = "present"
    SUCCESSOR_PRESENTED = "successor presented"
    WINDOW_CLOSES = "window closes"


class InteractionState(Named):
    """Where an interaction is. `UNSTORED`: in its handle alone, before anybody answered; no record is in this state."""

    UNSTORED = "unstored"
    PENDING = "pending"
    FINISHED = "finished"
    DENIED = "denied"
    COMPLETED = "completed"


class InteractionInput(Named):
    """What happens to an interaction: the application reports, or the browser comes back to the resume path."""

    LOGIN = "login"
    FINISH = "finish"
    DENY = "deny"
    ASK_AGAIN = "ask again"
    RESUME = "resume"


class DeviceState(Named):
    """Where a device authorization is; a redeemed one is kept as long as its tokens, to detect a replay."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    REDEEMED = "redeemed"


class DeviceInput(Named):
    """What happens to a device authorization: its client polls, or a user enters the code and answers."""

    POLL = "poll"
    ENTER = "enter"
    APPROVE = "approve"
    DENY = "deny"
    REDEEM = "redeem"


class PushedRequestState(Named):
    """Where a pushed request is: to be used by its `request_uri`, or spent by the answer that its client got."""

    PUSHED = "pushed"
    SPENT = "spent"


class PushedRequestInput(Named):
    """What happens to a pushed request: its client is answered, with a code or an error."""

    ANSWER = "answer"


class SessionState(Named):
    """The states of a login session; after its end no one is signed in with it, whatever a browser still sends."""

    ACTIVE = "active"
    ENDED = "ended"


class SessionInput(Named):
    """What happens to a login session: its person signs in again, allows a client something, or it is ended."""

    SIGN_IN = "sign in"
    AUTHORIZE = "authorize"
    END = "end"


class BackchannelState(Named):
    """Where a backchannel authentication request is: waiting for its user, answered, or used up by its client."""

    PENDING = "pending"
    ALLOWED = "allowed"
    DENIED = "denied"
    REDEEMED = "redeemed"


class BackchannelInput(Named):
    """What happens to a backchannel authentication request: its client polls, and its user answers."""

    POLL = "poll"
    ALLOW = "allow"
    DENY = "deny"
    REDEEM = "redeem"


class KeyState(Named):
    """The states of one of the server's own signing keys.

    `PUBLISHED`: in the key set, but does not sign yet. `ACTIVE`: signs. `RETIRED`: does not sign any more, but stays in
    the key set for its signatures. `REMEMBERED`: no longer in the key set, but verifies ID token hints. `GONE`:
    deleted; no record is ever in this state.
    """

    PUBLISHED = "published"
    ACTIVE = "active"
    RETIRED = "retired"
    REMEMBERED = "remembered"
    GONE = "gone"


class KeyInput(Named):
    """What happens to a signing key: by age, or by an operator."""

    ACTIVATE = "activate"
    SUPERSEDE = "supersede"
    OUTLIVE = "outlive what it signed"
    FORGET = "outlive the sessions it signed in"
    WITHDRAW = "withdraw"


CODE: Mapping[tuple[CodeState, CodeInput], CodeState] = {
    (CodeState.ACTIVE, CodeInput.REDEEM): CodeState.REDEEMED,
}

# A revoked grant takes no further tokens, so a redemption or refresh that has not seen the revocation is refused.
GRANT: Mapping[tuple[GrantState, GrantInput], GrantState] = {
    (GrantState.ACTIVE, GrantInput.ISSUE): GrantState.ACTIVE,
    (GrantState.ACTIVE, GrantInput.REVOKE): GrantState.REVOKED,
    # Revoking twice is not an error: RFC 7009 section 2.2 answers both with 200.
    (GrantState.REVOKED, GrantInput.REVOKE): GrantState.REVOKED,
}

# Presenting a superseded token again is the honest retry and changes nothing: the same pair is given. Presenting a
# spent one is absent from the table: that is reuse (RFC 9700 section 4.14.2), and the grant's own table takes over.
REFRESH: Mapping[tuple[RefreshState, RefreshInput], RefreshState] = {
    (RefreshState.CURRENT, RefreshInput.PRESENT): RefreshState.SUPERSEDED,
    (RefreshState.SUPERSEDED, RefreshInput.PRESENT): RefreshState.SUPERSEDED,
    (RefreshState.SUPERSEDED, RefreshInput.SUCCESSOR_PRESENTED): RefreshState.SPENT,
    (RefreshState.SUPERSEDED, RefreshInput.WINDOW_CLOSES): RefreshState.SPENT,
}

# Finishing or denying twice is a double click and changes nothing. A completed interaction is over for good: otherwise
# the back button would send the same code to the client twice, and the second use would revoke its grant.
INTERACTION: Mapping[tuple[InteractionState, InteractionInput], InteractionState] = {
    (InteractionState.UNSTORED, InteractionInput.LOGIN): InteractionState.PENDING,
    (InteractionState.UNSTORED, InteractionInput.FINISH): InteractionState.FINISHED,
    (InteractionState.UNSTORED, InteractionInput.DENY): InteractionState.DENIED,
    (InteractionState.PENDING, InteractionInput.LOGIN): InteractionState.PENDING,
    (InteractionState.PENDING, InteractionInput.FINISH): InteractionState.FINISHED,
    (InteractionState.PENDING, InteractionInput.DENY): InteractionState.DENIED,
    (InteractionState.FINISHED, InteractionInput.FINISH): InteractionState.FINISHED,
    (InteractionState.FINISHED, InteractionInput.ASK_AGAIN): InteractionState.PENDING,
    (InteractionState.FINISHED, InteractionInput.RESUME): InteractionState.COMPLETED,
    (InteractionState.DENIED, InteractionInput.DENY): InteractionState.DENIED,
    (InteractionState.DENIED, InteractionInput.RESUME): InteractionState.COMPLETED,
}

# The answer is given once, and tokens are issued once. Answering again in the same way is a double click. A poll or an
# entered code changes what the record counts, so it competes with the answer for the same record.
DEVICE: Mapping[tuple[DeviceState, DeviceInput], DeviceState] = {
    (DeviceState.PENDING, DeviceInput.POLL): DeviceState.PENDING,
    (DeviceState.PENDING, DeviceInput.ENTER): DeviceState.PENDING,
    (DeviceState.PENDING, DeviceInput.APPROVE): DeviceState.APPROVED,
    (DeviceState.PENDING, DeviceInput.DENY): DeviceState.DENIED,
    (DeviceState.APPROVED, DeviceInput.APPROVE): DeviceState.APPROVED,
    (DeviceState.APPROVED, DeviceInput.REDEEM): DeviceState.REDEEMED,
    (DeviceState.DENIED, DeviceInput.DENY): DeviceState.DENIED,
    (DeviceState.REDEEMED, DeviceInput.APPROVE): DeviceState.REDEEMED,
}

# Only its answer spends it: a login page that is reloaded, or a link that is fetched in advance, does not. A second
# answer is absent: of two tabs with one request, the one that is answered later ends without a code.
PUSHED_REQUEST: Mapping[tuple[PushedRequestState, PushedRequestInput], PushedRequestState] = {
    (PushedRequestState.PUSHED, PushedRequestInput.ANSWER): PushedRequestState.SPENT,
}

# An ended session is over for good: to end it again changes nothing, and who signs in after that gets another one.
SESSION: Mapping[tuple[SessionState, SessionInput], SessionState] = {
    (SessionState.ACTIVE, SessionInput.SIGN_IN): SessionState.ACTIVE,
    (SessionState.ACTIVE, SessionInput.AUTHORIZE): SessionState.ACTIVE,
    (SessionState.ACTIVE, SessionInput.END): SessionState.ENDED,
}

# The first answer counts: a second one finds it given, and a client that was given tokens is given no more.
BACKCHANNEL: Mapping[tuple[BackchannelState, BackchannelInput], BackchannelState] = {
    (BackchannelState.PENDING, BackchannelInput.POLL): BackchannelState.PENDING,
    (BackchannelState.PENDING, BackchannelInput.ALLOW): BackchannelState.ALLOWED,
    (BackchannelState.PENDING, BackchannelInput.DENY): BackchannelState.DENIED,
    (BackchannelState.ALLOWED, BackchannelInput.REDEEM): BackchannelState.REDEEMED,
}

# A key that never signed may go at once; other keys stay until what they signed has expired.
KEY: Mapping[tuple[KeyState, KeyInput], KeyState] = {
    (KeyState.PUBLISHED, KeyInput.ACTIVATE): KeyState.ACTIVE,
    (KeyState.PUBLISHED, KeyInput.WITHDRAW): KeyState.GONE,
    (KeyState.ACTIVE, KeyInput.SUPERSEDE): KeyState.RETIRED,
    (KeyState.RETIRED, KeyInput.OUTLIVE): KeyState.REMEMBERED,
    (KeyState.REMEMBERED, KeyInput.FORGET): KeyState.GONE,
}

S = TypeVar("S", bound=Enum)
I = TypeVar("I", bound=Enum)  # noqa: E741 - the usual letter for an input


def advance(table: Mapping[tuple[S, I], S], state: S, event: I) -> S | None:
    """Return the state that follows, or None if the table refuses."""
    return table.get((state, event))
