"""Clients that publish what they are, in the shapes of those that MCP servers meet, and the hosts that they are at."""

from __future__ import annotations

import json
from typing import Any

import attrs

from oauthcore import ClientIdMetadata, Outgoing, Response, run
from oauthcore.clients.assertion import ASSERTION_TYPE
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk, set_of
from oauthcore.records.client import Client
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, VERIFIER, Drive, Site, form, make_site, params

NOW = 1_800_000_000
KEY = key_for("RS256")
JSON = ("Content-Type", "application/json")
WEB = "https://app.example/oauth/client.json"
CALLBACK = "https://app.example/callback"
OTHER_CALLBACK = "https://app.example/other"

CLAUDE_CODE = "https://claude.ai/oauth/claude-code-client-metadata"
CLAUDE_AI = "https://claude.ai/oauth/mcp-oauth-client-metadata"
CHATGPT = "https://chatgpt.com/oauth/abc123/client.json"
CURSOR = "https://www.cursor.com/oauth/client.json"
CHATGPT_KEYS = "https://chatgpt.com/oauth/jwks.json"


def web(**changes: object) -> dict[str, object]:
    """Return the document of a public client on the web that is right but for the changes; None leaves one out."""
    members: dict[str, object] = {
        "client_id": WEB,
        "client_name": "The App",
        "redirect_uris": [CALLBACK],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    }
    return {name: value for name, value in (members | changes).items() if value is not None}


DOCUMENTS: dict[str, dict[str, object]] = {
    WEB: web(),
    CLAUDE_CODE: {
        "client_id": CLAUDE_CODE,
        "client_name": "Claude Code",
        "client_uri": "https://claude.ai",
        # Without a port; what is sent has a random one.
        "redirect_uris": ["http://localhost/callback", "http://127.0.0.1/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    },
    CLAUDE_AI: {
        "client_id": CLAUDE_AI,
        "client_name": "Claude",
        "client_uri": "https://claude.ai",
        "redirect_uris": ["https://claude.ai/api/mcp/auth_callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "none",
    },
    CHATGPT: {
        "client_id": CHATGPT,
        "client_name": "ChatGPT",
        "client_uri": "https://chatgpt.com",
        "redirect_uris": ["https://chatgpt.com/connector/oauth/abc123"],
        "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:jwt-bearer"],
        "response_types": ["code", "id_token"],
        "token_endpoint_auth_method": "private_key_jwt",
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg": "RS256",
        "jwks_uri": CHATGPT_KEYS,
    },
    CURSOR: {
        "client_id": CURSOR,
        "client_name": "Cursor",
        "redirect_uris": [
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "https://www.cursor.com/agents/mcp/oauth/callback",
            "http://localhost:8787/callback",
        ],
        "grant_types": ["authorization_code", "refresh_token"],
        "token_endpoint_auth_method": "none",
    },
}


def served(document: object, *headers: tuple[str, str]) -> Response:
    """Return the answer of a host that has a document."""
    return Response(200, (JSON, *headers), json.dumps(document).encode())


@attrs.define
class Hosts:
    """Be all hosts that documents are at, and count what they are asked; what is an exception is no answer."""

    answers: dict[str, Response | Exception] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)
    limits: list[int | None] = attrs.field(factory=list)

    def __attrs_post_init__(self) -> None:
        self.answers |= {url: served(document) for url, document in DOCUMENTS.items()}
        self.answers[CHATGPT_KEYS] = Response(200, (JSON,), set_of([KEY]))

    def __call__(self, request: Outgoing) -> Response:
        """Return what is at a URL."""
        self.asked.append(request.url)
        self.limits.append(request.max_size)
        answer = self.answers.get(request.url, Response(404, (), b"Nothing is here."))
        if isinstance(answer, Exception):
            raise answer
        return answer

    def publish(self, url: str = WEB, *headers: tuple[str, str], **changes: Any) -> None:
        """Put another document in the place of one."""
        members = DOCUMENTS.get(url, web(client_id=url)) | changes
        self.answers[url] = served({name: value for name, value in members.items() if value is not None}, *headers)


ON = ClientIdMetadata(scope="email profile")


@attrs.define
class Published:
    """Be a site with the hosts around it."""

    site: Site
    hosts: Hosts

    def authorize(self, client_id: str = WEB, redirect_uri: str | None = None, **changes: str | None) -> Response:
        """Send a browser with the request of such a client."""
        uri = redirect_uri or first_redirect(client_id)
        return self.site.authorize(None, client_id=client_id, redirect_uri=uri, **changes)

    def code(self, client_id: str = WEB, redirect_uri: str | None = None, **changes: str | None) -> str:
        """Have a person allow a client something, and return its code."""
        return params(self.site.approve(self.authorize(client_id, redirect_uri, **changes)))["code"]

    def redeem(self, code: str, client_id: str = WEB, redirect_uri: str | None = None, **values: str) -> Response:
        """Redeem a code, as a public client does."""
        uri = redirect_uri or first_redirect(client_id)
        more = {"code": code, "redirect_uri": uri, "code_verifier": VERIFIER, **values}
        return self.site.post("/token", form(client_id=client_id, grant_type="authorization_code", **more))

    def refresh(self, token: str, client_id: str = WEB, **values: str) -> Response:
        """Refresh, as a public client does."""
        return self.site.post(
            "/token", form(client_id=client_id, grant_type="refresh_token", refresh_token=token, **values)
        )

    def found(self, client_id: str = WEB) -> Client | None:
        """Return what is stored of a client."""
        client = self.site.drive(self.site.server.clients.find(client_id), self.site.world)
        assert client is None or isinstance(client, Client)
        return client

    def known(self, client_id: str = WEB) -> Client:
        """Return what is stored of a client that is known."""
        client = self.found(client_id)
        assert client is not None
        return client

    def later(self, seconds: int) -> None:
        """Let time go by."""
        self.site.clock.now += seconds

    def names(self) -> list[str]:
        """Return the names of what has happened."""
        return [event.name for event in self.site.events]


def first_redirect(client_id: str) -> str:
    """Return the first redirect URI of a client that can be registered."""
    uris = DOCUMENTS.get(client_id, DOCUMENTS[WEB])["redirect_uris"]
    assert isinstance(uris, list)
    return next(str(uri) for uri in uris if not str(uri).startswith("cursor:"))


def published(drive: Drive = run, metadata: ClientIdMetadata = ON, **settings: Any) -> Published:
    """Make a site where clients may be documents, and the hosts that they are at."""
    site, hosts = make_site(drive, client_id_metadata=metadata, **settings), Hosts()
    site.world = attrs.evolve(site.world, fetch=hosts)
    return Published(site, hosts)


def assertion(client_id: str = CHATGPT, *, key: Jwk = KEY, jti: str = "j1", now: int = NOW) -> dict[str, str]:
    """Return what a client shows that has signed an assertion."""
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "exp": now + 60, "iat": now, "jti": jti}
    signed = crypto.sign_claims(claims, key, "RS256", "JWT")
    return {"client_assertion": signed, "client_assertion_type": ASSERTION_TYPE}
