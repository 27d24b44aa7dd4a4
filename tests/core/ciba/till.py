"""A client that asks users who are elsewhere, and a site that knows one of them, for tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

from oauthcore import Client, Login, Outgoing, Response, run
from oauthcore.ciba import GRANT_TYPE, Ciba
from oauthcore.endpoints.backchannel_answer import PendingBackchannelRequest
from oauthcore.flow.effects import Identify
from oauthcore.jose.crypto import sign_claims
from oauthcore.jose.jwk import set_of
from tests.core.oidc.provider import RP, provider
from tests.core.signing_keys import key_for
from tests.core.site import ISSUER, Drive, Site, basic, form, members

KEY = key_for("ES256").named("ES256")
TILL = Client(
    client_id="till",
    grant_types=(GRANT_TYPE, "refresh_token"),
    response_types=(),
    scope="openid profile email",
    jwks=set_of([KEY]).decode(),
    backchannel_token_delivery_mode="poll",
)
NOTIFIED = "https://till.example/notified"
PINGED = attrs.evolve(
    TILL,
    client_id="pinged",
    backchannel_token_delivery_mode="ping",
    backchannel_client_notification_endpoint=NOTIFIED,
)
OTHER = attrs.evolve(
    PINGED, client_id="other", backchannel_client_notification_endpoint="https://other.example/notified"
)
SIGNING = attrs.evolve(TILL, client_id="signing", backchannel_authentication_request_signing_alg="ES256")
API = Client(
    client_id="api", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)
CLIENTS = (TILL, PINGED, OTHER, SIGNING, RP, API)
SECRETS = {client.client_id: f"the secret of {client.client_id}" for client in CLIENTS}
TOKEN = "a-notification-token-of-the-client"


def identify(effect: Identify) -> str | None:
    """Know alice by her address, and somebody whom the application has removed since."""
    return {"alice@wonderland.example": "alice", "gone@wonderland.example": "gone"}.get(effect.login_hint)


class Till:
    """Be a site, and the client that asks at it."""

    def __init__(self, drive: Drive = run, client: Client = TILL, **settings: Any) -> None:
        defaults: dict[str, Any] = {"ciba": Ciba(), "clients": CLIENTS, "secrets": SECRETS}
        self.site: Site = provider(drive, **(defaults | settings))
        self.site.world = attrs.evolve(self.site.world, identify=identify)
        self.client = client

    def post(self, path: str, *, client: Client | None = None, **values: str | None) -> Response:
        """Post a form, as the client."""
        name = (client or self.client).client_id
        return self.site.post(path, form(**values), basic(name, SECRETS[name]))

    def request(self, **changes: str | None) -> Response:
        """Send a request that is right but for the changes; None leaves a parameter out."""
        values: dict[str, str | None] = {"scope": "openid email", "login_hint": "alice@wonderland.example"}
        if self.client.backchannel_token_delivery_mode == "ping":
            values["client_notification_token"] = TOKEN
        name = self.client.client_id
        return self.site.post("/bc-authorize", form(**(values | changes)), basic(name, SECRETS[name]))

    def begin(self, **changes: str | None) -> str:
        """Send a request, and return its identifier."""
        response = self.request(**changes)
        assert response.status == 200, response
        return str(members(response)["auth_req_id"])

    def poll(self, auth_req_id: str, *, client: Client | None = None) -> Response:
        """Ask for the tokens."""
        return self.post("/token", client=client, grant_type=GRANT_TYPE, auth_req_id=auth_req_id)

    def error(self, response: Response) -> str:
        """Return the error of a refusal."""
        return str(members(response)["error"])

    def pending(self, subject: str = "alice") -> tuple[PendingBackchannelRequest, ...]:
        """Return what waits for a user."""
        found: tuple[PendingBackchannelRequest, ...] = self.drive(self.site.server.backchannel.pending(subject))
        return found

    def drive(self, flow: Any) -> Any:
        """Run a flow of the application's."""
        return self.site.drive(flow, self.site.world)

    def allow(self, login: Login | None = None, scope: str | None = None) -> Any:
        """Allow the oldest request that waits for alice."""
        allowed = None if scope is None else scope.split()
        return self.drive(self.site.server.backchannel.allow(self.pending()[0].id, login or self.site.alice, allowed))

    def deny(self) -> Any:
        """Deny the oldest request that waits for alice."""
        return self.drive(self.site.server.backchannel.deny(self.pending()[0].id, self.site.alice))

    def is_active(self, token: str) -> bool:
        """Return whether a token is live."""
        return bool(members(self.post("/introspect", client=API, token=token))["active"])

    def signed(self, typ: str = "JWT", **changes: Any) -> str:
        """Return a signed request that is right but for the changes; None leaves a claim out."""
        now = self.site.now
        claims: dict[str, Any] = {
            "iss": self.client.client_id,
            "aud": ISSUER,
            "exp": now + 300,
            "iat": now,
            "nbf": now,
            "jti": "1",
            "scope": "openid email",
            "login_hint": "alice@wonderland.example",
        }
        claims = {name: value for name, value in (claims | changes).items() if value is not None}
        return sign_claims(claims, KEY, "ES256", typ)

    def answered_by(self, answer: Callable[[Outgoing], Response]) -> list[Outgoing]:
        """Let other servers answer so, and return what they are sent."""
        sent: list[Outgoing] = []

        def fetch(request: Outgoing) -> Response:
            sent.append(request)
            return answer(request)

        self.site.world = attrs.evolve(self.site.world, fetch=fetch)
        return sent
