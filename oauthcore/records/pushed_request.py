"""Pushed requests: what a client asked for before it sent the browser (RFC 9126)."""

from __future__ import annotations

import attrs

from oauthcore.digest import Digest
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.lifecycle import PushedRequestState


@attrs.frozen(kw_only=True)
class PushedRequest:
    """Record an authorization request that its client has pushed; its key is the digest of what the URI ends with.

    A pushed one can be used until `expires_at`. A spent one has no `request` any more: it is remembered until no
    interaction can be left that was started with it, so that none is answered a second time.
    """

    key: Digest
    client_id: str
    request: AuthorizationRequest | None = attrs.field(repr=False)  # the state in it is the client's secret
    expires_at: int
    state: PushedRequestState = PushedRequestState.PUSHED
    client_generation: str = ""
