"""The settings of the device authorization grant (RFC 8628)."""

from __future__ import annotations

import re
from typing import Any

import attrs

from oauthcore.errors import ConfigurationError

DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code"
"""The grant type (RFC 8628 section 3.4)."""

# RFC 8628 section 6.1 wants a code to be good for minutes: who began this sits in front of the device.
LIFETIME = 600
# RFC 8628 section 3.2: what a client assumes where the answer does not say.
INTERVAL = 5
# Within an hour. One account and one code: 10 of 20**8, less than 2**-31 (RFC 8628 section 5.1).
MAX_WRONG_OF_USER = 10
# Within an hour, from an IPv4 address or an IPv6 /64. An office mistypes less.
MAX_WRONG_FROM_ADDRESS = 100
# Devices of public clients that wait at the same time, and so can be guessed at.
MAX_FROM_ADDRESS = 200


# Plain http is for the loopback interface alone; a query is added to it.
_PAGE = re.compile(r"(https://[^/?#]|http://(localhost|127\.0\.0\.1|\[::1\])[:/])[!-~]*")


def _at_least_one(instance: object, attribute: attrs.Attribute[Any], value: int | None) -> None:
    if value is not None and value < 1:
        raise ConfigurationError(f"device.{attribute.name}", value, "use a number, 1 or more")


@attrs.frozen(kw_only=True)
class DeviceGrant:
    """Turn the device authorization grant on (RFC 8628).

    A device waits for its user for `lifetime` seconds, and may ask every `interval` seconds. `verification_uri` is the
    page where the user enters the code; the default is `Paths.device` below the issuer.

    A user may enter `max_wrong_of_user` wrong codes within an hour, and `max_wrong_from_address` may come from one
    address. Within `lifetime`, public clients may begin `max_from_address` authorizations from one address. None is no
    limit. docs/device.md has the odds.
    """

    lifetime: int = attrs.field(default=LIFETIME, validator=_at_least_one)
    interval: int = attrs.field(default=INTERVAL, validator=_at_least_one)
    verification_uri: str | None = None
    max_wrong_of_user: int | None = attrs.field(default=MAX_WRONG_OF_USER, validator=_at_least_one)
    max_wrong_from_address: int | None = attrs.field(default=MAX_WRONG_FROM_ADDRESS, validator=_at_least_one)
    max_from_address: int | None = attrs.field(default=MAX_FROM_ADDRESS, validator=_at_least_one)

    def __attrs_post_init__(self) -> None:
        uri = self.verification_uri
        if uri is not None and (_PAGE.fullmatch(uri) is None or set(uri) & set('?#"<>\\')):
            remedy = "use an https URL without a query, as in https://app.example/device"
            raise ConfigurationError("device.verification_uri", uri, remedy)
