"""The next step: what a validated request still needs of the person before it can be answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Self, assert_never

import attrs

from oauthcore.authorization.consent import consent_at
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.validated import RequestedAccess, ValidatedRequest
from oauthcore.context import Context
from oauthcore.documents import host_of
from oauthcore.errors import (
    AccessDenied,
    AccountSelectionRequired,
    ConsentRequired,
    InteractionRequired,
    LoginRequired,
    OAuthError,
    UnmetAuthenticationRequirements,
)
from oauthcore.grants.audience import scope_at
from oauthcore.oidc.subject import subject_for
from oauthcore.records.client import Client
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import Interaction
from oauthcore.records.liveness import is_live_consent
from oauthcore.records.login import Login
from oauthcore.redirect_uri import is_impersonable, web_host
from oauthcore.scope import Scope


class Need(StrEnum):
    """Name what the application has to ask the person for."""

    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"
    CONSENT = "consent"
    # The user who is signed in may not use the client: another account, or the way back to the application.
    OTHER_ACCOUNT = "other_account"


@attrs.frozen
class InteractionProgress:
    """Hold what the user has already been asked since the request arrived.

    `since` is when the interaction started, None if it has not. `known_auth_time` is the time of the login that existed
    when it started. `chosen` is true if the application has reported a login in it, `consent` if the user was just
    asked for consent.
    """

    since: int | None = None
    chosen: bool = False
    consent: bool = False
    known_auth_time: int | None = None

    @classmethod
    def in_(cls, interaction: Interaction, *, chosen: bool, consent: bool = False) -> Self:
        """Return the progress of an interaction."""
        return cls(interaction.started_at, chosen, consent, interaction.auth_time)


NOT_BEGUN = InteractionProgress()


def next_step(
    validated: ValidatedRequest, facts: AuthorizationFacts, progress: InteractionProgress, context: Context
) -> Need | Login:
    """Return what is needed next, or the login that the request can be answered for (OIDC Core section 3.1.2.3).

    Raises `UnmetAuthenticationRequirements` for who has just signed in, and not in the way that is essential.
    """
    access, login = validated.access, facts.login
    # First the account, then the login: if an account is to be chosen or created, it does not matter who is signed in
    # (OIDC Core section 3.1.2.1).
    if access.prompt and not progress.chosen:
        if "create" in access.prompt:
            return Need.CREATE
        if "select_account" in access.prompt:
            return Need.SELECT_ACCOUNT
    if login is None or must_sign_in(access, login, progress, context):
        return Need.LOGIN
    # After the login, since it depends on who it is, and before consent, which is not theirs to give. The user is told
    # on a page, since few clients show what an error means; that page leads to the client, with `access_denied`.
    if not facts.permission.is_given:
        return Need.OTHER_ACCOUNT
    # OIDC Core section 3.1.2.4: consent comes before any release. `prompt=consent` asks even if all of it was allowed
    # before (section 3.1.2.1).
    if progress.consent or ("consent" not in access.prompt and is_remembered(validated, facts.consents, context)):
        return login
    return Need.CONSENT


def must_sign_in(access: RequestedAccess, login: Login, progress: InteractionProgress, context: Context) -> bool:
    """Return whether the user has to sign in again, or another user has to.

    Raises `UnmetAuthenticationRequirements` for who has just signed in, and not in the way that is essential.
    """
    # OIDC Core section 3.1.2.3: authenticate if no one is signed in, if prompt=login says so, or if another user is
    # requested by `id_token_hint` or a `sub` claim. Never answer for another user than the requested one.
    if is_somebody_else(access, login, context) or is_stale(access, login, progress, context):
        return True
    if not access.essential_acr or login.acr in access.essential_acr:
        return False
    if is_fresh(login, progress):
        # OIDC Core section 5.5.1.1: an essential `acr` that can't be met is a failed authentication. To ask once
        # more would loop, since the user has just signed in for this very request.
        raise UnmetAuthenticationRequirements(f"acr is {login.acr}, not one of {' '.join(access.essential_acr)}")
    return True


def is_somebody_else(access: RequestedAccess, login: Login, context: Context) -> bool:
    """Return whether the client wants another person than who is signed in (OIDC Core sections 3.1.2.1 and 5.5.1)."""
    if not access.subjects:
        return False
    subject = subject_for(access.client, login.subject, context)
    return any(wanted != subject for wanted in access.subjects)


def is_fresh(login: Login, progress: InteractionProgress) -> bool:
    """Return whether the person signed in after the request had come.

    Times are in seconds, and who signed in and came with the request within the same one did so before it.
    """
    return (
        progress.since is not None and login.auth_time >= progress.since and login.auth_time != progress.known_auth_time
    )


def is_stale(access: RequestedAccess, login: Login, progress: InteractionProgress, context: Context) -> bool:
    """Return whether the user has to sign in again: because of `prompt=login`, or because of `max_age`.

    A login that was made for this request counts as fresh, however long the rest takes; otherwise `max_age=0` could
    never be met.
    """
    if is_fresh(login, progress):
        return False
    # OIDC Core section 3.1.2.1: max_age=0 is the same as prompt=login.
    if "login" in access.prompt or access.max_age == 0:
        return True
    # OIDC Core section 3.1.2.1: if more seconds have passed than max_age, reauthenticate.
    return access.max_age is not None and context.now - login.auth_time > access.max_age


def is_remembered(validated: ValidatedRequest, consents: tuple[Consent, ...], context: Context) -> bool:
    """Return whether the user has allowed all of this before, and consent need not be asked for again.

    Consent is always asked for if any program could listen at the redirect URI, unless what it receives can be used
    only by a client that authenticates (RFC 8252 section 8.6: the client's identity is not assured). The same holds for
    a redirect URI on another host than that of the client's metadata document, which an attacker may have added there.
    """
    access, response = validated.access, validated.response
    # What is allowed once, as a payment is, is no answer to the next request. No consent has details.
    if access.details:
        return False
    is_for_anybody = access.client.is_public or response.type.issues_tokens
    # RFC 8252 section 8.6 and RFC 6749 section 10.2: without authentication of the client, remembered consent would let
    # any program on the device receive the answer without the user seeing it.
    if is_for_anybody and is_impersonable(response.redirectable.redirect.uri):
        return False
    if access.client.document is not None and not is_own_host(access.client, response.redirectable.redirect.uri):
        return False
    # If the request exceeds what was allowed, all of it is asked for, so that the page shows the whole.
    if not access.resources:
        return bool(consents) and is_covered(consents[0], access.scope, access, context)
    return all(is_allowed_at(resource, access, consents, context) for resource in access.resources)


def is_allowed_at(resource: str, access: RequestedAccess, consents: tuple[Consent, ...], context: Context) -> bool:
    """Return whether the user has allowed before everything that is requested at one resource."""
    consent = consent_at(resource, consents)
    wanted = scope_at(resource, access.scope, access.client, context)
    return consent is not None and is_covered(consent, wanted, access, context)


def is_covered(consent: Consent, wanted: Scope, access: RequestedAccess, context: Context) -> bool:
    """Return whether a consent is valid, and covers a scope and the claims that are requested by name."""
    if not is_live_consent(consent, access.client, context.now):
        return False
    # The hierarchy is used only if the plain comparison fails.
    if not consent.scope.covers(wanted) and not context.policy.implies.covers(consent.scope, wanted):
        return False
    return not access.claims_beside_scope or set(access.claims_beside_scope) <= set(consent.claims)


def is_own_host(client: Client, redirect_uri: str) -> bool:
    """Return whether a client is answered at the host that its document is at."""
    return web_host(redirect_uri) is not None and host_of(redirect_uri) == host_of(client.client_id)


def refusal_without_page(needed: Need) -> OAuthError:
    """Return the error that `prompt=none` gets instead of a page (OIDC Core section 3.1.2.6)."""
    match needed:
        case Need.LOGIN:
            return LoginRequired("prompt=none, and no acceptable user is signed in")
        case Need.CONSENT:
            return ConsentRequired("prompt=none, and the person has not allowed all of this before")
        case Need.SELECT_ACCOUNT:
            return AccountSelectionRequired("prompt=none, and an account would have to be chosen")
        case Need.CREATE:
            return InteractionRequired("prompt=none, and an account would have to be made")
        case Need.OTHER_ACCOUNT:
            # RFC 6749 section 4.1.2.1. After an error of OIDC Core section 3.1.2.6 clients try again with a page, and
            # none would help.
            return AccessDenied.with_description("the user may not use this client")
        case _:
            assert_never(needed)
