"""What is seen with a client that the operator lends: errors that are sent to its redirect URI, tokens of its own."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qs, urlsplit

from oauthcore.jose.strict_json import is_integer, is_time, parse_object
from oauthcore.wire.text import ascii_lower
from oauthcore_doctor.checks.endpoints import answered, error_of
from oauthcore_doctor.checks.transport import SKEW
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, Probe, text_of
from oauthcore_doctor.walk import STATE


def redirected(seen: Observations, probe: Probe) -> dict[str, list[str]] | None:
    """Return the parameters that were sent to the client's redirect URI; None if nothing was."""
    response, client = seen.response(probe), seen.target.client
    location = response.header("location") if response is not None and 300 <= response.status < 400 else None
    if location is None or client is None or client.redirect_uri is None:
        return None
    if location.partition("?")[0].partition("#")[0] != client.redirect_uri.partition("?")[0]:
        return None
    parts = urlsplit(location)
    return parse_qs(parts.query or parts.fragment, keep_blank_values=True)


def error_reaches(seen: Observations) -> Iterator[str]:
    """Find that a client does not hear of an error."""
    exchange = seen.exchanges.get(Probe.CLIENT_ERROR)
    if exchange is None or exchange.response is None:
        return
    parameters = redirected(seen, Probe.CLIENT_ERROR)
    if parameters is None:
        yield f"an unknown response_type is answered by {exchange.summary}, and no redirect to the client"
    elif parameters.get("state") != [STATE] or "error" not in parameters:
        yield f"the redirect has {', '.join(sorted(parameters)) or 'no parameters'}; error and state are needed"


def iss(seen: Observations) -> Iterator[str]:
    """Find that `iss` is not what was announced."""
    parameters = redirected(seen, Probe.CLIENT_ERROR)
    if parameters is None or seen.metadata.get("authorization_response_iss_parameter_supported") is not True:
        return
    if parameters.get("iss") != [text_of(seen.metadata, "issuer")]:
        yield f"an error response has {' and '.join(parameters.get('iss', ['no iss']))}"


def pkce(seen: Observations) -> Iterator[str]:
    """Find that a request without PKCE goes on."""
    exchange = seen.exchanges.get(Probe.CLIENT_WITHOUT_PKCE)
    if exchange is None or exchange.response is None:
        return
    parameters = redirected(seen, Probe.CLIENT_WITHOUT_PKCE)
    if parameters is not None and parameters.get("error") not in (["invalid_request"], ["unauthorized_client"]):
        yield f"a request without code_challenge gets {' '.join(parameters.get('error', ['no error']))}"


def issued(seen: Observations) -> Iterator[str]:
    """Find what is wrong in a token response."""
    exchange, document = seen.exchanges.get(Probe.CLIENT_CREDENTIALS), seen.document(Probe.CLIENT_CREDENTIALS)
    if exchange is None or exchange.response is None or document is None:
        return
    if not isinstance(document.get("access_token"), str) or not isinstance(document.get("token_type"), str):
        yield "access_token or token_type is missing"
    if "expires_in" in document and not is_integer(document["expires_in"]):
        yield "expires_in is no integer"
    if "refresh_token" in document:
        yield "client credentials get a refresh token"
    if "no-store" not in ascii_lower(exchange.response.header("cache-control") or ""):
        yield "Cache-Control is not no-store"


def issued_at(seen: Observations) -> Iterator[str]:
    """Find a token that is from another time."""
    exchange, document = seen.exchanges.get(Probe.CLIENT_CREDENTIALS), seen.document(Probe.CLIENT_CREDENTIALS)
    if exchange is None or document is None:
        return
    iat = claims_of(text_of(document, "access_token") or "").get("iat")
    if is_time(iat) and abs(iat - exchange.at) > SKEW:
        way = "ahead of" if iat > exchange.at else "behind"
        yield f"iat of a fresh token is {abs(iat - exchange.at):.0f} seconds {way} this machine's clock"


def claims_of(token: str) -> Mapping[str, object]:
    """Return what stands in a JWT, which is not verified: it came from where it was asked for; empty for no JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        return parse_object(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}


def pushed(seen: Observations) -> Iterator[str]:
    """Find a pushed request that is checked only later."""
    for _, exchange, status in answered(seen, Probe.CLIENT_PUSHED):
        if status < 400 or error_of(exchange) is None:
            yield f"a pushed request with an unknown response_type: {exchange.summary}, and no OAuth error"


def introspected(seen: Observations) -> Iterator[str]:
    """Find what is wrong in the answer about a token that there is not."""
    response = seen.response(Probe.CLIENT_INTROSPECTION)
    if response is None or response.status != 200:
        return
    try:
        active = parse_object(response.body).get("active")
    except ValueError:
        active = None
    if active is not False:
        yield "a token that was never issued is not active: false"


CHECKS = (
    Check(
        *("client-error", Severity.ERROR, "Errors reach the client", "RFC 6749 section 4.1.2.1"),
        matters_to="the client, whose people are left on a page of the server",
        remedy="redirect with error and state once client and redirect URI are known; see that "
        "--redirect-uri is registered for --client-id",
        look=error_reaches,
    ),
    Check(
        *("client-iss", Severity.ERROR, "iss is in the response as announced", "RFC 9207 section 2"),
        matters_to="clients that check it: they refuse every response",
        remedy="put the issuer as iss into each authorization response, errors too",
        look=iss,
    ),
    Check(
        *("client-pkce", Severity.WARNING, "A request without PKCE is refused", "RFC 9700 section 2.1.1"),
        matters_to="this client: its codes can be injected",
        remedy="require PKCE of the client",
        look=pkce,
    ),
    Check(
        *("client-token", Severity.ERROR, "The token response is whole", "RFC 6749 sections 4.4.3 and 5.1"),
        matters_to="this client",
        remedy="answer as the standard has it",
        look=issued,
    ),
    Check(
        *("client-iat", Severity.WARNING, "A fresh token is from now", "RFC 9068 section 2.2; RFC 7519 section 4.1.6"),
        matters_to="resource servers that refuse tokens from the future",
        remedy="keep the clock of whatever signs tokens by NTP",
        look=issued_at,
    ),
    Check(
        *("client-pushed", Severity.WARNING, "A pushed request is checked at once", "RFC 9126 section 2.1"),
        matters_to="the client, which learns of its mistake when its user is at the server",
        remedy="check at the endpoint whatever the authorization endpoint checks",
        look=pushed,
    ),
    Check(
        *("client-introspection", Severity.ERROR, "An unknown token is not active", "RFC 7662 section 2.2"),
        matters_to="resource servers that ask",
        remedy='answer {"active": false}',
        look=introspected,
    ),
)
