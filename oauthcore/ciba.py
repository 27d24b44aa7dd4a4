"""What a provider offers of OpenID Connect Client-Initiated Backchannel Authentication (CIBA Core 1.0), as data."""

from __future__ import annotations

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.jose.strict_json import is_integer

GRANT_TYPE = "urn:openid:params:grant-type:ciba"
_LIMITS = ("max_pending", "max_pending_of_user", "max_unknown")


@attrs.frozen(kw_only=True)
class Ciba:
    """Set how long users have to answer, and how often clients may ask whether they have; all in seconds.

    A request lasts `lifetime`, or as long as the client wants by `requested_expiry`, but not more than `max_lifetime`.
    A client waits `interval` between two polls (CIBA Core section 7.3), five more each time that it does not.

    At most `max_pending` requests of one client wait for one user at a time, and `max_pending_of_user` of all clients;
    those that were just denied count, too. Within an hour, `max_unknown` hints of one client may mean no user. None is
    no limit.

    With `require_signed`, each request has to be signed; a signed one is valid for at most `max_request_lifetime` from
    its `nbf`. With `require_binding_message`, each has to have a message to compare. FAPI-CIBA demands all three
    (section 5.2.2), and an hour.

    Raises `ConfigurationError` for invalid settings.
    """

    lifetime: int = 120
    max_lifetime: int = 600
    interval: int = 5
    max_pending: int | None = 5
    max_pending_of_user: int | None = 20
    max_unknown: int | None = 100
    require_signed: bool = False
    require_binding_message: bool = False
    max_request_lifetime: int = 3_600

    def __attrs_post_init__(self) -> None:
        for name in ("lifetime", "max_lifetime", "interval", "max_request_lifetime", *_LIMITS):
            value = getattr(self, name)
            if not (name in _LIMITS and value is None) and (not is_integer(value) or value < 1):
                raise ConfigurationError(f"ciba.{name}", value, "use a whole number, 1 or more")
        for name in ("require_signed", "require_binding_message"):
            if not isinstance(getattr(self, name), bool):
                raise ConfigurationError(f"ciba.{name}", getattr(self, name), "use True or False")
        if self.max_lifetime < self.lifetime:
            raise ConfigurationError(
                "ciba.max_lifetime", self.max_lifetime, f"use {self.lifetime} (the lifetime) or more"
            )
