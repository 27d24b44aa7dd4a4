"""The rules of OAuth 2.1 (draft-ietf-oauth-v2-1) for authorization servers, where it is stricter than RFC 6749."""

from __future__ import annotations

from oauthcore.policy import Allowance
from oauthcore.profiles import shared_rules as shared
from oauthcore.profiles.rule import Rule

_SOURCE = "OAuth 2.1 section"

OAUTH21: tuple[Rule, ...] = (
    shared.https(f"{_SOURCE} 1.5"),
    shared.client_allowances(f"{_SOURCE} 1.5", Allowance.INSECURE_TRANSPORT, Allowance.PLAIN_PKCE),
    shared.redirect_uris(f"{_SOURCE} 2.3.1"),
    Rule(
        name="credentials_not_in_urls",
        requirement="client credentials in a URL are not accepted",
        source=f"{_SOURCE} 2.4.1",
    ),
    *shared.code_binding(f"{_SOURCE} 7.5.1"),
    shared.pkce_s256(f"{_SOURCE} 4.1.1"),
    shared.no_downgrade(f"{_SOURCE} 4.1.3"),
    shared.codes_once(f"{_SOURCE} 4.1.3"),
    shared.refresh_tokens(f"{_SOURCE} 4.3.1"),
    shared.no_implicit_grant(f"{_SOURCE} 10.1"),
    shared.no_password_grant(f"{_SOURCE} 10"),
    Rule(name="bearer_in_header", requirement="an access token in a URL is not accepted", source=f"{_SOURCE} 5.1"),
)
