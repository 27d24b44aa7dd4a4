"""The checklist of RFC 9700, Best Current Practice for OAuth 2.0 Security, for authorization servers."""

from __future__ import annotations

from oauthcore.policy import Allowance
from oauthcore.profiles import shared_rules as shared
from oauthcore.profiles.client_rules import has_no_allowance
from oauthcore.profiles.rule import Rule

_BCP = "RFC 9700 section"

RFC9700: tuple[Rule, ...] = (
    shared.redirect_uris(f"{_BCP} 2.1"),
    shared.no_open_redirector(f"{_BCP} 4.11.2"),
    *shared.code_binding(f"{_BCP} 2.1.1"),
    shared.pkce_s256(f"{_BCP} 2.1.1"),
    shared.no_downgrade(f"{_BCP} 4.8.2"),
    shared.iss(f"{_BCP} 4.4.2"),
    shared.no_implicit_grant(f"{_BCP} 2.1.2"),
    Rule(
        name="sender_constrained",
        requirement="access tokens that could leak are bound to a key, by DPoP or mutual TLS",
        source=f"{_BCP} 2.2.1",
        is_yours=True,
    ),
    shared.refresh_tokens(f"{_BCP} 2.2.2"),
    Rule(
        name="restricted_tokens",
        requirement="an access token is for one API, and has no more scope than is needed there",
        source=f"{_BCP} 2.3",
        is_yours=True,
    ),
    shared.no_password_grant(f"{_BCP} 2.4"),
    shared.assertion_audience(f"{_BCP} 2.5"),
    shared.metadata(f"{_BCP} 2.6"),
    shared.https(f"{_BCP} 2.6"),
    shared.client_allowances(
        f"{_BCP} 2.6",
        *(Allowance.INSECURE_TRANSPORT, Allowance.UNTRUSTED_REDIRECTS, Allowance.ENDPOINT_AUDIENCE),
        *(Allowance.ONE_WORD_SCHEME, Allowance.PLAIN_PKCE),
    ),
    shared.no_cors_at_authorization(f"{_BCP} 2.6"),
    Rule(
        name="one_word_schemes",
        requirement="a private-use scheme in a redirect URI is based on a domain name, as com.example.app is",
        source=f"{_BCP} 4.1.3",
        setting="policy.allow",
        server=has_no_allowance(Allowance.ONE_WORD_SCHEME),
    ),
    Rule(name="referrer", requirement="pages send no Referer", source=f"{_BCP} 4.2.4"),
    shared.codes_once(f"{_BCP} 4.5"),
    shared.no_307(f"{_BCP} 4.12"),
    Rule(
        name="proxies",
        requirement="a reverse proxy removes from each request the headers that only it may set",
        source=f"{_BCP} 4.13",
        is_yours=True,
    ),
    Rule(name="framing", requirement="pages can't be framed by other sites", source=f"{_BCP} 4.16"),
)
