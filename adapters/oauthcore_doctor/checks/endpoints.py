"""How endpoints refuse what is wrong: in OAuth's own words, and without being led astray."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from oauthcore.jose.strict_json import parse_object
from oauthcore.wire.text import ascii_lower, media_type
from oauthcore_doctor.challenge import scheme_of
from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Exchange, Observations, Probe, text_of
from oauthcore_doctor.walk import FORGED

# They are called by clients only, which get an OAuth error (RFC 6749 section 5.2, RFC 7009 section 2.2.1,
# RFC 7662 section 2.3, RFC 8628 section 3.1, RFC 9126 section 2.3).
FOR_CLIENTS = (Probe.TOKEN, Probe.INTROSPECTION, Probe.REVOCATION, Probe.PUSHED, Probe.DEVICE)


def answered(seen: Observations, *probes: Probe) -> Iterator[tuple[Probe, Exchange, int]]:
    """Return those of the probes that were answered and not limited, with the status."""
    for probe in probes:
        exchange = seen.exchanges.get(probe)
        if exchange is not None and exchange.response is not None and exchange.response.status != 429:
            yield probe, exchange, exchange.response.status


def error_of(exchange: Exchange) -> str | None:
    """Return the OAuth error code of an answer; None if it is no OAuth error in JSON."""
    response = exchange.response
    if response is None or media_type(response.header("content-type")) != "application/json":
        return None
    try:
        return text_of(parse_object(response.body), "error")
    except ValueError:
        return None


def token_get(seen: Observations) -> Iterator[str]:
    """Find a token endpoint that takes GET, by which credentials end up in logs."""
    for _, exchange, status in answered(seen, Probe.TOKEN_GET):
        if status < 400:
            yield f"GET {exchange.request.url}: {exchange.summary}"


def allow(seen: Observations) -> Iterator[str]:
    """Find 405 without the methods that there are."""
    for _, exchange, status in answered(seen, Probe.TOKEN_GET, Probe.REGISTRATION_GET):
        if status == 405 and exchange.response is not None and not exchange.response.header("allow"):
            yield f"GET {exchange.request.url}: 405 without Allow"


def error_bodies(seen: Observations) -> Iterator[str]:
    """Find refusals that no client can read."""
    for probe, exchange, status in answered(seen, *FOR_CLIENTS, Probe.TOKEN_BROKEN_BASIC, Probe.TOKEN_TWICE):
        if 300 <= status < 500 and error_of(exchange) is None and status not in {404, 405}:
            yield f"{probe.value}: {exchange.summary}, and no OAuth error"


def missing(seen: Observations) -> Iterator[str]:
    """Find endpoints in the metadata that are not there."""
    for probe, exchange, status in answered(seen, *FOR_CLIENTS, Probe.USERINFO, Probe.LOGOUT, Probe.AUTHORIZATION):
        # A client that is not known may be 404 at the authorization endpoint, as it is at GitHub's.
        gone = {405} if probe is Probe.AUTHORIZATION else {404, 405}
        if status in gone and error_of(exchange) is None:
            yield f"{probe.value}: {exchange.request.method} {exchange.request.url.partition('?')[0]}: {status}"


def unknown_client(seen: Observations) -> Iterator[str]:
    """Find another code than the one by which a client learns that it is not known."""
    for _, exchange, status in answered(seen, Probe.TOKEN):
        code = error_of(exchange)
        if code is not None and (code != "invalid_client" or status not in {400, 401}):
            yield f"an unknown client is refused by {status} {code}"


def basic_challenge(seen: Observations) -> Iterator[str]:
    """Find a client that has tried Basic and is not told so."""
    for _, exchange, status in answered(seen, Probe.TOKEN_BASIC):
        response = exchange.response
        challenge = (response.header("www-authenticate") if response is not None else None) or ""
        if error_of(exchange) == "invalid_client" and (status != 401 or scheme_of(challenge) != "basic"):
            yield f"{exchange.summary}, {challenge or 'no WWW-Authenticate'}"


def accepted(seen: Observations) -> Iterator[str]:
    """Find endpoints that serve unknown clients."""
    # RFC 7009 section 2.2: 200 for a token that is not known, and some servers don't ask public clients who they are.
    for probe, exchange, status in answered(seen, Probe.TOKEN, Probe.INTROSPECTION, Probe.PUSHED, Probe.DEVICE):
        # Some servers send errors with status 200; `unknown_client` reports that.
        if 200 <= status < 300 and error_of(exchange) is None:
            yield f"{probe.value}: {exchange.summary}"


def no_store(seen: Observations) -> Iterator[str]:
    """Find answers of the token endpoint that caches may keep."""
    for _, exchange, status in answered(seen, Probe.TOKEN):
        response = exchange.response
        control = ascii_lower((response.header("cache-control") if response is not None else None) or "")
        if status not in {404, 405} and "no-store" not in control:
            yield f"Cache-Control is {control or 'missing'}"


def open_redirect(seen: Observations) -> Iterator[str]:
    """Find an authorization endpoint that sends browsers wherever the request says."""
    for _, exchange, status in answered(seen, Probe.AUTHORIZATION, Probe.AUTHORIZATION_POST):
        response = exchange.response
        location = (response.header("location") if response is not None else None) or ""
        if 300 <= status < 400 and leads_astray(location):
            yield f"an unknown client's redirect_uri is redirected to: {location.partition('?')[0]}"


def leads_astray(location: str) -> bool:
    """Return whether a redirect goes to the host that we made up."""
    try:
        return urlsplit(location).hostname == FORGED
    except ValueError:
        return False


def userinfo(seen: Observations) -> Iterator[str]:
    """Find UserInfo that does not ask for a token."""
    for _, exchange, status in answered(seen, Probe.USERINFO):
        response = exchange.response
        challenge = (response.header("www-authenticate") if response is not None else None) or ""
        if status not in {404, 405} and (status != 401 or scheme_of(challenge) not in {"bearer", "dpop"}):
            yield f"without a token: {exchange.summary}, {challenge or 'no WWW-Authenticate'}"


def listing(seen: Observations) -> Iterator[str]:
    """Find a registration endpoint that tells strangers of clients."""
    for _, exchange, status in answered(seen, Probe.REGISTRATION_GET):
        kind = exchange.response.header("content-type") if exchange.response is not None else None
        if status == 200 and media_type(kind) == "application/json":
            yield f"GET {exchange.request.url} without credentials: {exchange.summary}"


CHECKS = (
    Check(
        *("endpoint-missing", Severity.ERROR, "Endpoints in metadata are there", "RFC 8414 section 2"),
        matters_to="clients that use them",
        remedy="route the path to the server, or take the member out",
        look=missing,
    ),
    Check(
        *("token-get", Severity.ERROR, "The token endpoint takes POST alone", "RFC 6749 section 3.2"),
        matters_to="clients that use GET: codes and secrets end up in logs and histories",
        remedy="answer 405 with Allow: POST",
        look=token_get,
    ),
    Check(
        *("allow", Severity.WARNING, "405 says which methods there are", "RFC 9110 section 15.5.6"),
        matters_to="developers, and clients that look for a way",
        remedy="send Allow: POST with it",
        look=allow,
    ),
    Check(
        *("error-json", Severity.ERROR, "Refusals are OAuth errors in JSON", "RFC 6749 section 5.2"),
        matters_to="every client: it can't tell a wrong code from a broken server",
        remedy='answer 4xx, application/json, {"error": …}; look for a firewall or a framework that answers before it',
        look=error_bodies,
    ),
    Check(
        *("unknown-client", Severity.WARNING, "An unknown client is told so", "RFC 6749 section 5.2"),
        matters_to="clients that register anew after invalid_client, as MCP's TypeScript SDK does",
        remedy="answer invalid_client, by 401 or 400",
        look=unknown_client,
    ),
    Check(
        *("basic-challenge", Severity.WARNING, "Who has tried Basic is challenged", "RFC 6749 section 5.2"),
        matters_to="HTTP clients that send credentials after a challenge alone",
        remedy="answer 401 with WWW-Authenticate: Basic",
        look=basic_challenge,
    ),
    Check(
        *(
            "unknown-client-served",
            Severity.ERROR,
            "An unknown client gets nothing",
            "RFC 7662 section 2.1; RFC 6749 section 3.2.1",
        ),
        matters_to="everybody: strangers can test tokens, or start requests without a client",
        remedy="have these endpoints authenticate the client",
        look=accepted,
    ),
    Check(
        *("no-store", Severity.WARNING, "No cache keeps an answer of the token endpoint", "RFC 6749 section 5.1"),
        matters_to="users who share a cache with the client",
        remedy="send Cache-Control: no-store with every answer",
        look=no_store,
    ),
    Check(
        *(
            "open-redirect",
            Severity.ERROR,
            "No browser is redirected to an unregistered URI",
            "RFC 6749 section 4.1.2.1; RFC 9700 section 4.11",
        ),
        matters_to="everybody: links to the server lead to an attacker's page",
        remedy="show an error page where the client or its redirect URI is not known",
        look=open_redirect,
    ),
    Check(
        *("userinfo", Severity.WARNING, "UserInfo asks for a token", "RFC 6750 section 3; OIDC Core section 5.3.3"),
        matters_to="clients that find out by the challenge that a token has expired",
        remedy="answer 401 with WWW-Authenticate: Bearer",
        look=userinfo,
    ),
    Check(
        *("registration-listing", Severity.ERROR, "Registration tells strangers of no clients", "RFC 7591 section 3"),
        matters_to="the clients that are listed",
        remedy="answer 405 with Allow: POST",
        look=listing,
    ),
)
