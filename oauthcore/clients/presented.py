"""Presented: what a request shows of its client. Nothing of it is proven."""

from __future__ import annotations

from oauthcore.clients.assertion import Assertion
from oauthcore.digest import Secret
from oauthcore.per_request import per_request
from oauthcore.records.client import AuthenticationMethod
from oauthcore.wire.http import Peer


@per_request
class Presented:
    """Hold an identifier and secrets as one method showed them, or an assertion.

    Where a method can be read in two ways, both readings are here, the standard's first. `peer` has the certificate
    that came with nothing but an identifier; by which method it is shown is for the client's registration to say.
    """

    method: AuthenticationMethod
    client_ids: tuple[str, ...]
    secrets: tuple[Secret, ...] = ()
    assertion: Assertion | None = None
    peer: Peer | None = None
