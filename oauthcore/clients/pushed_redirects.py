"""Redirect URIs that a client pushes instead of registering them (RFC 9126 section 2.4)."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.policy import Allowance
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem


def may_push_redirect(redirect_uri: str, client: Client, context: Context) -> bool:
    """Return whether a client may be answered at a URI that it has pushed and not registered.

    Only one that has authenticated may choose, and only where the policy says so; the URI must be one that could be
    registered.
    """
    if client.is_public or not context.allows(Allowance.PUSHED_REDIRECT_URIS, client):
        return False
    insecure = context.allows(Allowance.INSECURE_TRANSPORT, client)
    return redirect_uri_problem(redirect_uri, insecure_transport=insecure) is None
