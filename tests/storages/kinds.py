"""Which kinds of records a driver or a clause is tried with, where all kinds are tried elsewhere."""

from __future__ import annotations

from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.records.login import LoginSession
from oauthcore.records.token import SpentAssertion

# A driver meets texts, keys and subjects, and no kinds: all kinds are written by one codec into one table. So two that
# are found by subject and two that are not stand for all; the first driver of each storage has all of them.
SOME_KINDS = (Client, LoginSession, Grant, SpentAssertion)
