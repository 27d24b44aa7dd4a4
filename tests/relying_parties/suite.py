"""The conformance suite's part: it sends alice's browser to the provider, and looks at whatever comes back."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs
import httpx

from oauthcore.jose import crypto
from oauthcore.jose.crypto import VerifiedJwt
from oauthcore.jose.jwk import parse_set
from oauthcore.oidc.id_token import half_hash
from tests.relying_parties.browser import FORM, Arrival, Browser

SECRET = "a-secret-of-the-suite-that-is-long-enough"
CALLBACK = "https://suite.example/test/a/oauthcore/callback"

Members = dict[str, Any]


@attrs.frozen
class Answered:
    """Hold what came back to the callback, and what had been asked."""

    asked: Mapping[str, str]
    arrival: Arrival

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the callback's query."""
        return dict(parse_qsl(urlsplit(self.arrival.url).query, strict_parsing=False))

    @property
    def fragment(self) -> dict[str, str]:
        """Return the parameters of the callback's fragment."""
        return dict(parse_qsl(urlsplit(self.arrival.url).fragment))

    @property
    def form(self) -> dict[str, str]:
        """Return the parameters that were posted to the callback."""
        return dict(parse_qsl(self.arrival.body or ""))

    @property
    def parameters(self) -> dict[str, str]:
        """Return the parameters, wherever they were; each is in one place alone."""
        everything = [*self.query.items(), *self.fragment.items(), *self.form.items()]
        assert len(dict(everything)) == len(everything)
        return dict(everything)


@attrs.frozen
class Suite:
    """Ask the provider what the modules ask it."""

    browser: Browser
    document: Members
    client_id: str = "suite"

    def url(self, **asked: str | None) -> tuple[str, dict[str, str]]:
        """Return the URL of an authorization request; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "scope": "openid",
            "state": secrets.token_urlsafe(8),
            "nonce": secrets.token_urlsafe(8),
            "response_type": "code",
            **asked,
        }
        present = {name: value for name, value in parameters.items() if value is not None}
        return f"{self.document['authorization_endpoint']}?{urlencode(present)}", present

    def authorize(self, **asked: str | None) -> Answered:
        """Send the browser with a request, and do as its pages ask, until it is back."""
        url, present = self.url(**asked)
        self.browser.visited.clear()
        return Answered(present, self.browser.open(url))

    def ask_in_vain(self, **asked: str | None) -> httpx.Response:
        """Send the browser with a request that can't be answered at a client; give the page."""
        return self.browser.http.get(self.url(**asked)[0])

    @property
    def has_signed_in(self) -> bool:
        """Return whether the last request made her sign in."""
        return "/login" in self.browser.visited

    def token(self, **sent: str) -> httpx.Response:
        """Ask the token endpoint, by HTTP Basic."""
        basic = base64.b64encode(f"{self.client_id}:{SECRET}".encode()).decode()
        headers = {**FORM, "Authorization": f"Basic {basic}"}
        return self.browser.http.post(self.document["token_endpoint"], content=urlencode(sent), headers=headers)

    def redeem(self, answered: Answered, **more: str) -> httpx.Response:
        """Exchange the code for tokens."""
        sent = {"grant_type": "authorization_code", "code": answered.parameters["code"], "redirect_uri": CALLBACK}
        return self.token(**{**sent, **more})

    def tokens(self, **asked: str | None) -> Members:
        """Authorize, redeem, and check what each module checks of it on the way; give the tokens."""
        answered = self.authorize(**asked)
        self.check_state_and_iss(answered)
        response = self.redeem(answered)
        assert response.status_code == 200, response.text
        tokens: Members = response.json()
        self.check_id_token(tokens["id_token"], answered, access_token=tokens["access_token"])
        return tokens

    def check_state_and_iss(self, answered: Answered) -> None:
        """Check what every answer has, a refusal too."""
        assert answered.parameters.get("state") == answered.asked.get("state")
        assert answered.parameters["iss"] == self.document["issuer"]

    def check_id_token(
        self, token: str, answered: Answered, *, access_token: str | None = None, code: str | None = None
    ) -> Members:
        """Check an ID token as OIDC Core sections 3.1.3.7 and 3.3.2.11 say, by the published keys alone."""
        verified = self.verified(token)
        claims: Members = dict(verified.claims)
        assert claims["iss"] == self.document["issuer"]
        assert claims["aud"] == self.client_id
        assert claims.get("azp", self.client_id) == self.client_id
        assert claims["iat"] < claims["exp"]
        assert claims.get("nonce") == answered.asked.get("nonce")
        assert 0 < len(claims["sub"]) <= 255
        for name, value in (("at_hash", access_token), ("c_hash", code)):
            assert claims.get(name) == (None if value is None else half_hash(value, verified.header["alg"])), name  # type: ignore[arg-type]
        return claims

    def verified(self, token: str) -> VerifiedJwt:
        """Verify by the published key that the token names."""
        keys = parse_set(self.browser.http.get(self.document["jwks_uri"]).content)
        verified = crypto.verify(token, keys, self.document["id_token_signing_alg_values_supported"])
        assert verified.header["kid"] in {key.kid for key in keys}
        return verified

    def claims(self, tokens: Members) -> Members:
        """Return what an ID token says."""
        return dict(self.verified(tokens["id_token"]).claims)

    def userinfo(self, access_token: str) -> httpx.Response:
        """Ask the UserInfo endpoint, by GET."""
        headers = {"Authorization": f"Bearer {access_token}"}
        return self.browser.http.get(self.document["userinfo_endpoint"], headers=headers)
