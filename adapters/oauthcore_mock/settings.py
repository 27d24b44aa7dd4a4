"""How an issuer for tests is set up: everything that relying parties use is offered, and little is refused."""

from __future__ import annotations

import attrs

from oauthcore import Allowance, AnyoneMayRegister, AnyResource, Policy, Registration, Resources
from oauthcore.openid import OpenID

# What a provider in production has to weigh for each client is open here: a test is of the client and not of the rules.
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
    """Return the policy of an issuer for tests: every grant type and response type there is."""
    policy = Policy.openid(allow=LENIENT)
    return attrs.evolve(policy, grant_types=policy.grant_types | {"password"})


def openid() -> OpenID:
    """Return what an issuer for tests offers of OpenID Connect: all of it."""
    return OpenID(
        ui_locales=("en",), acr_values=("pwd", "mfa"), prompts=("none", "login", "consent", "select_account", "create")
    )


def registration() -> Registration:
    """Return who may register a client at an issuer for tests: anybody, as often as they like."""
    return Registration(access=AnyoneMayRegister(), unused_lifetime=None, max_clients=None, max_from_address=None)


def resources(audience: str | None) -> Resources:
    """Return the resources that tokens may be for: whatever a client names, `audience` where it names none."""
    return Resources(default=audience, unregistered=AnyResource())
