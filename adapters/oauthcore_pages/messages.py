"""Texts of other modules that pages show, listed here so that they are extracted for translation."""

from __future__ import annotations


def N_(text: str) -> str:  # gettext's own name for it
    """Mark a text for translation."""
    return text


# What the scopes of OpenID Connect mean (OIDC Core sections 5.4 and 11); the operator may use other words.
SCOPES = {
    "openid": N_("Know who you are"),
    "profile": N_("See your name and the rest of your profile"),
    "email": N_("See your e-mail address"),
    "address": N_("See your postal address"),
    "phone": N_("See your telephone number"),
    "offline_access": N_("Use your account while you are away"),
}

# Claims that are all of their scope, so that consent to one of them is described like the scope.
CLAIM_SCOPES = {
    "email": "email",
    "email_verified": "email",
    "address": "address",
    "phone_number": "phone",
    "phone_number_verified": "phone",
}

# The descriptions on error pages; a test compares them with the classes of `oauthcore.errors`.
DESCRIPTIONS = (
    N_("The request lacks a required parameter, repeats one, or is malformed."),
    N_("The request has a parameter twice."),
    N_("The request can't be read: it is too long, or not encoded as a form is."),
    N_("The request does not say which application it comes from."),
    N_("The application that the request comes from is not known here."),
    N_("The application that the request comes from may not be used at present."),
    N_("What the application publishes about itself is missing or can't be used."),
    N_("The request does not say where the application is to be answered."),
    N_("The redirect URI is none of those that the application is registered with."),
    N_("The page to go to after signing out is none of those that the application is registered with."),
    N_("The ID token that came with the request was made for another application than it names."),
    N_("The request is larger than this server reads."),
    N_("An application that nobody here has checked would be told about a problem with its request."),
    N_("This was started or answered in another browser: go back to the application and start again."),
    N_("Somebody else has answered this already: go back to the application and start again."),
    N_("The client could not be authenticated."),
    N_("The grant is invalid, expired, revoked, or was issued to another client."),
    N_("The client is not allowed to do this."),
    N_("The server does not offer this grant type."),
    N_("The server does not offer this response type."),
    N_("The scope is malformed or more than is allowed."),
    N_("The authorization details are malformed, of an unknown type, or have wrong members."),
    N_("The requested resource is invalid, unknown, or not one that is allowed."),
    N_("The resource owner denied the request."),
    N_("The person is not signed in, and the request allows no page."),
    N_("The person has to be asked, and the request allows no page."),
    N_("The person has to do something, and the request allows no page."),
    N_("The person has to choose an account, and the request allows no page."),
    N_("The person could not be authenticated in the way that the request demands."),
    N_("The request_uri is not registered for this client, or what it names can't be used."),
    N_("The request object can't be read or verified, or contradicts the request."),
    N_("The server does not take registrations with a request."),
    N_("The server does not take request objects."),
    N_("The server does not take references to request objects."),
    N_("The server met an unexpected condition."),
    N_("The server can't answer now; try again later."),
    N_("What the application publishes about itself can't be fetched now; try again later."),
    N_("There were too many attempts; try again later."),
    N_("The form was not sent from this page, or is out of date: go back to the application and start again."),
    N_("The request's parameters are too long."),
    N_("This was answered already, or has waited for too long: go back to the application and start again."),
    N_("This link was used already, or has expired: go back to the application and start again."),
)
