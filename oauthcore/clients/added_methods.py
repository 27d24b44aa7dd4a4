"""Methods of client authentication that a host adds, by which a client proves itself beside its `client_id`.

A method is a flow of the request, the client and the context. It returns what is to be committed with the result of the
request, such as the use of a `jti`, and raises `InvalidClient`. It is called for clients that are registered for it,
are not disabled, and send nothing of the other methods.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from oauthcore.clients.registration import METHODS
from oauthcore.context import ProveClient
from oauthcore.errors import ConfigurationError
from oauthcore.given import check_callable


def check_methods(added: Mapping[str, ProveClient]) -> Mapping[str, ProveClient]:
    """Look the methods over; raises `ConfigurationError` for one that is there already."""
    for name, prove in added.items():
        if name in METHODS or not name:
            raise ConfigurationError("client_authentication", name, "use a name that no method of the server has")
        check_callable(f"client_authentication.{name}", prove, "give a flow of the request, the client and the context")
    return MappingProxyType(dict(added))
