"""Cross-origin requests (Fetch section 3.2): who may call from a page of another origin, and with what headers.

Any origin may call what is open at all. Such an endpoint takes no cookies, so the page that calls has no authority but
what it brings itself.
"""

from __future__ import annotations

import re

import attrs

from oauthcore.wire.http import Headers, Request, Response


@attrs.frozen
class Cors:
    """Let pages of any origin call an endpoint, and read the response headers that are named (Fetch section 3.2.4)."""

    exposed: tuple[str, ...] = ("WWW-Authenticate",)
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
    """Answer a browser that asks before it sends: yes, with whatever headers the client announces.

    Clients add headers that are no concern of ours: MCP's send `MCP-Protocol-Version`, others `DPoP` (RFC 9449).
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
