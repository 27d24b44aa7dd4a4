"""TLS, and the clock on the other side."""

from __future__ import annotations

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from oauthcore_doctor.finding import Check, Severity
from oauthcore_doctor.observations import Observations, is_loopback, origin_of

DAY = 86_400
# Certificates of ninety days are renewed thirty days before they end.
RENEWED_BEFORE = 14 * DAY
# What clients forgive is from nothing to five minutes (RFC 7519 section 4.1.4); a Date has whole seconds.
SKEW = 30


def certificate(seen: Observations) -> Iterator[str]:
    """Find certificates that are not accepted."""
    for tls in seen.tls:
        if tls.failure is not None:
            yield f"{tls.host}: {tls.failure}"


def expiry(seen: Observations) -> Iterator[str]:
    """Find certificates that end soon."""
    for tls in seen.tls:
        if tls.expires_at is not None and tls.expires_at - tls.at < RENEWED_BEFORE:
            yield f"{tls.host}: the certificate expires in {(tls.expires_at - tls.at) / DAY:.0f} days"


def old_versions(seen: Observations) -> Iterator[str]:
    """Find hosts that take TLS 1.0 or 1.1."""
    for tls in seen.tls:
        if tls.old_version is not None:
            yield f"{tls.host} accepts {tls.old_version}"


def plain_http(seen: Observations) -> Iterator[str]:
    """Find what is named without TLS and is not on this machine."""
    for url in (seen.target.issuer, seen.target.resource):
        if url is not None and url.startswith("http://") and not is_loopback(url):
            yield f"{url} is plain http"


def clock(seen: Observations) -> Iterator[str]:
    """Find servers whose clock differs from ours."""
    skews: dict[str, float] = {}
    for exchange in seen.exchanges.values():
        date = exchange.response.header("date") if exchange.response is not None else None
        try:
            if date is not None:
                skew = parsedate_to_datetime(date).timestamp() - exchange.at
                # The least of them: an answer may have come late, or from a cache.
                skews.setdefault(origin_of(exchange.request.url), skew)
                skews[origin_of(exchange.request.url)] = min(skews[origin_of(exchange.request.url)], skew, key=abs)
        except ValueError:
            continue
    for origin, skew in skews.items():
        if abs(skew) > SKEW:
            yield f"the clock of {origin} is {abs(skew):.0f} seconds {'ahead of' if skew > 0 else 'behind'} this one"


CHECKS = (
    Check(
        *("tls-certificate", Severity.ERROR, "The certificate is accepted", "RFC 9110 section 4.3.4"),
        matters_to="every client",
        remedy="serve a certificate for this name, with its intermediates, of an authority that clients trust; "
        "for an authority of your own give its file by --ca-file here and to the clients",
        look=certificate,
    ),
    Check(
        *("tls-expiry", Severity.WARNING, "The certificate does not expire soon", "RFC 5280 section 4.1.2.5"),
        matters_to="every client, from that day on",
        remedy="renew it, and see why it was not renewed by itself",
        look=expiry,
    ),
    Check(
        *("tls-old", Severity.ERROR, "TLS before 1.2 is refused", "RFC 8996; RFC 9325 section 3.1.1"),
        matters_to="everybody whose connection is downgraded",
        remedy="set the lowest version to TLS 1.2 where TLS ends: the server or the proxy before it",
        look=old_versions,
    ),
    Check(
        *("plain-http", Severity.ERROR, "Nothing is plain http", "RFC 8414 section 2; RFC 9728 section 1.2"),
        matters_to="everybody: passwords and tokens travel in the open, and most clients refuse",
        remedy="serve https; plain http is for the loopback interface alone",
        look=plain_http,
    ),
    Check(
        *("clock", Severity.WARNING, "Both clocks agree", "RFC 7519 section 4.1; OIDC Core section 3.1.3.7"),
        matters_to="clients that check iat, nbf and exp of tokens, and assertions that this server checks",
        remedy="keep the server's clock by NTP, and that of this machine",
        look=clock,
    ),
)
