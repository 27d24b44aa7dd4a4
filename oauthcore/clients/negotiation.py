"""What a client that registers itself gets (RFC 7591 section 3.2.1).

A stranger has written the request, so the client gets at most what `Registration` offers, and no setting that only the
operator may decide. The host may change the result (`review`), and what it returns must satisfy the same rules.
"""

from __future__ import annotations

from collections.abc import Mapping

import attrs

from oauthcore.clients.binding import may_be_bound
from oauthcore.clients.certificate_binding import may_be_certificate_bound
from oauthcore.clients.client_metadata import FIELDS, check_shown, read_metadata
from oauthcore.clients.dynamic_registration import Registrar
from oauthcore.clients.openid_registration import check_sector
from oauthcore.clients.pushing import may_have_to_push
from oauthcore.clients.registered_redirects import usable_redirect_uris
from oauthcore.clients.tls_client_auth import without_unused_name
from oauthcore.context import Context
from oauthcore.errors import ConfigurationError, InvalidClientMetadata, InvalidRedirectUri, InvalidScope
from oauthcore.policy import Allowance
from oauthcore.records.client import AuthenticationMethod, Client
from oauthcore.redirect_uri import is_impersonable

# Members that come with a registration and are not part of the client's metadata.
_DRAWN = ("client_id", "secrets", "generation", "dynamic", "expires_at")


def negotiate(members: Mapping[str, object], known: Client, registrar: Registrar, context: Context) -> Client:
    """Return a client with the metadata that it sent, as far as that can be registered: the rest is left out.

    Whatever of `known` is no metadata stays. Raises `InvalidClientMetadata` and `InvalidRedirectUri` where nothing of
    use remains, `DocumentNeeded`, and whatever the host's `review` refuses by.
    """
    fields = {**FIELDS, **read_metadata(members, openid=context.openid is not None)}
    try:
        requested = attrs.evolve(known, **fields)  # type: ignore[arg-type]  # checked one by one
    except (ConfigurationError, InvalidScope, ValueError, TypeError) as error:
        raise InvalidClientMetadata(str(error)) from None
    client = offered(requested, known.token_endpoint_auth_method, registrar, context)
    client = without_unused_name(client)
    # Last, so that the host sees what would be registered. What it returns is then checked by the same rules.
    if registrar.settings.review is not None:
        client = reviewed(client, registrar)
        if usable(client, registrar, context) != client.redirect_uris:
            raise InvalidRedirectUri("a redirect URI that the host put there has a scheme of one word")
    check_shown(client)
    if context.profile is not None:
        context.profile.refuse_metadata(client)
    try:
        registrar.check(client)
        check_sector(client, context)
    except (ConfigurationError, ValueError) as error:
        raise InvalidClientMetadata(str(error)) from None
    return client


def offered(requested: Client, method: str | None, registrar: Registrar, context: Context) -> Client:
    """Return the client with what is offered to it, and with defaults for what it did not name.

    `method` is the one by which it has authenticated so far.
    """
    if requested.application_type not in {None, "web", "native"} or requested.subject_type not in {
        "public",
        "pairwise",
    }:
        raise InvalidClientMetadata.with_description("application_type or subject_type has an unknown value")
    policy, settings = context.policy, registrar.settings
    redirect_uris = usable(requested, registrar, context)
    # RFC 7591 section 2.1: `implicit` goes with response types that bring tokens, and is nothing without them.
    fronted = any({"token", "id_token"} & set(name.split(" ")) for name in policy.response_types)
    available = registrar.grant_types | ({"implicit"} if fronted else set())
    # RFC 7591 section 3.2.1: the server may reject or replace values. Those not offered are left out, and the
    # response says so; the client is refused only if nothing useful is left.
    grant_types = tuple(t for t in requested.grant_types if t in available and t in settings.grant_types)
    if not grant_types:
        raise InvalidClientMetadata.with_description("none of the grant_types can be registered here")
    if {"authorization_code", "implicit"} & set(grant_types) and not redirect_uris:
        raise InvalidRedirectUri("the client has no redirect URI")
    response_types = tuple(t for t in requested.response_types if t in policy.response_types)
    named = requested.scope.within(registrar.scope)
    # RFC 7591 section 3.2.1: the server may register more than the client named. The named scope is only the default of
    # its requests: an MCP client registers the scope of the first challenge, and requests more at the next one (MCP
    # 2026-07-28, "Step-Up Authorization Flow"). It could register once more for that anyway, and the user decides what
    # it gets. For a client's own tokens there is no user, and a software statement is binding.
    is_signed = requested.dynamic is not None and requested.dynamic.software_statement is not None
    may_step_up = "authorization_code" in grant_types and not is_signed
    return attrs.evolve(
        requested,
        redirect_uris=redirect_uris,
        grant_types=grant_types,
        response_types=response_types or (("code",) if "authorization_code" in grant_types else ()),
        scope=registrar.scope if may_step_up or not requested.scope else named,
        default_scope=(named or None) if may_step_up else requested.default_scope,
        require_pushed_authorization_requests=may_have_to_push(requested, context),
        dpop_bound_access_tokens=may_be_bound(requested, context),
        tls_client_certificate_bound_access_tokens=may_be_certificate_bound(requested, context),
        # One that is registered keeps its method where it names none: by leaving it out it is locked out of nothing.
        token_endpoint_auth_method=requested.token_endpoint_auth_method
        or method
        or default_method(requested, redirect_uris),
    )


def usable(client: Client, registrar: Registrar, context: Context) -> tuple[str, ...]:
    """Return the redirect URIs of a client that it may have."""
    return usable_redirect_uris(
        client.redirect_uris,
        client.application_type,
        registrar.settings.schemes,
        one_word_scheme=context.policy.allows(Allowance.ONE_WORD_SCHEME, frozenset()),
    )


def reviewed(client: Client, registrar: Registrar) -> Client:
    """Return the client as the host changed it: any setting but its identity.

    A mistake of the host could otherwise replace another client. Raises `ConfigurationError` for the host.
    """
    assert registrar.settings.review is not None
    changed = registrar.settings.review(client)
    for name in _DRAWN:
        if getattr(changed, name) != getattr(client, name):
            raise ConfigurationError("review", name, "return the client with this unchanged: attrs.evolve(client, …)")
    if changed.application_type not in {None, "web", "native"}:
        raise ConfigurationError("review", changed.application_type, "use web, native or None as application_type")
    return changed


def default_method(client: Client, redirect_uris: tuple[str, ...]) -> AuthenticationMethod | None:
    """Return the method of a client that names none: `none`, or None for a secret in the header or in the form.

    RFC 7591 section 2 has the default `client_secret_basic`, which the response says. But some libraries send a secret
    in the form unless configured otherwise (openid-client 6), so a client that named no method may use either.

    A native client, and one whose redirect URIs are all on the user's machine, can keep no secret (RFC 8252 section
    8.4), and the MCP clients that leave the method out read it in the response. A client that acts for itself needs a
    secret (RFC 6749 section 4.4).
    """
    if "client_credentials" in client.grant_types:
        return None
    on_device = bool(redirect_uris) and all(map(is_impersonable, redirect_uris))
    return "none" if on_device or client.application_type == "native" else None
