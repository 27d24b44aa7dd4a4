"""Client metadata: what a client says of itself as JSON, read into a `Client` and written back (RFC 7591 section 2).

Whatever is not named here is ignored, as section 2 demands: no registration sets what is the operator's alone. What
only OpenID Connect knows is ignored where that is off; else it would lie there unchecked until it is turned on.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import urlsplit

import attrs

from oauthcore.errors import InvalidClientMetadata
from oauthcore.jose.strict_json import is_integer, parse_object
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem

# Longer than any honest value, and short enough that what anybody may have remembered stays small.
MAX_STRING = 2048
MAX_LIST = 50
# A name longer than this pushes what the consent page says of the client out of sight.
MAX_NAME = 200
# Accents on one letter. Vietnamese has two, Hebrew with its cantillation four.
MAX_MARKS = 4
# Printable to Unicode, and nothing to be seen: fillers of Hangul, and Braille without a dot.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u2800")
# Name and addresses, each in some languages.
MAX_LOCALIZED = 100

# The fields of `Client` that have the standards' names, by the type of their value.
STRINGS = (
    *("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri", "jwks_uri"),
    *("software_id", "software_version", "application_type"),
    *("token_endpoint_auth_method", "token_endpoint_auth_signing_alg"),
    *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
    *("tls_client_auth_san_ip", "tls_client_auth_san_email"),
    *("introspection_signed_response_alg", "request_object_signing_alg"),
    *("authorization_signed_response_alg", "authorization_encrypted_response_alg"),
    "authorization_encrypted_response_enc",
)
LISTS = (
    *("redirect_uris", "grant_types", "response_types", "contacts", "request_uris"),
    "authorization_details_types",
)
FLAGS = (
    *("require_signed_request_object", "require_pushed_authorization_requests"),
    "dpop_bound_access_tokens",
    "tls_client_certificate_bound_access_tokens",
)
# OIDC Dynamic Client Registration section 2 and the logout specifications.
OPENID_STRINGS = (
    *("id_token_signed_response_alg", "id_token_encrypted_response_alg"),
    *("id_token_encrypted_response_enc", "userinfo_signed_response_alg", "userinfo_encrypted_response_alg"),
    *("userinfo_encrypted_response_enc", "subject_type", "sector_identifier_uri"),
    *("backchannel_logout_uri", "frontchannel_logout_uri"),
)
OPENID_LISTS = ("default_acr_values", "post_logout_redirect_uris")
OPENID_FLAGS = ("backchannel_logout_session_required", "frontchannel_logout_session_required")

# RFC 7591 section 2.2: what people read may be there in several languages, as `client_name#ja-Jpan-JP`.
LOCALIZABLE = frozenset({"client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri"})
_LANGUAGE_TAG = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8}){0,7}")
# What a page links to, or a client is called at.
_SHOWN = ("client_uri", "logo_uri", "policy_uri", "tos_uri", "initiate_login_uri")

# All fields of `Client` that a client says something of, with what they are where it says nothing.
FIELDS: Mapping[str, object] = {
    name: attrs.fields_dict(Client)[name].default
    for name in (
        *("name", "scope", "jwks", "default_max_age", "localized"),
        *(*STRINGS, *LISTS, *FLAGS, *OPENID_STRINGS, *OPENID_LISTS, *OPENID_FLAGS),
    )
}


def read_metadata(members: Mapping[str, object], *, openid: bool) -> dict[str, object]:
    """Return the fields of a `Client` that the metadata names; null is the same as absent (RFC 7592 section 2.2).

    Raises `InvalidClientMetadata` for a value of another type than the standard's.
    """
    strings = {*STRINGS, *(OPENID_STRINGS if openid else ())}
    lists, flags = {*LISTS, *(OPENID_LISTS if openid else ())}, {*FLAGS, *(OPENID_FLAGS if openid else ())}
    fields: dict[str, object] = {}
    localized: dict[str, str] = {}
    for name, value in members.items():
        if value is None:
            continue
        base, mark, tag = name.partition("#")
        if mark:
            if base in LOCALIZABLE and _LANGUAGE_TAG.fullmatch(tag):
                localized[name] = _string(base, value)
        elif name == "client_name":
            fields["name"] = _string(name, value)
        elif name == "scope" or name in strings:
            fields[name] = _string(name, value)
        elif name in lists:
            if not isinstance(value, list) or len(value) > MAX_LIST:
                raise InvalidClientMetadata.with_description(f"{name} has to be an array of strings, and not too many")
            fields[name] = tuple(dict.fromkeys(_string(name, each) for each in value))
        elif name in flags:
            if not isinstance(value, bool):
                raise InvalidClientMetadata.with_description(f"{name} has to be true or false")
            fields[name] = value
        elif name == "default_max_age" and openid:
            if not is_integer(value) or not 0 <= value < 2**31:
                raise InvalidClientMetadata.with_description("default_max_age has to be a number of seconds")
            fields[name] = value
        elif name == "jwks":
            if not isinstance(value, dict):
                raise InvalidClientMetadata.with_description("jwks has to be an object")
            fields[name] = json.dumps(value, sort_keys=True)
    if len(localized) > MAX_LOCALIZED:
        raise InvalidClientMetadata.with_description("there are names and addresses in too many languages")
    return {**fields, "localized": tuple(sorted(localized.items()))}


def _string(name: str, value: object) -> str:
    longest = MAX_NAME if name == "client_name" else MAX_STRING
    # Control characters would reach the operator's terminal and the consent page. Characters that change the direction
    # of the text count as such.
    if not isinstance(value, str) or not value or len(value) > longest or not value.isprintable():
        raise InvalidClientMetadata.with_description(f"{name} has to be of printable strings, and not too long")
    if name == "client_name" and not is_legible(value):
        raise InvalidClientMetadata.with_description("client_name has to be a name that can be read")
    return value


def is_legible(name: str) -> bool:
    """Return whether a name has a visible letter, and no accents that cover the text around it.

    A browser stacks accents without limit, even over the warning that the name is not verified (RFC 7591 section 5).
    With a name of blank letters, the consent page would not say which client asks.
    """
    marks, is_seen = 0, False
    for character in name:
        category = unicodedata.category(character)
        marks = marks + 1 if category in {"Mn", "Me"} else 0
        if marks > MAX_MARKS:
            return False
        is_seen = is_seen or (category[0] in "LNPS" and character not in _BLANK)
    return is_seen


def check_shown(client: Client) -> None:
    """Refuse what a page would link to and a browser would run instead of open (RFC 7591 section 5)."""
    localized = [(name.partition("#")[0], uri) for name, uri in client.localized]
    for name, uri in (*((name, getattr(client, name)) for name in _SHOWN), *localized):
        # OIDC Dynamic Client Registration section 2: initiate_login_uri is https, and so is every other one here. One
        # with user information in it looks like another host's, as in https://bank.example@evil.example/.
        if name in _SHOWN and uri is not None and not is_plain_https(uri):
            raise InvalidClientMetadata.with_description(f"{name} has to be an https URL")


def is_plain_https(uri: str) -> bool:
    """Return whether it is an https URL that everybody reads alike; a fragment leads nowhere else."""
    whole = uri.partition("#")[0]
    return whole.startswith("https://") and redirect_uri_problem(whole, insecure_transport=False) is None


def metadata_of(client: Client) -> dict[str, object]:
    """Return all that is registered of a client, as its metadata (RFC 7591 section 3.2.1)."""
    always = {"redirect_uris", "grant_types", "response_types"}
    members: dict[str, object] = {} if client.name is None else {"client_name": client.name}
    for name, default in FIELDS.items():
        value = getattr(client, name)
        if name not in {"name", "scope", "jwks", "localized"} and (name in always or value != default):
            members[name] = list(value) if isinstance(value, tuple) else value
    # RFC 7591 section 2: the default if none is named.
    members["token_endpoint_auth_method"] = client.token_endpoint_auth_method or "client_secret_basic"
    members |= client.localized
    if client.scope:
        members["scope"] = client.scope.text
    if client.jwks is not None:
        members["jwks"] = parse_object(client.jwks)
    return members


def own_pages(client: Client, redirect_uri: str | None = None) -> dict[str, str]:
    """Return the addresses of pages that a client may be believed to have: on the host that is answered, or that it is
    at. Where no answer is on its way, that is the one host of all its redirect URIs.

    Anybody can name anybody's privacy policy; RFC 7591 section 5 has these addresses held against the redirect URIs.
    One of several is not enough: a stranger registers a bank's beside their own, and is answered at their own.
    """
    answered = client.redirect_uris if redirect_uri is None else (redirect_uri,)
    hosts = {urlsplit(uri).netloc if uri.startswith("https://") else "" for uri in answered}
    if len(hosts) > 1 or "" in hosts:
        hosts = set()
    if client.document is not None:
        hosts.add(urlsplit(client.client_id).netloc)
    pages = {name: getattr(client, name) for name in ("client_uri", "policy_uri", "tos_uri")}
    return {name: uri for name, uri in pages.items() if uri is not None and urlsplit(uri).netloc in hosts}
