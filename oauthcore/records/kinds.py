"""The kinds of records that are found by their subject, too."""

from __future__ import annotations

from oauthcore.records.grant import Consent, Grant
from oauthcore.records.listed_client import ListedClient
from oauthcore.records.login import LoginSession, LogoutDelivery

# Found by their subject too, the only index there is beside the key: what a person has, and what is to be delivered.
BY_SUBJECT: tuple[type[Consent] | type[Grant] | type[ListedClient] | type[LoginSession] | type[LogoutDelivery], ...] = (
    Consent,
    Grant,
    ListedClient,
    LoginSession,
    LogoutDelivery,
)
