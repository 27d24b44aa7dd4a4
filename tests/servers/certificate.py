"""A server's certificate, of an authority that nobody trusts unless told to."""

from __future__ import annotations

from pathlib import Path

import attrs

from tests.servers.program import Folder


@attrs.frozen
class Certificate:
    """Hold the files: the authority's certificate, and the server's with its key."""

    ca_file: Path
    certificate: Path
    key: Path

    @classmethod
    def issued(cls, folder: Folder) -> Certificate:
        """Write them to a server's folder, as its user's."""
        import trustme  # loads cryptography, which only a server with a certificate has need of

        files = cls(*(folder.path / f"{name}.pem" for name in ("ca", "certificate", "key")))
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(files.ca_file))
        issued.cert_chain_pems[0].write_to_path(str(files.certificate))
        issued.private_key_pem.write_to_path(str(files.key))
        for file in (files.certificate, files.key):
            folder.give_away(file)
        return files

    @property
    def options(self) -> tuple[str, ...]:
        """Return what MariaDB and MySQL are started with, so that they offer TLS."""
        return (f"--ssl-cert={self.certificate}", f"--ssl-key={self.key}")
