"""The demo: an authorization server in memory, with the people, clients and paths of the quick start."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from typing import TypeAlias

import attrs

from oauthcore import (
    Allowance,
    AsyncWorld,
    AuthorizationServer,
    Ciba,
    Client,
    ExchangeRule,
    Lifetimes,
    MemoryStorage,
    Paths,
    Policy,
    PushedRequests,
    Request,
    Response,
    Secret,
    TokenExchange,
    WebFinger,
    World,
    arun,
    run,
)
from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.device_grant import DEVICE_CODE, DeviceGrant
from oauthcore.digest import same
from oauthcore.flow.effects import Claims, Identify
from oauthcore.openid import OpenID
from oauthcore.records.login import BY_PASSWORD
from oauthcore.redirect_uri import LOOPBACK_HOSTS
from oauthcore.token_exchange import GRANT_TYPE as TOKEN_EXCHANGE
from oauthcore_fetch import AsyncFetcher
from oauthcore_h11.configuration.tables import AuthorizationDetailsTable
from oauthcore_h11.demo_mcp import DOCUMENTS, REGISTRATION, DemoMcp, in_developer_mode, make_mcp, resources_of
from oauthcore_h11.details import authorization_details_of
from oauthcore_pages import Pages, Templates

PATHS = Paths(
    authorization="/oauth/authorize",
    token="/oauth/tokenize",
    introspection="/oauth/introspect",
    revocation="/oauth/revoke",
    registration="/oauth/register",
    userinfo="/oauth/userinfo",
    jwks="/oauth/jwks",
    resume="/oauth/resume",
    pushed_authorization_request="/oauth/par",
    device_authorization="/oauth/device_authorization",
    backchannel_authentication="/oauth/bc-authorize",
    login="/login",
    consent="/approve",
)

# A code lasts five minutes instead of one: here it is copied by hand.
LIFETIMES = Lifetimes(authorization_code_lifetime=300, access_token_lifetime=300, refresh_token_lifetime=900)

USERNAME = PASSWORD = "admin"

ADMIN: Mapping[str, object] = {
    "name": "Ada Admin",
    "given_name": "Ada",
    "family_name": "Admin",
    "preferred_username": USERNAME,
    "locale": "en",
    "zoneinfo": "Europe/London",
    "email": "admin@example.com",
    "email_verified": True,
    "address": {"street_address": "1 Example Street", "locality": "London", "country": "GB"},
    "phone_number": "+44 20 7946 0000",
    "phone_number_verified": True,
}

logger = logging.getLogger(__name__)

Seed: TypeAlias = tuple[Client, str | None]

TEST_CLIENT: Seed = (
    Client(
        client_id="test_client",
        name="Test Client",
        redirect_uris=("https://www.example.com/redirect",),
        grant_types=("authorization_code", "refresh_token", "implicit"),
        response_types=("code", "none", "id_token", "code id_token"),
        scope="openid email profile address phone offline_access",
        default_scope="email profile",
        authorization_details_types=("payment_initiation",),
        # The quick start's authorization request has no code_challenge.
        allow={Allowance.CONFIDENTIAL_WITHOUT_PKCE},
    ),
    "password",
)
PUBLIC_CLIENT: Seed = (
    Client(
        client_id="public_client",
        name="Public Client",
        token_endpoint_auth_method="none",
        redirect_uris=("http://127.0.0.1/callback", "https://www.example.com/public"),
        grant_types=("authorization_code", "refresh_token"),
        scope="openid email profile",
        default_scope="email profile",
    ),
    None,
)
OTHER_CLIENT: Seed = (
    Client(
        client_id="other_client",
        name="Other Client",
        redirect_uris=("https://other.example/callback",),
        grant_types=("authorization_code", "refresh_token"),
        scope="email",
    ),
    "other-password",
)
SERVICE_CLIENT: Seed = (
    Client(
        client_id="service_client",
        name="Service Client",
        grant_types=("client_credentials",),
        response_types=(),
        scope="read write",
        introspects_any=True,
    ),
    "service-password",
)
# A service behind the others: it exchanges the token that it is called with for one of another API (RFC 8693).
GATEWAY_CLIENT: Seed = (
    Client(
        client_id="gateway_client",
        name="Gateway Client",
        grant_types=(TOKEN_EXCHANGE,),
        response_types=(),
        scope="email profile",
    ),
    "gateway-password",
)
EXCHANGE = TokenExchange(
    rules=[
        ExchangeRule(
            client_ids=["gateway_client"],
            subject_client_ids=["test_client", "public_client"],
            audience=["https://api.example.com"],
        )
    ]
)
# What a shop asks for one by one: the example of RFC 9396 section 2, shortened.
PAYMENT = AuthorizationDetailsTable(
    type="payment_initiation",
    required=("instructedAmount", "creditorName"),
    description="Pay {instructedAmount.amount} {instructedAmount.currency} to {creditorName}",
)
DEVICE_CLIENT: Seed = (
    Client(
        client_id="device_client",
        name="Television",
        token_endpoint_auth_method="none",
        grant_types=(DEVICE_CODE, "refresh_token"),
        response_types=(),
        scope="openid email profile",
        default_scope="email profile",
    ),
    None,
)
# A till, which asks the user on their own device (OpenID CIBA).
TILL_CLIENT: Seed = (
    Client(
        client_id="till_client",
        name="Till",
        grant_types=(CIBA,),
        response_types=(),
        scope="openid email profile",
        backchannel_token_delivery_mode="poll",
    ),
    "till-password",
)
LEGACY_CLIENT: Seed = (
    Client(
        client_id="legacy_client",
        name="Legacy Client",
        redirect_uris=("https://www.example.com/legacy",),
        grant_types=("password", "implicit"),
        response_types=("token",),
        scope="email",
    ),
    "legacy-password",
)


@attrs.frozen
class Demo:
    """Hold the demo's parts; it is an application for a transport."""

    server: AuthorizationServer
    pages: Pages
    world: World | AsyncWorld
    mcp: DemoMcp | None = None

    async def __call__(self, request: Request) -> Response:
        """Answer a request: the pages and the MCP endpoint theirs, the authorization server everything else."""
        if self.pages.owns(request.path):
            response = await arun(self.pages.handle(request), self.world)
        elif self.mcp is not None and self.mcp.owns(request.path):
            response = await arun(self.mcp.handle(request), self.world)
        else:
            login, error_page = self.pages.login_of(request), self.pages.error_page(request)
            response = await arun(self.server.handle(request, login, error_page), self.world)
        log_refusal(request, response)
        return response

    def addresses(self) -> dict[str, str]:
        """Return the issuer and every URL, by the names that metadata has for them (RFC 8414 section 2)."""
        issuer, paths = self.server.issuer, self.server.paths
        beside = {} if self.mcp is None else {"registration_endpoint": issuer + paths.registration, "mcp": self.mcp.url}
        return {
            "issuer": issuer,
            "authorization_endpoint": issuer + paths.authorization,
            "token_endpoint": issuer + paths.token,
            "introspection_endpoint": issuer + paths.introspection,
            "revocation_endpoint": issuer + paths.revocation,
            "userinfo_endpoint": issuer + paths.userinfo,
            "jwks_uri": issuer + paths.jwks,
            "pushed_authorization_request_endpoint": issuer + paths.pushed_authorization_request,
            "device_authorization_endpoint": issuer + paths.device_authorization,
            "device_page": issuer + paths.device,
            "backchannel_authentication_endpoint": issuer + paths.backchannel_authentication,
            "requests_page": issuer + self.pages.paths.requests,
            "metadata": issuer + "/.well-known/oauth-authorization-server",
            "login_page": issuer + paths.login,
            "approve_page": issuer + paths.consent,
            **beside,
        }


