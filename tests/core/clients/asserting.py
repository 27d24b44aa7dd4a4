"""Clients that authenticate by assertions, and the assertions that they make."""

from __future__ import annotations

import json
from typing import Any

import attrs

from oauthcore import Client, Outgoing, Response, run
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, set_of, symmetric
from tests.core.signing_keys import key_for
from tests.core.site import CLIENTS, ISSUER, SECRETS, Drive, Site, form, make_site

KEY = key_for("ES256")
RSA = key_for("RS256")
JWKS_URI = "https://publishing.example/jwks"
REDIRECT = "https://keyed.example/cb"
KEYED = Client(
    client_id="keyed",
    token_endpoint_auth_method="private_key_jwt",
    jwks=set_of([KEY, RSA]).decode(),
    redirect_uris=(REDIRECT,),
    grant_types=("authorization_code", "client_credentials"),
    scope="email read",
)
PUBLISHING = attrs.evolve(KEYED, client_id="publishing", jwks=None, jwks_uri=JWKS_URI)
SHARED = attrs.evolve(KEYED, client_id="shared", token_endpoint_auth_method="client_secret_jwt", jwks=None)
SECRET = "s" * 64
NOW = 1_800_000_000


@attrs.define
class Publisher:
    """Be the client's own server, and count what it is asked."""

    keys: list[Jwk]
    answer: Response | Exception | None = None
    asked: list[str] = attrs.field(factory=list)

    def __call__(self, request: Outgoing) -> Response:
        """Return the key set, or what else was set."""
        self.asked.append(request.url)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer or Response(200, (), set_of(self.keys))


def asserting_site(drive: Drive = run, *, publisher: Publisher | None = None, **settings: Any) -> Site:
    """Make a site that knows these clients beside the usual ones."""
    defaults: dict[str, Any] = {"clients": (*CLIENTS, KEYED, PUBLISHING, SHARED)}
    site = make_site(drive, secrets={**SECRETS, "shared": SECRET}, **(defaults | settings))
    site.world = attrs.evolve(site.world, fetch=publisher or Publisher([KEY]))
    return site


def claims_of(client_id: str = "keyed", **changes: object) -> dict[str, object]:
    """Return the claims of an assertion that is right but for the changes; None leaves one out."""
    claims: dict[str, object] = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "exp": NOW + 60,
        "iat": NOW,
        "jti": "j1",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def assertion(
    client_id: str = "keyed", *, key: Jwk = KEY, alg: str = "ES256", typ: str = "JWT", **changes: object
) -> str:
    """Sign an assertion."""
    return crypto.sign_claims(claims_of(client_id, **changes), key, alg, typ)


def mac(secret: str = SECRET, *, alg: str = "HS256", **changes: object) -> str:
    """Make an assertion of the client that shares a secret."""
    return crypto.sign_claims(claims_of("shared", **changes), symmetric(secret.encode()), alg)


def body(text: str, **values: str | None) -> bytes:
    """Encode a form with an assertion."""
    asserted = {"client_assertion": text, "client_assertion_type": ASSERTION_TYPE}
    return form(**{"grant_type": "client_credentials", **asserted, **values})


def ask(site: Site, text: str, **values: str | None) -> Response:
    """Ask for a token of the client's own."""
    return site.post("/token", body(text, **values))


def reason(response: Response) -> str:
    """Return the reason that a client could not be authenticated for, which is nobody's bug."""
    assert response.refusal is not None, response
    assert response.refusal.cause is None, response.refusal.cause
    assert (response.status, json.loads(response.body)["error"]) == (401, "invalid_client")
    return response.refusal.reason
