"""What is demanded of the assertions by which clients authenticate (RFC 7523 section 2.2), beside their signature."""

from __future__ import annotations

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_strings
from oauthcore.jose.jwk import SIGNATURES

# Its `jti` has to be stored until it expires, and until it is used a thief could use it. Client libraries use lifetimes
# from one minute to an hour.
MAX_LIFETIME = 3_600


@attrs.frozen(kw_only=True)
class ClientAssertions:
    """Demand something of the assertions of all clients.

    With `audience_as_string`, the audience has to be the issuer as one string, and no list of it: what a list means is
    read differently by some libraries (FAPI 2.0 Security Profile section 5.3.2.1). An assertion expires within
    `max_lifetime` seconds, and is signed by one of the `algorithms`; by default, by any that its method has.
    """

    audience_as_string: bool = False
    max_lifetime: int = MAX_LIFETIME
    algorithms: tuple[str, ...] = attrs.field(default=tuple(SIGNATURES), converter=as_strings, validator=are_strings)

    def __attrs_post_init__(self) -> None:
        if self.max_lifetime < 1:
            remedy = "use a number of seconds, 1 or more"
            raise ConfigurationError("client_assertions.max_lifetime", self.max_lifetime, remedy)
        for alg in self.algorithms:
            if alg not in SIGNATURES:
                raise ConfigurationError("client_assertions.algorithms", alg, f"use some of {', '.join(SIGNATURES)}")


USUAL_ASSERTIONS = ClientAssertions()
