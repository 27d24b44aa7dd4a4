"""Where a proxy must be in between, and the file names none: it is said, and nobody has an address."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path

import pytest

from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.configuration.tables import Configuration, Network, Proxies, Tls
from oauthcore_h11.unnamed_proxies import has_unnamed_proxy, proxy_warnings

HTTPS, HTTP = "https://as.example", "http://localhost:8000"
LOOPBACK, LAN = ip_network("127.0.0.1"), ip_network("10.0.0.0/8")
UNIX, PORT, ANYWHERE = "unix:http.sock", "127.0.0.1:8000", "0.0.0.0:8000"


def configuration(
    issuer: str, *bind: str, trusted: tuple[Network, ...] = (), unix: bool = False, tls: bool = False
) -> Configuration:
    return Configuration(
        folder=Path(),
        issuer=issuer,
        token_key=new_token_key(),
        bind=bind,
        tls=Tls(certificate=Path("c"), key=Path("k")) if tls else None,
        proxies=Proxies(trusted=trusted, trusted_unix=unix),
    )


@pytest.mark.parametrize(
    ("found", "is_unnamed", "named"),
    [
        (configuration(HTTPS, PORT), True, ["trusted"]),
        (configuration(HTTPS, "localhost:8000"), True, ["trusted"]),
        (configuration(HTTPS, "[::1]:8000", trusted=(LOOPBACK,)), True, ["trusted"]),
        (configuration(HTTPS, ANYWHERE), True, ["trusted"]),
        (configuration(HTTPS, UNIX), True, ["trusted_unix"]),
        (configuration(HTTPS, UNIX, PORT), True, ["trusted_unix", "trusted"]),
        (configuration(HTTPS, PORT, unix=True), True, ["trusted"]),
        (configuration(HTTPS, PORT, trusted=(LAN,)), True, ["trusted"]),
        (configuration(HTTP, UNIX), False, ["trusted_unix"]),
        (configuration(HTTP, PORT), False, []),
        (configuration(HTTPS, PORT, tls=True), False, []),
        (configuration(HTTPS, PORT, trusted=(LOOPBACK,)), False, []),
        (configuration(HTTPS, "localhost:8000", trusted=(LOOPBACK,)), False, []),
        (configuration(HTTPS, ANYWHERE, trusted=(LAN,)), False, []),
        (configuration(HTTPS, UNIX, unix=True), False, []),
        # The other one is the operator's own way in, for monitoring say.
        (configuration(HTTPS, UNIX, PORT, unix=True), False, []),
    ],
)
def test_proxy_that_is_missing_in_the_file_is_named(found: Configuration, is_unnamed: bool, named: list[str]) -> None:
    warnings = proxy_warnings(found)

    assert has_unnamed_proxy(found) is is_unnamed
    assert len(warnings) == len(named)
    for warning, name in zip(warnings, named, strict=True):
        assert f"{name} = " in warning
        assert "no client's address is known" in warning
        assert "/metrics" in warning
