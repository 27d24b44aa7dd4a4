"""The settings of an issuer for tests: everything that relying parties use is offered, and little is forbidden."""

from __future__ import annotations

import attrs

from oauthcore import (
    Allowance,
    AllowedExchange,
    AnyoneMayRegister,
    AnyResource,
    ClientIdMetadata,
    ExchangeAllowance,
    ExchangeRequest,
    LoopbackDocuments,
    Policy,
    PushedRequests,
    Registration,
    Resources,
    SubjectRule,
    TokenExchange,
    TrustedIssuer,
)
from oauthcore.openid import OpenID

# What production has to decide for each client is allowed here: tests are of the client, not of the policy.
LENIENT = (
    Allowance.CONFIDENTIAL_WITHOUT_PKCE,
    Allowance.IMPLICIT,
    Allowance.INSECURE_TRANSPORT,
    Allowance.OFFLINE_WITHOUT_CONSENT,
    Allowance.ONE_WORD_SCHEME,
    Allowance.PASSWORD,
    Allowance.PLAIN_PKCE,
    Allowance.ENDPOINT_AUDIENCE,
)
SCOPES = ("openid", "profile", "email", "address", "phone", "offline_access")


def lenient_policy() -> Policy:
    """Return the policy of an issuer for tests: every grant type and response type."""
    policy = Policy.openid(allow=LENIENT)
    return attrs.evolve(policy, grant_types=policy.grant_types | {"password"})


def openid() -> OpenID:
    """Return the OpenID Connect settings of an issuer for tests: everything is offered."""
    return OpenID(
        ui_locales=("en",), acr_values=("pwd", "mfa"), prompts=("none", "login", "consent", "select_account", "create")
    )


def registration() -> Registration:
    """Return the registration settings of an issuer for tests: open, without limits."""
    return Registration(access=AnyoneMayRegister(), unused_lifetime=None, max_clients=None, max_from_address=None)


def pushed_requests() -> PushedRequests:
    """Return the settings of pushed requests: any client may push one."""
    return PushedRequests(max_from_address=None)


def token_exchange() -> TokenExchange:
    """Return the settings of token exchange: any client with a secret may exchange any live token, for anything."""
    return TokenExchange(decide=_exchanged)


def _exchanged(request: ExchangeRequest) -> AllowedExchange:
    return AllowedExchange(
        audience=request.targets or request.subject.audience,
        allow=[ExchangeAllowance.BOUND_SUBJECT, ExchangeAllowance.OUTLIVE_SUBJECT],
    )


def client_documents() -> ClientIdMetadata:
    """Return the settings of client ID metadata documents: those of test servers on this machine are read, too."""
    return ClientIdMetadata(scope=SCOPES, min_fresh=1, loopback=LoopbackDocuments())


def trusted(issuer: str, keys: bytes) -> TrustedIssuer:
    """Trust another issuer of the provider: whom its assertions and tokens name is the user of that name here."""
    uses = ("jwt-bearer", "id-jag", "token-exchange")
    return TrustedIssuer(issuer=issuer, keys=keys, uses=uses, subjects=SubjectRule(subject_claim="sub"))


def resources(audience: str | None) -> Resources:
    """Return the resources of tokens: any that a client names, and `audience` by default."""
    return Resources(default=audience, unregistered=AnyResource())
