"""Rules that several standards have: each with the section of the one that asks."""

from __future__ import annotations

from oauthcore.policy import Allowance
from oauthcore.profiles.client_rules import (
    client_has_no_allowance,
    has_no_allowance,
    is_bound,
    offers_no_grant,
    offers_response_types,
)
from oauthcore.profiles.rule import Rule

# Those without an access token in a URL (OAuth 2.1 section 10.1, RFC 9700 section 2.1.2).
_RESPONSE_TYPES = ("code", "none", "id_token", "code id_token")


def https(source: str) -> Rule:
    """Return the rule that nothing goes over a network in plain text."""
    return Rule(
        name="https",
        requirement="endpoints use https, and never plain http",
        source=source,
        setting="policy.allow",
        server=has_no_allowance(Allowance.INSECURE_TRANSPORT),
    )


def client_allowances(source: str, *allowances: Allowance) -> Rule:
    """Return the rule that no client's registration opens what the policy must not (`Context.allows` looks at both)."""
    return Rule(
        name="client_allowances",
        requirement="the registration of a client allows no exception that this profile forbids",
        source=source,
        setting="client.allow",
        client=client_has_no_allowance(*allowances),
    )


def no_password_grant(source: str) -> Rule:
    """Return the rule that clients get no passwords."""
    return Rule(
        name="no_password_grant",
        requirement="the password grant is not offered",
        source=source,
        setting="policy.grant_types",
        server=offers_no_grant("password"),
    )


def no_implicit_grant(source: str) -> Rule:
    """Return the rule that no access token is in a URL."""
    return Rule(
        name="no_implicit_grant",
        requirement="an authorization response has no access token: use a response_type without token",
        source=source,
        setting="policy.response_types",
        server=offers_response_types(_RESPONSE_TYPES),
        authorization=lambda traits: traits.response_type in _RESPONSE_TYPES,
    )


def no_open_redirector(source: str) -> Rule:
    """Return the rule that strangers can't have users redirected to their sites."""
    return Rule(
        name="no_open_redirector",
        requirement="the server redirects browsers only to sites that were approved",
        source=source,
        setting="policy.allow",
        server=has_no_allowance(Allowance.UNTRUSTED_REDIRECTS),
    )


def assertion_audience(source: str) -> Rule:
    """Return the rule that an assertion made for another server is worth nothing here."""
    return Rule(
        name="assertion_audience",
        requirement="the aud of a client assertion is the issuer, and nothing else",
        source=source,
        setting="policy.allow",
        server=has_no_allowance(Allowance.ENDPOINT_AUDIENCE),
    )


def code_binding(source: str) -> tuple[Rule, Rule]:
    """Return the rules that a code is worth nothing in another browser than the one it was requested in."""
    return (
        Rule(
            name="code_binding",
            requirement="a request for a code has a code_challenge, or a nonce if the client is confidential",
            source=source,
            setting="policy.allow",
            server=has_no_allowance(Allowance.CONFIDENTIAL_WITHOUT_PKCE),
            authorization=is_bound,
        ),
        Rule(
            name="client_code_binding",
            requirement="no client may request a code with neither a code_challenge nor a nonce",
            source=source,
            setting="client.allow",
            client=client_has_no_allowance(Allowance.CONFIDENTIAL_WITHOUT_PKCE),
        ),
    )


def pkce_s256(source: str) -> Rule:
    """Return the rule that an authorization request does not expose the verifier of its code."""
    return Rule(
        name="pkce_s256",
        requirement="the code_challenge_method is S256 if there is a code_challenge",
        source=source,
        setting="policy.allow",
        server=has_no_allowance(Allowance.PLAIN_PKCE),
        authorization=lambda traits: traits.code_challenge is None or traits.code_challenge.method == "S256",
    )


def refresh_tokens(source: str) -> Rule:
    """Return the rule that a stolen refresh token of a public client is detected, or useless."""
    return Rule(
        name="refresh_tokens",
        requirement="refresh tokens of public clients are rotated, or bound to a key",
        source=source,
    )


def no_downgrade(source: str) -> Rule:
    """Return the rule that PKCE can't be stripped from a request unnoticed."""
    return Rule(
        name="no_downgrade",
        requirement="a code_verifier is refused if the authorization request had no code_challenge",
        source=source,
    )


def metadata(source: str) -> Rule:
    """Return the rule that clients can find out what the server offers."""
    return Rule(name="metadata", requirement="the server publishes its metadata", source=source)


def iss(source: str) -> Rule:
    """Return the rule that a client can tell whose response it has got (RFC 9207)."""
    return Rule(name="iss", requirement="authorization responses have the parameter iss, against mix-up", source=source)


def no_cors_at_authorization(source: str) -> Rule:
    """Return the rule that no script reads what only a browser may be sent to."""
    return Rule(
        name="no_cors_at_authorization",
        requirement="scripts of other sites can't read the authorization endpoint",
        source=source,
    )


def no_307(source: str) -> Rule:
    """Return the rule that no password travels on with a redirect."""
    return Rule(name="no_307", requirement="browsers are redirected with the status 303, never 307", source=source)


def redirect_uris(source: str) -> Rule:
    """Return the rule that nothing but what is registered is redirected to."""
    return Rule(name="redirect_uris", requirement="redirect URIs are compared exactly", source=source)


def codes_once(source: str) -> Rule:
    """Return the rule that a code can be redeemed once."""
    return Rule(
        name="codes_once",
        requirement="an authorization code can be redeemed once; a second attempt revokes its grant",
        source=source,
    )
