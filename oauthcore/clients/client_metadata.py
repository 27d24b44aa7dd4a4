"""Client metadata: what a client says of itself as JSON, read into a `Client` and written back (RFC 7591 section 2).

Whatever is not named here is ignored, as section 2 demands: no registration sets what is the operator's alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from oauthcore.errors import InvalidClientMetadata, InvalidRedirectUri
from oauthcore.jose.strict_json import is_integer, parse_object
from oauthcore.records.client import Client
from oauthcore.redirect_uri import is_impersonable, redirect_uri_problem

# Longer than any honest value, and short enough that what anybody may have remembered stays small.
MAX_STRING = 2048
MAX_LIST = 50

# The fields of `Client` that have the standards' names, by the type of their value.
STRINGS = (
    *("organization_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "jwks_uri"),
    *("software_id", "software_version", "application_type", "token_endpoint_auth_method"),
    *("token_endpoint_auth_signing_alg", "id_token_signed_response_alg", "id_token_encrypted_response_alg"),
    *("id_token_encrypted_response_enc", "userinfo_signed_response_alg", "userinfo_encrypted_response_alg"),
    *("userinfo_encrypted_response_enc", "introspection_signed_response_alg", "request_object_signing_alg"),
    *("subject_type", "sector_identifier_uri", "backchannel_logout_uri", "frontchannel_logout_uri"),
)
LISTS = (
    *("redirect_uris", "grant_types", "response_types", "contacts", "request_uris"),
    *("default_acr_values", "post_logout_redirect_uris"),
)
FLAGS = (
    "require_signed_request_object",
    "backchannel_logout_session_required",
    "frontchannel_logout_session_required",
)
_SHOWN = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")


def read_metadata(members: Mapping[str, object]) -> dict[str, object]:
    """Return the fields of a `Client` that the metadata names; null is the same as absent (RFC 7592 section 2.2).

    Raises `InvalidClientMetadata` for a value of another type than the standard's.
    """
    fields: dict[str, object] = {}
    for name, value in members.items():
        if value is None:
            continue
        if name in {"client_name", "scope"} or name in STRINGS:
            fields["name" if name == "client_name" else name] = _string(name, value)
        elif name in LISTS:
            if not isinstance(value, list) or len(value) > MAX_LIST:
                raise InvalidClientMetadata.with_description(f"{name} has to be an array of strings, and not too many")
            fields[name] = tuple(dict.fromkeys(_string(name, each) for each in value))
        elif name in FLAGS:
            if not isinstance(value, bool):
                raise InvalidClientMetadata.with_description(f"{name} has to be true or false")
            fields[name] = value
        elif name == "default_max_age":
            if not is_integer(value) or not 0 <= value < 2**31:
                raise InvalidClientMetadata.with_description("default_max_age has to be a number of seconds")
            fields[name] = value
        elif name == "jwks":
            if not isinstance(value, dict):
                raise InvalidClientMetadata.with_description("jwks has to be an object")
            fields[name] = json.dumps(value, sort_keys=True)
    return fields


def _string(name: str, value: object) -> str:
    # What can't be printed would turn up in the operator's terminal and on the consent page.
    if not isinstance(value, str) or not value or len(value) > MAX_STRING or not value.isprintable():
        raise InvalidClientMetadata.with_description(f"{name} has to be of printable strings, and not too long")
    return value


def usable_redirect_uris(uris: tuple[str, ...], application_type: str, *, one_word_scheme: bool) -> tuple[str, ...]:
    """Return the redirect URIs that can be registered; raises `InvalidRedirectUri` where one may never be.

    One with a scheme of one word, which any other application may claim, is left out where others remain: editors
    register it beside their https and loopback ones, and can do without (RFC 7591 section 3.2.1 lets a server replace).
    """
    for uri in uris:
        reason = redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=True)
        if reason is not None:
            raise InvalidRedirectUri(f"{uri[:100]!r}: {reason}")
        # OIDC Dynamic Client Registration section 2: a web client is sent to by https alone, and never to localhost.
        if application_type == "web" and (is_impersonable(uri) or urlsplit(uri).hostname == "localhost"):
            raise InvalidRedirectUri(f"{uri[:100]!r} is none of a web client")
    kept = tuple(
        uri
        for uri in uris
        if redirect_uri_problem(uri, insecure_transport=False, one_word_scheme=one_word_scheme) is None
    )
    if uris and not kept:
        raise InvalidRedirectUri("all redirect URIs have a scheme of one word")
    return kept


def check_shown(client: Client) -> None:
    """Refuse what a page would link to and a browser would run instead of open (RFC 7591 section 5)."""
    for name in _SHOWN:
        uri = getattr(client, name)
        # OIDC Dynamic Client Registration section 2: initiate_login_uri is https, and so is every other one here.
        if uri is not None and not uri.startswith("https://"):
            raise InvalidClientMetadata.with_description(f"{name} has to be an https URL")


def metadata_of(client: Client) -> dict[str, object]:
    """Return all that is registered of a client, as its metadata (RFC 7591 section 3.2.1)."""
    defaults = attrs.fields_dict(Client)
    always = {"redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method"}
    members: dict[str, object] = {} if client.name is None else {"client_name": client.name}
    for name in (*STRINGS, *LISTS, *FLAGS, "default_max_age"):
        value = getattr(client, name)
        if name in always or value != defaults[name].default:
            members[name] = list(value) if isinstance(value, tuple) else value
    if client.scope:
        members["scope"] = client.scope.text
    if client.jwks is not None:
        members["jwks"] = parse_object(client.jwks)
    return members
