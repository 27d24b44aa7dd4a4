"""The settings of dynamic client registration: who may register, for what, and how many (RFC 7591, RFC 7592).

`oauthcore.endpoints.registration` handles the requests.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_strings
from oauthcore.jose.jwk import ASYMMETRIC_ALGORITHMS, Jwk, parse_set
from oauthcore.records.client import ID_TOKEN_CLAIMS, Client, IdTokenClaims
from oauthcore.redirect_uri import redirect_uri_problem
from oauthcore.scope import Scope, as_scope

# What a client that was never used is remembered for: a day, in which any login that was begun has been finished.
UNUSED_LIFETIME = 24 * 3_600
# Honest ones have 2 KiB, and are 20 MiB then; the longest have 64. A server for more people says more.
MAX_CLIENTS = 10_000
# In an hour, from one address. An office behind one address has fewer people who connect a client in that time, and a
# service that registers for all of its users sends the same metadata each time: see `idempotent`.
MAX_FROM_ADDRESS = 100
COUNTED_FOR = 3_600
# In thirty days, by one user. Who connects more than one new client a day may have them registered again; and of ten
# thousand places one account takes no more than 365 a year.
MAX_FROM_USER = 30
KEPT_COUNTED_FOR = 30 * 24 * 3_600

# RFC 3986 section 3.1, in lower case.
_SCHEME = re.compile(r"[a-z][a-z0-9+-]*")


@attrs.frozen
class AnyoneMayRegister:
    """Open the registration endpoint to strangers (RFC 7591 section 3), as MCP clients need it."""


def _public_keys(jwks: str | Mapping[str, object]) -> tuple[Jwk, ...]:
    try:
        keys = parse_set(jwks if isinstance(jwks, str) else json.dumps(jwks))
    except ValueError as error:
        raise ConfigurationError("software_statements", "(not shown)", f"give a JWK set: {error}") from None
    if not any(key.fits_signature(alg) for key in keys for alg in ASYMMETRIC_ALGORITHMS):
        raise ConfigurationError("software_statements", "(not shown)", "give a JWK set with a public key to verify by")
    return keys


@attrs.frozen
class SoftwareStatementIssuer:
    """Trust what an issuer says of software, in statements signed by one of its keys (RFC 7591 section 2.3).

    `issuer` is the statements' `iss`; `keys` is its JWK set, as JSON or a mapping. Raises `ConfigurationError` for a
    set without a public key.
    """

    issuer: str
    keys: tuple[Jwk, ...] = attrs.field(converter=_public_keys, repr=False)


def _issuers(issuers: object) -> tuple[SoftwareStatementIssuer, ...]:
    if isinstance(issuers, SoftwareStatementIssuer):
        return (issuers,)
    found = tuple(issuers) if isinstance(issuers, list | tuple) else None
    if found is None or not all(isinstance(issuer, SoftwareStatementIssuer) for issuer in found):
        raise ConfigurationError("software_statements", issuers, "give a list of SoftwareStatementIssuer")
    if len({issuer.issuer for issuer in found}) < len(found):
        raise ConfigurationError("software_statements", found, "name each issuer once, with all of its keys")
    return found


@attrs.frozen(kw_only=True)
class Registration:
    """Turn dynamic client registration on (RFC 7591), and its management by the clients themselves (RFC 7592).

    A client may register with an initial access token, or with a software statement of a trusted issuer; with
    `access=AnyoneMayRegister()` without either.

    `scope` is what a client that logs users in may request; the default is all that the metadata advertises. The scope
    that such a client names is only the default of its requests. `grant_types` are the grant types that may be
    registered. `schemes` are the schemes of one word that redirect URIs may have, as in `cursor://`, each known to
    belong to an application; a redirect URI with another one is left out if others remain.

    `review` is called with each client before it is registered or changed. It returns the client, changed or not, or
    raises an `OAuthError` to refuse it. It may be called several times for one request, so it must have no side
    effects. With `needs_approval` a client can't be used until the operator has approved it (`server.clients.approve`).

    A client that is issued no token within `unused_lifetime` seconds is deleted; None keeps it. A stranger's client is
    kept on the account of the user who allows it something first, and `max_from_user` is how many each user can have
    kept within thirty days: further ones work until their `unused_lifetime` is over. `max_clients` is the maximum
    number of dynamically registered clients, and `max_from_address` that of registrations within an hour from one
    address without an initial access token; None is no limit. With `idempotent`, public clients that register the same
    metadata get the same client, which none of them can change. `id_token_claims` is that of their registration: with
    "all", ID tokens have the claims of scopes (docs/claims.md).
    """

    access: AnyoneMayRegister | None = None
    software_statements: tuple[SoftwareStatementIssuer, ...] = attrs.field(default=(), converter=_issuers)
    scope: Scope | None = attrs.field(default=None, converter=attrs.converters.optional(as_scope))
    grant_types: tuple[str, ...] = attrs.field(
        default=("authorization_code", "refresh_token", "implicit"), converter=as_strings, validator=are_strings
    )
    schemes: tuple[str, ...] = attrs.field(default=("cursor",), converter=as_strings, validator=are_strings)
    review: Callable[[Client], Client] | None = None
    needs_approval: bool = False
    idempotent: bool = False
    id_token_claims: IdTokenClaims = "requested"
    unused_lifetime: int | None = UNUSED_LIFETIME
    max_clients: int | None = MAX_CLIENTS
    max_from_address: int | None = MAX_FROM_ADDRESS
    max_from_user: int | None = MAX_FROM_USER

    def __attrs_post_init__(self) -> None:
        if self.id_token_claims not in ID_TOKEN_CLAIMS:
            raise ConfigurationError(
                "id_token_claims", self.id_token_claims, f"use one of {', '.join(ID_TOKEN_CLAIMS)}"
            )
        for name in ("unused_lifetime", "max_clients", "max_from_address", "max_from_user"):
            value, unit = getattr(self, name), "seconds" if name == "unused_lifetime" else "clients"
            if value is not None and value < 1:
                raise ConfigurationError(name, value, f"use a number of {unit}, 1 or more, or None for no limit")
        for scheme in self.schemes:
            reason = redirect_uri_problem(f"{scheme}://x/", insecure_transport=False, one_word_scheme=True)
            if not _SCHEME.fullmatch(scheme) or scheme in {"http", "https"} or reason is not None:
                remedy = "name a scheme of one word in lower case, as in cursor; others need not be named"
                raise ConfigurationError("schemes", scheme, remedy)


@attrs.frozen
class Registrar:
    """Hold the settings together with what the server adds: the maximum that it offers, and its check of a client."""

    settings: Registration
    grant_types: frozenset[str]
    scope: Scope
    check: Callable[[Client], None]
