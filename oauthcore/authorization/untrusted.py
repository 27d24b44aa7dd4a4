"""Errors for redirect URIs that the operator has not approved (RFC 9700 section 4.11.2).

An attacker who can register or publish a client can make this server redirect browsers to their site, by a link with an
error in it or with prompt=none: an open redirector on a host that users trust. So an error for an unapproved client is
shown as a page that names the site, and the user decides whether to continue.

After the user has answered on the consent page, the response is sent at once: that page has named the site, too.
"""

from __future__ import annotations

from oauthcore.authorization.facts import AuthorizationFacts
from oauthcore.authorization.jwt_response import JwtResponse
from oauthcore.authorization.response_mode import refuse
from oauthcore.authorization.validated import Redirectable
from oauthcore.clients.developer_mode import explain
from oauthcore.context import Context
from oauthcore.errors import OAuthError
from oauthcore.flow.outcome import Decision
from oauthcore.policy import Allowance
from oauthcore.records.client import Client
from oauthcore.records.liveness import is_live_consent
from oauthcore.redirect_uri import is_impersonable, web_host
from oauthcore.wire.http import Response
from oauthcore.wire.refusals import UntrustedRedirect, WayOn


def refuse_unanswered(
    redirectable: Redirectable, error: OAuthError, facts: AuthorizationFacts, context: Context
) -> Decision[Response | JwtResponse]:
    """Send an error to the client before the user was asked anything.

    Raises `UntrustedRedirect`, or the error itself, which is a page, where the redirect URI is not trusted. That
    includes prompt=none: the page asks for neither authentication nor consent (OIDC Core section 3.1.2.1), and RFC 9700
    names it as an attack.
    """
    error = explain(error, redirectable.client, context)
    if redirectable.client.is_unverified and not is_trusted(redirectable, facts, context):
        way = way_on(redirectable, error, context)
        raise error if way is None else UntrustedRedirect(error, way)
    return Decision(refuse(redirectable, error, context))


def is_trusted(redirectable: Redirectable, facts: AuthorizationFacts, context: Context) -> bool:
    """Return whether an unverified client may have errors without a page.

    On the user's own device there is no site to be led to, and a client that this user has allowed something is theirs.
    What other users allowed it doesn't count, since an attacker with an account of their own may be one of them.
    """
    client = redirectable.client
    return (
        is_impersonable(redirectable.redirect.uri)
        # Only what counts for the client as it is now: the user may have allowed it at another redirect URI.
        or any(is_live_consent(consent, client, context.now) for consent in facts.consents)
        or is_vouched_for(client, context)
        or context.allows(Allowance.UNTRUSTED_REDIRECTS, client)
    )


def is_vouched_for(client: Client, context: Context) -> bool:
    """Return whether a stranger can't have made the client: it had a token or statement, or its host is named here."""
    documents = context.client_id_metadata
    if client.document is not None:
        return documents is not None and documents.settings.is_known_host(client.client_id)
    return client.dynamic is not None and client.dynamic.by != ""


def way_on(redirectable: Redirectable, error: OAuthError, context: Context) -> WayOn | None:
    """Return how the browser goes on to the client with the error, if the user wants it to.

    None for a client that takes signed responses alone (JARM): nothing is signed for a stranger who may never be asked.
    """
    response = refuse(redirectable, error, context)
    if isinstance(response, JwtResponse):
        return None
    uri, state = redirectable.redirect.uri, redirectable.request.state
    host, location = web_host(uri) or uri, response.header("location")
    if location is not None:
        return WayOn(host, location)
    # Form Post Response Mode section 2: the parameters go into no URL.
    fields = [("error", error.code), ("error_description", error.error_description), ("iss", context.issuer)]
    return WayOn(host, uri, tuple(fields if state is None else [*fields, ("state", state)]))
