"""Need: what a judged request still needs of the person before it can be answered."""

from __future__ import annotations

from enum import StrEnum
from typing import Self

import attrs

from oauthcore.authorization.checks import ValidatedRequest
from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.context import Context
from oauthcore.errors import UnmetAuthenticationRequirements
from oauthcore.oidc.subject import subject_for
from oauthcore.records.grant import Consent
from oauthcore.records.interaction import Interaction
from oauthcore.records.liveness import is_live_consent
from oauthcore.records.login import Login
from oauthcore.redirect_uri import is_impersonable


class Need(StrEnum):
    """Name what the application has to ask the person for."""

    LOGIN = "login"
    SELECT_ACCOUNT = "select_account"
    CREATE = "create"
    CONSENT = "consent"


@attrs.frozen
class InteractionProgress:
    """Tell what the person has been asked since the request came.

    `since` is when the interaction started, None before there is one, and `known_auth_time` when who was signed in by
    then had signed in. `chosen` tells that the application has reported somebody in it, `consent` that they were just
    asked for consent.
    """

    since: int | None = None
    chosen: bool = False
    consent: bool = False
    known_auth_time: int | None = None

    @classmethod
    def in_(cls, interaction: Interaction, *, chosen: bool, consent: bool = False) -> Self:
        """Tell what was asked in an interaction."""
        return cls(interaction.started_at, chosen, consent, interaction.auth_time)


NOTHING_ASKED = InteractionProgress()


def next_step(
    judged: ValidatedRequest, facts: AuthorizationFacts, asked: InteractionProgress, context: Context
) -> Need | Login:
    """Return what is needed next, or the login that the request can be answered for (OIDC Core section 3.1.2.3).

    Raises `UnmetAuthenticationRequirements` for who has just signed in, and not in the way that is essential.
    """
    login = facts.login
    if not asked.chosen and {"create", "select_account"} & judged.prompt:
        return Need.CREATE if "create" in judged.prompt else Need.SELECT_ACCOUNT
    if login is None or is_somebody_else(judged, login, context) or is_stale(judged, login, asked, context):
        return Need.LOGIN
    if judged.essential_acr and login.acr not in judged.essential_acr:
        if is_fresh(login, asked):
            raise UnmetAuthenticationRequirements(f"acr is {login.acr}, not one of {' '.join(judged.essential_acr)}")
        return Need.LOGIN
    if asked.consent or ("consent" not in judged.prompt and is_remembered(judged, facts.consent, context)):
        return login
    return Need.CONSENT


def is_somebody_else(judged: ValidatedRequest, login: Login, context: Context) -> bool:
    """Tell whether the client wants another person than who is signed in (OIDC Core sections 3.1.2.1 and 5.5.1)."""
    return any(sub != subject_for(judged.asked.client, login.subject, context) for sub in judged.subjects)


def is_fresh(login: Login, asked: InteractionProgress) -> bool:
    """Tell whether the person signed in after the request had come.

    Times are in seconds, and who signed in and came with the request within the same one did so before it.
    """
    return asked.since is not None and login.auth_time >= asked.since and login.auth_time != asked.known_auth_time


def is_stale(judged: ValidatedRequest, login: Login, asked: InteractionProgress, context: Context) -> bool:
    """Tell whether the person has to sign in again: by `prompt=login`, or because it was too long ago.

    Who signs in for this request is fresh, however long the rest of it takes: with `max_age=0` nobody else ever is.
    """
    if is_fresh(login, asked):
        return False
    if "login" in judged.prompt or judged.max_age == 0:
        return True
    return judged.max_age is not None and context.now - login.auth_time > judged.max_age


def is_remembered(judged: ValidatedRequest, consent: Consent | None, context: Context) -> bool:
    """Tell whether the person has allowed all of this before, and may be taken at that word.

    Not behind a redirect URI that any program could be listening on, unless what arrives there is of use to nobody but
    the client, who authenticates to use it: who is it that asks? (RFC 8252 section 8.6.)
    """
    is_for_anybody = judged.asked.client.is_public or judged.response_type.issues_tokens
    if is_for_anybody and is_impersonable(judged.asked.redirect.uri):
        return False
    if consent is None or not is_live_consent(consent, judged.asked.client, context.now):
        return False
    return consent.scope.covers(judged.scope) and set(judged.claims_beside_scope) <= set(consent.claims)