def make_demo(host: str, port: int, *, legacy: bool = False, mcp: bool = False) -> Demo:
    """Make a demo that is reached at that host and port; nothing of it outlives the process.

    With `mcp` there is a protected MCP endpoint beside it, and any client may register itself (RFC 7591) or publish
    what it is at the URL that names it.
    """
    templates = Templates()
    issuer = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    server = AuthorizationServer(
        issuer=issuer,
        clock=time.time,
        entropy=secrets.token_bytes,
        token_key=secrets.token_bytes(32),
        policy=policy_for(host, legacy=legacy),
        paths=PATHS,
        scopes=("email", "profile", "read", "write"),
        error_page=templates.error,
        webfinger=WebFinger(["localhost"]),
        openid=OpenID(ui_locales=("en", "de"), acr_values=(BY_PASSWORD,)),
        registration=REGISTRATION if mcp else None,
        device=DeviceGrant(),
        ciba=Ciba(),
        pushed_requests=PushedRequests(),
        client_id_metadata=DOCUMENTS if mcp else None,
        resources=resources_of(issuer) if mcp else None,
        token_exchange=EXCHANGE,
        authorization_details=authorization_details_of([PAYMENT]),
    )
    # A developer who walks through the quick start twice sees both pages twice, and may deny the second time.
    pages = Pages(
        server,
        key=secrets.token_bytes(32),
        clock=time.time,
        entropy=secrets.token_bytes,
        templates=templates,
        remember=False,
    )
    storage = MemoryStorage()
    seeds = (TEST_CLIENT, PUBLIC_CLIENT, OTHER_CLIENT, SERVICE_CLIENT, GATEWAY_CLIENT, DEVICE_CLIENT, TILL_CLIENT)
    for client, secret in (*seeds, LEGACY_CLIENT) if legacy else seeds:
        secret_of = None if secret is None else Secret(secret)
        run(server.clients.register(in_developer_mode(client), secret_of), World(storage))
    # It fetches what clients publish of themselves, and keys: over https, from public addresses alone.
    world = AsyncWorld(storage, authenticate=authenticate, claims=claims, fetch=AsyncFetcher(), identify=identify)
    return Demo(server, pages, world, make_mcp(server) if mcp else None)


