"""Authorization responses as JWTs (JARM): signed, so that the client detects a response that was changed or forged.

A decision returns what is to be signed; the signature is made after its checks and before its commit, as that of an ID
token. What is encrypted is decided before, since a client without a key to read it has to be refused in time.
"""

from __future__ import annotations

from collections.abc import Mapping

from oauthcore.authorization.validated import Redirectable
from oauthcore.context import Context
from oauthcore.jose.jwt import Encryption, Jwt
from oauthcore.oidc.client_keys import encryption_for
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.redirect_uri import ResponseMode
from oauthcore.wire.http import Refusal

# JARM section 2.1 recommends ten minutes at most. A response is on its way for seconds, and clocks differ.
LIFETIME = 300


@per_request
class JwtResponse:
    """Hold a response that is to be signed: its parameters, how it travels, and to which key it is encrypted, if any.

    `refusal` is what the log is told of an error.
    """

    redirectable: Redirectable
    mode: ResponseMode
    parameters: Mapping[str, str]
    encryption: Encryption | None
    refusal: Refusal | None = None


def requested_mode(
    wanted: str | None, modes: tuple[ResponseMode, ...], client: Client, context: Context
) -> tuple[ResponseMode, bool] | None:
    """Return the response mode that a request asks for, and whether the response is a JWT; None if it can't be.

    `modes` are those of the response type, the default first.
    """
    # OAuth 2.0 Multiple Response Type Encoding section 2.1: without `response_mode` the type's default holds.
    if wanted is None:
        return modes[0], False
    is_jwt = wanted == "jwt" or wanted.endswith(".jwt")
    if not is_jwt:
        return next(((mode, False) for mode in modes if mode == wanted), None)
    if not context.response_algorithms:
        return None
    # JARM section 2.3.4: the default of the response type, as a JWT.
    if wanted == "jwt":
        return modes[0], True
    # JARM section 2.3.1: with a token in it only if it is encrypted, since a query ends up in logs and histories.
    encrypted: tuple[ResponseMode, ...] = () if client.authorization_encrypted_response_alg is None else ("query",)
    return next(((mode, True) for mode in (*modes, *encrypted) if wanted == f"{mode}.jwt"), None)


def encryption_of_responses(client: Client, context: Context) -> Encryption | None:
    """Say how a client's responses are encrypted; raises `DocumentNeeded`, and `InvalidRequest` if it has no key."""
    return encryption_for(client, "authorization", context)


def as_jwt(response: JwtResponse, context: Context) -> Jwt:
    """Return a response as the claims of a JWT (JARM section 2.1)."""
    redirectable = response.redirectable
    client = redirectable.client
    claims: dict[str, object] = dict(response.parameters)
    # RFC 6749 section 4.1.2: `state` is REQUIRED in the response if it was in the request, with the exact value.
    if redirectable.request.state is not None:
        claims["state"] = redirectable.request.state
    # JARM section 2.1: the issuer says who answers (mix-up attacks, RFC 9207), and the audience whom it answers.
    claims |= {"iss": context.issuer, "aud": client.client_id, "exp": context.now + LIFETIME}
    return Jwt(claims, signing_algorithm(client, context), encryption=response.encryption)


def signing_algorithm(client: Client, context: Context) -> str:
    """Return the algorithm that a client has registered; else RS256 (JARM section 3), or what there is a key for."""
    registered, algorithms = client.authorization_signed_response_alg, context.response_algorithms
    if registered is not None:
        return registered
    return "RS256" if "RS256" in algorithms else algorithms[0]
