"""JWT access tokens (RFC 9068).

They are stored like opaque ones, under their `jti`. So they end with their grant, and introspection notices a
revocation at once. A resource server that verifies only the signature accepts them until they expire.
"""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.digest import Secret
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.subject import actor_for, subject_for
from oauthcore.records.client import Client
from oauthcore.records.client_subject import client_subject
from oauthcore.records.grant import Grant
from oauthcore.records.token import AccessToken


def jwt_access_token(
    jti: Secret, record: AccessToken, client: Client, grant: Grant | None, context: Context, alg: str | None = None
) -> Jwt:
    """Say what an access token allows (RFC 9068 section 2.2); without a person its subject is the client itself.

    That subject is no person's, whatever the client is called (section 5). `typ` keeps it from being taken for an ID
    token (section 2.1).
    """
    claims: dict[str, object] = {
        # RFC 9068 section 2.2: iss, exp, aud, sub, client_id, iat and jti are all REQUIRED.
        "iss": context.issuer,
        "exp": record.expires_at,
        "aud": record.audience[0] if len(record.audience) == 1 else list(record.audience),
        "sub": client_subject(client.client_id) if grant is None else subject_for(client, grant.subject, context),
        "client_id": client.client_id,
        "iat": record.issued_at,
        "jti": jti.reveal(),
    }
    # RFC 9068 section 2.2.3: if scope was requested, the token SHOULD carry it.
    if record.scope:
        claims["scope"] = record.scope.text
    # RFC 9068 section 2.2.1: authentication information is that of the grant, and stays as it was across refreshes.
    if grant is not None:
        claims |= grant.authentication_claims
    claims |= record.further_claims(actor_for(client, context))
    return Jwt(claims, alg or client.id_token_signed_response_alg, typ="at+jwt")
