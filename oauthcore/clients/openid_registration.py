"""Registration of what OpenID Connect adds (OIDC Dynamic Client Registration 1.0 section 2).

A client with an algorithm for which the server has no key, or with encryption but without a key of its own, would get
errors at its first login. Here the operator gets an error with the reason.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from oauthcore.ciba import GRANT_TYPE as CIBA
from oauthcore.context import Context
from oauthcore.documents import is_array
from oauthcore.errors import ConfigurationError
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, CONTENT_ENCRYPTIONS, ENCRYPTIONS
from oauthcore.oidc.subject import sector_of
from oauthcore.policy import Allowance, Policy
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem

_SIGNED = ("id_token", "userinfo", "introspection", "authorization")
_ENCRYPTED = ("id_token", "userinfo", "authorization")
# CIBA Core section 5: push is left out, which FAPI forbids (FAPI-CIBA section 5.2.2).
DELIVERY_MODES = ("poll", "ping")


def check_openid(client: Client, algorithms: tuple[str, ...], policy: Policy) -> None:
    """Look a registration over; `algorithms` are those the server has keys for. Raises `ConfigurationError`."""
    _check_signed(client, algorithms)
    _check_encrypted(client)
    _check_logout(client, policy)
    _check_backchannel(client)
    if client.subject_type == "pairwise":
        sector_of(client)
    uri = client.sector_identifier_uri
    if uri is not None and urlsplit(uri).scheme != "https":
        raise ConfigurationError("sector_identifier_uri", uri, "use an https URL (OIDC Core section 8.1)")
    if client.default_max_age is not None and client.default_max_age < 0:
        raise ConfigurationError("default_max_age", client.default_max_age, "use a number of seconds, 0 or more")


def _check_signed(client: Client, algorithms: tuple[str, ...]) -> None:
    for of in _SIGNED:
        # Every client has one for its ID tokens; it matters to those that can get some.
        if of == "id_token" and "openid" not in client.scope and client.access_token_format == "opaque":
            continue
        name = f"{of}_signed_response_alg"
        alg = getattr(client, name)
        if alg is not None and alg not in algorithms:
            offered = ", ".join(algorithms) or "none, since the server has no keys"
            raise ConfigurationError(name, alg, f"use one that the server has keys for: {offered}")


def _check_encrypted(client: Client) -> None:
    for of in _ENCRYPTED:
        alg, enc = (getattr(client, f"{of}_encrypted_response_{part}") for part in ("alg", "enc"))
        if alg is None:
            continue
        if alg not in ENCRYPTIONS:
            raise ConfigurationError(f"{of}_encrypted_response_alg", alg, f"use one of {', '.join(ENCRYPTIONS)}")
        if enc not in CONTENT_ENCRYPTIONS:
            remedy = f"use one of {', '.join(CONTENT_ENCRYPTIONS)}"
            raise ConfigurationError(f"{of}_encrypted_response_enc", enc, remedy)
        if client.jwks is None and client.jwks_uri is None:
            raise ConfigurationError(f"{of}_encrypted_response_alg", alg, "give the client jwks or a jwks_uri")
        # OIDC Core section 5.3.2: with both, the response is signed and then encrypted, as a nested JWT.
        if of == "userinfo" and client.userinfo_signed_response_alg is None:
            remedy = "set it: an encrypted response is always signed, too"
            raise ConfigurationError("userinfo_signed_response_alg", None, remedy)


def _check_logout(client: Client, policy: Policy) -> None:
    """Check the logout URIs and post-logout redirect URIs of a client.

    RP-Initiated Logout section 3.1, Back-Channel section 2.2, Front-Channel section 2.
    """
    # The server or users' browsers send requests to them, so no private-use scheme; that is only for redirecting back.
    for name in ("backchannel_logout_uri", "frontchannel_logout_uri"):
        uri = getattr(client, name)
        if uri is None:
            if getattr(client, name.replace("_uri", "_session_required")):
                raise ConfigurationError(name, None, "name it, or leave the session out")
            continue
        if not _LOGOUT_URI.match(uri) or redirect_uri_problem(uri, insecure_transport=False) is not None:
            raise ConfigurationError(name, uri, "use an https URL without a fragment, or http on a loopback host")
    insecure = policy.allows(Allowance.INSECURE_TRANSPORT, client.allow)
    one_word = policy.allows(Allowance.ONE_WORD_SCHEME, client.allow)
    for uri in client.post_logout_redirect_uris:
        if (reason := redirect_uri_problem(uri, insecure_transport=insecure, one_word_scheme=one_word)) is not None:
            raise ConfigurationError("post_logout_redirect_uris", uri, reason)
    front = client.frontchannel_logout_uri
    # Front-Channel Logout section 2: domain, port and scheme MUST be those of a registered redirect URI.
    if front is not None and origin_of(front) not in map(origin_of, client.redirect_uris):
        remedy = "use the scheme, host and port of a redirect URI (Front-Channel Logout section 2)"
        raise ConfigurationError("frontchannel_logout_uri", front, remedy)
    if front is not None and set(front) & set(";,' "):
        # It ends up in a content security policy, whose lists these characters end (CSP 3 section 2.3.1).
        raise ConfigurationError("frontchannel_logout_uri", front, "leave out ; , and '")


def _check_backchannel(client: Client) -> None:
    """Check what a client says of backchannel authentication (CIBA Core section 4)."""
    mode, endpoint = client.backchannel_token_delivery_mode, client.backchannel_client_notification_endpoint
    is_registered = CIBA in client.grant_types
    if mode not in {None, *DELIVERY_MODES}:
        raise ConfigurationError("backchannel_token_delivery_mode", mode, f"use one of {', '.join(DELIVERY_MODES)}")
    if is_registered and mode is None:
        raise ConfigurationError("backchannel_token_delivery_mode", mode, "set it: poll, or ping")
    if is_registered and client.is_public:
        remedy = f"leave {CIBA} out: a public client can't authenticate, and could ask anybody anything"
        raise ConfigurationError("grant_types", CIBA, remedy)
    if (mode == "ping") is not (endpoint is not None):
        remedy = "name it for a client in ping mode, and for no other"
        raise ConfigurationError("backchannel_client_notification_endpoint", endpoint, remedy)
    # The same as for logout tokens: the server sends requests there.
    if endpoint is not None and (
        not _LOGOUT_URI.match(endpoint) or redirect_uri_problem(endpoint, insecure_transport=False) is not None
    ):
        remedy = "use an https URL without a fragment, or http on a loopback host"
        raise ConfigurationError("backchannel_client_notification_endpoint", endpoint, remedy)
    alg = client.backchannel_authentication_request_signing_alg
    if alg is not None and alg not in ASYMMETRIC_ALGORITHMS:
        raise ConfigurationError(
            "backchannel_authentication_request_signing_alg", alg, f"use one of {', '.join(ASYMMETRIC_ALGORITHMS)}"
        )
    if alg is not None and client.jwks is None and client.jwks_uri is None:
        raise ConfigurationError(
            "backchannel_authentication_request_signing_alg", alg, "give the client jwks or a jwks_uri"
        )


def origin_of(uri: str) -> tuple[str, str]:
    """Return the scheme, host and port of a URI."""
    parts = urlsplit(uri)
    return parts.scheme, parts.netloc


_LOGOUT_URI = re.compile(r"https?://")


def check_sector(client: Client, context: Context) -> None:
    """Check that a sector knows all of the client's redirect URIs (OIDC Core section 8.1).

    Else anybody could name another's sector, and learn the names by which that knows people. Raises `DocumentNeeded`
    where its document has to be fetched, and `ConfigurationError`.
    """
    uri = client.sector_identifier_uri
    if uri is None:
        return
    listed = context.documents_of(client).get(uri, context.now, is_array).array()
    if listed is None:
        raise ConfigurationError("sector_identifier_uri", uri, "serve a JSON array of redirect URIs there")
    for redirect_uri in client.redirect_uris:
        if redirect_uri not in listed:
            raise ConfigurationError("sector_identifier_uri", uri, f"add {redirect_uri} to the JSON array at this URL")
