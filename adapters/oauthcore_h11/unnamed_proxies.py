"""What is missing where a reverse proxy must be in between and none is named, or clients have no address."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from oauthcore import ConfigurationError
from oauthcore.wire.certificate_headers import CertificateHeader, VerifiedChains
from oauthcore_h11.configuration.tables import CertificateHeaderTable, Configuration, Network
from oauthcore_h11.listeners import UNIX, host_and_port
from oauthcore_h11.loopback import LOCALHOST
from oauthcore_h11.peer import TrustedProxies

_LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_UNKNOWN = (
    "no client's address is known: wrong passwords of all of them are counted together, and /metrics shows nothing"
)


def proxies_of(configuration: Configuration) -> TrustedProxies:
    """Return which proxies are trusted, and whether there is one in between that is not."""
    table = configuration.proxies
    return TrustedProxies(
        table.trusted,
        unix=table.trusted_unix,
        has_unnamed=has_unnamed_proxy(configuration),
        certificate=None if table.client_certificate is None else header_of(table.client_certificate),
    )


def header_of(table: CertificateHeaderTable) -> CertificateHeader:
    """Return how proxies hand on certificates; raises `ConfigurationError`."""
    try:
        chains = VerifiedChains() if table.refuses_unverified else table.chains or None
        return CertificateHeader(format=table.format, name=table.name, chains=chains)
    except ConfigurationError as error:
        raise ConfigurationError(f"proxies.client_certificate.{error.setting}", error.value, error.remedy) from None


def has_unnamed_proxy(configuration: Configuration) -> bool:
    """Return whether TLS must end at a proxy which can't be one of those that are named.

    Clients use an https issuer; if this server has no TLS, connections don't come from them.
    """
    ends_elsewhere = configuration.issuer.startswith("https:") and configuration.tls is None
    return ends_elsewhere and not any(is_named_at(bind, configuration) for bind in configuration.bind)


def is_named_at(bind: str, configuration: Configuration) -> bool:
    """Return whether a proxy that is named can connect there."""
    table = configuration.proxies
    if bind.startswith(UNIX):
        return table.trusted_unix
    host, _ = host_and_port(bind)
    here = [network for network in _LOOPBACK if host == LOCALHOST or ip_address(host) in network]
    if not here:
        return bool(table.trusted)
    return any(overlap(network, own) for network in table.trusted for own in here)


def overlap(one: Network, other: Network) -> bool:
    """Return whether two networks have an address in common; those of two families have none."""
    if isinstance(one, IPv4Network):
        return isinstance(other, IPv4Network) and one.overlaps(other)
    return isinstance(other, IPv6Network) and one.overlaps(other)


def proxy_warnings(configuration: Configuration) -> list[str]:
    """Return what to set so that clients have an address."""
    found = []
    if any(bind.startswith(UNIX) for bind in configuration.bind) and not configuration.proxies.trusted_unix:
        found.append(
            f"proxies.trusted_unix = false: {_UNKNOWN}, as far as they come by the unix socket; set it to true, and "
            "have the proxy there set X-Forwarded-For"
        )
    on_ports = not all(bind.startswith(UNIX) for bind in configuration.bind)
    if on_ports and has_unnamed_proxy(configuration):
        found.append(
            "the issuer is https, there is no [tls], and proxies.trusted names no proxy that could be in between: "
            f"{_UNKNOWN}; "
            'name it, as in trusted = ["127.0.0.1", "::1"], and have it set X-Forwarded-For'
        )
    return found
