"""Another server, on loopback: it answers as the path says, or as badly."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from tests.processes import PATIENCE


class Handler(BaseHTTPRequestHandler):
    """Answer as the path says."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest")
            self.send_header("Content-Length", "0")
            self.end_headers()
        elif self.path == "/pour":
            self.send_response(200)
            self.end_headers()
            self.send_for_long(b"a" * 100_000, wait=0.01)
        elif self.path == "/drip-head":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
            self.send_for_long(b"a", wait=0.05)
        elif self.path == "/drip-body":
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            self.send_for_long(b"a", wait=0.05)
        else:
            self.answer(b"x" * 1000 if self.path == "/large" else self.headers["Host"].encode())

    def do_POST(self) -> None:
        self.answer(self.rfile.read(int(self.headers["Content-Length"])) + self.headers["X-Own"].encode())

    def send_for_long(self, piece: bytes, wait: float) -> None:
        """Send a piece, then wait a while for the other side to hang up, and so on."""
        self.close_connection = True
        self.connection.settimeout(wait)
        with suppress(OSError):
            for _ in range(100):
                self.wfile.write(piece)
                self.wfile.flush()
                with suppress(TimeoutError, BlockingIOError):
                    if not self.connection.recv(1):
                        return

    def answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(  # type: ignore[explicit-override]  # typing.override is 3.12's
        self, format: str, *args: object
    ) -> None:
        """Say nothing."""


@contextmanager
def elsewhere(tls: ssl.SSLContext | None = None) -> Iterator[int]:
    """Be a server on loopback, and give its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(PATIENCE)
