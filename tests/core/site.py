"""A site under test: one server, one world, time and chance fixed, and a browser that keeps its cookie."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

import anyio
import attrs

from oauthcore import (
    Allowance,
    AsyncWorld,
    AuthorizationServer,
    Client,
    Lifetimes,
    Login,
    MemoryStorage,
    Policy,
    Request,
    Response,
    Secret,
    World,
    arun,
    run,
)
from oauthcore.clients.authentication import Authenticated
from oauthcore.context import Context
from oauthcore.flow.effects import Flow
from oauthcore.flow.outcome import Change, Event, R, S
from oauthcore.flow.storage import Storage
from oauthcore.grants.issuance import Issue, Tokens, answered
from oauthcore.grants.token_request import TokenRequest
from oauthcore.possession import ProofOfPossession
from oauthcore.testing import FixedClock, SeededEntropy
from oauthcore.wire.parameters import parse_form

T = TypeVar("T")
Drive = Callable[[Flow[Any], World], Any]

ISSUER = "https://as.example"
REDIRECT = "https://client.example/callback"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 appendix B
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
TOKEN_KEY = bytes(range(32))

CONFIDENTIAL = Client(
    client_id="confidential",
    redirect_uris=(REDIRECT,),
    grant_types=("authorization_code", "refresh_token", "client_credentials"),
    response_types=("code", "none"),
    scope="email profile read",
)
PUBLIC = Client(
    client_id="public",
    token_endpoint_auth_method="none",
    redirect_uris=("https://public.example/cb", "http://127.0.0.1/cb"),
    grant_types=("authorization_code", "refresh_token"),
    scope="email profile",
)
OTHER = Client(
    client_id="other",
    redirect_uris=("https://other.example/cb",),
    grant_types=("authorization_code", "refresh_token"),
    scope="email",
)
RESOURCE = Client(
    client_id="resource", grant_types=("client_credentials",), response_types=(), scope="read", introspects_any=True
)
SECRETS = {"confidential": "confidential-secret", "other": "other-secret", "resource": "resource-secret"}
CLIENTS = (CONFIDENTIAL, PUBLIC, OTHER, RESOURCE)


# What a site keeps its records in; the tests of a storage put their own here.
new_storage: Callable[[], Storage] = MemoryStorage


def run_async(flow: Flow[T], world: World) -> T:
    """Run a flow through the async driver, in an event loop of its own."""
    async_world = AsyncWorld(**attrs.asdict(world, recurse=False))
    return anyio.run(lambda: arun(flow, async_world))


DRIVERS: dict[str, Drive] = {"run": run, "arun": run_async}


def form(**values: str | None) -> bytes:
    """Encode a form, leaving out what is None."""
    return urlencode({name: value for name, value in values.items() if value is not None}).encode()


def basic(client_id: str, secret: str) -> tuple[str, str]:
    """Return an Authorization header for HTTP Basic."""
    return ("Authorization", "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode())


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a verifier."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


FORM = ("Content-Type", "application/x-www-form-urlencoded")


@attrs.define
class Site:
    """Be one server with its world."""

    server: AuthorizationServer
    world: World
    clock: FixedClock
    drive: Drive
    events: list[Event]
    cookie: str | None = None

    @property
    def now(self) -> int:
        """Return the time."""
        return int(self.clock.now)

    @property
    def alice(self) -> Login:
        """Return a person who signed in just now."""
        return Login(subject="alice", auth_time=self.now)

    def handle(self, request: Request, login: Login | None = None) -> Response:
        """Send a request."""
        response = self.drive(self.server.handle(request, login), self.world)
        assert isinstance(response, Response)
        return response

    def get(self, target: str, login: Login | None = None, *, cookie: bool = True) -> Response:
        """Send the browser somewhere; it keeps the binding cookie."""
        headers = (("Cookie", self.cookie),) if cookie and self.cookie else ()
        response = self.handle(Request("GET", target, headers), login)
        if (planted := response.header("set-cookie")) is not None:
            self.cookie = planted.partition(";")[0]
        return response

    def post(self, path: str, body: bytes, *headers: tuple[str, str]) -> Response:
        """Post a form."""
        return self.handle(Request("POST", path, (FORM, *headers), body))

    def authorize_target(self, **changes: str | None) -> str:
        """Return the target of a request that is right but for the changes; None leaves a parameter out."""
        parameters: dict[str, str | None] = {
            "client_id": "confidential",
            "redirect_uri": REDIRECT,
            "response_type": "code",
            "scope": "email",
            "state": "s",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        parameters |= changes
        return "/authorize?" + form(**parameters).decode()

    def authorize(self, login: Login | None = None, **changes: str | None) -> Response:
        """Send an authorization request."""
        return self.get(self.authorize_target(**changes), login)

    def approve(self, response: Response, login: Login | None = None, scope: str | None = None) -> Response:
        """Be the application and the person: log in and approve whatever is asked; give the answer to the client."""
        handle = handle_of(response)
        pending = self.drive(self.server.interactions.find(handle), self.world)
        assert pending is not None
        tokens = pending.scope if scope is None else scope.split()
        finished = self.drive(self.server.interactions.finish(handle, login or self.alice, tokens), self.world)
        return self.get(location(finished))

    def code(self, **changes: str | None) -> str:
        """Return a fresh authorization code."""
        return params(self.approve(self.authorize(None, **changes)))["code"]

    def token(self, client_id: str = "confidential", **values: str | None) -> Response:
        """Ask the token endpoint, the client authenticating the way it is registered for."""
        if client_id in SECRETS:
            return self.post("/token", form(**values), basic(client_id, SECRETS[client_id]))
        return self.post("/token", form(client_id=client_id, **values))

    def redeem(self, code: str, client_id: str = "confidential", **changes: str | None) -> Response:
        """Redeem a code rightly, but for the changes."""
        values: dict[str, str | None] = {"redirect_uri": REDIRECT, "code_verifier": VERIFIER}
        return self.token(client_id, grant_type="authorization_code", code=code, **(values | changes))

    def tokens(self, **changes: str | None) -> dict[str, Any]:
        """Return the tokens of a fresh authorization."""
        return members(self.redeem(self.code(**changes)))

    def refresh(self, refresh_token: str, client_id: str = "confidential", scope: str | None = None) -> Response:
        """Refresh."""
        return self.token(client_id, grant_type="refresh_token", refresh_token=refresh_token, scope=scope)

    def introspect(self, token: str, client_id: str = "confidential", hint: str | None = None) -> dict[str, Any]:
        """Introspect a token; give the members of the answer."""
        body = form(token=token, token_type_hint=hint)
        return members(self.post("/introspect", body, basic(client_id, SECRETS[client_id])))

    def is_active(self, token: str) -> bool:
        """Return whether a token is live, as a resource server would ask, or the client whose it is."""
        return any(self.introspect(token, asking).get("active") for asking in ("resource", "confidential", "other"))

    def revoke(self, token: str, client_id: str = "confidential", hint: str | None = None) -> Response:
        """Revoke a token."""
        return self.post("/revoke", form(token=token, token_type_hint=hint), basic(client_id, SECRETS[client_id]))


class Counted:
    """Count what a site asks of its storage from now on."""

    def __init__(self, site: Site) -> None:
        self.finds = 0
        self.commits = 0
        self.storage = site.world.storage
        site.world = attrs.evolve(site.world, storage=self)

    def find(self, kind: type[R], key: str, /) -> R | None:
        """Count a find."""
        self.finds += 1
        return self.storage.find(kind, key)

    def find_of(self, kind: type[S], subject: str, /) -> Sequence[S]:
        """Count a find by subject."""
        self.finds += 1
        return self.storage.find_of(kind, subject)

    def commit(self, changes: Sequence[Change], /) -> bool:
        """Count a commit."""
        self.commits += 1
        return self.storage.commit(changes)

    def purge(self, expired_before: int, limit: int, /) -> int:
        """Purge, uncounted."""
        return self.storage.purge(expired_before, limit)


def make_site(
    drive: Drive = run,
    *,
    policy: Policy | None = None,
    clients: tuple[Client, ...] = CLIENTS,
    secrets: Mapping[str, str] = SECRETS,
    **settings: Any,
) -> Site:
    """Make a site: by default OAuth 2.1, the four clients, an access token lasting 300 s and a refresh token 900 s."""
    clock = FixedClock()
    events: list[Event] = []
    lifetimes = Lifetimes(access_token_lifetime=300, refresh_token_lifetime=900, grant_lifetime=3_600)
    defaults: dict[str, Any] = {
        "issuer": ISSUER,
        "clock": clock,
        "entropy": SeededEntropy(),
        "token_key": TOKEN_KEY,
        "policy": policy or Policy.oauth21(lifetimes=lifetimes),
    }
    server = AuthorizationServer(**(defaults | settings))
    world = World(new_storage(), authenticate=authenticate, audit=events.append)
    for client in clients:
        secret = Secret(secrets[client.client_id]) if client.has_secret else None
        drive(server.clients.register(client, secret), world)
    events.clear()
    return Site(server, world, clock, drive, events)


def asking(client: Client, proof: ProofOfPossession | None = None, **values: str) -> TokenRequest:
    """Return what a grant is given of a client's request."""
    caller, body = Authenticated(client), form(**values)
    return TokenRequest(caller, parse_form(body.decode()), Request("POST", "/token", (FORM,), body), proof)


