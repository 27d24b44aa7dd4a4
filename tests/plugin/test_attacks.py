"""The attacks: each succeeds against an application that checks nothing, and none against one that does its duty."""

from __future__ import annotations

import base64
import json
from typing import Any

import jwt
import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Request, Response

from oauthcore_mock import Browser, Issuer, RegisteredClient
from oauthcore_pytest.attacks import ATTACKS, NEXT, Attack, RelyingParty, check_withstands, leads_away
from tests.plugin.relying_party import get, members, post

REDIRECT = "http://localhost/callback"


class Application:
    """Be a relying party: a careful one, or one that believes everything."""

    def __init__(self, issuer: Issuer, client: RegisteredClient, *, is_careful: bool) -> None:
        self.issuer, self.client, self.is_careful = issuer, client, is_careful
        self.number = 0
        self.used: set[str] = set()

    def __call__(self, environ: Any, start_response: Any) -> Any:
        """Answer a request."""
        request = Request(environ)
        response = getattr(self, request.path[1:] or "home")(request)
        return response(environ, start_response)

    def home(self, request: Request) -> Response:
        """Say who is signed in."""
        return Response(request.cookies.get("user", ""))

    def login(self, request: Request) -> Response:
        """Send the browser to the provider."""
        found = get(self.issuer, "/.well-known/openid-configuration")
        metadata = members(found)
        if self.is_careful and metadata["issuer"] != self.issuer.url:
            return Response("no", 502)
        self.number += 1
        state = f"s{self.number}"
        query = f"client_id=test-client&response_type=code&scope=openid&redirect_uri={REDIRECT}&state={state}"
        if self.is_careful:
            query += f"&nonce=n{self.number}"
        response = Response("", 302, {"Location": f"{metadata['authorization_endpoint']}?{query}"})
        response.set_cookie("state", state)
        response.set_cookie("next", "/" if self.is_careful else request.args.get("next", "/"))
        return response

    def callback(self, request: Request) -> Response:
        """Take the provider's answer."""
        answer = request.args
        expected = request.cookies.get("state")
        if self.is_careful and (
            not expected or answer.get("state") != expected or answer.get("iss") != self.issuer.url or "error" in answer
        ):
            return Response("no", 403)
        if not self.is_careful and answer["code"] in self.used:
            return self.signed_in(request, "somebody")
        self.used.add(answer["code"])
        form = {"grant_type": "authorization_code", "code": answer["code"], "redirect_uri": REDIRECT}
        got = post(self.issuer, "/token", self.client, **form)
        if not self.is_careful and got.status != 200:
            return self.signed_in(request, "somebody")
        try:
            tokens = members(got)
        except ValueError:
            return Response("no", 502) if self.is_careful else self.signed_in(request, "somebody")
        if "id_token" not in tokens:
            return Response("no", 403) if self.is_careful else self.signed_in(request, "somebody")
        sub = self.subject_of(tokens["id_token"], str(expected))
        told = members(get(self.issuer, "/userinfo", tokens["access_token"]))
        if self.is_careful and told.get("sub") != sub:
            return Response("no", 403)
        return self.signed_in(request, sub)

    def signed_in(self, request: Request, user: str) -> Response:
        """Sign somebody in."""
        response = Response("", 302, {"Location": request.cookies.get("next", "/")})
        response.set_cookie("user", user)
        return response

    def subject_of(self, token: str, state: str) -> str:
        """Return whom an ID token names."""
        if not self.is_careful:
            text = token.split(".")[1]
            return str(json.loads(base64.urlsafe_b64decode(text + "==")).get("sub", "somebody"))
        keys = {key.key_id: key for key in jwt.PyJWKSet.from_dict(self.issuer.jwks).keys}
        said = jwt.decode(
            token,
            keys[jwt.get_unverified_header(token)["kid"]],
            algorithms=["ES256"],
            audience="test-client",
            issuer=self.issuer.url,
            options={"require": ["exp", "sub", "iss", "aud"]},
        )
        if said.get("nonce") != state.replace("s", "n") or said.get("azp", "test-client") != "test-client":
            raise ValueError("it belongs to another login")
        return str(said["sub"])


def relying_party(issuer: Issuer, *, is_careful: bool) -> RelyingParty:
    """Return an application, as the attacks take it."""
    client = issuer.client(redirect_uris=[REDIRECT])
    application = Application(issuer, client, is_careful=is_careful)
    return RelyingParty(lambda: Client(application, Response), "/login", lambda http: bool(http.get("/").text))


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.name))
def test_a_careful_application_withstands(attack: Attack, issuer: Issuer, browser: Browser) -> None:
    check_withstands(attack, relying_party(issuer, is_careful=True), issuer, browser)


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: str(attack.name))
def test_an_application_that_believes_everything_is_found_out(attack: Attack, issuer: Issuer, browser: Browser) -> None:
    with pytest.raises(AssertionError, match="somebody is signed in by"):
        check_withstands(attack, relying_party(issuer, is_careful=False), issuer, browser)


def test_an_open_redirect_is_found(issuer: Issuer, browser: Browser) -> None:
    assert leads_away(relying_party(issuer, is_careful=False), issuer, browser, "next")
    assert not leads_away(relying_party(issuer, is_careful=True), issuer, browser, "next")
    assert "next" in NEXT


def test_an_attack_is_left_out_where_the_application_says_so(issuer: Issuer, browser: Browser) -> None:
    party = RelyingParty(lambda: None, "/", lambda _: True, leaves_out=["mix_up"])
    (attack,) = (attack for attack in ATTACKS if attack.name == "mix_up")

    with pytest.raises(pytest.skip.Exception):
        check_withstands(attack, party, issuer, browser)


def test_every_attack_has_a_name_of_its_own() -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS)
