"""docs/mutual-tls.md: its code runs as it stands, and its tables are true."""

from __future__ import annotations

import re
from pathlib import Path

import attrs
import pytest

from oauthcore import Client, ConfigurationError
from oauthcore.clients.tls_client_auth import NAMES
from oauthcore.mutual_tls import METHODS
from oauthcore.wire.certificate_headers import CertificateHeader, VerifiedChains
from oauthcore_h11.assembly import new_token_key
from oauthcore_h11.unnamed_proxies import proxies_of
from tests.core.certificates import certificate, subject
from tests.h11.test_configuration import reading
from tests.test_pushed_requests_page import run_blocks

DOCS = Path(__file__).parent.parent / "docs"
PAGE = (DOCS / "mutual-tls.md").read_text(encoding="utf-8")


def test_a_client_gets_a_token_with_its_certificate_as_the_page_has_it() -> None:
    names = run_blocks(PAGE)
    now = int(names["time"].time())
    authority = certificate(subject(CN="authority"), is_ca=True)
    made = certificate(subject(O="Example Bank", CN="bank"), issuer=authority, not_before=now - 60, not_after=now + 600)

    assert names["token_request"](made.issued).status == 200
    assert names["token_request"](made.unverified).status == 401


def test_the_page_names_every_method_and_every_name() -> None:
    for name in (*METHODS, *NAMES):
        assert f"`{name}`" in PAGE
    assert set(NAMES) <= attrs.fields_dict(Client).keys()


def test_the_files_on_the_page_can_be_read(tmp_path: Path) -> None:
    least = f'issuer = "https://as.example"\ntoken_key = "{new_token_key().reveal()}"\n'
    own, proxied = (reading(tmp_path, least + block) for block in re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))

    assert own.tls is not None and own.mutual_tls is not None
    assert proxies_of(proxied).certificate == CertificateHeader(format="nginx", chains="X-SSL-Client-Verify")
    refusing = "[proxies]\ntrusted_unix = true\n[proxies.client_certificate]\nrefuses_unverified = true\n"
    assert proxies_of(reading(tmp_path, least + refusing)).certificate == CertificateHeader(chains=VerifiedChains())
    broken = refusing + 'name = "a b"\n'
    with pytest.raises(ConfigurationError, match=r"proxies\.client_certificate\.name"):
        proxies_of(reading(tmp_path, least + broken))


def test_the_table_names_modules_and_tests_that_there_are() -> None:
    rows = PAGE.partition("## Where each section is obeyed")[2]
    source = "".join(path.read_text(encoding="utf-8") for path in (DOCS.parent / "tests").rglob("test_*.py"))

    modules, tests = re.findall(r"`(\w+(?:/\w+)*\.py)`", rows), re.findall(r"`(test_\w+)`", rows)
    assert modules and tests
    for module in modules:
        folders = (DOCS.parent / "oauthcore", DOCS.parent / "adapters")
        assert any((folder / module).exists() for folder in folders), module
    for test in tests:
        assert f"def {test}(" in source, test
