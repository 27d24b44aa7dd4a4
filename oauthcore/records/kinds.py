"""The kinds of records: what storages call them, and which are found by their subject, too.

A kind is a class, of the core or of an extension; storages learn all that they need of it here.
"""

from __future__ import annotations

from functools import cache
from typing import TypeGuard

from oauthcore.errors import ConfigurationError
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent, Grant, WithdrawalMark
from oauthcore.records.interaction import Interaction
from oauthcore.records.key_ring import KeyRing
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.login import LoginSession, LogoutDelivery
from oauthcore.records.record import Owned, Record
from oauthcore.records.token import AccessToken, AuthorizationCode, RefreshToken, SpentAssertion

# Found by their subject too, the only index there is beside the key: what a person has, and what is to be delivered.
BY_SUBJECT: tuple[type[Consent] | type[Grant] | type[ListedClient] | type[LoginSession] | type[LogoutDelivery], ...] = (
    Consent,
    Grant,
    ListedClient,
    LoginSession,
    LogoutDelivery,
)

_OWN: tuple[type[Record], ...] = (
    *BY_SUBJECT,
    *(AccessToken, AuthorizationCode, Client, Interaction, KeyRing, RefreshToken, SpentAssertion, WithdrawalMark),
)
OWN: dict[str, type[Record]] = {kind.__name__: kind for kind in _OWN}


@cache
def kind_name(kind: type[Record]) -> str:
    """Return what storages call a kind; raises `ConfigurationError` for an extension's that is called as the core's.

    Its records would be kept in one place with those of the core.
    """
    name = kind.__name__
    if OWN.get(name, kind) is not kind:
        raise ConfigurationError("kind", f"{kind.__module__}.{name}", "give the class another name; the core has one")
    return name


def is_found_by_subject(record: Record) -> TypeGuard[Owned]:
    """Tell whether `find_of` finds a record, too: an extension's, where its class says `found_by_subject = True`."""
    return isinstance(record, BY_SUBJECT) or getattr(type(record), "found_by_subject", False) is True
