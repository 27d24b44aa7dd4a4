"""What a provider offers of OpenID Connect Client-Initiated Backchannel Authentication (CIBA Core 1.0), as data."""

from __future__ import annotations

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.jose.strict_json import is_integer

GRANT_TYPE = "urn:openid:params:grant-type:ciba"


@attrs.frozen(kw_only=True)
class Ciba:
    """Set how long users have to answer, and how often clients may ask whether they have; all in seconds.

    A request lasts `lifetime`, or as long as the client wants by `requested_expiry`, but not more than `max_lifetime`.
    A client waits `interval` between two polls (CIBA Core section 7.3), five more each time that it does not. At most
    `max_pending` requests of one client wait for one user at a time; those that were just denied count, too.

    Raises `ConfigurationError` for invalid settings.
    """

    lifetime: int = 120
    max_lifetime: int = 600
    interval: int = 5
    max_pending: int = 5

    def __attrs_post_init__(self) -> None:
        for field in attrs.fields(Ciba):
            value = getattr(self, field.name)
            if not is_integer(value) or value < 1:
                raise ConfigurationError(f"ciba.{field.name}", value, "use a whole number, 1 or more")
        if self.max_lifetime < self.lifetime:
            raise ConfigurationError(
                "ciba.max_lifetime", self.max_lifetime, f"use {self.lifetime} (the lifetime) or more"
            )
