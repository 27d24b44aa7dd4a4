"""Listening on the loopback interface, and on nothing else: what a demo may be reached by."""

from __future__ import annotations

import errno
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address

from oauthcore import ConfigurationError
from oauthcore.wire.text import ascii_lower

LOCALHOST = "localhost"
LOOPBACK_ALONE = "the demo listens on loopback only; use localhost, ::1 or an address in 127.0.0.0/8"
MAX_PORT = 65_535

# How often to look for a port that is free for both families; the second attempt is needed about never.
_ATTEMPTS = 10


def loopback_addresses(host: str, remedy: str = LOOPBACK_ALONE) -> tuple[str, ...]:
    """Return the addresses that a host stands for; raises `ConfigurationError` for any that others can reach.

    `localhost` is not looked up: it is both addresses that browsers take it for (RFC 6761 section 6.3).
    """
    if ascii_lower(host) == LOCALHOST:
        return ("127.0.0.1", "::1")
    try:
        address: IPv4Address | IPv6Address | None = ip_address(host.removeprefix("[").removesuffix("]"))
    except ValueError:
        address = None
    if address is None or not (address == IPv6Address("::1") or (address.version == 4 and address.is_loopback)):
        raise ConfigurationError("--host", host, remedy)
    return (str(address),)


def check_port(port: int) -> None:
    """Raise `ConfigurationError` for what is no port number."""
    if not 0 <= port <= MAX_PORT:
        raise ConfigurationError("--port", port, f"use a number from 1 to {MAX_PORT}, or 0 for any free port")


def listen(host: str, port: int, remedy: str = LOOPBACK_ALONE) -> list[socket.socket]:
    """Listen on a loopback host; port 0 is any that is free. Raises `ConfigurationError` if that can't be."""
    return listen_at(loopback_addresses(host, remedy), host, port)


def listen_at(addresses: tuple[str, ...], host: str, port: int) -> list[socket.socket]:
    """Listen at addresses, which others may reach; `host` is what an error says. Raises `ConfigurationError`."""
    check_port(port)
    try:
        return _listen_on_any(addresses, _ATTEMPTS) if port == 0 else _listen_on_all(addresses, port)
    except OSError as error:
        raise _explained(error, host, port) from None


def _listen_on_any(addresses: tuple[str, ...], attempts: int) -> list[socket.socket]:
    """Listen on a port that is free; again, where the one that the first address got is taken at the second."""
    try:
        return _listen_on_all(addresses, 0)
    except OSError as error:
        if error.errno != errno.EADDRINUSE or attempts == 1:
            raise
        return _listen_on_any(addresses, attempts - 1)


def _listen_on_all(addresses: tuple[str, ...], port: int) -> list[socket.socket]:
    """Listen on the same port of all of them, leaving out a second one that this machine does not have."""
    sockets: list[socket.socket] = []
    try:
        for address in addresses:
            try:
                sockets.append(_listen_on(address, port))
            except OSError as error:
                if error.errno == errno.EADDRINUSE or not sockets:
                    raise
                continue  # no IPv6 here
            port = port_of(sockets[0])
    except OSError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def _listen_on(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family)


def port_of(listening: socket.socket) -> int:
    """Return the port a socket listens on."""
    port = listening.getsockname()[1]
    assert isinstance(port, int)
    return port


def _explained(error: OSError, host: str, port: int) -> ConfigurationError:
    match error.errno:
        case errno.EADDRINUSE:
            return ConfigurationError("--port", port, "it is in use; choose another, or 0 for any free port")
        case errno.EACCES:
            return ConfigurationError("--port", port, "it needs privileges; choose one above 1023, or 0 for any")
        case _:
            remedy = f"this machine can't listen there ({error.strerror}); choose another"
            return ConfigurationError("--host", host, remedy)
