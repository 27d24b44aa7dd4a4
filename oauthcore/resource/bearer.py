"""Bearer tokens on the wire (RFC 6750): reading them from a request, and challenging who has none that will do.

Nothing that a request says gets into a challenge, and what the host says is checked once, so no header can be
injected. Only the Authorization header is read: a token in a query ends up in logs and histories (RFC 9700 4.3.2).
"""

from __future__ import annotations

import json
import re
from typing import Literal

import attrs

from oauthcore.digest import Secret
from oauthcore.dpop.settings import Dpop
from oauthcore.errors import (
    ConfigurationError,
    InsufficientUserAuthentication,
    InvalidDpopProof,
    InvalidRequest,
    InvalidToken,
    OAuthError,
    UseDpopNonce,
)
from oauthcore.per_request import per_request
from oauthcore.scope import Scope
from oauthcore.wire.http import NO_STORE, Headers, Refusal, Request, Response
from oauthcore.wire.refusals import has_challenge
from oauthcore.wire.text import ascii_lower, strip_ows

# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# RFC 9110 section 5.6.4, without what would have to be escaped: half of the clients don't unescape.
_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")


Scheme = Literal["bearer", "dpop"]
BEARER: frozenset[Scheme] = frozenset({"bearer"})
SCHEMES: frozenset[Scheme] = frozenset({"bearer", "dpop"})


@per_request
class PresentedToken:
    """Hold an access token as it was presented: alone, or with a DPoP proof (RFC 9449 section 7.1)."""

    value: Secret
    scheme: Scheme


def read_bearer(request: Request) -> Secret | None:
    """Read the bearer token of a request, as `read_access_token` does."""
    presented = read_access_token(request, BEARER)
    return None if presented is None else presented.value


def is_by_dpop(request: Request) -> bool:
    """Return whether a request has a token of the scheme DPoP, be it a good one."""
    return ascii_lower(strip_ows(request.header("authorization") or "").partition(" ")[0]) == "dpop"


def read_access_token(request: Request, schemes: frozenset[Scheme]) -> PresentedToken | None:
    """Read the token of a request, of one of the schemes: None if it has no such credentials.

    Raises `InvalidRequest` for two of them, or for what is no single token; `InvalidToken` where it can't be one.
    """
    values = request.headers_named("authorization")
    # Two credentials could be read differently by a proxy and by us (RFC 6750 section 2: one method per request).
    if len(values) > 1:
        raise InvalidRequest("the Authorization header is repeated")
    scheme, _, token = strip_ows(values[0]).partition(" ") if values else ("", "", "")
    scheme = ascii_lower(scheme)
    if (scheme != "bearer" and scheme != "dpop") or scheme not in schemes:
        return None
    token = token.strip(" ")
    if not token or " " in token:
        raise InvalidRequest("the Authorization header has no single token")
    # No token of ours has other characters; the storage never sees what else a stranger may send.
    if not _B64TOKEN.fullmatch(token):
        raise InvalidToken("the token has a character that no token has (RFC 6750 section 2.1)")
    return PresentedToken(Secret(token), scheme)


@attrs.frozen
class Challenge:
    """Hold the parts of a challenge that all requests share: `realm` and `resource_metadata` (RFC 9728 section 5.1).

    With `dpop_algs`, the algorithms of DPoP proofs separated by spaces, tokens of that scheme are taken, too (RFC 9449
    section 7.1); with `dpop_only`, no others. Raises `ConfigurationError` for text that is not allowed in a header.
    """

    realm: str
    resource_metadata: str | None = None
    dpop_algs: str | None = None
    dpop_only: bool = False

    def __attrs_post_init__(self) -> None:
        for name in ("realm", "resource_metadata", "dpop_algs"):
            value = getattr(self, name)
            if value is not None and not _QUOTABLE.fullmatch(value):
                raise ConfigurationError(name, value, 'use printable ASCII without " and \\')

    def headers(self, scope: Scope, error: OAuthError | None = None, *, by_dpop: bool = False) -> Headers:
        """Return a challenge of each scheme; the error is in that of the scheme that was used (RFC 9449 7.1)."""
        if self.dpop_algs is None:
            return (self.header(scope, error),)
        by_dpop = by_dpop or self.dpop_only
        name, text = self.header(scope, error if by_dpop else None)
        dpop = (name, f'DPoP{text.removeprefix("Bearer")}, algs="{self.dpop_algs}"')
        # Bearer first: clients that know no other scheme read no further.
        return (dpop,) if self.dpop_only else (self.header(scope, None if by_dpop else error), dpop)

    def header(self, scope: Scope, error: OAuthError | None = None) -> tuple[str, str]:
        """Return the challenge of the scheme Bearer (RFC 6750 section 3), naming all of the scope that is needed."""
        parameters = {"realm": self.realm}
        if error is not None:
            parameters |= {"error": error.code, "error_description": error.error_description}
        if isinstance(error, InsufficientUserAuthentication):
            parameters |= error.parameters
        # RFC 6750 section 3 and RFC 9470 section 3: the scope that this resource takes, so that one authorization is
        # enough.
        if scope:
            parameters["scope"] = scope.text
        if self.resource_metadata is not None:
            parameters["resource_metadata"] = self.resource_metadata
        return ("WWW-Authenticate", "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items()))

    def require_token(self, scope: Scope) -> Response:
        """Return the response to a request without credentials, which names no error (RFC 6750 section 3.1)."""
        headers = (*self.headers(scope), ("Content-Type", "text/plain; charset=utf-8"), *NO_STORE)
        return Response(401, headers, b"A bearer token is needed here.\n", Refusal("", "no credentials"))

    def refuse(
        self, error: OAuthError, scope: Scope, cause: BaseException | None = None, *, by_dpop: bool = False
    ) -> Response:
        """Refuse what was brought; trouble of our own is no fault of the token's, and says nothing about it."""
        extra: Headers = error.headers
        # RFC 6750 section 3: a refused request MUST get a WWW-Authenticate header.
        if error.status < 500 and not has_challenge(error):
            extra = (*self.headers(scope, error, by_dpop=by_dpop), *extra)
        elif error.retry_after is not None:
            extra = (("Retry-After", str(error.retry_after)), *extra)
        members = {"error": error.code, "error_description": error.error_description}
        headers = (*extra, ("Content-Type", "application/json"), *NO_STORE)
        # RFC 9449 section 7.1: 401, where it is 400 at the token endpoint.
        status = 401 if isinstance(error, InvalidDpopProof | UseDpopNonce) else error.status
        return Response(status, headers, json.dumps(members).encode(), Refusal(error.code, error.reason, cause))


def challenge_of(issuer: str, dpop: Dpop | None) -> Challenge:
    """Return the challenge of the server's own endpoints."""
    if dpop is None:
        return Challenge(issuer)
    return Challenge(issuer, dpop_algs=" ".join(dpop.algorithms), dpop_only=dpop.required)
