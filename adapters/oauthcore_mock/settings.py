"""The settings of an issuer for tests: everything that relying parties use is offered, and little is forbidden."""

from __future__ import annotations

import attrs

from oauthcore import Allowance, AnyoneMayRegister, AnyResource, Policy, Registration, Resources
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


def resources(audience: str | None) -> Resources:
    """Return the resources of tokens: any that a client names, and `audience` by default."""
    return Resources(default=audience, unregistered=AnyResource())
