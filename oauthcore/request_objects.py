"""What a server demands of request objects (RFC 9101); a client's registration says what it signs them with."""

from __future__ import annotations

import attrs

from oauthcore.errors import ConfigurationError


@attrs.frozen(kw_only=True)
class RequestObjects:
    """Demand something of request objects (RFC 9101), of all clients.

    With `required`, every authorization request has to be a signed request object, and nothing beside it has any
    effect; otherwise those of clients that are registered with `require_signed_request_object`. With a `max_lifetime`
    in seconds, each object has to say for whom it is (`aud`), since when it is valid (`nbf`, at most so long ago), and
    until when (`exp`, at most so long after that): FAPI 2.0 Message Signing section 5.3.1 has 3600.
    """

    required: bool = False
    max_lifetime: int | None = None

    def __attrs_post_init__(self) -> None:
        if self.max_lifetime is not None and self.max_lifetime < 1:
            remedy = "use a number of seconds, 1 or more, or None for no limit"
            raise ConfigurationError("request_objects.max_lifetime", self.max_lifetime, remedy)


NO_DEMANDS = RequestObjects()
