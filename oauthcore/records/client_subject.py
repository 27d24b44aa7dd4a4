"""The subject of a client's own tokens: a namespace that no person's subject is in.

A token that a client got for itself has that client for its subject (RFC 9068 section 2.2). A resource server that
takes `sub` for a person must not find one there, whatever a client is called (RFC 9700 section 4.15, RFC 9068 section
5). So the two are kept apart by how they end, for every client there is or will be, and nobody need compare a new
client with the people of the application.
"""

from __future__ import annotations

from oauthcore.errors import ConfigurationError

# As in Auth0's tokens, so resource servers know it; a mail address ends so only at a host that is called `clients`.
_ENDING = "@clients"


def client_subject(client_id: str) -> str:
    """Return what a client is called where a person's subject would stand."""
    return client_id + _ENDING


def check_subject(subject: str) -> None:
    """Raise `ConfigurationError` for a person's subject that a client's could be taken for."""
    if subject.endswith(_ENDING):
        raise ConfigurationError("subject", subject, f"use one that does not end in {_ENDING}, which clients' do")
