"""What several profiles demand of clients, and of requests, each rule as a function of one name."""

from __future__ import annotations

from collections.abc import Callable, Collection

from oauthcore.jose.jwk import is_key_set, parse_set
from oauthcore.policy import Allowance
from oauthcore.profiles.rule import AuthorizationTraits, Deployment, Problem
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem

# Each names an algorithm by which the client, or this server for it, signs; None where it has no need of one.
_SIGNING = (
    "token_endpoint_auth_signing_alg",
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "introspection_signed_response_alg",
    "authorization_signed_response_alg",
    "request_object_signing_alg",
    "backchannel_authentication_request_signing_alg",
)
# An ID token is issued to clients that request openid, and to others never.
_OPENID_ONLY = frozenset({"id_token_signed_response_alg"})


def is_confidential(client: Client) -> Problem | None:
    """Demand that a client authenticates."""
    if not client.is_public:
        return None
    return Problem("token_endpoint_auth_method", "none", "let it authenticate with a key: private_key_jwt")


def authenticates_by(methods: Collection[str]) -> Callable[[Client], Problem | None]:
    """Return a rule: a client authenticates by one of these methods."""

    def check(client: Client) -> Problem | None:
        """Return the problem of a client that authenticates by another."""
        method = client.token_endpoint_auth_method
        if method in methods:
            return None
        return Problem("token_endpoint_auth_method", method, f"use one of {', '.join(sorted(methods))}")

    return check


def signs_by(algorithms: Collection[str]) -> Callable[[Client], Problem | None]:
    """Return a rule: whatever is signed by a client, or for it, is signed by one of these algorithms."""

    def check(client: Client) -> Problem | None:
        """Return the problem of a client with another algorithm."""
        for name in _SIGNING:
            alg = getattr(client, name)
            if alg is None or alg in algorithms or (name in _OPENID_ONLY and "openid" not in client.scope):
                continue
            return Problem(name, alg, f"use one of {', '.join(sorted(algorithms))}")
        return None

    return check


def keys_are_distinct(client: Client) -> Problem | None:
    """Demand that no two keys of a client have one `kid`: which of the two verifies would be chance."""
    # Of a host's own storage, it need not be a key set: then it has no keys, as where it is used.
    if client.jwks is None or not is_key_set(client.jwks.encode()):
        return None
    names = [key.kid for key in parse_set(client.jwks) if key.kid is not None]
    twice = next((name for name in names if names.count(name) > 1), None)
    return None if twice is None else Problem("jwks", twice, "give each key a kid of its own")


def has_no_allowance(*allowances: Allowance) -> Callable[[Deployment], Problem | None]:
    """Return a rule: the policy opens none of these."""

    def check(deployment: Deployment) -> Problem | None:
        """Return the problem of a policy that opens one."""
        for one in allowances:
            if one in deployment.policy.allow:
                return Problem("policy.allow", one.name, "leave it out")
        return None

    return check


def client_has_no_allowance(*allowances: Allowance) -> Callable[[Client], Problem | None]:
    """Return a rule: a client's registration opens none of these."""

    def check(client: Client) -> Problem | None:
        """Return the problem of a client that one is opened to."""
        for one in allowances:
            if one in client.allow:
                return Problem("allow", one.name, "leave it out")
        return None

    return check


def offers_no_grant(*grant_types: str) -> Callable[[Deployment], Problem | None]:
    """Return a rule: the server offers none of these grant types."""

    def check(deployment: Deployment) -> Problem | None:
        """Return the problem of a server that offers one."""
        for one in grant_types:
            if one in deployment.grant_types:
                return Problem("policy.grant_types", one, "leave it out")
        return None

    return check


def offers_response_types(offered: Collection[str]) -> Callable[[Deployment], Problem | None]:
    """Return a rule: the server offers no response type but these."""

    def check(deployment: Deployment) -> Problem | None:
        """Return the problem of a server that offers another."""
        for one in sorted(deployment.policy.response_types):
            if one not in offered:
                return Problem("policy.response_types", one, f"offer no other than {', '.join(sorted(offered))}")
        return None

    return check


def has_s256(traits: AuthorizationTraits) -> bool:
    """Return whether a request has a code challenge that its verifier can't be read from (RFC 7636 section 4.2)."""
    return traits.code_challenge is not None and traits.code_challenge.method == "S256"


def redirects_by_tls(client: Client) -> Problem | None:
    """Demand that no response goes over a network in plain text: http is for the loopback interface of a native app."""
    for uri in client.redirect_uris:
        problem = redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=True)
        if problem is not None:
            return Problem("redirect_uris", uri, problem)
    return None


def is_bound(traits: AuthorizationTraits) -> bool:
    """Return whether a code is bound to the browser that it was requested in, by PKCE or by a nonce.

    A response without a code has nothing to bind.
    """
    if "code" not in traits.response_type.split(" ") or traits.code_challenge is not None:
        return True
    return not traits.client.is_public and traits.nonce is not None
