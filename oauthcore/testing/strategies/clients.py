"""Clients that a server takes, as they come: public ones and confidential ones, in browsers and on telephones."""

from __future__ import annotations

from hypothesis import strategies as st

from oauthcore.records.client import AuthenticationMethod, Client
from oauthcore.scope import Scope

# RFC 6749 appendix A.1: VSCHAR, and a space at neither end.
identifiers = st.text([chr(code) for code in range(0x21, 0x7F)], min_size=1, max_size=30)
redirect_uris = st.sampled_from(
    (
        "https://client.example/callback",
        "https://client.example/callback?tenant=1&x=%C3%A9",
        "https://client.example:8443/a;b=c/~d",
        "http://127.0.0.1/callback",
        "http://[::1]:8080/callback",
        "http://localhost/callback",
        "com.example.app:/oauth",
    )
)
# Without openid: a server that offers no OpenID Connect refuses a request that names it.
_SCOPES = ("email", "profile", "read", "write:all")


@st.composite
def clients(draw: st.DrawFn, public: bool | None = None) -> Client:
    """Return a client that `AuthorizationServer.register` takes under the default policy, without its secret."""
    is_public = draw(st.booleans()) if public is None else public
    confidential: tuple[AuthenticationMethod | None, ...] = ("client_secret_basic", "client_secret_post", None)
    scope = Scope(tuple(draw(st.lists(st.sampled_from(_SCOPES), min_size=1, unique=True))))
    default = draw(st.none() | st.lists(st.sampled_from(scope.tokens), unique=True))
    more = draw(st.sets(st.sampled_from(("refresh_token",) if is_public else ("refresh_token", "client_credentials"))))
    return Client(
        client_id=draw(identifiers),
        name=draw(st.none() | st.text(max_size=20)),
        token_endpoint_auth_method="none" if is_public else draw(st.sampled_from(confidential)),
        redirect_uris=draw(st.lists(redirect_uris, min_size=1, max_size=3, unique=True)),
        grant_types=("authorization_code", *sorted(more)),
        scope=scope,
        default_scope=None if default is None else Scope(tuple(default)),
        access_token_lifetime=draw(st.none() | st.integers(1, 86_400)),
        refresh_token_lifetime=draw(st.none() | st.integers(1, 86_400)),
    )
