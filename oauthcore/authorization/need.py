"""Need: what a judged request still needs of the person before it can be answered."""

from __future__ import annotations

from enum import StrEnum

from oauthcore.authorization.checks import Judged
from oauthcore.context import Context
from oauthcore.digest import Digest, Secret
from oauthcore.records import Consent, Login
from oauthcore.redirect_uri import is_impersonable


class Need(StrEnum):
    """Name what the application has to ask the person for."""

    LOGIN = "login"
    CONSENT = "consent"


def need(
    judged: Judged, login: Login | None, consent: Consent | None, context: Context, *, answered: bool, since: int | None
) -> Need | Login:
    """Give what is needed next, or the login that the request can be answered for (OIDC Core section 3.1.2.3).

    `answered` tells that the person has just been asked for consent. With `prompt=login` a login counts only if it
    happened after `since`, when the interaction started; before there was one, none counts.
    """
    if login is None:
        return Need.LOGIN
    if "login" in judged.prompt and (since is None or login.auth_time < since):
        return Need.LOGIN
    if answered or ("consent" not in judged.prompt and is_remembered(judged, consent, context)):
        return login
    return Need.CONSENT


def is_remembered(judged: Judged, consent: Consent | None, context: Context) -> bool:
    """Tell whether the person has allowed all of this before, and may be taken at that word.

    Not for a public client behind a redirect URI that any program could be listening on: who is it that asks? (RFC
    8252 section 8.6.)
    """
    if judged.asked.client.is_public and is_impersonable(judged.asked.redirect.uri):
        return False
    if consent is None or (consent.expires_at is not None and context.now >= consent.expires_at):
        return False
    return consent.scope.covers(judged.scope)


def consent_key(subject: str, client_id: str, context: Context) -> Digest:
    """Give the key of what a person allowed a client."""
    return context.digest("consent", Secret(f"{len(subject)} {subject} {client_id}"))
