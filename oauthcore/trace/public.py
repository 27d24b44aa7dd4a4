"""What a trace may show, by name, and what it never may. A name that is not listed here counts as a secret."""

from __future__ import annotations

from typing import get_args

from oauthcore import errors
from oauthcore.records.client import AuthenticationMethod
from oauthcore.wire.parameters import FORM

# Parameters and members that are not secrets.
PUBLIC = frozenset(
    {
        "client_id",
        "client_assertion_type",
        "grant_type",
        "response_type",
        "response_mode",
        "redirect_uri",
        "redirect_uris",
        "scope",
        "code_challenge_method",
        "dpop_jkt",
        "jkt",
        "htm",
        "prompt",
        "display",
        "max_age",
        "ui_locales",
        "claims_locales",
        "acr_values",
        "acr",
        "amr",
        "claims",
        "token_type_hint",
        "subject_token_type",
        "actor_token_type",
        "requested_token_type",
        "issued_token_type",
        "resource",
        "audience",
        "username",
        "error",
        "error_description",
        "error_uri",
        "title",
        "token_type",
        "jti",
        "iss",
        "aud",
        "sub",
        # Of the document of WebFinger (RFC 7033 section 4.4), to which anybody has access.
        "subject",
        "rel",
        "href",
        "issuer",
        "interaction_id",
        "active",
        "kid",
        "alg",
        "kty",
        "use",
        "crv",
        "typ",
        "cty",
        "enc",
        "client_name",
        "client_uri",
        "logo_uri",
        "contacts",
        "policy_uri",
        "tos_uri",
        "jwks_uri",
        "post_logout_redirect_uri",
        "token_endpoint_auth_method",
        "token_endpoint_auth_methods_supported",
        "token_endpoint_auth_signing_alg",
        # Of a certificate, which is shown to every server that asks for one.
        "tls_client_auth_subject_dn",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_uri",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_email",
        "x5c",
        "x5t_s256",
        "x5t#S256",
        "grant_types",
        "response_types",
        "application_type",
        "software_id",
        "software_version",
        "requested_expiry",
    }
)
# The members of a public key (RFC 7517 section 4, RFC 7518 section 6), and those that only a private key has.
KEY_NUMBERS = frozenset({"n", "e", "x", "y"})
PRIVATE_NUMBERS = frozenset({"d", "k"})
# Secrets that a person chose: nothing of them is kept, not even the length.
CHOSEN = frozenset({"password", "client_secret"})
# Parameters that name a user: what is in them is never shown, though a claim of the user's may be the same.
HINTS = frozenset({"id_token_hint", "login_hint", "login_hint_token", "logout_hint"})
# Parameters that are, or may be, secrets, even if they are short. A parameter without a value counts as a secret unless
# it is named here or public.
SECRET = frozenset(
    {
        *CHOSEN,
        *HINTS,
        "assertion",
        "access_token",
        "auth_req_id",
        "client_assertion",
        "client_notification_token",
        "code",
        "code_challenge",
        "code_verifier",
        "device_code",
        "id_token",
        "interaction",
        "nonce",
        "proof",
        "refresh_token",
        "registration",
        "request",
        "request_uri",
        "state",
        "token",
        "user_code",
    }
)
# Headers that a trace shows; all others are left out.
SEEN = frozenset(
    {
        "content-type",
        "content-length",
        "accept",
        "accept-language",
        "origin",
        "host",
        "cache-control",
        "age",
        "pragma",
        "vary",
        "allow",
        "www-authenticate",
        "retry-after",
        "x-content-type-options",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "access-control-request-method",
        "access-control-request-headers",
        "access-control-allow-methods",
        "access-control-allow-headers",
        "access-control-max-age",
        "x-frame-options",
        "content-security-policy",
        "referrer-policy",
    }
)
# Texts that are the same at every server. They reveal nothing, even if a client sends one of them as its secret.
WORDS = frozenset(
    {
        *PUBLIC,
        *SECRET,
        *get_args(AuthenticationMethod),
        *(kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")),
        *(FORM, "application/json", "text/plain; charset=utf-8", "text/html; charset=utf-8"),
    }
)
