"""Proof of possession: that a request was made with a key, to which what it is issued is bound (RFC 9449, RFC 8705)."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

from oauthcore.flow.outcome import Change
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.wire.http import Headers, Request

if TYPE_CHECKING:
    from oauthcore.context import Context
    from oauthcore.flow.effects import Flow


@per_request
class ProofOfPossession:
    """Prove that a request was made with a key: by a DPoP proof (RFC 9449), or by the connection (RFC 8705).

    What is issued is bound to the key by `confirmation`. `spent` are changes that the commit of the request carries, as
    those of `Authenticated` are: the `jti` of a proof is good once (RFC 9449 section 11.1).
    The response that issues has the `headers`: the next nonce, say (RFC 9449 section 8.2).
    """

    confirmation: Confirmation
    spent: tuple[Change, ...] = ()
    headers: Headers = ()


ProvePossession: TypeAlias = Callable[[Request, Client, Any], Generator[Any, Any, ProofOfPossession | None]]
"""A flow that finds out by which key a client's request was made; None if the request shows none.

It gets the `Context` last. It raises an `OAuthError` for a proof that is wrong, or missing where the client needs one.
"""


def prove_possession(request: Request, client: Client, context: Context) -> Flow[ProofOfPossession | None]:
    """Return what a request proves of its keys in all ways that the server knows, as one; None if it proves nothing."""
    proofs: list[ProofOfPossession] = []
    for prove in context.possession:
        proof = yield from prove(request, client, context)
        if proof is not None:
            proofs.append(proof)
    return joined(proofs)


def joined(proofs: Iterable[ProofOfPossession]) -> ProofOfPossession | None:
    """Return several proofs of one request as one: what is issued is bound to all of the keys."""
    found = list(proofs)
    if len(found) < 2:
        return found[0] if found else None
    named = [proof.confirmation for proof in found]
    return ProofOfPossession(
        Confirmation(
            jkt=next((one.jkt for one in named if one.jkt is not None), None),
            x5t_s256=next((one.x5t_s256 for one in named if one.x5t_s256 is not None), None),
        ),
        tuple(change for proof in found for change in proof.spent),
        tuple(header for proof in found for header in proof.headers),
    )
