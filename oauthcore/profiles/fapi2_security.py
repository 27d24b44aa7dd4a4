"""The rules of the FAPI 2.0 Security Profile (final) for authorization servers, in the order of its section 5."""

from __future__ import annotations

from oauthcore.client_assertions import ClientAssertions
from oauthcore.policy import Allowance, CodeBinding, Lifetimes, Policy, RefreshRotation
from oauthcore.profiles import shared_rules as shared
from oauthcore.profiles.client_rules import (
    authenticates_by,
    client_has_no_allowance,
    has_no_allowance,
    has_s256,
    is_confidential,
    keys_are_distinct,
    offers_response_types,
    redirects_by_tls,
    signs_by,
)
from oauthcore.profiles.rule import Deployment, Problem, Rule
from oauthcore.records.client import Client

_SP = "FAPI 2.0 Security Profile section"

# Section 5.4.1. Ed25519 is the name of RFC 9864 for the one curve of EdDSA that the profile allows.
ALGORITHMS = frozenset({"PS256", "ES256", "EdDSA", "Ed25519"})
# The same, the preferred first.
DPOP_ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256")
# Section 5.3.2.1: codes are valid for a minute at most.
MAX_CODE_LIFETIME = 60
# Section 5.3.2.2: less than ten minutes.
MAX_REQUEST_URI_LIFETIME = 599

FAPI_POLICY = Policy(
    response_types=frozenset({"code"}),
    code_binding=CodeBinding.PKCE,
    client_assertions=ClientAssertions(audience_as_string=True, algorithms=("ES256", "EdDSA", "Ed25519", "PS256")),
    # Section 5.3.2.1: no rotation, except for reasons of security.
    refresh_rotation=RefreshRotation.UNLESS_SENDER_CONSTRAINED,
    lifetimes=Lifetimes(authorization_code_lifetime=MAX_CODE_LIFETIME),
)
"""The policy of a server with the profile whose host gives none."""


def _codes_are_short(deployment: Deployment) -> Problem | None:
    lifetime = deployment.policy.lifetimes.authorization_code_lifetime
    if lifetime <= MAX_CODE_LIFETIME:
        return None
    return Problem("lifetimes.authorization_code_lifetime", lifetime, f"use {MAX_CODE_LIFETIME} seconds at most")


def _codes_of_client_are_short(client: Client) -> Problem | None:
    lifetime = client.authorization_code_lifetime
    if lifetime is None or lifetime <= MAX_CODE_LIFETIME:
        return None
    return Problem("authorization_code_lifetime", lifetime, f"use {MAX_CODE_LIFETIME} seconds at most, or leave it out")


def _requests_are_pushed(deployment: Deployment) -> Problem | None:
    settings = deployment.pushed_requests
    if settings is not None and settings.required:
        return None
    value = None if settings is None else False
    return Problem("pushed_requests.required", value, "demand it of all clients: PushedRequests(required=True)")


def _request_uris_are_short(deployment: Deployment) -> Problem | None:
    settings = deployment.pushed_requests
    if settings is None or settings.lifetime <= MAX_REQUEST_URI_LIFETIME:
        return None
    return Problem("pushed_requests.lifetime", settings.lifetime, f"use {MAX_REQUEST_URI_LIFETIME} seconds at most")


def _pkce_is_required(deployment: Deployment) -> Problem | None:
    if deployment.policy.code_binding is CodeBinding.PKCE:
        return None
    return Problem("policy.code_binding", deployment.policy.code_binding.name, "use CodeBinding.PKCE")


def _client_requests_codes(client: Client) -> Problem | None:
    for response_type in client.response_types:
        if response_type != "code":
            return Problem("response_types", response_type, "use code alone")
    return None


def _audience_is_a_string(deployment: Deployment) -> Problem | None:
    if deployment.policy.client_assertions.audience_as_string:
        return None
    return Problem("policy.client_assertions", False, "demand it: ClientAssertions(audience_as_string=True)")


def _assertions_sign_by(deployment: Deployment) -> Problem | None:
    for alg in deployment.policy.client_assertions.algorithms:
        if alg not in ALGORITHMS:
            remedy = f"demand some of these: ClientAssertions(algorithms={sorted(ALGORITHMS)})"
            return Problem("policy.client_assertions.algorithms", alg, remedy)
    return None


def _keys_sign_by(deployment: Deployment) -> Problem | None:
    for alg in deployment.algorithms:
        if alg not in ALGORITHMS:
            return Problem("keys.algorithms", alg, f"use some of {', '.join(sorted(ALGORITHMS))}")
    return None


