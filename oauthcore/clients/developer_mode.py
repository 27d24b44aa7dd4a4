"""Developer mode: the errors of a client that is being developed say their reason, and which setting decided.

It is for one client, and ends by itself: `Client.explain_until`. The reason is that of the log, in which there is never
a secret. Its reader has named a client in developer mode, or receives its responses; docs/operating.md lists who
learns what.
"""

from __future__ import annotations

import re

from oauthcore.context import Context
from oauthcore.errors import EffectFailed, Explanation, OAuthError, ServerError
from oauthcore.flow.effects import Flow
from oauthcore.flow.transact import T, annotate_errors
from oauthcore.records.client import Client
from oauthcore.scope import Scope

# As in the log: more would let an attacker make a response as long as a request.
MAX_TEXT = 500
# RFC 6749 sections 4.1.2.1 and 5.2: error_description has no other characters.
_NOT_ALLOWED = re.compile(r"[^\x20\x21\x23-\x5B\x5D-\x7E]")
# Settings of a client whose values help its developer, and are not secret.
_SHOWN = frozenset(
    {
        "application_type",
        "dpop_bound_access_tokens",
        "enabled",
        "grant_types",
        "introspects_any",
        "jwks_uri",
        "post_logout_redirect_uris",
        "redirect_uris",
        "request_object_signing_alg",
        "request_uris",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "response_types",
        "scope",
        "tls_client_auth_san_dns",
        "tls_client_auth_san_email",
        "tls_client_auth_san_ip",
        "tls_client_auth_san_uri",
        "tls_client_auth_subject_dn",
        "tls_client_certificate_bound_access_tokens",
        "token_endpoint_auth_method",
        "token_endpoint_auth_signing_alg",
    }
)


def is_explained(client: Client | None, context: Context) -> bool:
    """Return whether the errors of a client say their reason now; never for a client that is not known."""
    return client is not None and client.explain_until is not None and context.now < client.explain_until


def explain(error: OAuthError, client: Client | None, context: Context) -> OAuthError:
    """Return the error; in developer mode with the reason and the setting in its description and on its page."""
    # What failed inside is for the operator alone: the reason may name a table or a host.
    is_internal = isinstance(error, EffectFailed | ServerError) or error.status >= 500
    if not is_explained(client, context) or is_internal or client is None:
        return error
    explanation = Explanation(error.reason[:MAX_TEXT], error.setting, value_of(error.setting, client))
    error.explanation = explanation
    error.error_description = described(explanation)
    return error


def explained(flow: Flow[T], client: Client | None, context: Context) -> Flow[T]:
    """Return a flow whose errors are explained to the client; the flow itself where it is not in developer mode."""
    if not is_explained(client, context):
        return flow
    return annotate_errors(flow, lambda error: explain(error, client, context))


def value_of(setting: str | None, client: Client) -> str | None:
    """Return what a setting of the client is set to, as text; None for a setting that is not shown."""
    owner, _, name = (setting or "").partition(".")
    if owner != "client" or name not in _SHOWN:
        return None
    value = getattr(client, name)
    if isinstance(value, Scope):
        return value.text
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def described(explanation: Explanation) -> str:
    """Return an explanation in one line, with the characters that error_description may have."""
    text = explanation.reason
    if explanation.setting is not None:
        value = "" if explanation.value is None else f" = {explanation.value}"
        text += f" (setting: {explanation.setting}{value})"
    return _NOT_ALLOWED.sub("?", text.replace('"', "'"))[: 2 * MAX_TEXT]
