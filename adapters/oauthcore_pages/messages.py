"""Texts that come from elsewhere and are shown on pages, named here so that they are found for translation."""

from __future__ import annotations


def N_(text: str) -> str:  # gettext's own name for it
    """Mark a text for translation."""
    return text


# What an error page may have to say; the tests hold this against the classes of `oauthcore.errors`.
DESCRIPTIONS = (
    N_("The request lacks a required parameter, repeats one, or is malformed."),
    N_("The client could not be authenticated."),
    N_("The grant is invalid, expired, revoked, or was issued to another client."),
    N_("The client is not allowed to do this."),
    N_("The server does not offer this grant type."),
    N_("The server does not offer this response type."),
    N_("The scope is malformed or more than is allowed."),
    N_("The resource owner denied the request."),
    N_("The person is not signed in, and the request allows no page."),
    N_("The person has to be asked, and the request allows no page."),
    N_("The server does not take request objects."),
    N_("The server does not take references to request objects."),
    N_("The server met an unexpected condition."),
    N_("The server can't answer now; try again later."),
    N_("There were too many attempts; try again later."),
    N_("The form was not sent from this page, or is out of date: go back to the application and start again."),
    N_("This was answered already, or has waited for too long: go back to the application and start again."),
)
