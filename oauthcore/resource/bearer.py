"""Bearer tokens on the wire (RFC 6750): reading them from a request, and challenging who has none that will do.

Nothing that a request says gets into a challenge, and what the host says is checked once, so no header can be
injected. Only the Authorization header is read: a token in a query ends up in logs and histories (RFC 9700 4.3.2).
"""

from __future__ import annotations

import json
import re

import attrs

from oauthcore.digest import Secret
from oauthcore.errors import (
    ConfigurationError,
    InsufficientUserAuthentication,
    InvalidRequest,
    InvalidToken,
    OAuthError,
)
from oauthcore.scope import Scope
from oauthcore.wire.http import NO_STORE, Headers, Refusal, Request, Response
from oauthcore.wire.refusals import has_challenge
from oauthcore.wire.text import ascii_lower, strip_ows

# RFC 6750 section 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_B64TOKEN = re.compile(r"[A-Za-z0-9._~+/-]+=*")
# RFC 9110 section 5.6.4, without what would have to be escaped: half of the clients don't unescape.
_QUOTABLE = re.compile(r"[\x20\x21\x23-\x5B\x5D-\x7E]*")


def read_bearer(request: Request) -> Secret | None:
    """Read the bearer token of a request: None if it has no such credentials.

    Raises `InvalidRequest` for two of them, or for what is no single token; `InvalidToken` where it can't be one.
    """
    values = request.headers_named("authorization")
    # Two credentials could be read differently by a proxy and by us (RFC 6750 section 2: one method per request).
    if len(values) > 1:
        raise InvalidRequest("the Authorization header is repeated")
    scheme, _, token = strip_ows(values[0]).partition(" ") if values else ("", "", "")
    if ascii_lower(scheme) != "bearer":
        return None
    token = token.strip(" ")
    if not token or " " in token:
        raise InvalidRequest("the Authorization header has no single token")
    # No token of ours has other characters; the storage never sees what else a stranger may send.
    if not _B64TOKEN.fullmatch(token):
        raise InvalidToken("the token has a character that no token has (RFC 6750 section 2.1)")
    return Secret(token)


@attrs.frozen
class Challenge:
    """Hold the parts of a challenge that all requests share: `realm` and `resource_metadata` (RFC 9728 section 5.1).

    Raises `ConfigurationError` for text that is not allowed in a header.
    """

    realm: str
    resource_metadata: str | None = None

    def __attrs_post_init__(self) -> None:
        for name, value in attrs.asdict(self).items():
            if value is not None and not _QUOTABLE.fullmatch(value):
                raise ConfigurationError(name, value, 'use printable ASCII without " and \\')

    def header(self, scope: Scope, error: OAuthError | None = None) -> tuple[str, str]:
        """Return the WWW-Authenticate header (RFC 6750 section 3), naming all of the scope that is needed."""
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
        headers = (self.header(scope), ("Content-Type", "text/plain; charset=utf-8"), *NO_STORE)
        return Response(401, headers, b"A bearer token is needed here.\n", Refusal("", "no credentials"))

    def refuse(self, error: OAuthError, scope: Scope, cause: BaseException | None = None) -> Response:
        """Refuse what was brought; trouble of our own is no fault of the token's, and says nothing about it."""
        extra: Headers = error.headers
        # RFC 6750 section 3: a refused request MUST get a WWW-Authenticate header.
        if error.status < 500 and not has_challenge(error):
            extra = (self.header(scope, error), *extra)
        elif error.retry_after is not None:
            extra = (("Retry-After", str(error.retry_after)), *extra)
        members = {"error": error.code, "error_description": error.error_description}
        headers = (*extra, ("Content-Type", "application/json"), *NO_STORE)
        return Response(error.status, headers, json.dumps(members).encode(), Refusal(error.code, error.reason, cause))
