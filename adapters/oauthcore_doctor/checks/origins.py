"""What must not change metadata: host names and headers that any client can send."""

from __future__ import annotations

from collections.abc import Iterator

from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, Probe
from oauthcore_doctor.walk import FORGED


def forged_host(seen: Observations) -> Iterator[str]:
    """Find metadata that is made of the request's Host."""
    changed = changes(seen, Probe.FORGED_HOST)
    if changed:
        yield f"a request with Host: {FORGED} is answered with another {', '.join(changed)}"


def forged_forwarded(seen: Observations) -> Iterator[str]:
    """Find metadata that is made of headers which a proxy may add, and a stranger too."""
    changed = changes(seen, Probe.FORGED_FORWARDED)
    if changed:
        yield f"a request with forged X-Forwarded-* and Forwarded is answered with another {', '.join(changed)}"


def changes(seen: Observations, probe: Probe) -> list[str]:
    """Return the members that are not as they are without the forgery.

    A front that knows no such host answers something else, which is no change of the metadata.
    """
    document = seen.document(probe)
    if document is None or "issuer" not in document:
        return []
    return sorted(name for name, value in document.items() if seen.metadata.get(name) != value)


def version(seen: Observations) -> Iterator[str]:
    """Find servers that refuse metadata for a header of MCP's clients."""
    if Probe.MCP_VERSION in seen.exchanges and seen.document(Probe.MCP_VERSION) is None:
        exchange = seen.exchanges[Probe.MCP_VERSION]
        yield f"{exchange.request.url} with MCP-Protocol-Version: 2099-01-01 and no Accept: {exchange.summary}"


def failures(seen: Observations) -> Iterator[str]:
    """Find requests that the server failed to answer."""
    for probe, exchange in seen.exchanges.items():
        if exchange.response is not None and exchange.response.status >= 500 and probe.name not in _DISCOVERY:
            yield f"{probe.value}: {exchange.request.method} {exchange.request.url}: {exchange.summary}"


def limits(seen: Observations) -> Iterator[str]:
    """Find requests that were refused for being too many, so that nothing is known of what they were for."""
    limited = [
        probe.value
        for probe, exchange in seen.exchanges.items()
        if exchange.response is not None and exchange.response.status == 429
    ]
    if limited:
        yield f"answered by 429, and not examined: {', '.join(limited)}"


def silence(seen: Observations) -> Iterator[str]:
    """Find requests that were not answered at all."""
    for probe, exchange in seen.exchanges.items():
        if exchange.response is None and probe.name not in _DISCOVERY:
            yield f"{probe.value}: {exchange.request.method} {exchange.request.url}: {exchange.summary}"


# There a check of its own says so.
_DISCOVERY = {"OAUTH_INSERTED", "OIDC_INSERTED", "OIDC_APPENDED", "OAUTH_APPENDED", "FORGED_HOST"}

CHECKS = (
    Check(
        *("forged-host", Severity.ERROR, "Host does not change metadata", "RFC 8414 section 7.3; RFC 9110 section 7.2"),
        matters_to="everybody, where a cache keeps the answer: clients are sent to the attacker's endpoints",
        remedy="configure the issuer, and make no URL from the request",
        look=forged_host,
    ),
    Check(
        *("forged-forwarded", Severity.ERROR, "X-Forwarded-* does not change metadata", "RFC 7239 section 8.1"),
        matters_to="everybody, where a cache keeps the answer: clients are sent to the attacker's endpoints",
        remedy="configure the issuer; or have the proxy overwrite these headers, and trust them from it alone",
        look=forged_forwarded,
    ),
    Check(
        *("mcp-version", Severity.ERROR, "Metadata is served whatever the MCP version", "MCP authorization 2026-07-28"),
        matters_to="MCP clients, which send MCP-Protocol-Version and partly no Accept",
        remedy="ignore the header on well-known URLs; look at the firewall",
        look=version,
    ),
    Check(
        *("server-error", Severity.ERROR, "Nothing ends in a failure of the server", "RFC 6749 section 5.2"),
        matters_to="every client: a 5xx is tried once more, and says nothing of what is wrong",
        remedy="look into the server's log; what a client did wrong is a 4xx",
        look=failures,
    ),
    Check(
        *("no-answer", Severity.ERROR, "Every request is answered", "RFC 9110 section 3.4"),
        matters_to="clients of that endpoint",
        remedy="see that the URL in the metadata is reachable from where the clients are",
        look=silence,
    ),
    Check(
        *("rate-limit", Severity.NOTE, "The walk was not limited", "RFC 6585 section 4"),
        matters_to="this examination, which is not whole",
        remedy="walk again later, or from an address that is not limited",
        look=limits,
    ),
)
