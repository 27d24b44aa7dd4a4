"""Subjects: the name by which a client knows a person, the same for all clients or its own (OIDC Core section 8)."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import ConfigurationError
from oauthcore.records.client import Client
from oauthcore.records.client_subject import is_client_subject
from oauthcore.redirect_uri import LOOPBACK_HOSTS, web_host


def subject_for(client: Client, subject: str, context: Context) -> str:
    """Return the `sub` of a user for a client.

    A pairwise one is derived with the server's token key from the sector and the user. It does not reveal the user, two
    sectors can't correlate theirs, and it stays the same as long as that key does (section 8.1).
    """
    # OIDC Core section 8: the same sub for all clients.
    if client.subject_type == "public":
        return subject
    sector = sector_of(client)
    # OIDC Core section 8.1: it MUST NOT be reversible by anybody but this server, and be the same each time.
    return context.derive("subject", Secret(f"{len(sector)} {sector} {subject}")).reveal()


def actor_for(client: Client, context: Context) -> Callable[[str], str]:
    """Return a function of the subject of an actor, for the one by which a client knows them: `sub` in `act`.

    A client that acts is called the same everywhere: it is not a person, and each reader can tell that from its name.
    """

    def name(subject: str) -> str:
        """Return the subject that the client knows."""
        return subject if is_client_subject(subject) else subject_for(client, subject, context)

    return name


def sector_of(client: Client) -> str:
    """Return the host of a client's sector: its sector identifier's, or else the one its redirect URIs have in common.

    Raises `ConfigurationError` if they have none in common, or none that is the client's own, which registration
    does not let happen.
    """
    # OIDC Core section 8.1: the host of the sector_identifier_uri is the sector.
    if client.sector_identifier_uri is not None:
        return urlsplit(client.sector_identifier_uri).netloc
    # A private-use scheme has no host, whatever follows it, and the loopback interface is everybody's: all such clients
    # would be one sector, or another's.
    hosts = {web_host(uri) for uri in client.redirect_uris}
    if None in hosts or any(urlsplit(uri).hostname in LOOPBACK_HOSTS for uri in client.redirect_uris):
        raise ConfigurationError(
            "sector_identifier_uri", None, "set it: a redirect URI is not on a host of the client's own (RFC 8252)"
        )
    if len(hosts) != 1:
        raise ConfigurationError(
            "sector_identifier_uri", None, "set it: the redirect URIs are on several hosts (OIDC Core section 8.1)"
        )
    return str(hosts.pop())
