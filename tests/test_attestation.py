"""The page on extending: its method of client authentication is the one that is tested, from outside of the core."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import pytest

from oauthcore import Client, ConfigurationError, Request, Response
from oauthcore.jose import crypto
from oauthcore.jose.jwk import Jwk
from tests.core.site import CLIENTS, FORM, ISSUER, Site, form, make_site, members, refused

DOCS = Path(__file__).parent.parent / "docs"
EXAMPLE = DOCS / "examples" / "attestation.py"
NOW = 1_800_000_000
ATTESTER, KEY, OTHER = crypto.generate("ES256"), crypto.generate("ES256"), crypto.generate("ES256")

names: dict[str, Any] = {"__name__": "attestation"}
exec(compile(EXAMPLE.read_text(encoding="utf-8"), str(EXAMPLE), "exec"), names)
METHOD = names["METHOD"]
CLIENT = Client(
    client_id="attested",
    token_endpoint_auth_method=METHOD,
    grant_types=("client_credentials",),
    response_types=(),
    scope="read",
)


def attested_site(**settings: Any) -> Site:
    """Make a site with the method, and a client that uses it."""
    methods = {METHOD: names["ByAttestation"](ATTESTER.public)}
    return make_site(**{"clients": (*CLIENTS, CLIENT), "client_authentication": methods} | settings)


def attestation(key: Jwk = ATTESTER, typ: str = "oauth-client-attestation+jwt", **changes: Any) -> tuple[str, str]:
    """Say of a key that it is the client's."""
    claims = {"sub": "attested", "exp": NOW + 3_600, "cnf": {"jwk": KEY.public.members}} | changes
    return ("OAuth-Client-Attestation", crypto.sign_claims(claims, key, "ES256", typ))


def proof(key: Jwk = KEY, typ: str = "oauth-client-attestation-pop+jwt", **changes: Any) -> tuple[str, str]:
    """Prove possession of the key."""
    claims = {"aud": ISSUER, "jti": "j1", "exp": NOW + 60} | changes
    return ("OAuth-Client-Attestation-PoP", crypto.sign_claims(claims, key, "ES256", typ))


def ask(site: Site, *headers: tuple[str, str], path: str = "/token", **more: str) -> Response:
    """Ask for a token."""
    sent = {"grant_type": "client_credentials"} if path == "/token" else {"token": "unknown"}
    return site.handle(Request("POST", path, (FORM, *headers), form(client_id="attested", **sent, **more)))


def test_page_shows_the_example() -> None:
    page = (DOCS / "extending.md").read_text(encoding="utf-8")

    assert f"```python\n{EXAMPLE.read_text(encoding='utf-8')}```" in page


@pytest.mark.parametrize("path", ["/token", "/introspect", "/revoke"])
def test_a_client_proves_itself_by_a_method_of_the_hosts_once(path: str) -> None:
    site = attested_site()

    assert ask(site, attestation(), proof(), path=path).status == 200
    assert refused(ask(site, attestation(), proof(), path=path), "invalid_client", "used before")
    assert ask(site, attestation(), proof(jti="j2"), path=path).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (attestation(),),
        (proof(),),
        (attestation(OTHER), proof()),
        (attestation(), proof(OTHER)),
        (attestation(sub="confidential"), proof()),
        (attestation(exp=NOW - 100), proof()),
        (attestation(exp=NOW + 10**6), proof()),
        (attestation(cnf={}), proof()),
        (attestation(cnf="key"), proof()),
        (attestation(typ="JWT"), proof()),
        (attestation(), proof(typ="JWT")),
        (attestation(), proof(aud="https://evil.example")),
        (attestation(), proof(exp=NOW - 100)),
        (attestation(), ("OAuth-Client-Attestation-PoP", "none")),
    ],
)
def test_what_the_method_refuses_is_refused(headers: tuple[tuple[str, str], ...]) -> None:
    assert refused(ask(attested_site(), *headers), "invalid_client")


def test_another_method_beside_it_proves_nothing() -> None:
    assert refused(ask(attested_site(), attestation(), proof(), client_secret="any"), "invalid_client")


def test_a_disabled_client_is_refused_before_its_method_is_asked() -> None:
    site = attested_site()
    site.drive(site.server.clients.disable("attested"), site.world)

    assert refused(ask(site, attestation(), proof()), "invalid_client", "disabled")


def test_without_the_method_nobody_is_let_in_or_registered() -> None:
    site, later = attested_site(), make_site(clients=())
    later.world = site.world

    assert refused(ask(later, attestation(), proof()), "invalid_client", "not the method")
    with pytest.raises(ConfigurationError, match="token_endpoint_auth_method"):
        later.server.clients.prepare(attrs.evolve(CLIENT, client_id="new"))


def test_the_metadata_lists_it() -> None:
    published = members(attested_site().get("/.well-known/oauth-authorization-server"))

    assert METHOD in published["token_endpoint_auth_methods_supported"]
    assert METHOD in published["introspection_endpoint_auth_methods_supported"]


@pytest.mark.parametrize("methods", [{"none": len}, {"": len}, {"tls_client_auth": len}, {"own": "no function"}])
def test_a_method_that_can_not_be_is_refused(methods: Any) -> None:
    with pytest.raises(ConfigurationError, match="client_authentication"):
        make_site(client_authentication=methods)
