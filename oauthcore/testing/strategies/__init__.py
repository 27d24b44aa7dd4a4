"""Hypothesis strategies: what clients, requests, records and whole lifetimes may look like (extra `testing`)."""

from oauthcore.testing.strategies.clients import clients
from oauthcore.testing.strategies.hostile import hostile
from oauthcore.testing.strategies.lives import acts, lifetimes
from oauthcore.testing.strategies.mistakes import almost_valid
from oauthcore.testing.strategies.records import grants, of_type, records
from oauthcore.testing.strategies.requests import Asking, authorizations, tokens

__all__ = [
    "Asking",
    "acts",
    "almost_valid",
    "authorizations",
    "clients",
    "grants",
    "hostile",
    "lifetimes",
    "of_type",
    "records",
    "tokens",
]
