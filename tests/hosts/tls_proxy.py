"""A proxy that ends TLS and hands the bytes on as they are, as the simplest of them do."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Thread

import trustme

from tests.processes import PATIENCE

PIECE = 65_536


@contextmanager
def tls_proxy(authority: trustme.CA, to: int) -> Iterator[int]:
    """Proxy to a port of the loopback interface; give the port to use."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=_accept, args=(listener, tls, to), daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)


def _accept(listener: socket.socket, tls: ssl.SSLContext, to: int) -> None:
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            Thread(target=_serve, args=(client, tls, to), daemon=True).start()


def _serve(client: socket.socket, tls: ssl.SSLContext, to: int) -> None:
    with suppress(OSError):
        inside = tls.wrap_socket(client, server_side=True)
        upstream = socket.create_connection(("127.0.0.1", to))
        back = Thread(target=_pump, args=(upstream, inside), daemon=True)
        back.start()
        _pump(inside, upstream)
        back.join(PATIENCE)
        inside.close()
        upstream.close()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            sink.sendall(piece)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
