"""openid-client with a certificate, over real TLS; and nginx, which hands certificates on (RFC 8705)."""

from __future__ import annotations

import base64
import hashlib
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import attrs
import httpx
import pytest

from tests.core.certificates import Made, certificate, subject
from tests.core.clients.test_certificate_authentication import jwk, key_set
from tests.h11.installation import Installation
from tests.ports import free_port
from tests.relying_parties.browser import Browser
from tests.relying_parties.conftest import CALLBACK, Provider, hashed, serving, talking

pytestmark = pytest.mark.slow

START = int(time.time())


def made(name: str, issuer: Made | None = None, *, is_ca: bool = False) -> Made:
    """Make a certificate that is valid now."""
    return certificate(
        subject(O="Example", CN=name),
        key=f"EC {name}",
        issuer=issuer,
        is_ca=is_ca,
        not_before=START - 3_600,
        not_after=START + 86_400,
    )


AUTHORITY = made("authority", is_ca=True)
ISSUED, OWN = made("bank", AUTHORITY), made("own")
CLIENTS = f"""
[[clients]]
client_id = "bank"
token_endpoint_auth_method = "tls_client_auth"
tls_client_auth_subject_dn = "CN=bank,O=Example"
tls_client_certificate_bound_access_tokens = true
redirect_uris = ["{CALLBACK}"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid email offline_access"
introspects_any = true

[[clients]]
client_id = "own"
token_endpoint_auth_method = "self_signed_tls_client_auth"
jwks_file = "own.jwks"
tls_client_certificate_bound_access_tokens = true
redirect_uris = ["{CALLBACK}"]
grant_types = ["authorization_code", "refresh_token", "client_credentials"]
scope = "openid email offline_access"
introspects_any = true
"""


def thumbprint(shown: Made) -> str:
    """Return the hash of a certificate as tokens name it."""
    return base64.urlsafe_b64encode(hashlib.sha256(shown.der).digest()).decode().rstrip("=")


@attrs.frozen
class Site:
    """Be a provider that asks for certificates at one of its ports."""

    provider: Provider
    aliases: str


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """Serve, with clients that have certificates."""
    folder, port = tmp_path_factory.mktemp("certified"), free_port()
    (folder / "clients.pem").write_text(AUTHORITY.pem)
    (folder / "known.pem").write_text(OWN.pem)
    (folder / "own.jwks").write_text(key_set(jwk(OWN, x5c=OWN)))
    tls = 'client_certificates = "optional"\nclient_ca = "clients.pem"\nclient_self_signed = "known.pem"\n'
    aliases = f"https://localhost:{port}"
    tables = (
        f'{tls}client_certificates_at = ["localhost:{port}"]',
        f'[mutual_tls]\nendpoint_aliases = "{aliases}"',
        '[oidc]\n[oidc.keys]\nalgorithms = ["RS256", "ES256"]',
        f'[[users]]\nusername = "alice"\nsubject = "alice"\npassword_hash = "{hashed("wonderland")}"',
        CLIENTS,
    )
    with serving(folder, *tables, more_at=port) as provider:
        yield Site(provider, aliases)


@pytest.mark.parametrize(
    ("client_id", "method", "shown"),
    [("bank", "tls_client_auth", ISSUED), ("own", "self_signed_tls_client_auth", OWN)],
    ids=["of an authority", "self-signed"],
)
def test_openid_client_signs_in_refreshes_and_revokes_with_its_certificate(
    site: Site, client_id: str, method: str, shown: Made
) -> None:
    with Browser(site.provider.issuer, site.provider.trust) as browser:
        result = talking(site.provider, browser)(
            "openid_client.mjs",
            "code",
            client_id,
            method=method,
            certificate={"certificate": shown.pem, "key": shown.key_pem},
            metadata={"use_mtls_endpoint_aliases": True},
            scope="openid email offline_access",
            parameters={"prompt": "consent"},
        )

    assert result["claims"]["sub"] == result["userinfo"]["sub"] == result["refreshed"]["sub"] == "alice"
    assert result["before"]["cnf"] == {"x5t#S256": thumbprint(shown)}
    assert (result["before"]["active"], result["after"]["active"]) == (True, False)
    # The token, without the certificate and with another client's.
    userinfo, bearer = f"{site.aliases}/userinfo", {"Authorization": f"Bearer {result['tokens'][0]}"}
    for certified in (None, OWN if shown is ISSUED else ISSUED):
        trust = trusting(site.provider.authority, certified)
        answer = httpx.get(userinfo, headers=bearer, verify=trust, trust_env=False)
        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")


