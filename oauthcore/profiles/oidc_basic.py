"""The rules of an OpenID Provider for clients that use the code flow (OIDC Core sections 3.1 and 15.1)."""

from __future__ import annotations

from oauthcore.profiles import shared_rules as shared
from oauthcore.profiles.rule import Deployment, Problem, Rule

_CORE = "OpenID Connect Core section"


def _has_openid(deployment: Deployment) -> Problem | None:
    return None if deployment.openid is not None else Problem("openid", None, "turn it on: openid=OpenID()")


def _signs_by_rs256(deployment: Deployment) -> Problem | None:
    if "RS256" in deployment.algorithms:
        return None
    return Problem("keys.algorithms", deployment.algorithms, "add RS256")


def _offers_code(deployment: Deployment) -> Problem | None:
    if "code" in deployment.policy.response_types:
        return None
    return Problem("policy.response_types", sorted(deployment.policy.response_types), "add code")


OIDC_BASIC: tuple[Rule, ...] = (
    Rule(
        name="openid",
        requirement="the server issues ID tokens",
        source=f"{_CORE} 3.1",
        setting="openid",
        server=_has_openid,
    ),
    Rule(
        name="rs256",
        requirement="ID tokens can be signed with RS256, which every client can verify",
        source=f"{_CORE} 15.1",
        setting="keys.algorithms",
        server=_signs_by_rs256,
    ),
    Rule(
        name="code",
        requirement="the response type code is offered",
        source=f"{_CORE} 3.1.2",
        setting="policy.response_types",
        server=_offers_code,
    ),
    Rule(name="prompt", requirement="the parameters prompt, display and ui_locales are obeyed", source=f"{_CORE} 15.1"),
    Rule(name="auth_time", requirement="max_age is obeyed, and auth_time returned", source=f"{_CORE} 15.1"),
    Rule(name="claims", requirement="claims are released by UserInfo", source=f"{_CORE} 5.3"),
    Rule(name="nonce", requirement="the nonce of a request is in its ID token", source=f"{_CORE} 3.1.2.1"),
    shared.metadata("OpenID Connect Discovery section 4"),
)