def _proofs_sign_by(deployment: Deployment) -> Problem | None:
    for alg in () if deployment.dpop is None else deployment.dpop.algorithms:
        if alg not in ALGORITHMS:
            return Problem("dpop.algorithms", alg, f"use some of {', '.join(sorted(ALGORITHMS))}")
    return None


def _keys_can_be_proven(deployment: Deployment) -> Problem | None:
    if deployment.dpop is not None or deployment.mutual_tls is not None:
        return None
    return Problem("dpop", None, "turn it on, dpop=Dpop(required=True), or mutual_tls=MutualTls()")


FAPI2_SECURITY: tuple[Rule, ...] = (
    shared.https(f"{_SP} 5.2.1"),
    shared.client_allowances(f"{_SP} 5.2.1", Allowance.INSECURE_TRANSPORT, Allowance.UNTRUSTED_REDIRECTS),
    Rule(
        name="tls_versions",
        requirement="TLS is version 1.2 or later, and version 1.2 uses only cipher suites of BCP 195",
        source=f"{_SP} 5.2.2",
        is_yours=True,
    ),
    Rule(
        name="tls_stripping",
        requirement="browsers are kept from plain http, by HSTS preloading or a domain that demands https",
        source=f"{_SP} 5.2.3",
        is_yours=True,
    ),
    shared.no_cors_at_authorization(f"{_SP} 5.2.3"),
    shared.metadata(f"{_SP} 5.3.2.1"),
    shared.no_password_grant(f"{_SP} 5.3.2.1"),
    Rule(
        name="confidential_clients",
        requirement="every client authenticates: its token_endpoint_auth_method is not none",
        source=f"{_SP} 5.3.2.1",
        setting="client.token_endpoint_auth_method",
        client=is_confidential,
    ),
    Rule(
        name="sender_constrained",
        requirement="access tokens are bound to a key of the client: it uses DPoP or certificate-bound tokens",
        source=f"{_SP} 5.3.2.1",
        setting="dpop",
        server=_keys_can_be_proven,
        token=lambda traits: traits.confirmation is not None,
    ),
    Rule(
        name="client_authentication",
        requirement="clients authenticate by mutual TLS or private_key_jwt",
        source=f"{_SP} 5.3.2.1",
        setting="client.token_endpoint_auth_method",
        client=authenticates_by(("private_key_jwt", "tls_client_auth", "self_signed_tls_client_auth")),
    ),
    Rule(
        name="authenticated_requests",
        requirement="the client authenticates in each token request; the assertion of a grant is not enough",
        source=f"{_SP} 5.3.2.1",
        token=lambda traits: traits.is_authenticated,
    ),
    shared.no_open_redirector(f"{_SP} 5.3.2.1"),
    shared.assertion_audience(f"{_SP} 5.3.2.1"),
    Rule(
        name="assertion_audience_string",
        requirement="the aud of a client assertion is the issuer as a string, not in an array",
        source=f"{_SP} 5.3.2.1",
        setting="policy.client_assertions",
        server=_audience_is_a_string,
    ),
    Rule(
        name="client_assertion_audience",
        requirement="no client may send assertions whose aud is anything but the issuer",
        source=f"{_SP} 5.3.2.1",
        setting="client.allow",
        client=client_has_no_allowance(Allowance.ENDPOINT_AUDIENCE),
    ),
    Rule(
        name="code_lifetime",
        requirement="authorization codes are valid for 60 seconds at most",
        source=f"{_SP} 5.3.2.1",
        setting="lifetimes.authorization_code_lifetime",
        server=_codes_are_short,
    ),
    Rule(
        name="client_code_lifetime",
        requirement="no client is registered for authorization codes that are valid for more than 60 seconds",
        source=f"{_SP} 5.3.2.1",
        setting="client.authorization_code_lifetime",
        client=_codes_of_client_are_short,
    ),
    Rule(
        name="clock_skew",
        requirement="the iat or nbf of a JWT may be a few seconds in the future, but not more than a minute",
        source=f"{_SP} 5.3.2.1",
    ),
    Rule(
        name="response_type_code",
        requirement="the response_type is code",
        source=f"{_SP} 5.3.2.2",
        setting="policy.response_types",
        server=offers_response_types(("code",)),
        authorization=lambda traits: traits.response_type == "code",
    ),
    Rule(
        name="client_response_types",
        requirement="clients are registered for no other response type than code",
        source=f"{_SP} 5.3.2.2",
        setting="client.response_types",
        client=_client_requests_codes,
    ),
    Rule(
        name="pushed_requests",
        requirement="clients send each authorization request to the pushed authorization request endpoint",
        source=f"{_SP} 5.3.2.2",
        setting="pushed_requests.required",
        server=_requests_are_pushed,
        authorization=lambda traits: traits.is_pushed,
    ),
    Rule(
        name="pkce",
        requirement="authorization requests have a code_challenge",
        source=f"{_SP} 5.3.2.2",
        setting="policy.code_binding",
        server=_pkce_is_required,
    ),
    Rule(
        name="pkce_s256",
        requirement="the code_challenge_method is S256",
        source=f"{_SP} 5.3.2.2",
        setting="policy.allow",
        server=has_no_allowance(Allowance.PLAIN_PKCE, Allowance.CONFIDENTIAL_WITHOUT_PKCE),
        authorization=has_s256,
    ),
    Rule(
        name="client_pkce",
        requirement="no client may leave out the code_challenge, or use the code_challenge_method plain",
        source=f"{_SP} 5.3.2.2",
        setting="client.allow",
        client=client_has_no_allowance(Allowance.PLAIN_PKCE, Allowance.CONFIDENTIAL_WITHOUT_PKCE),
    ),
    Rule(
        name="redirect_uri_sent",
        requirement="a pushed authorization request has a redirect_uri",
        source=f"{_SP} 5.3.2.2",
        authorization=lambda traits: traits.is_redirect_uri_sent,
    ),
    shared.iss(f"{_SP} 5.3.2.2"),
    Rule(
        name="encrypted_redirects",
        requirement="redirect URIs do not use plain http, except to the loopback interface",
        source=f"{_SP} 5.3.2.2",
        setting="client.redirect_uris",
        client=redirects_by_tls,
    ),
    shared.codes_once(f"{_SP} 5.3.2.2"),
    shared.no_307(f"{_SP} 5.3.2.2"),
    Rule(
        name="request_uri_lifetime",
        requirement="a request_uri is valid for less than 600 seconds",
        source=f"{_SP} 5.3.2.2",
        setting="pushed_requests.lifetime",
        server=_request_uris_are_short,
    ),
    Rule(
        name="informed_consent",
        requirement="the consent page tells users everything that they need to know to decide",
        source=f"{_SP} 5.3.2.2",
        is_yours=True,
    ),
    Rule(
        name="server_algorithms",
        requirement="the server signs with PS256, ES256 or EdDSA",
        source=f"{_SP} 5.4.1",
        setting="keys.algorithms",
        server=_keys_sign_by,
    ),
    Rule(
        name="object_algorithms",
        requirement="request objects are signed with PS256, ES256 or EdDSA",
        source=f"{_SP} 5.4.1",
        authorization=lambda traits: traits.object_signing_alg is None or traits.object_signing_alg in ALGORITHMS,
    ),
    Rule(
        name="proof_algorithms",
        requirement="DPoP proofs are signed with PS256, ES256 or EdDSA",
        source=f"{_SP} 5.4.1",
        setting="dpop.algorithms",
        server=_proofs_sign_by,
    ),
    Rule(
        name="assertion_algorithms",
        requirement="client assertions are signed with PS256, ES256 or EdDSA",
        source=f"{_SP} 5.4.1",
        setting="policy.client_assertions.algorithms",
        server=_assertions_sign_by,
    ),
    Rule(
        name="client_algorithms",
        requirement="JWTs that a client signs, or that the server signs for it, use PS256, ES256 or EdDSA",
        source=f"{_SP} 5.4.1",
        setting="client.*_alg",
        client=signs_by(ALGORITHMS),
    ),
    Rule(
        name="no_unsigned_jwt",
        requirement="no JWT with the algorithm none is accepted or issued",
        source=f"{_SP} 5.4.1",
    ),
    Rule(
        name="key_lengths",
        requirement="RSA keys have at least 2048 bits, and elliptic curve keys at least 224 bits",
        source=f"{_SP} 5.4.1",
    ),
    Rule(
        name="entropy",
        requirement="codes, tokens and handles have at least 128 bits of entropy",
        source=f"{_SP} 5.4.1",
    ),
    Rule(
        name="distinct_kids",
        requirement="no two keys of a key set have the same kid",
        source=f"{_SP} 5.4.3",
        setting="client.jwks",
        client=keys_are_distinct,
    ),
)
