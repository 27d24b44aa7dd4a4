"""Registered keys: what a client says of its keys and signatures has to be such that they can be verified."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from oauthcore.errors import ConfigurationError
from oauthcore.jose import crypto
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, SIGNATURES, SYMMETRIC_ALGORITHMS, parse_set
from oauthcore.jose.strict_json import parse_object
from oauthcore.mutual_tls import METHODS
from oauthcore.policy import Allowance, Policy
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem

# By which algorithms each method's assertions may be signed.
ASSERTION_ALGORITHMS: Mapping[str, tuple[str, ...]] = {
    "private_key_jwt": ASYMMETRIC_ALGORITHMS,
    "client_secret_jwt": SYMMETRIC_ALGORITHMS,
}
# The methods that need keys of the client's to verify by.
PROVEN_BY_KEYS = frozenset({"private_key_jwt", "self_signed_tls_client_auth"})


def check_keys(client: Client, policy: Policy) -> None:
    """Look over what a registration says of keys; raises `ConfigurationError`."""
    _check_jwks(client)
    _check_fetched(client, policy)
    _check_algorithms(client, policy)
    signs_requests = client.request_object_signing_alg is not None or client.require_signed_request_object
    if client.token_endpoint_auth_method in {*ASSERTION_ALGORITHMS, *METHODS} or signs_requests or client.request_uris:
        crypto.check_installed()


def _check_jwks(client: Client) -> None:
    if client.jwks is None:
        if client.jwks_uri is None and client.token_endpoint_auth_method in PROVEN_BY_KEYS:
            raise ConfigurationError("jwks_uri", None, "set it, or jwks: the client's public keys")
        return
    if client.jwks_uri is not None:
        # OIDC Dynamic Client Registration section 2: they MUST NOT be used together.
        raise ConfigurationError("jwks_uri", client.jwks_uri, "leave out one of jwks and jwks_uri")
    try:
        keys = parse_set(client.jwks)
        if len(keys) != len(parse_object(client.jwks)["keys"]):  # type: ignore[arg-type]  # a list, as was seen above
            raise ValueError("a key in it is private, or of a kind that is not known")
    except ValueError as error:
        remedy = f"give a JWK set of public keys alone: {error}"
        raise ConfigurationError("jwks", "(not shown)", remedy) from None
    if client.token_endpoint_auth_method in PROVEN_BY_KEYS and not keys:
        raise ConfigurationError("jwks", "(not shown)", "add the key that the client authenticates with")
    authenticates = client.token_endpoint_auth_method == "private_key_jwt"
    for alg in (client.token_endpoint_auth_signing_alg if authenticates else None, client.request_object_signing_alg):
        if alg in ASYMMETRIC_ALGORITHMS and not any(key.fits_signature(alg) for key in keys):
            raise ConfigurationError("jwks", "(not shown)", f"add a key for {alg}")


def _check_fetched(client: Client, policy: Policy) -> None:
    """Check a URL that the server is to fetch: it must be https, since nothing else proves whose document it is."""
    insecure = policy.allows(Allowance.INSECURE_TRANSPORT, client.allow)
    fetched = [("request_uris", uri) for uri in client.request_uris]
    for setting, uri in (*fetched, *([] if client.jwks_uri is None else [("jwks_uri", client.jwks_uri)])):
        if not uri.startswith("https://") and not (insecure and uri.startswith("http://")):
            raise ConfigurationError(setting, uri, "use an https URL")
        # A request URI may have a fragment, the hash of the document (OIDC Core section 6.2).
        whole = uri.partition("#")[0] if setting == "request_uris" else uri
        if (reason := redirect_uri_problem(whole, insecure_transport=insecure)) is not None:
            raise ConfigurationError(setting, uri, reason)


def _check_algorithms(client: Client, policy: Policy) -> None:
    alg, method = client.token_endpoint_auth_signing_alg, client.token_endpoint_auth_method
    offered = tuple(SIGNATURES) if method is None else ASSERTION_ALGORITHMS.get(method, tuple(SIGNATURES))
    offered = tuple(name for name in offered if name in policy.client_assertions.algorithms)
    if method in ASSERTION_ALGORITHMS and not offered:
        allowed = ", ".join(policy.client_assertions.algorithms)
        raise ConfigurationError(
            "token_endpoint_auth_method", method, f"use another: assertions are taken by {allowed} alone"
        )
    if alg is not None and alg not in offered:
        raise ConfigurationError("token_endpoint_auth_signing_alg", alg, f"use one of {', '.join(offered)}")
    # With `none`, anybody who sees a request could write another object (RFC 9101 section 10.1).
    alg, offered = client.request_object_signing_alg, tuple(SIGNATURES)
    if alg is not None and alg not in offered:
        raise ConfigurationError("request_object_signing_alg", alg, f"use one of {', '.join(offered)}")
    if alg in SYMMETRIC_ALGORITHMS and not client.has_secret:
        raise ConfigurationError(
            "request_object_signing_alg",
            alg,
            f"a client without a secret signs with its own key: use one of {', '.join(ASYMMETRIC_ALGORITHMS)}",
        )
    signs = alg in ASYMMETRIC_ALGORITHMS or (alg is None and client.require_signed_request_object)
    if signs and client.jwks is None and client.jwks_uri is None:
        raise ConfigurationError("jwks_uri", None, "set it, or jwks: the keys with which the client signs requests")


def longest_hash(client: Client) -> int:
    """Return how many bytes of secret the client's signatures take at least, 0 where it makes none with it.

    RFC 7518 section 3.2: as many as the hash has. Where no algorithm is registered, the shortest has to do.
    """
    used = [client.request_object_signing_alg]
    if client.token_endpoint_auth_method == "client_secret_jwt":
        used.append(client.token_endpoint_auth_signing_alg or "HS256")
    return max(_hash_lengths(used), default=0)


def _hash_lengths(algorithms: Iterable[str | None]) -> Iterable[int]:
    return (int(alg[2:]) // 8 for alg in algorithms if alg in SYMMETRIC_ALGORITHMS and alg is not None)
