"""Listening where the operator says: addresses of either family, and unix sockets."""

from __future__ import annotations

import errno
import os
import resource
import socket
import stat
from collections.abc import Sequence
from contextlib import suppress
from ipaddress import ip_address
from pathlib import Path

from oauthcore import ConfigurationError
from oauthcore.wire.text import ascii_lower, decimal
from oauthcore_h11.loopback import LOCALHOST, MAX_PORT

PORT_DIGITS = 5

# As many as the kernel lets wait, until a busy moment is over (Linux: net.core.somaxconn, 4096).
BACKLOG = 4096
UNIX = "unix:"
_REMEDY = "use an address and a port, as in 127.0.0.1:8000 or [::1]:8000, or unix: and a path"


def listen(binds: Sequence[str], folder: Path = Path()) -> list[socket.socket]:
    """Listen on all of them; raises `ConfigurationError` naming the one that can't be, and then listens on none.

    Relative paths of unix sockets are below `folder`.
    """
    sockets: list[socket.socket] = []
    try:
        for bind in binds:
            sockets += listen_on_unix(bind, folder) if bind.startswith(UNIX) else listen_on_port(bind)
    except ConfigurationError:
        for opened in sockets:
            opened.close()
        raise
    return sockets


def listen_on_port(bind: str) -> list[socket.socket]:
    """Listen on an address and a port; localhost is both families' (RFC 6761 section 6.3)."""
    host, port = host_and_port(bind)
    if host != LOCALHOST:
        return [opened(bind, host, port)]
    first = opened(bind, "127.0.0.1", port)
    try:
        second = opened(bind, "::1", int(first.getsockname()[1]))
    except ConfigurationError:
        # Without IPv6, IPv4 is enough; but if another process has the port there, this would be half a server.
        if socket.has_ipv6 and is_taken("::1", int(first.getsockname()[1])):
            first.close()
            raise
        return [first]
    return [first, second]


def host_and_port(bind: str) -> tuple[str, int]:
    """Read an address and a port."""
    host, colon, port = bind.rpartition(":")
    number = decimal(port, PORT_DIGITS)
    if not colon or number is None or number > MAX_PORT:
        raise ConfigurationError("bind", bind, _REMEDY)
    if ascii_lower(host) == LOCALHOST:
        return LOCALHOST, number
    bracketed = host.startswith("[") and host.endswith("]")
    try:
        address = ip_address(host[1:-1] if bracketed else host)
    except ValueError:
        raise ConfigurationError("bind", bind, _REMEDY) from None
    if (address.version == 6) is not bracketed:
        raise ConfigurationError("bind", bind, _REMEDY)
    return str(address), number


def opened(bind: str, host: str, port: int) -> socket.socket:
    """Open one listening socket."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise explained(bind, error) from None


def is_taken(host: str, port: int) -> bool:
    """Return whether a process listens there."""
    with socket.socket(socket.AF_INET6) as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == errno.EADDRINUSE
    return False


def listen_on_unix(bind: str, folder: Path) -> list[socket.socket]:
    """Listen on a unix socket, for its owner's group too: a reverse proxy runs as another user."""
    path = folder / bind.removeprefix(UNIX)
    if path == folder:
        raise ConfigurationError("bind", bind, _REMEDY)
    remove_if_dead(bind, path)
    listening = socket.socket(socket.AF_UNIX)
    before = os.umask(0o117)
    try:
        listening.bind(str(path))
        listening.listen(BACKLOG)
    except OSError as error:
        listening.close()
        raise explained(bind, error) from None
    finally:
        os.umask(before)
    return [listening]


def remove_if_dead(bind: str, path: Path) -> None:
    """Remove the socket of a server that is no more; anything else stays, and is named."""
    try:
        mode = path.lstat().st_mode
    except OSError:
        return
    if not stat.S_ISSOCK(mode):
        raise ConfigurationError("bind", bind, "a file with this name is not a socket; name another")
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            with suppress(FileNotFoundError):
                path.unlink()
        except OSError as error:
            raise explained(bind, error) from None
        else:
            raise ConfigurationError("bind", bind, "another server answers there; stop it, or name another path")


def explained(bind: str, error: OSError) -> ConfigurationError:
    """Say what to do about an address that can't be listened on."""
    match error.errno:
        case errno.EADDRINUSE:
            remedy = "it is in use; stop who has it, or choose another"
        case errno.EACCES | errno.EPERM:
            remedy = "it needs privileges; choose a port above 1023, or a folder that can be written to"
        case _:
            remedy = f"this machine can't listen there ({error.strerror or error}); choose another"
    return ConfigurationError("bind", bind, remedy)


def spelled(listening: socket.socket) -> str:
    """Spell where a socket listens, as `bind` does."""
    name = listening.getsockname()
    if isinstance(name, str):
        return UNIX + name
    host, port = name[0], name[1]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def raise_open_files() -> int:
    """Let this process have as many open files as it may: each connection is one. Give how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        with suppress(ValueError, OSError):  # some systems name a hard limit that they then don't allow
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]
