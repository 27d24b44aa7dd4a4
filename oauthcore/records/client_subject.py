"""The subject of a client's own tokens, in a namespace that contains no user's subject.

A token that a client got for itself has that client as its subject (RFC 9068 section 2.2). A resource server that
expects a user in `sub` must not mistake a client for one, whatever a client is called (RFC 9700 section 4.15, RFC 9068
section 5). So the subjects of clients have a suffix that users' subjects must not have. Then a new client's identifier
need not be compared with the users of the application.
"""

from __future__ import annotations

from oauthcore.errors import ConfigurationError

# As in Auth0's tokens, so resource servers know it; a mail address ends so only at a host that is called `clients`.
_ENDING = "@clients"


def client_subject(client_id: str) -> str:
    """Return the subject of a client's own token."""
    return client_id + _ENDING


def is_client_subject(subject: str) -> bool:
    """Return whether it is the subject of a client's own token."""
    return subject.endswith(_ENDING)


def check_subject(subject: str) -> None:
    """Raise `ConfigurationError` for a person's subject that a client's could be taken for."""
    if is_client_subject(subject):
        raise ConfigurationError("subject", subject, f"use one that does not end in {_ENDING}, which clients' do")
