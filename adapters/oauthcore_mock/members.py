"""The members of issuers, clients, users, logins, faults and tokens in the control API and the file."""

from __future__ import annotations

import attrs

from oauthcore_mock.fields import Field

_SUB = Field("sub", "string", "Who it is.", required=True)
_CLAIMS = Field("claims", "object", "What ID tokens and UserInfo say of them.")
_TIMES = Field("times", "integer", "How many requests it is for; 1 if left out.")

ISSUER = (
    Field("name", "string", "The path of its URL; one that is free if left out."),
    Field("audience", "string", "The audience of its access tokens if the client does not name one."),
    Field("shows_form", "boolean", "Show people a page on which they say who they are."),
    Field("reads_client_documents", "boolean", "Take clients by the URL of their metadata document."),
    Field("trusts", "strings", "Names of issuers here whose assertions and tokens it takes (RFC 7523, RFC 8693)."),
)
CLIENT = (
    Field("client_id", "string", "Its name.", required=True),
    Field("secret", "string", "Its secret; a fixed one if left out."),
    Field("redirect_uris", "strings", "Where its answers may go; the first that it uses if left out."),
    Field("scope", "string", "What it may ask for; everything if left out."),
    Field("public", "boolean", "It has no secret."),
    Field("alg", "string", "The algorithm of its ID tokens."),
    Field("settings", "object", "Further settings of oauthcore.Client, by name."),
)
USER = (_SUB, _CLAIMS, Field("access_token_claims", "object", "What access tokens that are JWTs say of them."))
LOGIN = (
    attrs.evolve(_SUB, required=False, description="Who signs in at the next authorization; alice if left out."),
    attrs.evolve(_CLAIMS, description="What is known of them from then on."),
    Field("scope", "string", "What they allow of what is requested; all of it if left out."),
    Field("acr", "string", "How they signed in (OpenID Connect Core section 2)."),
    Field("amr", "strings", "By which methods (RFC 8176)."),
    Field("auth_time", "integer", "When they signed in, in seconds since the epoch; now if left out."),
    Field("deny", "boolean", "They say no: the client gets access_denied."),
)
FAULT = (
    Field("endpoint", "string", "The endpoint, or id_token or access_token for the next token.", required=True),
    Field("fault", "fault", "What goes wrong.", required=True),
    _TIMES,
)
TOKEN = (
    Field("kind", "string", "access_token, id_token, logout_token or assertion; the first if left out."),
    attrs.evolve(_SUB, required=False, description="The subject; alice if left out."),
    Field("aud", "strings", "The audience."),
    Field("scope", "string", "What it allows."),
    Field("claims", "object", "Claims to be added or replaced; null takes one out."),
    Field("expires_in", "integer", "For how many seconds it is good; a negative number makes one that has expired."),
    Field("client_id", "string", "The client that it was issued to."),
    Field("nonce", "string", "The nonce of an ID token."),
    Field("sid", "string", "The session of a logout token."),
    Field("access_token", "string", "The access token whose hash an ID token has."),
    Field("alg", "string", "The algorithm it is signed by; ES256 if left out."),
    Field("kid", "string", "The key that it says it is signed by."),
    Field("typ", "string", "The typ of its header."),
    Field("opaque", "boolean", "It is no JWT."),
    Field("flaw", "string", "What is wrong with it, by the name of a flaw."),
)
# The members of each kind of token, besides `kind`.
OF_TOKEN = {
    "access_token": {"sub", "aud", "scope", "claims", "expires_in", "client_id", "alg", "kid", "typ", "opaque", "flaw"},
    "id_token": {"sub", "aud", "nonce", "claims", "expires_in", "alg", "kid", "access_token", "flaw"},
    "logout_token": {"sub", "aud", "sid", "alg", "claims"},
    "assertion": {"sub", "aud", "claims", "expires_in", "alg", "kid", "typ", "flaw"},
}
