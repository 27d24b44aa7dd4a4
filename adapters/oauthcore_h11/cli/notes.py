"""The notes of `client add` on a client's behaviour that its developer has to know, and how to change it."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore import Allowance, AuthorizationServer, Client, CodeBinding


def notes(client: Client, server: AuthorizationServer) -> Iterator[str]:
    """Return a sentence for each point in which a client library and this server may disagree."""
    if client.has_secret and client.token_endpoint_auth_method is None:
        yield "It may send the secret in the Authorization header or in the form; --auth-method sets one."
    yield from _about_openid(client, server)
    yield from _about_codes(client, server)


def _about_openid(client: Client, server: AuthorizationServer) -> Iterator[str]:
    if "openid" not in client.scope:
        return
    if server.openid is None:
        yield (
            "OpenID Connect is off here, and what it asks for with scope openid is refused: "
            "the table [oidc] in the configuration turns it on."
        )
        return
    scopes = [token for token in client.scope if token in server.openid.scope_claims]
    if not scopes:
        return
    if client.id_token_claims == "all":
        yield (
            f"What {' and '.join(scopes)} stand for is in its ID tokens, as well as at UserInfo; "
            "--id-token-claims requested leaves it to UserInfo."
        )
    else:
        yield (
            f"What {' and '.join(scopes)} stand for is at UserInfo alone; "
            "--id-token-claims all puts it into its ID tokens, too."
        )


def _about_codes(client: Client, server: AuthorizationServer) -> Iterator[str]:
    if not any("code" in response_type.split(" ") for response_type in client.response_types):
        return
    if client.is_public:
        yield "It has to send PKCE (code_challenge), as every public client."
    elif not server.policy.allows(Allowance.CONFIDENTIAL_WITHOUT_PKCE, client.allow):
        may_bring_nonce = server.openid is not None and server.policy.code_binding is CodeBinding.PKCE_OR_NONCE
        nonce = ", or a nonce with scope openid" if may_bring_nonce and "openid" in client.scope else ""
        yield f"It has to send PKCE (code_challenge){nonce}; docs/without-pkce.md tells what to do where it can't."
