"""Attestation: instances of a client prove themselves by what its maker says of their keys."""

from oauthcore import Client, Request
from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.errors import InvalidClient
from oauthcore.flow.effects import Flow, find
from oauthcore.flow.outcome import Change, Insert
from oauthcore.jose.compact import InvalidJwt
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times, type_of
from oauthcore.records.token import SpentAssertion

METHOD = "attest_jwt_client_auth"
ALGORITHMS = ("ES256",)


class ByAttestation:
    """Prove a client by two headers: what an attester says of a key, and what is signed with that key for us."""

    def __init__(self, attester: Jwk) -> None:
        self._attester = attester

    def __call__(self, request: Request, client: Client, context: Context) -> Flow[tuple[Change, ...]]:
        """Return the use of the proof; raises `InvalidClient`."""
        try:
            key = self._attested_key(request, client, context)
            proof = self._verified(request, "oauth-client-attestation-pop", key, context)
            if audience_of(proof.claims) != (context.issuer,):
                raise InvalidClient("the proof is for somebody else")
        except (InvalidJwt, ValueError) as error:
            raise InvalidClient(f"the attestation is refused: {error}") from None
        used = context.digest(f"example:{METHOD}", Secret(f"{key.thumbprint} {proof.claims.get('jti')}"))
        if (yield from find(SpentAssertion, used)) is not None:
            raise InvalidClient("the proof was used before")
        # The insert fails if another request used the same proof in the meantime.
        over = int(str(proof.claims["exp"])) + SKEW
        record = SpentAssertion(key=used, client_id=client.client_id, expires_at=over)
        return (Insert(record),)

    def _attested_key(self, request: Request, client: Client, context: Context) -> Jwk:
        said = self._verified(request, "oauth-client-attestation", self._attester, context)
        cnf = said.claims.get("cnf")
        if said.claims.get("sub") != client.client_id or not isinstance(cnf, dict):
            raise InvalidClient("the attestation is of another client, or of no key")
        return Jwk.of(cnf["jwk"] if isinstance(cnf.get("jwk"), dict) else {}).public

    def _verified(self, request: Request, name: str, key: Jwk, context: Context) -> VerifiedJwt:
        verified = context.verify(request.header(name) or "", [key], ALGORITHMS)
        check_times(verified.claims, context.now)
        exp = verified.claims["exp"]
        if type_of(verified.header) != f"{name}+jwt" or not isinstance(exp, int) or exp > context.now + 86_400:
            raise InvalidClient("it is something else, or lasts too long")
        return verified
