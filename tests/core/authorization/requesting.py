"""Clients that send request objects, and the objects that they send."""

from __future__ import annotations

from typing import Any

import attrs

from oauthcore import Login, Outgoing, Response, run
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.openid import OpenID
from tests.core.oidc.provider import CALLBACK, RP, provider
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, Drive, Site

KEY = key_for("ES256")
RSA = key_for("RS256")
NOW = 1_800_000_000
REQUEST_URI = "https://rp.example/request.jwt"
OTHER_CALLBACK = "https://rp.example/other"
SIGNER = attrs.evolve(
    RP,
    jwks=set_of([KEY, RSA]).decode(),
    request_uris=(REQUEST_URI, "https://rp.example/hashed.jwt#registered"),
    redirect_uris=(CALLBACK, OTHER_CALLBACK),
)
BY_SECRET = attrs.evolve(RP, client_id="by_secret", request_object_signing_alg="HS256")
SECRETS = {"rp": "rp-secret", "by_secret": "s" * 32}


@attrs.define
class Elsewhere:
    """Be the client's server, and count what it is asked."""

    answers: dict[str, Response | Exception] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)

    def __call__(self, request: Outgoing) -> Response:
        """Answer."""
        self.asked.append(request.url)
        answer = self.answers.get(request.url, Response(404))
        if isinstance(answer, Exception):
            raise answer
        return answer


def requesting_site(
    drive: Drive = run, *, elsewhere: Elsewhere | None = None, openid: OpenID | None = None, **changes: Any
) -> Site:
    """Make a provider that knows these clients, the first one changed."""
    clients = (attrs.evolve(SIGNER, **changes), BY_SECRET)
    site = provider(drive, openid=openid, clients=clients, secrets=SECRETS)
    site.world = attrs.evolve(site.world, fetch=elsewhere or Elsewhere())
    return site


def claims_of(**changes: object) -> dict[str, object]:
    """Return the claims of a request object that is right but for the changes; None leaves one out."""
    claims: dict[str, object] = {
        "iss": "rp",
        "aud": ISSUER,
        "client_id": "rp",
        "response_type": "code",
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "nonce": "n",
        "state": "inside",
    }
    return {name: value for name, value in (claims | changes).items() if value is not None}


def signed(*, key: Jwk = KEY, alg: str = "ES256", typ: str = "JWT", **changes: object) -> str:
    """Sign a request object."""
    return crypto.sign_claims(claims_of(**changes), key, alg, typ)


def send(site: Site, login: Login | None = None, **changes: str | None) -> Response:
    """Send a request that says as little beside its object as it may, but for the changes."""
    usual = {"scope": None, "state": "outside", "code_challenge": None, "code_challenge_method": None}
    return site.authorize(login, **{"client_id": "rp", "redirect_uri": CALLBACK, **usual, **changes})
