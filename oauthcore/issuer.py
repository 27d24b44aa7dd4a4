"""The issuer: the URL that identifies a server, and what it can offer under that URL.

The URL is a string that is never normalised; here it is only validated, once.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from oauthcore.assertions.trusted_issuer import TrustedIssuer
from oauthcore.authorization.response_type import RESPONSE_TYPES
from oauthcore.errors import ConfigurationError
from oauthcore.grants import GrantFlow
from oauthcore.grants.authorization_code import authorization_code
from oauthcore.grants.client_credentials import client_credentials
from oauthcore.grants.jwt_bearer import GRANT_TYPE as JWT_BEARER
from oauthcore.grants.jwt_bearer import JwtBearer
from oauthcore.grants.password import password
from oauthcore.grants.refresh_token import refresh_token
from oauthcore.grants.token_exchange import ExchangeTokens
from oauthcore.openid import OpenID
from oauthcore.policy import Allowance, Policy
from oauthcore.redirect_uri import LOOPBACK_HOSTS
from oauthcore.token_exchange import GRANT_TYPE, TokenExchange

BUILT_IN_GRANTS: Mapping[str, GrantFlow] = {
    "authorization_code": authorization_code,
    "refresh_token": refresh_token,
    "client_credentials": client_credentials,
    "password": password,
}


def check_issuer(issuer: str, policy: Policy) -> str:
    """Look the issuer over (RFC 8414 section 2) and give its path; raises `ConfigurationError`."""
    remedy = "use an https URL without query and fragment, as in https://as.example"
    if not issuer.isascii() or not issuer.isprintable() or set(issuer) & set(' "<>\\'):
        raise ConfigurationError("issuer", issuer, remedy)
    try:
        parts = urlsplit(issuer)
        host = parts.hostname
    except ValueError:
        raise ConfigurationError("issuer", issuer, remedy) from None
    if not host or "@" in parts.netloc or "?" in issuer or "#" in issuer or parts.scheme not in {"https", "http"}:
        raise ConfigurationError("issuer", issuer, remedy)
    if parts.scheme == "http" and host not in LOOPBACK_HOSTS and not policy.allows(Allowance.INSECURE_TRANSPORT):
        opened = "use https, or allow it in the policy: Allowance.INSECURE_TRANSPORT"
        raise ConfigurationError("issuer", issuer, opened)
    return parts.path.rstrip("/")


def offered_grants(policy: Policy, openid: OpenID | None) -> dict[str, GrantFlow]:
    """Return the grants of a policy; raises `ConfigurationError` for what there is no code for."""
    for grant_type in policy.grant_types - BUILT_IN_GRANTS.keys():
        raise ConfigurationError("grant_types", grant_type, "register the function for it as grants={…}")
    for response_type in policy.response_types - RESPONSE_TYPES.keys():
        raise ConfigurationError("response_types", response_type, f"use some of {', '.join(RESPONSE_TYPES)}")
    for response_type in policy.response_types:
        if openid is None and "id_token" in response_type.split(" "):
            raise ConfigurationError(
                "response_types", response_type, "leave it out, or offer ID tokens: openid=OpenID()"
            )
    return {grant_type: grant for grant_type, grant in BUILT_IN_GRANTS.items() if grant_type in policy.grant_types}


def exchange_grants(exchange: TokenExchange | None, issuers: Mapping[str, TrustedIssuer]) -> dict[str, GrantFlow]:
    """Return the grant by which tokens are exchanged, of this server and of these issuers; none without settings."""
    if exchange is None:
        return {}
    trusted = {name: issuer for name, issuer in issuers.items() if "token-exchange" in issuer.uses}
    return {GRANT_TYPE: ExchangeTokens(trusted)}


def assertion_grants(issuers: Mapping[str, TrustedIssuer]) -> dict[str, GrantFlow]:
    """Return the grants by which assertions of trusted issuers are exchanged: none if there are no such issuers."""
    taken = any(issuer.uses & {"jwt-bearer", "id-jag"} for issuer in issuers.values())
    return {JWT_BEARER: JwtBearer(issuers)} if taken else {}
