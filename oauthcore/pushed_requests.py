"""The settings of pushed authorization requests (RFC 9126)."""

from __future__ import annotations

import attrs

from oauthcore.errors import ConfigurationError

# RFC 9126 section 2.2 wants it short: a browser is redirected with it at once. A minute forgives slow networks.
LIFETIME = 60
# RFC 9126 section 2.2 names 5 to 600 seconds; FAPI 2.0 allows less than 600.
LIFETIMES = range(5, 601)
# Of public clients, within the lifetime. An office behind one address begins fewer logins in a minute.
MAX_FROM_ADDRESS = 1_000

REQUEST_URI = "urn:ietf:params:oauth:request_uri:"
"""What a `request_uri` of this server begins with (RFC 9126 section 2.2)."""


@attrs.frozen(kw_only=True)
class PushedRequests:
    """Let clients push their authorization requests (RFC 9126).

    A `request_uri` can be used for `lifetime` seconds, 5 to 600. With `required`, every client has to push its
    requests; otherwise those that are registered with `require_pushed_authorization_requests`. Within `lifetime`,
    public clients may push `max_from_address` requests from one address; None is no limit.
    """

    lifetime: int = LIFETIME
    required: bool = False
    max_from_address: int | None = MAX_FROM_ADDRESS

    def __attrs_post_init__(self) -> None:
        if self.lifetime not in LIFETIMES:
            remedy = f"use {LIFETIMES[0]} to {LIFETIMES[-1]} seconds (RFC 9126 section 2.2)"
            raise ConfigurationError("pushed_requests.lifetime", self.lifetime, remedy)
        if self.max_from_address is not None and self.max_from_address < 1:
            remedy = "use a number, 1 or more, or None for no limit"
            raise ConfigurationError("pushed_requests.max_from_address", self.max_from_address, remedy)
