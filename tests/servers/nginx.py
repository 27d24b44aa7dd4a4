"""nginx, from Debian's package `nginx`: it ends TLS before an authorization server and an MCP server."""

from __future__ import annotations

import os
import shutil

import trustme

from tests.ports import free_port
from tests.servers.program import Folder, Program, unprivileged

_PATH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"))
# What docs/mcp.md shows, and around it what runs it in a folder of its own, as one process.
_CONFIGURATION = """\
daemon off;
master_process off;
error_log stderr notice;
pid {folder}/pid;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} ssl;
        server_name localhost;
        ssl_certificate {folder}/certificate.pem;
        ssl_certificate_key {folder}/certificate.pem;
{locations}
    }}
}}
"""


class Nginx:
    """Be an nginx at https://localhost:`port`, whose `locations` are the configuration of its one server."""

    def __init__(self, authority: trustme.CA, locations: str, port: int | None = None) -> None:
        self.port = port or free_port()
        self._folder = Folder("nginx")
        certificate = self._folder.path / "certificate.pem"
        authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(certificate))
        self._folder.give_away(certificate)
        configuration = self._folder.path / "nginx.conf"
        configuration.write_text(
            _CONFIGURATION.format(folder=self._folder.path, port=self.port, locations=locations), encoding="utf-8"
        )
        # It listens before it says so. -e: otherwise it opens a log that is not this user's, to begin with.
        command = [self.path(), "-e", "stderr", "-c", str(configuration)]
        self._program = Program(command, "using the", self._folder.path, unprivileged())
        self._program.start()

    @staticmethod
    def path() -> str:
        """Return where the program is; raises `FileNotFoundError` where there is none."""
        found = shutil.which("nginx", path=_PATH)
        if found is None:
            raise FileNotFoundError("there is no nginx here: apt-get install nginx")
        return found

    def stop(self) -> None:
        """Stop it, and remove what it wrote."""
        self._program.kill()
        self._folder.remove()
