"""The audience of a token: the resources that it is for (RFC 8707).

A grant stores the resources that were authorized. A token is for all of them, or for those that the token request
names; naming some narrows the token, not the grant.
"""

from __future__ import annotations

from collections.abc import Sequence

from oauthcore.context import Context
from oauthcore.errors import InvalidScope, InvalidTarget
from oauthcore.records.client import Client
from oauthcore.records.grant import Grant
from oauthcore.resources import Resource
from oauthcore.scope import Scope

# Far more than one token is ever for; each is in the grant, in the token, and in the consent's key.
MAX_RESOURCES = 20
# Scopes of OpenID Connect, and of refresh tokens: the server's own, which no resource has to know.
_OWN_SCOPES = frozenset({"openid", "offline_access"})


def requested_resources(requested: Sequence[str], client: Client, context: Context) -> tuple[str, ...]:
    """Return the resources that a client requests, as they are registered and without repetition, or the default.

    An empty result means the server itself, if there are no resources or no default. The server can also be named, by
    its issuer. Raises `InvalidTarget`.
    """
    resources = context.resources
    if resources is None:  # RFC 6749 section 3.1: an unknown parameter is ignored
        return ()
    if not requested:
        # RFC 8707 section 2: without the parameter, the server may use a predefined default resource.
        return () if resources.default is None else (_find(resources.default, client, context),)
    if len(requested) > MAX_RESOURCES:
        raise InvalidTarget.with_description("too many resources are requested for one token")
    return tuple(dict.fromkeys(_find(uri, client, context) for uri in requested))


def _find(uri: str, client: Client, context: Context) -> str:
    resources = context.resources
    assert resources is not None
    # The server is a resource, too, because of its UserInfo endpoint. Its issuer is compared in the form of other URIs.
    if resources.form_of(uri) == resources.form_of(context.issuer):
        return context.issuer
    found = resources.find(uri, client)
    if found is None:
        # The same error for a resource that does not exist and one for other clients, so that it reveals neither.
        raise InvalidTarget(
            "a resource is malformed, unknown, or nothing that the client may have tokens for"
        ).by_setting("resources")
    return found.uri


def audience_within(requested: Sequence[str], grant: Grant, client: Client, context: Context) -> tuple[str, ...]:
    """Return the audience of a token on a grant: the named resources, or all if none is named (section 2.2).

    Resources that are no longer registered are left out. If OpenID Connect was allowed, all includes the server itself,
    because of its UserInfo endpoint (OIDC Core section 5.3); a client that names a resource gets a token for that one
    only. Raises `InvalidTarget` for a resource that is not the grant's.
    """
    if not grant.resources and (context.resources is None or not requested):
        return (context.issuer,)
    allowed = still_allowed(grant, client, context)
    if not allowed:
        raise InvalidTarget("the client may no longer use any of the resources that were allowed").by_setting(
            "resources"
        )
    if not requested or context.resources is None:
        return allowed
    named = requested_resources(requested, client, context)
    # RFC 8707 section 2.2 lets a policy limit a token to the resources that were originally granted. Here it always
    # does, since the user has consented to no others.
    if not set(named) <= set(allowed):
        raise InvalidTarget.with_description("a resource is requested that was not allowed")
    return named


def still_allowed(grant: Grant, client: Client, context: Context) -> tuple[str, ...]:
    """Return what tokens on a grant may be for now: what was allowed, without what the operator has removed since."""
    if not grant.resources:
        return (context.issuer,)
    resources = context.resources
    is_own = "openid" in grant.scope and context.openid is not None
    # A resource that the operator has removed or closed to this client ends for existing grants, too.
    kept = [
        uri
        for uri in grant.resources
        if uri == context.issuer or (resources is not None and resources.find(uri, client) is not None)
    ]
    return tuple(dict.fromkeys((*kept, context.issuer) if is_own and kept else kept))


def described(audience: Sequence[str], client: Client, context: Context) -> list[Resource]:
    """Return what is said of the resources in an audience; nothing is said of the server itself."""
    if context.resources is None:
        return []
    found = [context.resources.find(uri, client) for uri in audience if uri != context.issuer]
    return [resource for resource in found if resource is not None]


def named(uris: Sequence[str], context: Context) -> tuple[Resource, ...]:
    """Return the resources of a grant or consent, with the names under which they are registered.

    One that is no longer registered has only its URI, so that users can still see what they once allowed.
    """
    registered = () if context.resources is None else context.resources.registered
    known = {resource.uri: resource for resource in registered}
    return tuple(known.get(uri) or Resource(uri) for uri in uris if uri != context.issuer)


def scope_at(resource: str, scope: Scope, client: Client, context: Context) -> Scope:
    """Return what one resource understands of a scope that is asked for at several."""
    understood = _understood((resource,), (resource,), client, context)
    return scope if understood is None else context.policy.implies.within(scope, understood)


def understood_scope(
    scope: Scope, audience: Sequence[str], allowed: Sequence[str], client: Client, context: Context
) -> Scope:
    """Return the part of a scope that the resources of an audience know.

    So a token for one resource has no scope of another. `allowed` are the resources for which the scope was requested;
    if the server itself is not one of them, it keeps only its own scopes. Raises `InvalidScope` if nothing is left.
    """
    if context.resources is None or not allowed:
        return scope
    understood = _understood(audience, allowed, client, context)
    if understood is None:
        return scope
    left = context.policy.implies.within(scope, understood)
    if scope and not left:
        raise InvalidScope("the resources know no part of the scope")
    return left


def _understood(audience: Sequence[str], allowed: Sequence[str], client: Client, context: Context) -> Scope | None:
    """Return the scope that the resources of an audience understand, None if one of them takes any."""
    if context.issuer in audience and context.issuer in allowed:
        return None
    # Scopes of OpenID Connect and refresh tokens belong to the server, so a resource need not list them.
    understood = {*_OWN_SCOPES, *(() if context.openid is None else context.openid.scopes)}
    for resource in described(audience, client, context):
        if resource.scopes is None:
            return None
        understood |= set(resource.scopes)
    return Scope(tuple(understood))
