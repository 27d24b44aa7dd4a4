"""Client assertions: a JWT by which a client authenticates (RFC 7521 section 4.2, RFC 7523 section 3).

`private_key_jwt` and `client_secret_jwt` differ only in the key that signed it. An assertion can be used once. That it
was used is stored in the same commit as the result of the request, so a refusal without a commit does not use it up.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs

from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import InvalidClient, InvalidRequest
from oauthcore.jose.compact import InvalidJwt, read_claims, read_signed
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.jwk import SYMMETRIC_ALGORITHMS
from oauthcore.jose.registered_claims import SKEW, audience_of, check_times, type_of
from oauthcore.jose.strict_json import is_time
from oauthcore.policy import Allowance
from oauthcore.records.client import AuthenticationMethod, Client
from oauthcore.records.token import SpentAssertion
from oauthcore.wire.http import Request
from oauthcore.wire.parameters import Parameters

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

# RFC 8725 section 3.11: what is signed for another purpose, a request object say, is no assertion. Few clients say what
# theirs is; those that do say it as the successor of RFC 7523 has it (draft-ietf-oauth-rfc7523bis section 4).
TYPES = frozenset({"", "jwt", "client-authentication+jwt"})


@attrs.frozen
class Assertion:
    """Hold an assertion as it was read, its signature not looked at; `path` is the endpoint that it came to."""

    text: str = attrs.field(repr=False)
    client_id: str
    jti: str = attrs.field(repr=False)
    alg: str
    kid: str | None
    path: str

    @property
    def method(self) -> AuthenticationMethod:
        """Return the method that it is made for; that the client is registered for that is seen before any key is."""
        return "client_secret_jwt" if self.alg in SYMMETRIC_ALGORITHMS else "private_key_jwt"

    def key(self, context: Context) -> Digest:
        """Return what its use is remembered by: a `jti` is the client's choice, and counts for that client alone."""
        return context.digest("assertion", Secret(f"{len(self.client_id)} {self.client_id} {self.jti}"))


def read_assertion(request: Request, parameters: Parameters) -> Assertion | None:
    """Return the form's assertion, None if it has none. Raises `InvalidClient` if it is malformed."""
    text, kind = parameters.get("client_assertion"), parameters.get("client_assertion_type")
    if text is None and kind is None:
        return None
    # RFC 7521 section 4.2: both are REQUIRED. One alone is a mistake, not a public client.
    if text is None or kind is None:
        raise InvalidRequest.with_description("client_assertion and client_assertion_type must be sent together")
    # RFC 7523 section 2.2: no other type is defined for client authentication.
    if kind != ASSERTION_TYPE:
        raise InvalidClient.with_description("client_assertion_type is not the one for JWTs")
    try:
        return _read(text, request.path)
    except InvalidJwt as invalid:
        raise InvalidClient(f"the client's assertion is refused: {invalid}") from None


def _read(text: str, path: str) -> Assertion:
    signed = read_signed(text)
    claims = read_claims(signed.payload)
    sub, jti = claims.get("sub"), claims.get("jti")
    # RFC 7523 section 3 items 1 and 2.B, and OIDC Core section 9: iss and sub are the client_id.
    if not isinstance(sub, str) or not sub or claims.get("iss") != sub:
        raise InvalidClient("iss and sub of the client's assertion are not both its client_id")
    # OIDC Core section 9: jti is REQUIRED. Without it the use of an assertion could not be remembered.
    if not isinstance(jti, str) or not jti:
        raise InvalidClient("the client's assertion has no jti")
    if not sub.isascii() or not sub.isprintable():  # JSON has characters that a storage chokes on
        raise InvalidClient("sub of the client's assertion is no client_id")
    return Assertion(text, sub, jti, signed.alg, signed.kid, path)


def algorithms_of(client: Client, of_method: tuple[str, ...], context: Context) -> tuple[str, ...]:
    """Return by which algorithms an assertion may be signed: the registered one, or any that the method knows.

    In both cases those that the policy allows.
    """
    registered = client.token_endpoint_auth_signing_alg
    # OIDC Dynamic Client Registration section 2: token_endpoint_auth_signing_alg allows one algorithm and no other.
    named = of_method if registered is None else (registered,)
    allowed = context.policy.client_assertions.algorithms
    return tuple(alg for alg in named if alg in allowed)


def prove(assertion: Assertion, client: Client, verify: Callable[[], VerifiedJwt], context: Context) -> SpentAssertion:
    """Judge an assertion that `verify` verifies; raises `InvalidClient`. The record says that it has been used now."""
    try:
        verified = verify()
        check_times(verified.claims, context.now)
        audience = audience_of(verified.claims)
    except InvalidJwt as invalid:
        raise InvalidClient(f"the client's assertion is refused: {invalid}") from None
    # RFC 8725 section 3.11: an ID token or request object of the client's is no assertion.
    if type_of(verified.header) not in TYPES:
        raise InvalidClient("the client's assertion says that it is something else")
    # RFC 7523 section 3 item 3: the audience MUST be this server. No other beside it: that one could replay it here.
    if not audience or not set(audience) <= audiences(assertion, client, context):
        raise InvalidClient("the client's assertion is for somebody else, or for others as well").by_setting("issuer")
    demanded = context.policy.client_assertions
    if demanded.audience_as_string and not isinstance(verified.claims["aud"], str):
        reason = "the client's assertion has a list for its audience, not the issuer alone"
        raise InvalidClient(reason).by_setting("policy.client_assertions.audience_as_string")
    exp = verified.claims["exp"]
    assert is_time(exp)
    # RFC 7523 section 3 item 4 lets a server reject an exp that is unreasonably far in the future.
    if exp > context.now + demanded.max_lifetime + SKEW:
        raise InvalidClient("the client's assertion lasts too long")
    expires_at = math.ceil(exp) + SKEW
    return SpentAssertion(key=assertion.key(context), client_id=client.client_id, expires_at=expires_at)


def audiences(assertion: Assertion, client: Client, context: Context) -> frozenset[str]:
    """Return what the audience may be: the issuer, and nothing beside it.

    Who may be meant by it as well could present it here. A URL is no proof against that either: a hostile server can
    publish our token endpoint for its own, and so be sent assertions that are good here (CVE-2025-27370, and
    draft-ietf-oauth-rfc7523bis section 1). For clients that know no better, `Allowance.ENDPOINT_AUDIENCE` takes the URL
    of the token endpoint (RFC 7523 section 3, OIDC Core section 9) and that of the endpoint itself.
    """
    if not context.allows(Allowance.ENDPOINT_AUDIENCE, client):
        return frozenset({context.issuer})
    root = context.issuer.rstrip("/")
    own = root.removesuffix(context.base) + assertion.path
    return frozenset({context.issuer, root + context.paths.token, own})
