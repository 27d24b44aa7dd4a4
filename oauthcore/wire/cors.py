"""Cross-origin requests (Fetch section 3.2): which endpoints pages of other origins may call, with which headers.

Any origin may call an endpoint with CORS. Such an endpoint ignores cookies, so the calling page has no authority but
the credentials that it sends itself.
"""

from __future__ import annotations

import re

import attrs

from oauthcore.wire.http import Headers, Request, Response


@attrs.frozen
class Cors:
    """Let pages of any origin call an endpoint, and read the response headers that are named (Fetch section 3.2.4)."""

    # RFC 9449 section 8.2: a page has to read the nonce that it is to use.
    exposed: tuple[str, ...] = ("WWW-Authenticate", "DPoP-Nonce")
    headers: Headers = attrs.field(init=False, repr=False, eq=False)

    @headers.default
    def _spelled(self) -> Headers:
        # `*` never allows credentials (Fetch section 3.2.5), so no cookie comes with such a request.
        exposed = ("Access-Control-Expose-Headers", ", ".join(self.exposed))
        return (("Access-Control-Allow-Origin", "*"), exposed)


ANY_ORIGIN = Cors()
CORS: Headers = ANY_ORIGIN.headers

_ALLOWED = "Authorization, Content-Type"
# A list of RFC 9110's tokens (section 5.6.2), as short as any honest one: it is sent back as it came.
_NAMES = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+(?:[ \t]*,[ \t]*[!#$%&'*+.^_`|~0-9A-Za-z-]+)*", re.ASCII)
_MAX_LENGTH = 1_024


def preflight(request: Request, methods: tuple[str, ...], cors: Cors = ANY_ORIGIN) -> Response:
    """Answer a preflight: allow whatever headers the client announces.

    Clients add headers that are of no interest here: MCP's send `MCP-Protocol-Version`, others `DPoP` (RFC 9449).
    """
    announced = request.header("access-control-request-headers") or ""
    # Echoed only if it is a plain list of names: anything else could inject a header.
    is_list = len(announced) <= _MAX_LENGTH and _NAMES.fullmatch(announced) is not None
    headers: Headers = (
        ("Access-Control-Allow-Headers", announced if is_list else _ALLOWED),
        ("Access-Control-Allow-Methods", ", ".join(methods)),
        ("Access-Control-Max-Age", "86400"),
        ("Vary", "Access-Control-Request-Headers"),
    )
    return Response(204, (*cors.headers, *headers))
