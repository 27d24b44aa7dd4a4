"""A client and a person with a browser, who walk through a server's endpoints and keep what they are given.

They speak to `handle`, any adapter: a function from a `Request` to a `Response`. The person's part, which is the
application's own, is done by flows of the server that `drive` runs.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import attrs

from oauthcore.digest import Secret
from oauthcore.entropy import Entropy, mint
from oauthcore.flow.effects import Flow
from oauthcore.records.client import Client
from oauthcore.server import AuthorizationServer
from oauthcore.testing.telling import outlined
from oauthcore.wire.http import Request, Response
from oauthcore.wire.text import words

REDIRECT_URI = "https://client.example/callback"
CLIENT = Client(
    client_id="walker",
    name="Walker",
    redirect_uris=(REDIRECT_URI,),
    grant_types=("authorization_code", "refresh_token"),
    scope="email profile read",
)
# Whatever a client puts into `state` comes back as it was (RFC 6749 section 4.1.2), whichever way it is encoded.
STATE = ' %41&=+"é🔑'
Drive = Callable[[Flow[Any]], Any]
Handle = Callable[[Request], Response]
FORM = ("Content-Type", "application/x-www-form-urlencoded")


@attrs.frozen
class Waiting:
    """Hold an authorization that waits for its person: what her browser and the client keep meanwhile."""

    subject: str
    scope: str
    handle: str = attrs.field(repr=False)
    cookie: str = attrs.field(repr=False)
    verifier: str = attrs.field(repr=False)
    state: str = attrs.field(repr=False)


@attrs.define
class ClientSession:
    """A registered client and a person; `secrets` are all values that either of them was given or made up."""

    server: AuthorizationServer
    drive: Drive
    handle: Handle
    entropy: Entropy
    client: Client = CLIENT
    secret: Secret | None = None
    secrets: list[str] = attrs.field(factory=list, repr=False)

    @classmethod
    def begin(
        cls,
        server: AuthorizationServer,
        drive: Drive,
        entropy: Entropy,
        handle: Handle | None = None,
        client: Client = CLIENT,
    ) -> ClientSession:
        """Register the client, and be ready."""
        session = cls(server, drive, handle or (lambda request: drive(server.handle(request))), entropy, client)
        session.secret = drive(server.clients.register(client)).secret
        session._note(session.secret.reveal() if session.secret is not None else None)
        return session

    def code(
        self, subject: str = "alice", scope: str = "email profile", resources: Sequence[str] = ()
    ) -> tuple[str, str]:
        """Authorize, log in, approve and come back: give the code and its verifier (RFC 6749 section 4.1, RFC 7636)."""
        return self.approve(self.ask(subject, scope, resources))

    def ask(self, subject: str = "alice", scope: str = "email profile", resources: Sequence[str] = ()) -> Waiting:
        """Send that person's browser to the server, as far as the page where it asks her (RFC 6749 section 4.1.1)."""
        verifier = mint(self.entropy).reveal()
        state = f"{len(self.secrets)}{STATE}"
        started = self.handle(self.authorization(scope, state, verifier, resources))
        cookie = (started.header("set-cookie") or "").partition(";")[0]
        handle = parameters_of(started)["interaction"]
        self._note(verifier, cookie.partition("=")[2], handle)
        return Waiting(subject, scope, handle, cookie, verifier, state)

    def authorization(self, scope: str, state: str, verifier: str, resources: Sequence[str] = ()) -> Request:
        """Return an authorization request (RFC 6749 section 4.1.1), for resources (RFC 8707 section 2.1)."""
        digest = hashlib.sha256(verifier.encode()).digest()
        parameters = {
            "client_id": self.client.client_id,
            "state": state,
            "redirect_uri": self.client.redirect_uris[0],
            "response_type": "code",
            "scope": scope,
            "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
            "code_challenge_method": "S256",
        }
        path = self.server.base + self.server.paths.authorization
        return Request("GET", f"{path}?{urlencode([*parameters.items(), *named(resources)])}")

    def approve(self, waiting: Waiting) -> tuple[str, str]:
        """Have the person log in and approve, and come back with her code: give it and its verifier."""
        finished = self.drive(self.server.interactions.finish(waiting.handle, waiting.subject, words(waiting.scope)))
        resumed = self.handle(Request("GET", location_of(finished), (("Cookie", waiting.cookie),)))
        redirect_uri, target = self.client.redirect_uris[0], location_of(resumed)
        if not target.startswith(redirect_uri):
            raise AssertionError(f"the browser was sent to {target.partition('?')[0]}")
        parameters = parameters_of(resumed)
        if parameters.get("state") != waiting.state:
            raise AssertionError("the client's state did not come back as it was")
        if parameters.get("iss") != self.server.issuer:
            raise AssertionError("iss is not the issuer (RFC 9207 section 2)")
        if "code" not in parameters:
            raise AssertionError(f"there is no code, but {sorted(parameters)}")
        self._note(parameters["code"], *parameters_of(finished).values())
        return parameters["code"], waiting.verifier

    def redeem(self, code: str, verifier: str, resources: Sequence[str] = ()) -> Response:
        """Redeem a code, and keep what that gives."""
        return self._given(self.redemption(code, verifier, resources))

    def refresh(self, refresh_token: str, resources: Sequence[str] = (), **more: str) -> Response:
        """Refresh, and keep what that gives."""
        return self._given(self.rotation(refresh_token, resources, **more))

    def redemption(self, code: str, verifier: str, resources: Sequence[str] = ()) -> Request:
        """Return the request that redeems a code (RFC 6749 section 4.1.3, RFC 8707 section 2.2)."""
        given = {"code": code, "redirect_uri": self.client.redirect_uris[0], "code_verifier": verifier}
        return self._post(self.server.paths.token, {"grant_type": "authorization_code", **given}, resources)

    def rotation(self, refresh_token: str, resources: Sequence[str] = (), **more: str) -> Request:
        """Return the request that refreshes (RFC 6749 section 6, RFC 8707 section 2.2)."""
        return self._post(
            self.server.paths.token, {"grant_type": "refresh_token", "refresh_token": refresh_token, **more}, resources
        )

    def _given(self, request: Request) -> Response:
        response = self.handle(request)
        if response.status == 200:
            self._note(*(str(value) for name, value in members_of(response).items() if name.endswith("_token")))
        return response

    def introspect(self, token: str) -> dict[str, Any]:
        """Ask about a token (RFC 7662)."""
        return members_of(self.handle(self.inspection(token)))

    def inspection(self, token: str) -> Request:
        """Return the request that asks about a token (RFC 7662 section 2.1)."""
        return self._post(self.server.paths.introspection, {"token": token})

    def is_active(self, token: str) -> bool:
        """Return whether a token is live."""
        return self.introspect(token).get("active") is True

    def revoke(self, token: str) -> Response:
        """Revoke a token (RFC 7009)."""
        return self.handle(self._post(self.server.paths.revocation, {"token": token}))

    def _post(self, path: str, form: dict[str, str], resources: Sequence[str] = ()) -> Request:
        headers: tuple[tuple[str, str], ...] = (FORM,)
        if self.secret is None:
            form = {"client_id": self.client.client_id, **form}
        else:
            pair = f"{self.client.client_id}:{self.secret.reveal()}".encode()
            headers = (FORM, ("Authorization", "Basic " + base64.b64encode(pair).decode()))
        return Request("POST", self.server.base + path, headers, urlencode([*form.items(), *named(resources)]).encode())

    def _note(self, *values: str | None) -> None:
        self.secrets += [value for value in values if value]


def named(resources: Sequence[str]) -> list[tuple[str, str]]:
    """Return the parameters that name resources: the one that may be repeated (RFC 8707 section 2)."""
    return [("resource", uri) for uri in resources]


def members_of(response: Response) -> dict[str, Any]:
    """Return the members of a JSON answer."""
    members = json.loads(response.body)
    assert isinstance(members, dict)
    return members


def location_of(response: Response) -> str:
    """Return where a response sends the browser."""
    location = response.header("location")
    if location is None:
        raise AssertionError(f"the browser was sent nowhere: {outlined(response)}")
    return location


def parameters_of(response: Response) -> dict[str, str]:
    """Return the parameters in the place where a response sends the browser, of its query or its fragment."""
    parts = urlsplit(location_of(response))
    return dict(parse_qsl(parts.fragment or parts.query))
