"""Options of redis-py in a URL: which there are, of which type, and what is said of one that can't be.

redis-py takes every name, and raises a TypeError at the first connection for one that it does not know; a text for a
number it refuses without saying which. How many a server is asked for, by which protocol, is not the URL's to say.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import NoReturn

import attrs

from oauthcore.errors import ConfigurationError


@attrs.frozen
class Kind:
    """Say which texts a value may be, and what is to be done about others."""

    pattern: str
    remedy: str


_TEXT = Kind(r".*", "")
# The most digits of a number; what is longer is a mistake.
DIGITS = 9
_WHOLE = Kind(r"[0-9]{1,9}", "use a whole number, 0 or more")
_COUNT = Kind(r"[1-9][0-9]{0,8}", "use a whole number, 1 or more")
_SECONDS = Kind(r"(?=.*[1-9])[0-9]{1,9}(?:\.[0-9]{1,9})?", "use a number of seconds that is more than 0")
_SWITCH = Kind(r"[Tt]rue|[Ff]alse|[Yy]es|[Nn]o", "use true or false")

OWN: Mapping[str, Kind] = {
    "prefix": _TEXT,
    "linger": _WHOLE,  # seconds
    "replicas": _WHOLE,
}
_PLAIN: Mapping[str, Kind] = {
    "db": _WHOLE,
    **dict.fromkeys(("username", "password", "client_name"), _TEXT),
    **dict.fromkeys(("socket_timeout", "socket_connect_timeout"), _SECONDS),
    "socket_keepalive": _SWITCH,
    "health_check_interval": _WHOLE,
    "max_connections": _COUNT,
}
_TLS: Mapping[str, Kind] = {
    **dict.fromkeys(("ssl_ca_certs", "ssl_ca_path", "ssl_certfile", "ssl_keyfile"), _TEXT),
    **dict.fromkeys(("ssl_password", "ssl_ciphers"), _TEXT),
    "ssl_cert_reqs": Kind(r"none|optional|required", "use one of none, optional, required"),
    "ssl_check_hostname": _SWITCH,
}
# What sentinels are told otherwise than the servers that they watch over.
_SENTINELS: Mapping[str, Kind] = {
    **dict.fromkeys(("sentinel_username", "sentinel_password"), _TEXT),
    **dict.fromkeys(("sentinel_ssl_ca_certs", "sentinel_ssl_certfile", "sentinel_ssl_keyfile"), _TEXT),
}


def check_options(options: list[tuple[str, str]], *, is_safe: bool, has_sentinels: bool) -> dict[str, str]:
    """Return the options by name; raises `ConfigurationError` with the option's name, its value and the remedy."""
    known = {**OWN, **_PLAIN, **(_TLS if is_safe else {}), **(_SENTINELS if has_sentinels else {})}
    read: dict[str, str] = {}
    for name, value in options:
        if name not in known:
            # Its value is not shown: it may be a secret under a misspelled name.
            _refuse(name, "…", _remedy(name, known))
        if name in read:
            _refuse(name, "…", "name it once")
        if re.fullmatch(known[name].pattern, value, re.DOTALL) is None:
            _refuse(name, value, known[name].remedy)
        read[name] = value
    return read


def _remedy(name: str, known: Mapping[str, Kind]) -> str:
    if name in _TLS:
        return "it is for TLS: begin the URL with rediss or valkeys"
    near = difflib.get_close_matches(name, known, 1)
    return f"there is no such option; did you mean {near[0]}?" if near else f"use one of {', '.join(sorted(known))}"


def _refuse(name: str, value: str, remedy: str) -> NoReturn:
    raise ConfigurationError(f"storage?{name}", value, remedy)
