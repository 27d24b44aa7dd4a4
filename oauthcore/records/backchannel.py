"""Backchannel authentication: what a client asks of a user who is not at its pages (OpenID CIBA Core 1.0)."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.lifecycle import BackchannelState

# The subject under which all notifications are found that have to be sent, of whatever client.
WAITING = "oauthcore:ping"


@attrs.frozen(kw_only=True)
class BackchannelRequest:
    """Record a backchannel authentication request (CIBA Core section 7.1) until some time after it is over.

    `subject` is the user who is asked, `request` what the client asks for. The user may answer until `answer_before`,
    in seconds since the epoch; the record is kept until `expires_at`, so that a late client is told that the request
    has expired. The client may poll every `interval` seconds; `slow_downs` is how often it was told to wait five
    seconds longer, and `polled_at` when it polled last, as far as that was kept. `grant` is what the user has allowed.
    `notification` is what a client in ping mode is notified with, encrypted under the server's key: its own token, and
    the identifier of the request, neither of which is stored otherwise.
    """

    key: Digest
    subject: str
    client_id: str
    request: AuthorizationRequest = attrs.field(repr=False)
    requested_at: int
    answer_before: int
    expires_at: int
    interval: int
    binding_message: str | None = attrs.field(default=None, repr=False)
    notification: str | None = attrs.field(default=None, repr=False)
    state: BackchannelState = BackchannelState.PENDING
    grant: Digest | None = None
    client_generation: str = ""
    slow_downs: int = 0
    polled_at: int | None = None


@attrs.frozen(kw_only=True)
class BackchannelPing:
    """Record that a client has to be notified that its request is answered (CIBA Core section 10.2).

    It is sent from `next_try_at` on, in seconds since the epoch, and given up after some tries or at `expires_at`.
    """

    key: Digest
    client_id: str
    notification: str = attrs.field(repr=False)
    next_try_at: int
    expires_at: int
    tries: int = 0
    client_generation: str = ""
    subject: str = WAITING
