"""TLS to MySQL and MariaDB: what a URL asks for, every driver does."""

from __future__ import annotations

from pathlib import Path

import pytest
import trustme
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from oauthcore import ConfigurationError
from oauthcore_sqlalchemy import address
from tests.servers.mariadb import MariaDb
from tests.sql.awaited import Loop

pytestmark = pytest.mark.slow

_CIPHER = text("SHOW STATUS LIKE 'Ssl_cipher'")


def cipher(url: str, loop: Loop) -> str:
    """Connect as a server does or a command, by the driver that a URL names, and tell what that is sealed with."""
    if "+pymysql" in url:
        engine = address.engine_for_command(url)
        with engine.connect() as connection:
            found = str(connection.execute(_CIPHER).one()[1])
        engine.dispose()
        return found
    return loop.wait(awaited_cipher(url))


async def awaited_cipher(url: str) -> str:
    """Connect as a server does."""
    engine = address.engine_for_server(url)
    try:
        async with engine.connect() as connection:
            return str((await connection.execute(_CIPHER)).one()[1])
    finally:
        await engine.dispose()


@pytest.fixture(params=MariaDb.drivers)
def url(request: pytest.FixtureRequest, mariadb: MariaDb) -> str:
    """Return the URL by each driver."""
    return mariadb.url(request.param, "mysql")


def test_a_connection_is_sealed_where_an_authority_is_named(url: str, mariadb: MariaDb, loop: Loop) -> None:
    assert cipher(f"{url}?ssl_ca={mariadb.ca_file}", loop) != ""


def test_a_server_that_another_authority_vouches_for_is_refused(url: str, tmp_path: Path, loop: Loop) -> None:
    file = tmp_path / "other.pem"
    trustme.CA().cert_pem.write_to_path(str(file))

    # One driver keeps the reason to itself.
    with pytest.raises((DBAPIError, OSError), match=r"CERTIFICATE_VERIFY_FAILED|Can't connect"):
        cipher(f"{url}?ssl_ca={file}", loop)


def test_files_that_can_not_be_read_are_one_line(tmp_path: Path) -> None:
    (tmp_path / "none.pem").write_text("no certificate")

    for name in ("absent.pem", "none.pem"):
        with pytest.raises(ConfigurationError, match=f"{name}.*use PEM files that can be read") as refused:
            address.engine_for_server(f"mysql://me:hush@host/db?ssl_ca={tmp_path / name}")
        assert "hush" not in str(refused.value)


def test_what_a_client_shows_is_read_beside_the_authority(authority: trustme.CA, ca_file: Path, tmp_path: Path) -> None:
    shown = tmp_path / "client.pem"
    authority.issue_cert("client").private_key_and_cert_chain_pem.write_to_path(str(shown))

    engine = address.engine_for_server(f"mysql://host/db?ssl_ca={ca_file}&ssl_cert={shown}&ssl_key={shown}")

    assert not engine.url.query
