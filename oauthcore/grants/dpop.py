"""DPoP proofs at the server's own endpoints, each used once (RFC 9449 sections 5, 7 and 10.1)."""

from __future__ import annotations

from functools import partial

from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.dpop.nonce import HEADER, check_nonce, current_nonce
from oauthcore.dpop.proof import DpopProof, Expected, proof_of, read_proof
from oauthcore.dpop.settings import Dpop
from oauthcore.errors import InvalidDpopProof, OAuthError
from oauthcore.flow.effects import Flow, find, pure
from oauthcore.flow.outcome import Insert
from oauthcore.possession import ProofOfPossession, ProvePossession
from oauthcore.records.client import Client
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.token import SpentProof
from oauthcore.wire.http import Headers, Request


def proving_by_dpop(settings: Dpop) -> ProvePossession:
    """Return how possession is proven by DPoP, under these settings."""
    return partial(prove_dpop, settings)


def prove_dpop(
    settings: Dpop, request: Request, client: Client | None, context: Context, access_token: Secret | None = None
) -> Flow[ProofOfPossession | None]:
    """Return what the proof of a request proves, None without a proof; raises `InvalidDpopProof`, `UseDpopNonce`.

    With an `access_token`, it has to be a proof for that token.
    """
    try:
        proof = verified_proof(settings, request, context, access_token)
    except OAuthError as error:
        raise explain(error, client, context) from None
    return pure(None) if proof is None else _once(proof, settings, client, context)


def check_bound(proof: ProofOfPossession | None) -> None:
    """Check that a client which is registered for it gets nothing that is not bound to a key (section 5.2).

    Also where the server does not offer DPoP any more: what the client relies on is not silently left out.
    """
    if proof is None or proof.confirmation.jkt is None:
        raise InvalidDpopProof("the request has no DPoP proof, which this client needs").by_setting(
            "client.dpop_bound_access_tokens"
        )


def verified_proof(
    settings: Dpop, request: Request, context: Context, access_token: Secret | None = None
) -> DpopProof | None:
    """Return the proof of a request, checked but for its use before."""
    text = proof_of(request)
    if text is None:
        if access_token is not None:
            raise InvalidDpopProof("the request has a token of the scheme DPoP, and no DPoP proof")
        if settings.required:
            missing = InvalidDpopProof("the request has no DPoP proof, which every client needs")
            raise missing.by_setting("dpop.required")
        return None
    expected = Expected(
        request.method,
        url_of(request, context),
        context.now,
        settings.algorithms,
        settings.lifetime,
        settings.skew,
        access_token,
        alias_of(request, context),
    )
    proof = read_proof(text, expected, context.verify_own_key)
    if settings.require_nonce:
        # Last: who gets a nonce has made a proof that is right but for it.
        check_nonce(proof.nonce, context.derive, context.now, settings.nonce_lifetime)
    return proof


def url_of(request: Request, context: Context) -> str:
    """Return the URL of the request's endpoint, as the server is configured."""
    # The path was found in the table of endpoints, byte for byte; the host is the issuer's, whatever `Host` says.
    return context.issuer.rstrip("/").removesuffix(context.base) + request.path


def alias_of(request: Request, context: Context) -> str | None:
    """Return the endpoint's URL for clients with certificates, None if it has no other (RFC 8705 section 5)."""
    mutual_tls = context.mutual_tls
    if mutual_tls is None or mutual_tls.endpoint_aliases is None:
        return None
    return mutual_tls.endpoint_aliases + request.path


def _once(proof: DpopProof, settings: Dpop, client: Client | None, context: Context) -> Flow[ProofOfPossession]:
    key = context.digest("dpop_proof", proof.identity)
    # Looked up after the signature, since otherwise anybody could find out which were used.
    if (yield from find(SpentProof, key)) is not None:
        raise explain(InvalidDpopProof("the DPoP proof was used before"), client, context)
    # The insert fails if another request used the same proof in the meantime.
    spent = Insert(SpentProof(key=key, jkt=proof.jkt, expires_at=proof.expires_at))
    return ProofOfPossession(Confirmation(jkt=proof.jkt), (spent,), _next_nonce(proof, settings, context))


def _next_nonce(proof: DpopProof, settings: Dpop, context: Context) -> Headers:
    """Return the header with the next nonce: a client that is given it in time needs no second request (8.2)."""
    if not settings.require_nonce:
        return ()
    fresh = current_nonce(context.derive, context.now, settings.nonce_lifetime)
    return () if proof.nonce == fresh else ((HEADER, fresh),)
