"""Remembered consent: how an answer of the user changes what they allowed before.

An answer affects only what was requested: the allowed part is remembered, the part that was left out is removed, and
everything else stays as it was. Expired consent is ignored everywhere.

Consent is remembered for each resource separately (RFC 8707 section 3: the consent page shows them), so that a request
for several needs no page if each of them was allowed before.
"""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from oauthcore.authorization.validated import RequestedAccess
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.errors import InvalidTarget
from oauthcore.flow.effects import Flow, find_all, pure
from oauthcore.flow.outcome import Change, Delete, Insert, Replace
from oauthcore.grants.audience import requested_resources, scope_at
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import AuthorizationRequest
from oauthcore.records.liveness import is_live_consent
from oauthcore.scope import Scope


def consent_key(subject: str, client_id: str, context: Context, resource: str | None = None) -> Digest:
    """Return the key of a user's consent to a client at a resource; None is the server itself."""
    # Neither can have a NUL in it (RFC 6749 appendix A.1, RFC 3986).
    allowed_at = "" if resource is None else f"\0{resource}"
    # The length keeps two pairs apart: without it a subject with a space in it could be another subject and client.
    return context.digest("consent", Secret(f"{len(subject)} {subject} {client_id}{allowed_at}"))


def find_consents(
    subject: str, request: AuthorizationRequest, client: Client | None, context: Context
) -> Flow[tuple[Consent, ...]]:
    """Find what a person allowed a client at each of the resources that a request is about."""
    resources: tuple[str, ...] = ()
    if context.resources is not None and client is not None:
        try:
            resources = requested_resources(request.resource, client, context)
        except InvalidTarget:  # the request will be refused, whatever was allowed
            return pure(())
    if not resources:
        return find_all(Consent, (consent_key(subject, request.client_id, context),))
    return find_all(Consent, [consent_key(subject, request.client_id, context, uri) for uri in resources])


def places(access: RequestedAccess) -> tuple[str | None, ...]:
    """Return where consent is given: at each of the resources, or at the server itself (None) if there are none."""
    return access.resources or (None,)


def consent_at(resource: str | None, consents: Sequence[Consent]) -> Consent | None:
    """Return the consent for a resource, None if the record does not exist."""
    return next((consent for consent in consents if consent.resource == resource), None)


def remember(
    access: RequestedAccess, allowed: Scope, subject: str, consents: Sequence[Consent], context: Context
) -> tuple[Change, ...]:
    """Remember which part of the request was allowed, at each resource."""
    return tuple(
        _remember_at(resource, access, allowed, subject, consent_at(resource, consents), context)
        for resource in places(access)
    )


def _remember_at(
    resource: str | None,
    access: RequestedAccess,
    allowed: Scope,
    subject: str,
    consent: Consent | None,
    context: Context,
) -> Change:
    """Remember what was allowed at one resource, and keep what was remembered and not requested."""
    client, now = access.client, context.now
    fresh = Consent(
        key=consent_key(subject, client.client_id, context, resource),
        client_id=client.client_id,
        subject=subject,
        # Only scopes of that resource: no others were allowed there.
        scope=allowed if resource is None else scope_at(resource, allowed, client, context),
        granted_at=now,
        expires_at=now + context.policy.lifetimes.consent_lifetime,
        claims=access.claims_beside_scope,
        client_generation=client.generation,
        resource=resource,
    )
    if consent is None:
        return Insert(fresh)
    # Expired consent, or consent given to an earlier client of this identifier, is replaced and never added to.
    if not is_live_consent(consent, client, now):
        return Replace(consent, fresh)
    kept = without(consent, access, Scope(), (), context)
    if not kept.scope and not kept.claims:
        return Replace(consent, fresh)
    # The user was not asked about the rest, so its expiry is not prolonged, and one record has one expiry.
    until = fresh.expires_at if kept.expires_at is None else min(fresh.expires_at or kept.expires_at, kept.expires_at)
    united = attrs.evolve(
        kept, scope=kept.scope.union(fresh.scope), claims=(*kept.claims, *fresh.claims), expires_at=until
    )
    return Replace(consent, united)


def take_back(
    access: RequestedAccess, allowed: Scope, claims: tuple[str, ...], consents: Sequence[Consent], context: Context
) -> tuple[Change, ...]:
    """Remove from existing consents what was requested and not allowed; `claims` are those allowed by name."""
    return tuple(change for consent in consents for change in _take_back(access, allowed, claims, consent, context))


def _take_back(
    access: RequestedAccess, allowed: Scope, claims: tuple[str, ...], consent: Consent, context: Context
) -> tuple[Change, ...]:
    if not is_live_consent(consent, access.client, context.now):
        return ()
    rest = without(consent, access, allowed, claims, context)
    if rest == consent:
        return ()
    return (Replace(consent, rest),) if rest.scope or rest.claims else (Delete(consent),)


def without(
    consent: Consent, access: RequestedAccess, allowed: Scope, claims: tuple[str, ...], context: Context
) -> Consent:
    """Return a consent without what was requested and is not allowed.

    If the user removes a scope, its claims are refused, too, even if they were requested by name.
    """
    implies = context.policy.implies
    refused = {base(name) for name in access.claims_beside_scope} - {base(name) for name in claims}
    if context.openid is not None:
        # OIDC Core section 5.4: a scope stands for its claims, so refusing the scope refuses these.
        refused |= {*context.openid.claims_of(access.scope)} - {*context.openid.claims_of(allowed)}
    return attrs.evolve(
        consent,
        # What implies something that was refused would allow it all the same.
        scope=implies.without(consent.scope, access.scope.without(implies(allowed))),
        claims=tuple(name for name in consent.claims if base(name) not in refused),
    )


def base(name: str) -> str:
    """Return a claim's name without the tag of a language (OIDC Core section 5.2)."""
    return name.partition("#")[0]