def trusting(authority: Path, shown: Made | None) -> ssl.SSLContext:
    """Return the TLS of a client that shows a certificate."""
    context = ssl.create_default_context(cafile=str(authority))
    if shown is not None:
        file = authority.parent / "shown.pem"
        file.write_text(shown.pem + shown.key_pem)
        context.load_cert_chain(file)
    return context


def test_browsers_are_not_asked_for_a_certificate(site: Site) -> None:
    """A client with one that goes to the usual port shows it to nobody."""
    form = {"grant_type": "client_credentials", "client_id": "bank"}
    trust = trusting(site.provider.authority, ISSUED)

    answers = [
        httpx.post(f"{origin}/token", data=form, verify=trust, trust_env=False)
        for origin in (site.provider.issuer, site.aliases)
    ]

    assert [answer.status_code for answer in answers] == [401, 200]


LOCATIONS = """
        ssl_verify_client optional_no_ca;
        ssl_client_certificate {authority};
        location / {{
            proxy_pass http://127.0.0.1:{port};
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            proxy_set_header X-Forwarded-Proto $scheme;
            proxy_set_header X-SSL-Client-Cert $ssl_client_escaped_cert;
            proxy_set_header X-SSL-Client-Verify $ssl_client_verify;
        }}
"""


def test_nginx_hands_on_certificates_of_an_authority_and_of_none(
    nginx: Callable[[int, str], object], ca_file: Path, tmp_path: Path
) -> None:
    """As docs/mutual-tls.md has it: what is not verified proves no name, and what clients write has no effect."""
    (tmp_path / "own.jwks").write_text(key_set(jwk(OWN)))
    authority = Path("/tmp") / f"clients-{free_port()}.pem"
    authority.write_text(AUTHORITY.pem)
    installation, port = Installation(tmp_path), free_port()
    proxied = '[proxies]\ntrusted = ["127.0.0.1"]\n[proxies.client_certificate]\nformat = "nginx"\n'
    installation.configure(f'{proxied}chains = "X-SSL-Client-Verify"', "[mutual_tls]", "[oidc]", CLIENTS)
    issuer = f"https://localhost:{port}"
    text = installation.config.read_text().replace('issuer = "http://localhost:8000"', f'issuer = "{issuer}"')
    installation.config.write_text(text)
    forged = made("bank")
    headers = {
        "X-SSL-Client-Cert": quote(ISSUED.pem),
        "X-SSL-Client-Verify": "SUCCESS",
    }
    try:
        with installation.serving() as running:
            backend = int(running.bind.rpartition(":")[2])
            nginx(port, LOCATIONS.format(authority=authority, port=backend))

            def ask(client_id: str, shown: Made | None, said: dict[str, str] | None = None) -> int:
                form = {"grant_type": "client_credentials", "client_id": client_id}
                trust = trusting(ca_file, shown)
                return httpx.post(f"{issuer}/token", data=form, headers=said, verify=trust, trust_env=False).status_code

            assert (ask("bank", ISSUED), ask("own", OWN)) == (200, 200)
            assert (ask("bank", forged), ask("bank", OWN), ask("own", ISSUED)) == (401, 401, 401)
            assert (ask("bank", None, headers), ask("bank", forged, headers)) == (401, 401)
    finally:
        authority.unlink()
