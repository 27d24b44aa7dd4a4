"""An issuer that tests trust: what it signs, and what its servers answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from oauthcore import Outgoing, Response
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.testing import FixedClock
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER

IDP = "https://idp.example"
DISCOVERY = f"{IDP}/.well-known/openid-configuration"
OAUTH_DISCOVERY = f"{IDP}/.well-known/oauth-authorization-server"
JWKS = "https://keys.idp.example/jwks"
NOW = int(FixedClock().now)
KEY = key_for("ES256").named("ES256")
OTHER_KEY = key_for("ES256", 1).named("ES256")
GIVEN = set_of([KEY]).decode()


def assertion(key: Jwk = KEY, typ: str = "JWT", *, now: int = NOW, **changes: Any) -> str:
    """Return an assertion that is right but for the changes; None leaves a claim out."""
    claims: dict[str, Any] = {"iss": IDP, "sub": "a1", "aud": ISSUER, "exp": now + 300, "iat": now, "jti": "1"}
    claims = {name: value for name, value in (claims | changes).items() if value is not None}
    return sign_claims(claims, key, str(key.alg), typ)


def as_json(members: Mapping[str, object]) -> Response:
    """Return a document."""
    return Response(200, (("Content-Type", "application/json"),), json.dumps(members).encode())


class IssuerServer:
    """Be the issuer's server: what it answers under which URL, and what it was asked."""

    def __init__(self, *keys: Jwk, at: str = DISCOVERY, **metadata: Any) -> None:
        self.answers: dict[str, Response] = {at: as_json({"issuer": IDP, "jwks_uri": JWKS} | metadata)}
        self.publish(*(keys or (KEY,)))
        self.asked: list[str] = []

    def publish(self, *keys: Jwk) -> None:
        """Publish these keys from now on."""
        self.answers[JWKS] = Response(200, (), set_of(keys))

    def __call__(self, request: Outgoing) -> Response:
        """Answer, or say that there is nothing."""
        self.asked.append(request.url)
        return self.answers.get(request.url, Response(404, (), b"{}"))
