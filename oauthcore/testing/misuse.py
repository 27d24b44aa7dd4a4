"""What thieves and bad clients get wrong about codes and tokens, and how it is refused: nothing leaves a trace."""

from __future__ import annotations

import base64
from typing import Literal, TypeAlias

import attrs

from oauthcore.testing.client_session import CLIENT
from oauthcore.wire.http import Request

How: TypeAlias = Literal["verifier", "redirect_uri", "secret", "twice", "client"]


@attrs.frozen
class Misuse:
    """Say how something wrong is refused (RFC 6749 section 5.2), and what it is called in a sentence."""

    status: int
    code: str
    description: str


MISUSES: dict[How, Misuse] = {
    "verifier": Misuse(400, "invalid_grant", "another verifier"),
    "redirect_uri": Misuse(400, "invalid_grant", "another redirect_uri"),
    "secret": Misuse(401, "invalid_client", "a wrong client secret"),
    "twice": Misuse(400, "invalid_request", "a parameter sent twice"),
    "client": Misuse(400, "invalid_grant", "the credentials of another client"),
}
REFRESHED_WRONGLY: tuple[How, ...] = ("secret", "twice", "client")


def wrong(request: Request, how: How, pair: str) -> Request:
    """Return a request with that wrong about it; another verifier and another client are given where it is made.

    `pair` is one parameter of its form.
    """
    match how:
        case "redirect_uri":
            return attrs.evolve(request, body=request.body.replace(b"%2Fcallback", b"%2Fcallback%2F"))
        case "secret":
            credentials = base64.b64encode(f"{CLIENT.client_id}:wrong".encode()).decode()
            kept = tuple(header for header in request.headers if header[0] != "authorization")
            return attrs.evolve(request, headers=(*kept, ("Authorization", f"Basic {credentials}")))
        case "twice":
            return attrs.evolve(request, body=request.body + f"&{pair}".encode())
        case _:
            return request