def policy_for(host: str, *, legacy: bool) -> Policy:
    """Return the policy: OAuth 2.1, or with `legacy` all of RFC 6749."""
    # The core knows the three loopback hosts that redirect URIs may name; the rest of 127.0.0.0/8 is as safe.
    allow = () if host in LOOPBACK_HOSTS else (Allowance.INSECURE_TRANSPORT,)
    return (Policy.oauth20 if legacy else Policy.oauth21)(allow=allow, lifetimes=LIFETIMES).with_id_tokens()


def authenticate(username: str, password: Secret) -> str | None:
    """Know the one person there is, whose subject is their name."""
    right_name, right_password = same(username, USERNAME), same(password.reveal(), PASSWORD)
    return USERNAME if right_name and right_password else None


def claims(wanted: Claims) -> Mapping[str, object] | None:
    """Return the claims that OpenID Connect names (OIDC Core section 5.1)."""
    return ADMIN if wanted.subject == USERNAME else None


def identify(wanted: Identify) -> str | None:
    """Return the one person there is, by their name or their e-mail address."""
    return USERNAME if wanted.login_hint in {USERNAME, ADMIN["email"]} else None


def log_refusal(request: Request, response: Response) -> None:
    """Log why a request was refused: never with its query, which may contain secrets."""
    refusal = response.refusal
    if refusal is None:
        return
    message = (request.method, request.path, response.status, refusal.code, refusal.reason)
    if refusal.cause is None:
        logger.info("%s %s: %d %s: %s", *message)
    else:
        logger.error("%s %s: %d %s: %s", *message, exc_info=refusal.cause)
