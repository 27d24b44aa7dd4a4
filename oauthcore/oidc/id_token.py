"""The ID token: who was authenticated, when and how, for one client to read (OIDC Core section 2)."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

import attrs

from oauthcore.context import Context
from oauthcore.digest import Secret, base64url
from oauthcore.jose.jwt import Jwt
from oauthcore.oidc.claims_request import parse_claims
from oauthcore.oidc.client_keys import encryption_for
from oauthcore.oidc.person import NOBODY, Person, claims_for, released_claims
from oauthcore.oidc.sid import sid_for
from oauthcore.oidc.subject import subject_for
from oauthcore.per_request import per_request
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.scope import Scope

# The hash of the algorithm that signs (OIDC Core section 3.1.3.6). EdDSA names none; Ed25519 has SHA-512 inside, and
# that is what implementations agreed on.
_HASHES: Mapping[str, str] = {
    "RS256": "sha256",
    "PS256": "sha256",
    "ES256": "sha256",
    "ES384": "sha384",
    "EdDSA": "sha512",
    "Ed25519": "sha512",
}

NOTHING = Scope()


@attrs.frozen
class HashInputs:
    """Hold what leaves beside an ID token, and is hashed into it so that nothing can be exchanged for another."""

    code: Secret | None = None
    access_token: Secret | None = None
    state: str | None = attrs.field(default=None, repr=False)


def is_due(scope: Scope, context: Context) -> bool:
    """Return whether an ID token belongs to what is issued with that scope (OIDC Core section 3.1.2.1)."""
    return context.openid is not None and "openid" in scope


@per_request
class IdTokenDetails:
    """Hold what an ID token contains beside what its grant has.

    `person` has the claims of the user. `claimed` is the scope whose claims are included, beside those that were
    requested by name; it is empty if the client can get them from UserInfo.
    """

    nonce: str | None = None
    person: Person = NOBODY
    claimed: Scope = NOTHING


def id_token(client: Client, grant: Grant, details: IdTokenDetails, context: Context) -> Jwt:
    """Say who was authenticated on a grant; `with_hashes` adds what leaves beside it, once that is known."""
    alg = client.id_token_signed_response_alg
    lifetime = client.id_token_lifetime or context.policy.lifetimes.id_token_lifetime
    names = names_in(client, details.claimed, grant.claims, context)
    # First, so that no claim that the application knows takes the place of one of the server's own.
    claims = {**released_claims(details.person, names, parse_claims(grant.claims).id_token)}
    claims |= {
        # OIDC Core section 2: iss, sub, aud, exp and iat are REQUIRED.
        "iss": context.issuer,
        "sub": subject_for(client, grant.subject, context),
        "aud": client.client_id,
        # Needed only with several audiences (OIDC Core section 2), and checked by libraries that see one anyway.
        "azp": client.client_id,
        "exp": context.now + lifetime,
        "iat": context.now,
    }
    sid = None if grant.sid is None else sid_for(client, grant.sid, context)
    # OIDC Core section 2: `auth_time` if `max_age` was requested, `nonce` as it was received, `acr` if it is known.
    # Back-Channel Logout section 2.1: `sid`, by which a logout token names the session.
    known = {"auth_time": grant.auth_time, "nonce": details.nonce, "acr": grant.acr, "sid": sid}
    claims |= {name: value for name, value in known.items() if value is not None}
    if grant.amr:
        claims["amr"] = list(grant.amr)
    # RFC 8693: what an ID token is exchanged for depends on the grant. Its key is no secret, and can't be presented.
    if context.token_exchange is not None and context.token_exchange.takes_id_tokens:
        claims["grant_id"] = grant.key
    return Jwt(claims, alg, encryption=encryption_for(client, "id_token", context))


def with_hashes(jwt: Jwt, beside: HashInputs) -> Jwt:
    """Return an ID token with the hashes of what leaves beside it (OIDC Core sections 3.1.3.6 and 3.3.2.11)."""
    return attrs.evolve(jwt, claims={**jwt.claims, **hashes(beside, jwt.alg)})


def hashes(beside: HashInputs, alg: str) -> dict[str, object]:
    """Return the hashes of what leaves beside it."""
    found: dict[str, object] = {}
    # OIDC Core sections 3.1.3.6 and 3.3.2.11: the client compares them, and so notices a code or token of another's.
    if beside.access_token is not None:
        found["at_hash"] = half_hash(beside.access_token.reveal(), alg)
    # OIDC Core section 3.3.2.11: c_hash is REQUIRED in the hybrid flow.
    if beside.code is not None:
        found["c_hash"] = half_hash(beside.code.reveal(), alg)
    if beside.state is not None:
        # FAPI 1.0 part 2 section 5.1.1: else a state could be exchanged where an ID token is the signature of the rest.
        found["s_hash"] = half_hash(beside.state, alg)
    return found


def half_hash(value: str, alg: str) -> str:
    """Return the left half of a hash, in base64url (OIDC Core section 3.1.3.6)."""
    digest = hashlib.new(_HASHES[alg], value.encode()).digest()
    return base64url(digest[: len(digest) // 2])


def claimed_by(client: Client, scope: Scope) -> Scope:
    """Return the scope whose claims are in an ID token of the token endpoint.

    These claims are UserInfo's (OIDC Core section 5.4), but an ID token may have them as well (section 2). An ID token
    from the authorization endpoint does not have them, since it passes through the browser, its history and its logs.
    """
    return scope if client.id_token_claims == "all" else NOTHING


def names_in(client: Client, claimed: Scope, claims: str | None, context: Context) -> tuple[str, ...]:
    """Return the claims for the ID token: those of the scope `claimed`, and those requested by name."""
    assert context.openid is not None
    requested = tuple(parse_claims(claims).id_token)
    return claims_for(client, (*context.openid.claims_of(claimed), *requested), context)