def issued(decision: Issue) -> Tokens:
    """Return the tokens of a grant's decision, which refuses nothing."""
    assert isinstance(decision.value, Tokens), decision.value
    return decision.value


def said(decision: Issue, context: Context) -> dict[str, Any]:
    """Return the members of the answer that a grant's decision comes to."""
    return members(run(answered(decision, context), World(MemoryStorage())).value)


def authenticate(username: str, password: Secret) -> str | None:
    """Know one person: alice, whose password is wonderland."""
    return "alice" if (username, password.reveal()) == ("alice", "wonderland") else None


def members(response: Response) -> dict[str, Any]:
    """Return the members of a JSON answer."""
    answer = json.loads(response.body)
    assert isinstance(answer, dict)
    return answer


def location(response: Response) -> str:
    """Return where a response redirects to."""
    found = response.header("location")
    assert found is not None, response
    return found


def params(response: Response) -> dict[str, str]:
    """Return the parameters of the redirect to the client, from the query or the fragment."""
    parts = urlsplit(location(response))
    return dict(parse_qsl(parts.fragment or parts.query, keep_blank_values=True))


def handle_of(response: Response) -> str:
    """Return the handle of the interaction that a response sends the browser to."""
    return params(response)["interaction"]


def refused(response: object, code: str, reason: str = "") -> bool:
    """Return whether a client was refused with that code, for a reason that has those words."""
    assert isinstance(response, Response), response
    assert response.refusal is not None, response
    assert response.refusal.cause is None, response.refusal.cause
    return members(response)["error"] == code == response.refusal.code and reason in response.refusal.reason


def refused_by_page(response: Response, reason: str = "") -> bool:
    """Return whether a browser was shown an error page, for a reason that has those words, and sent nowhere."""
    assert response.refusal is not None, response
    assert response.refusal.cause is None, response.refusal.cause
    return 400 <= response.status < 500 and response.header("location") is None and reason in response.refusal.reason


def legacy_policy() -> Policy:
    """Return RFC 6749 whole, with one more named danger."""
    return Policy.oauth20(allow={Allowance.PLAIN_PKCE})
