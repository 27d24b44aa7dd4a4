"""The server as curl sees it, which is how most people meet it first."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.h11.installation import Installation, Running
from tests.h11.test_tls import AUTHORITY, CONFIGURATION, write_certificate

CURL = shutil.which("curl")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CURL is None, reason="there is no curl; install Debian's package curl"),
]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Return a server."""
    installation = Installation(tmp_path_factory.mktemp("curl"))
    installation.configure()
    with installation.serving() as served:
        yield served


def curl(*arguments: str, said: bytes = b"") -> str:
    """Run curl; give what it printed, headers and all."""
    done = subprocess.run([str(CURL), "-sS", "-v", *arguments], input=said, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stderr.decode() + done.stdout.decode()


def test_one_connection_is_used_for_several_requests(running: Running) -> None:
    printed = curl(f"{running.url}/healthz", f"{running.url}/readyz")

    assert printed.count("HTTP/1.1 200 OK") == 2
    assert "Re-using existing" in printed


def test_head_has_the_length_and_no_body(running: Running) -> None:
    printed = curl("--head", f"{running.url}/healthz")

    assert "Content-Length: 6" in printed
    assert not printed.endswith("alive\n")


def test_old_version_is_answered_and_closed(running: Running) -> None:
    printed = curl("--http1.0", f"{running.url}/healthz")

    assert "HTTP/1.1 200 OK" in printed
    assert "Connection: close" in printed


def test_client_that_asks_first_is_told_to_go_on(running: Running) -> None:
    """RFC 9110 section 10.1.1."""
    form = b"grant_type=authorization_code&code=" + b"x" * 2_000
    printed = curl("-H", "Expect: 100-continue", "--data-binary", "@-", f"{running.url}/token", said=form)

    assert "HTTP/1.1 100 Continue" in printed
    assert "HTTP/1.1 401 Unauthorized" in printed


def test_chunked_upload_is_read(running: Running) -> None:
    headers = ("-H", "Transfer-Encoding: chunked", "-H", "Content-Type: application/x-www-form-urlencoded")
    printed = curl(*headers, "--data-binary", "@-", f"{running.url}/token", said=b"grant_type=refresh_token")

    assert "HTTP/1.1 401 Unauthorized" in printed
    assert '"error": "invalid_client"' in printed


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-H", "X: " + "x" * 17_000), "431 Request Header Fields Too Large"),
        (("-H", "Content-Encoding: gzip", "-d", "x"), "415 Unsupported Media Type"),
        (("-H", "Expect: miracles", "-d", "x"), "417 Expectation Failed"),
        (("-X", "BREW"), "501 Not Implemented"),
    ],
)
def test_what_is_too_much_or_unheard_of_has_a_status_of_its_own(
    running: Running, arguments: tuple[str, ...], status: str
) -> None:
    assert f"HTTP/1.1 {status}" in curl(*arguments, f"{running.url}/token")


def test_target_and_body_that_are_too_long_are_refused(running: Running) -> None:
    assert "HTTP/1.1 414 " in curl(f"{running.url}/authorize?state={'x' * 9_000}")
    assert "HTTP/1.1 413 " in curl("--data-binary", "@-", f"{running.url}/token", said=b"x" * 70_000)


def test_certificate_is_the_one_that_was_configured(tmp_path: Path) -> None:
    installation = Installation(tmp_path)
    installation.configure(CONFIGURATION)
    write_certificate(tmp_path)
    AUTHORITY.cert_pem.write_to_path(tmp_path / "authority.pem")
    with installation.serving() as running:
        printed = curl("--cacert", str(tmp_path / "authority.pem"), f"https://{running.bind}/healthz")

    assert printed.endswith("alive\n")
    assert "Strict-Transport-Security: max-age=31536000" in printed
