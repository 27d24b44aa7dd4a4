"""Consent that is remembered: what a person's answer makes of what they allowed before.

An answer is about what was asked for, and about nothing else: what was allowed of it stands from now on, what was left
out is taken back, and what was not asked for stays as it was. Consent that has expired is none, for whoever reads it.

What is allowed at one resource is remembered apart from what is allowed at another (RFC 8707 section 3 has the server
tell them apart at consent), so that a request for several needs no page where each of them was allowed before.
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
    """Return the key of what a person allowed a client at a resource, at the server itself where it is None."""
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
    """Return where consent is given: at each of the resources, at the server itself (None) where there are none."""
    return access.resources or (None,)


def consent_at(resource: str | None, consents: Sequence[Consent]) -> Consent | None:
    """Return the consent for a resource, None if the record does not exist."""
    return next((consent for consent in consents if consent.resource == resource), None)


def remember(
    access: RequestedAccess, allowed: Scope, subject: str, consents: Sequence[Consent], context: Context
) -> tuple[Change, ...]:
    """Remember what was allowed, of what was asked for, at each resource."""
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
    """Remember what was allowed at one resource, beside what stands there and was not asked for."""
    client, now = access.client, context.now
    fresh = Consent(
        key=consent_key(subject, client.client_id, context, resource),
        client_id=client.client_id,
        subject=subject,
        # Only what is understood there: nobody has allowed anything else at it.
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
    # Nobody was asked about the rest, so it ends when it would have, and one record has one end.
    until = fresh.expires_at if kept.expires_at is None else min(fresh.expires_at or kept.expires_at, kept.expires_at)
    united = attrs.evolve(
        kept, scope=kept.scope.union(fresh.scope), claims=(*kept.claims, *fresh.claims), expires_at=until
    )
    return Replace(consent, united)


def take_back(
    access: RequestedAccess, allowed: Scope, claims: tuple[str, ...], consents: Sequence[Consent], context: Context
) -> tuple[Change, ...]:
    """Take back of standing consents what was asked for and not allowed; `claims` are those allowed by name."""
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
    """Return a consent without what was asked for and is not allowed.

    Who takes a scope out of what was asked for has said no to its claims, by whatever name they are asked for.
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
