"""What a provider offers of OpenID Connect, as data; without it a server knows OAuth alone.

Nothing here decides anything, and nothing knows keys: those are handed to the server beside this.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import attrs

from oauthcore.errors import ConfigurationError
from oauthcore.given import are_strings, as_string_set, as_strings, strings
from oauthcore.scope import Scope

# OIDC Core section 5.4.
STANDARD_CLAIMS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "profile": (
            "name",
            "family_name",
            "given_name",
            "middle_name",
            "nickname",
            "preferred_username",
            "profile",
            "picture",
            "website",
            "gender",
            "birthdate",
            "zoneinfo",
            "locale",
            "updated_at",
        ),
        "email": ("email", "email_verified"),
        "address": ("address",),
        "phone": ("phone_number", "phone_number_verified"),
    }
)

# Claims that the server sets itself; the application's claims can't replace them (RFC 7519 section 4.1).
RESERVED_CLAIMS = frozenset(
    {
        *("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_time", "nonce", "acr", "amr", "azp", "sid"),
        *("at_hash", "c_hash", "s_hash", "events", "cnf", "act", "_claim_names", "_claim_sources"),
    }
)

PROMPTS = frozenset({"none", "login", "consent", "select_account", "create"})


@attrs.frozen(kw_only=True)
class OpenID:
    """Set what is offered of OpenID Connect Core 1.0 and Discovery 1.0.

    `scope_claims` has the claims of each scope. `acr_values` and `ui_locales` are what the application supports.
    `request_objects` and `request_uris` accept requests as JWTs, by value and by reference (section 6). `prompts` are
    the values of prompt that the application's pages support: `create` only if they can create accounts.

    Raises `ConfigurationError` for invalid settings.
    """

    scope_claims: Mapping[str, tuple[str, ...]] = STANDARD_CLAIMS
    acr_values: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    ui_locales: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    claims_locales: tuple[str, ...] = attrs.field(default=(), converter=as_strings, validator=are_strings)
    prompts: frozenset[str] = attrs.field(default=PROMPTS - {"create"}, converter=as_string_set, validator=are_strings)
    request_objects: bool = True
    request_uris: bool = True
    service_documentation: str | None = None
    op_policy_uri: str | None = None
    op_tos_uri: str | None = None

    def __attrs_post_init__(self) -> None:
        if unknown := self.prompts - PROMPTS:
            raise ConfigurationError("prompts", sorted(unknown), f"use some of {', '.join(sorted(PROMPTS))}")
        for scope, names in self.scope_claims.items():
            if ours := RESERVED_CLAIMS.intersection(strings(f"scope_claims.{scope}", names)):
                raise ConfigurationError(
                    f"scope_claims.{scope}", sorted(ours), "leave these out: the server sets them itself"
                )

    @property
    def scopes(self) -> tuple[str, ...]:
        """Return the scopes that mean something to a provider (OIDC Core sections 5.4 and 11)."""
        return ("openid", *self.scope_claims, "offline_access")

    @property
    def claims(self) -> tuple[str, ...]:
        """Return every claim that may be requested, `sub` first."""
        return tuple(dict.fromkeys(("sub", *(name for names in self.scope_claims.values() for name in names))))

    def claims_of(self, scope: Scope) -> tuple[str, ...]:
        """Return the claims of a scope (OIDC Core section 5.4)."""
        return tuple(dict.fromkeys(name for token in scope for name in self.scope_claims.get(token, ())))
