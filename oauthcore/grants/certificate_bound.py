"""Tokens that are bound to a client's certificate (RFC 8705 sections 3 and 4)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.errors import InvalidRequest
from oauthcore.flow.effects import Flow, pure
from oauthcore.possession import ProofOfPossession
from oauthcore.records.client import Client
from oauthcore.records.confirmation import shown_by
from oauthcore.wire.http import Request


def prove_certificate(request: Request, client: Client, _: Context) -> Flow[ProofOfPossession | None]:
    """Return what the connection of a request proves, None for a client whose tokens are not to be bound.

    It does not depend on how the client authenticates: a public client can have bound tokens, too (section 4).
    """
    if not client.tls_client_certificate_bound_access_tokens:
        return pure(None)
    confirmation = shown_by(request.peer)
    return pure(None if confirmation is None else ProofOfPossession(confirmation))


def check_certificate_bound(proof: ProofOfPossession | None) -> None:
    """Check that a client which is registered for it gets nothing that is not bound to its certificate (section 3.4).

    Also where certificates are not looked at any more: what the client relies on is not silently left out.
    """
    if proof is None or proof.confirmation.x5t_s256 is None:
        raise InvalidRequest.with_description(
            "this client's tokens are bound to its certificate, and the request came without one"
        ).by_setting("client.tls_client_certificate_bound_access_tokens")
