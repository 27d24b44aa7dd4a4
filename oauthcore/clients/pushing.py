"""Pushed requests (RFC 9126): which redirect URIs a client may push, and whether it has to push its requests."""

from __future__ import annotations

from oauthcore.context import Context
from oauthcore.policy import Allowance
from oauthcore.records.client import Client
from oauthcore.redirect_uri import redirect_uri_problem


def may_push_redirect(redirect_uri: str, client: Client, context: Context) -> bool:
    """Return whether a client may be answered at a URI that it has pushed and not registered.

    Only one that has authenticated may choose (section 2.4), and only where the policy says so; the URI must be one
    that could be registered. A client that a stranger has registered has to register its redirect URIs: by any other
    URI it could lead browsers anywhere (RFC 9700 section 4.11.2).
    """
    if client.is_public or client.is_unverified or not context.allows(Allowance.PUSHED_REDIRECT_URIS, client):
        return False
    insecure = context.allows(Allowance.INSECURE_TRANSPORT, client)
    return redirect_uri_problem(redirect_uri, insecure_transport=insecure) is None


def may_have_to_push(requested: Client, context: Context) -> bool:
    """Return whether a client that says of itself that it pushes all of its requests is held to that.

    Where nothing can be pushed it is not: it can do no better than other clients do (RFC 7591 section 3.2.1).
    """
    return requested.require_pushed_authorization_requests and context.pushed_requests is not None
