"""Scripts of other origins: applications in browsers, MCP Inspector among them."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore.wire.text import ascii_lower, strip_ows
from oauthcore_doctor.finding import Check, Look, Severity
from oauthcore_doctor.observations import Exchange, Observations, Probe
from oauthcore_doctor.walk import PAGE


def lets_in(exchange: Exchange) -> bool:
    """Return whether a script of our page may read the answer (Fetch section 4.9)."""
    allowed = exchange.response.header("access-control-allow-origin") if exchange.response is not None else None
    return allowed in {"*", PAGE}


def readable(probe: Probe, plain: Probe) -> Look:
    """Return a check that an answer can be read by scripts, where it is one without them."""

    def look(seen: Observations) -> Iterator[str]:
        exchange, without = seen.exchanges.get(probe), seen.response(plain)
        if exchange is None or exchange.response is None or (without is not None and without.status != 200):
            return
        if not lets_in(exchange):
            yield f"{exchange.request.url} with Origin {PAGE}: no Access-Control-Allow-Origin ({exchange.summary})"

    return look


def metadata(seen: Observations) -> Iterator[str]:
    """Find metadata that scripts can't read."""
    exchange = seen.exchanges.get(Probe.CORS_METADATA)
    if exchange is not None and exchange.response is not None and not lets_in(exchange):
        yield f"{exchange.request.url} with Origin {PAGE}: no Access-Control-Allow-Origin ({exchange.summary})"


def preflighted(*probes: Probe) -> Look:
    """Return a check that browsers let a request through."""

    def look(seen: Observations) -> Iterator[str]:
        for probe in probes:
            exchange = seen.exchanges.get(probe)
            problem = None if exchange is None or exchange.response is None else refusal(exchange)
            if exchange is not None and problem is not None:
                yield f"OPTIONS {exchange.request.url}: {problem}"

    return look


def refusal(exchange: Exchange) -> str | None:
    """Return why a browser would not send the request after this preflight (Fetch section 4.8)."""
    response = exchange.response
    assert response is not None
    if not lets_in(exchange):
        return f"no Access-Control-Allow-Origin ({exchange.summary})"
    if not 200 <= response.status < 300:
        return f"{response.status}, where browsers need 2xx"
    asked_for = dict(exchange.request.headers)
    allowed = listed(response.header("access-control-allow-headers"))
    wanted = listed(asked_for["Access-Control-Request-Headers"])
    # Fetch section 4.8: a star is for all of them but Authorization.
    lacking = sorted(wanted - allowed if "*" not in allowed else {"authorization"} & wanted - allowed)
    if lacking:
        return f"Access-Control-Allow-Headers lacks {', '.join(lacking)}"
    return None


def listed(value: str | None) -> set[str]:
    """Return the names of a list, in lower case."""
    return {ascii_lower(strip_ows(name)) for name in (value or "").split(",")} - {""}


def errors(seen: Observations) -> Iterator[str]:
    """Find errors that a script can't read, though it may call the endpoint."""
    allowed, exchange = seen.exchanges.get(Probe.PREFLIGHT_TOKEN), seen.exchanges.get(Probe.CORS_TOKEN)
    if allowed is None or exchange is None or exchange.response is None or not lets_in(allowed):
        return
    if exchange.response.status != 429 and not lets_in(exchange):
        yield f"{exchange.summary} without Access-Control-Allow-Origin, though the preflight allows the request"


def authorization(seen: Observations) -> Iterator[str]:
    """Find an authorization endpoint that scripts can call."""
    exchange = seen.exchanges.get(Probe.CORS_AUTHORIZATION)
    if exchange is not None and lets_in(exchange):
        yield "its answers have Access-Control-Allow-Origin"


def credentials(seen: Observations) -> Iterator[str]:
    """Find endpoints that let any page use the person's cookies."""
    for exchange in seen.exchanges.values():
        response = exchange.response
        if response is None or response.header("access-control-allow-origin") != PAGE:
            continue
        if response.header("access-control-allow-credentials") == "true":
            yield f"{exchange.request.method} {exchange.request.url.partition('?')[0]} lets {PAGE} send cookies"


_PAGES = "applications in browsers, such as MCP Inspector and single-page applications"

CHECKS = (
    Check(
        *("cors-metadata", Severity.WARNING, "Scripts may read metadata", "RFC 8414 section 3.2; Fetch section 3.2"),
        matters_to=_PAGES,
        remedy="send Access-Control-Allow-Origin: * with metadata, which is public",
        look=metadata,
    ),
    Check(
        *("cors-preflight", Severity.WARNING, "Scripts may ask for metadata with MCP's header", "Fetch section 3.2.2"),
        matters_to="MCP clients in browsers, which send MCP-Protocol-Version and so a preflight",
        remedy="answer OPTIONS on the well-known URLs by 204, with the headers that were asked for allowed",
        look=preflighted(Probe.PREFLIGHT_METADATA),
    ),
    Check(
        *("cors-jwks", Severity.WARNING, "Scripts may read the key set", "Fetch section 3.2"),
        matters_to=_PAGES,
        remedy="send Access-Control-Allow-Origin: * with the key set, which is public",
        look=readable(Probe.CORS_JWKS, Probe.JWKS),
    ),
    Check(
        *(
            "cors-token",
            Severity.WARNING,
            "Scripts may call the token endpoint",
            "Fetch section 3.2.2; RFC 9700 section 2.6",
        ),
        matters_to=_PAGES,
        remedy="answer OPTIONS there, and send Access-Control-Allow-Origin: * without credentials; "
        "leave it if no client runs in a browser",
        look=preflighted(Probe.PREFLIGHT_TOKEN),
    ),
    Check(
        *("cors-errors", Severity.WARNING, "Scripts may read errors of the token endpoint", "Fetch section 3.2"),
        matters_to=f"{_PAGES}, which see a failed network instead of invalid_grant",
        remedy="send Access-Control-Allow-Origin with errors, too: often only the handler that succeeds adds it",
        look=errors,
    ),
    Check(
        *("cors-registration", Severity.WARNING, "Scripts may register clients", "Fetch section 3.2.2"),
        matters_to="MCP clients in browsers, such as MCP Inspector",
        remedy="answer OPTIONS at the registration endpoint as at the token endpoint",
        look=preflighted(Probe.PREFLIGHT_REGISTRATION),
    ),
    Check(
        *("cors-authorization", Severity.WARNING, "No script calls the authorization endpoint", "RFC 9700 section 2.6"),
        matters_to="the people who are signed in: browsers are sent there, and do not fetch it",
        remedy="send no CORS headers there",
        look=authorization,
    ),
    Check(
        *("cors-credentials", Severity.ERROR, "No page may use a person's cookies", "Fetch section 3.2.5"),
        matters_to="the people who are signed in: any page acts and reads in their name",
        remedy="send Access-Control-Allow-Origin: *, and no Access-Control-Allow-Credentials",
        look=credentials,
    ),
    Check(
        *(
            "cors-resource",
            Severity.WARNING,
            "Scripts may read the resource's metadata",
            "RFC 9728 section 3; Fetch section 3.2",
        ),
        matters_to="MCP clients in browsers, such as MCP Inspector",
        remedy="send Access-Control-Allow-Origin: * with it",
        look=readable(Probe.CORS_RESOURCE, Probe.RESOURCE_INSERTED),
    ),
)
