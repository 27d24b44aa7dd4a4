"""A client ID metadata document, read into a client (draft-ietf-oauth-client-id-metadata-document-00 section 4).

Its members are those of a registration (RFC 7591 section 2), and are parsed in the same way. Values that are not
offered here are left out, since the client has no way to negotiate. `request_uris`, a sector and logout URIs are never
read from a document, because with them a stranger could make this server, or users' browsers, call any URL.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from collections.abc import Callable, Mapping

import attrs

from oauthcore.client_id_metadata import MetadataDocuments
from oauthcore.clients.binding import may_be_bound
from oauthcore.clients.certificate_binding import may_be_certificate_bound
from oauthcore.clients.client_metadata import check_shown, read_metadata
from oauthcore.clients.pushing import may_have_to_push
from oauthcore.clients.registered_keys import ASSERTION_ALGORITHMS
from oauthcore.clients.registered_redirects import usable_redirect_uris
from oauthcore.clients.tls_client_auth import without_unused_name
from oauthcore.context import Context
from oauthcore.errors import ConfigurationError, InvalidClientDocument, OAuthError, RefusedClientDocument
from oauthcore.given import check_kind
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from oauthcore.jose.strict_json import parse_object
from oauthcore.mutual_tls import METHODS, MutualTls
from oauthcore.policy import Allowance
from oauthcore.records.client import AuthenticationMethod, Client
from oauthcore.wire.http import Response
from oauthcore.wire.text import media_type

# The draft recommends 5 KiB (section 6.6); a key set may be longer.
MAX_DOCUMENT = 10 * 1024

_TAKEN = frozenset(
    {
        *("client_name", "client_uri", "logo_uri", "policy_uri", "tos_uri", "contacts", "redirect_uris", "scope"),
        *("grant_types", "response_types", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg"),
        *("jwks", "jwks_uri", "application_type", "software_id", "software_version"),
        *("tls_client_auth_subject_dn", "tls_client_auth_san_dns", "tls_client_auth_san_uri"),
        *("tls_client_auth_san_ip", "tls_client_auth_san_email", "tls_client_certificate_bound_access_tokens"),
        *("require_pushed_authorization_requests", "dpop_bound_access_tokens"),
    }
)
# What the document's URL and the server decide: the host's review leaves it as it is.
_OWN = ("client_id", "secrets", "generation", "dynamic", "document", "expires_at")
# MCP, "Client ID Metadata Documents": what has to be there.
_REQUIRED = ("client_id", "client_name", "redirect_uris")


def read_document(url: str, answer: Response) -> dict[str, object]:
    """Return the members of the document at a URL; raises `InvalidClientDocument` if it is not a valid one."""
    if answer.status != 200:  # a redirect, too: it could lead to a document of another party (section 4)
        raise InvalidClientDocument.with_description(
            "The document's host does not answer its URL with 200", f"it answers {answer.status}"
        )
    kind = media_type(answer.header("content-type"))
    if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
        raise InvalidClientDocument.with_description("The document is not served as application/json")
    if len(answer.body) > MAX_DOCUMENT:
        raise InvalidClientDocument.with_description("The document is too long", f"it has {len(answer.body)} bytes")
    try:
        members = parse_object(answer.body.removeprefix(BOM_UTF8))
    except ValueError:
        raise InvalidClientDocument.with_description("The document is not a JSON object") from None
    if missing := [name for name in _REQUIRED if not members.get(name)]:
        raise InvalidClientDocument.with_description(
            "The document lacks client_id, client_name or redirect_uris", f"it lacks {', '.join(missing)}"
        )
    # Section 4.1: by simple string comparison. Else whatever serves files of strangers would make clients.
    if members["client_id"] != url:
        raise InvalidClientDocument.with_description("client_id in the document is not the URL that it is at")
    # Section 4.1: a public secret is not a secret. 0 is the default and means that no secret expires.
    if members.get("client_secret") is not None or members.get("client_secret_expires_at"):
        raise InvalidClientDocument.with_description("The document has a client_secret in it")
    return members


def client_in(members: Mapping[str, object], url: str, documents: MetadataDocuments, context: Context) -> Client:
    """Return the client that a document describes, as it can be served here; raises `InvalidClientDocument`."""
    taken = {name: value for name, value in members.items() if name in _TAKEN}
    if "jwks" in taken:
        taken["jwks"] = known_keys(taken["jwks"])
    try:
        fields = read_metadata(taken, openid=False)
        fields["token_endpoint_auth_method"] = authentication_method(members, context.mutual_tls)
        named = without_unused_name(Client(client_id=url, **fields))  # type: ignore[arg-type]  # checked
        client = negotiated(named, documents, context)
    except InvalidClientDocument:
        raise
    except OAuthError as error:  # of a registration, which this is not
        raise InvalidClientDocument(error.reason) from None
    except (ConfigurationError, ValueError, TypeError) as error:
        raise InvalidClientDocument(f"the document describes no client that can be served: {error}") from None
    if documents.settings.review is not None:
        client = reviewed(client, documents.settings.review)
    try:
        if context.profile is not None:
            context.profile.refuse_metadata(client)
        documents.check(client)
        check_shown(client)
    except InvalidClientDocument:
        raise
    except OAuthError as error:  # of a registration, which this is not
        raise InvalidClientDocument(error.reason) from None
    except (ConfigurationError, ValueError, TypeError) as error:
        raise InvalidClientDocument(f"the document describes no client that can be served: {error}") from None
    return client


def reviewed(client: Client, review: Callable[[Client], Client]) -> Client:
    """Return what the host makes of a client: any of its settings, and never which client it is.

    Raises `RefusedClientDocument` for what the host refuses, and `ConfigurationError` for the host itself: no document
    is to blame for a slip of the host's, by which one client would come under the name of another.
    """
    try:
        changed = review(client)
    except OAuthError as error:
        raise RefusedClientDocument(error.reason) from None
    check_kind("review", changed, Client, "return the client, changed or not: attrs.evolve(client, …)")
    for name in _OWN:
        if getattr(changed, name) != getattr(client, name):
            raise ConfigurationError("review", name, "return the client with this unchanged: attrs.evolve(client, …)")
    return changed


def negotiated(requested: Client, documents: MetadataDocuments, context: Context) -> Client:
    """Return the client with those of the named values that the server offers."""
    settings = documents.settings
    one_word = context.policy.allows(Allowance.ONE_WORD_SCHEME, frozenset())
    redirect_uris = usable_redirect_uris(
        requested.redirect_uris, requested.application_type, (), one_word_scheme=one_word
    )
    offered = documents.grant_types.intersection(settings.grant_types)
    grant_types = tuple(name for name in requested.grant_types if name in offered)
    if "authorization_code" not in grant_types or "code" not in requested.response_types:
        raise InvalidClientDocument.with_description(
            "The document names no grant type and response type with a code, and there are no others here"
        )
    named = requested.scope.within(settings.scope)
    # Keys are used only if the client authenticates or signs with them; otherwise they are not even parsed.
    return attrs.evolve(
        requested,
        redirect_uris=redirect_uris,
        grant_types=grant_types,
        response_types=("code",),
        # The scope in a document is only the default of the client's requests, as for a client that registers itself:
        # it requests more at the next challenge (MCP 2026-07-28, "Step-Up Authorization Flow").
        scope=settings.scope,
        default_scope=named or None,
        require_pushed_authorization_requests=may_have_to_push(requested, context),
        dpop_bound_access_tokens=may_be_bound(requested, context),
        tls_client_certificate_bound_access_tokens=may_be_certificate_bound(requested, context),
        token_endpoint_auth_signing_alg=requested.token_endpoint_auth_signing_alg if not requested.is_public else None,
    )


def authentication_method(members: Mapping[str, object], mutual_tls: MutualTls | None = None) -> AuthenticationMethod:
    """Return how the client authenticates: by its own key if it says so and can, otherwise not at all (section 4.2).

    By a certificate only if it names such a method before all, since what it proves depends on its connection.

    `token_endpoint_auth_methods_supported` lists further methods of the client, as in ChatGPT's document.
    """
    named = members.get("token_endpoint_auth_method")
    listed = members.get("token_endpoint_auth_methods_supported")
    supported = [name for name in listed if isinstance(name, str)] if isinstance(listed, list) else []
    if isinstance(named, str) and named.startswith("client_secret_"):
        raise InvalidClientDocument.with_description("The document names a method of authentication with a secret")
    for method in METHODS:
        if named == method and mutual_tls is not None and method in mutual_tls.methods:
            return method
    able = ["none" if named is None and not supported else named, *supported]
    if "private_key_jwt" in able and is_able_to_sign(members):
        return "private_key_jwt"
    if "none" in able:
        return "none"
    raise InvalidClientDocument.with_description(
        "The document names neither none nor private_key_jwt with a key and an algorithm that are known here"
    )


def is_able_to_sign(members: Mapping[str, object]) -> bool:
    """Return whether the client has keys and an algorithm that its assertions can be verified by here."""
    algorithms = ASSERTION_ALGORITHMS["private_key_jwt"]
    alg = members.get("token_endpoint_auth_signing_alg")
    has_keys = bool(members.get("jwks")) or bool(members.get("jwks_uri"))
    return crypto.is_installed() and has_keys and (alg is None or alg in algorithms)


def known_keys(jwks: object) -> object:
    """Return a key set without the keys of kinds that are not known here; refuse one with a secret in it."""
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list):
        raise InvalidClientDocument.with_description("jwks in the document is not a set of keys")
    for key in keys:
        # Section 4.1: anybody who reads the document would have the key.
        if isinstance(key, dict) and (key.get("kty") == "oct" or "k" in key or "d" in key):
            raise InvalidClientDocument.with_description("jwks in the document has a key in it that is not public")
    return {"keys": [key for key in keys if _is_known(key)]}


def _is_known(key: object) -> bool:
    try:
        return isinstance(key, dict) and Jwk.of(key) is not None
    except ValueError:
        return False
