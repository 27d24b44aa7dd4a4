"""The kinds of records: what storages call them, and which are found by their subject, too.

A kind is a class, of the core or of an extension; storages learn all that they need of it here.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TypeGuard

from oauthcore.errors import ConfigurationError
from oauthcore.records.backchannel import BackchannelPing, BackchannelRequest
from oauthcore.records.client import Client
from oauthcore.records.device import DeviceAuthorization, DeviceCount, UserCode
from oauthcore.records.grant import Consent, Grant, WithdrawalMark
from oauthcore.records.initial_access_token import InitialAccessToken
from oauthcore.records.interaction import Interaction
from oauthcore.records.key_ring import KeyRing
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.login import LoginSession, LogoutDelivery
from oauthcore.records.pushed_request import PushedRequest
from oauthcore.records.record import Owned, Record
from oauthcore.records.registration_limits import KeptClientCount, RegistrationCount, RegistrationSlot
from oauthcore.records.token import AccessToken, AuthorizationCode, RefreshToken, SpentAssertion, SpentProof

# Found by their subject, too, for which there is the only index beside the key: a user's records, and deliveries.
BY_SUBJECT: tuple[type[Owned], ...] = (
    BackchannelPing,
    BackchannelRequest,
    Consent,
    Grant,
    ListedClient,
    LoginSession,
    LogoutDelivery,
)

_OWN: tuple[type[Record], ...] = (
    *BY_SUBJECT,
    *(AccessToken, AuthorizationCode, Client, Interaction, KeyRing, RefreshToken, SpentAssertion, WithdrawalMark),
    *(InitialAccessToken, KeptClientCount, RegistrationCount, RegistrationSlot),
    *(DeviceAuthorization, DeviceCount, PushedRequest, SpentProof, UserCode),
)
OWN: dict[str, type[Record]] = {kind.__name__: kind for kind in _OWN}


# As long as the column is in which SQL storages keep it.
LONGEST = 64

# Lower case, since some databases take `a` for `A`.
_PARTITION = re.compile(r"[a-z0-9][a-z0-9._-]{0,29}")


def check_partition(name: str) -> None:
    """Raise `ConfigurationError` for what is no name of a partition; the empty name is for a storage without any."""
    if name and _PARTITION.fullmatch(name) is None:
        remedy = "use lower-case letters, digits and ._- alone, 30 at most, with a letter or digit first"
        raise ConfigurationError("partition", name, remedy)


# Which class each name stands for, by where it is defined: one that is defined there once more, as in a notebook, is
# the same one.
_DEFINED_AT: dict[str, str] = {}


@cache
def kind_name(kind: type[Record], partition: str = "") -> str:
    """Return what storages call a kind; raises `ConfigurationError` for a class that is called as another one.

    The records of both would be kept in one place, and each be read as those of the other: whether the other class is
    the core's, or of another extension that was used before. Records of another partition have another kind, so that
    nothing finds them by mistake: no class has a slash in its name.
    """
    name = kind.__name__
    if OWN.get(name, kind) is not kind:
        raise ConfigurationError("kind", f"{kind.__module__}.{name}", "give the class another name; the core has one")
    placed = f"{partition}/{name}" if partition else name
    if len(placed) > LONGEST:
        raise ConfigurationError("kind", placed, f"give the class or the partition a shorter name: {LONGEST} at most")
    place = f"{kind.__module__}.{kind.__qualname__}"
    if (other := _DEFINED_AT.setdefault(placed, place)) != place:
        raise ConfigurationError("kind", place, f"give the class another name; {other} is stored under {name}")
    return placed


def has_subject(kind: type[Record]) -> bool:
    """Return whether `find_of` finds records of a kind; an extension's class says `found_by_subject = True`."""
    return issubclass(kind, BY_SUBJECT) or getattr(kind, "found_by_subject", False) is True


def is_found_by_subject(record: Record) -> TypeGuard[Owned]:
    """Return whether `find_of` finds a record."""
    return has_subject(type(record))
