"""Whatever is sent to the registration endpoint, it is registered within the rules or refused: never a failure."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oauthcore import Client, Request, Response, run
from oauthcore.wire.http import Outgoing
from tests.core.oidc.provider import provider
from tests.core.registering import CURSOR, JSON, LOOPBACK, OPEN, change_request, configure, register
from tests.core.signing_keys import key_for
from tests.core.site import REDIRECT, Site, make_site, members
from tests.scale import scaled

EXAMPLES = scaled(100, 50_000)
UNLIMITED = attrs.evolve(OPEN, max_clients=None, max_from_address=None, scope="openid email")
ERRORS = frozenset({"invalid_redirect_uri", "invalid_client_metadata"})

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
URIS = st.sampled_from(
    (
        *(REDIRECT, LOOPBACK, *CURSOR, "javascript:x", "https://[", "http://a@b/", "", "https://é/", "https://a:0/"),
        *("com.example.app:/cb", "https://*.a.example/", "http://[::1]/", "https://a.example/#", "data:,x", "a b"),
    )
)
NAMES = st.sampled_from(
    (
        *attrs.fields_dict(Client),
        *(
            "client_name",
            "client_name#de",
            "logo_uri#de-DE",
            "tos_uri#",
            "#",
            "client_secret",
            "client_secret_expires_at",
        ),
        *("software_statement", "registration_access_token", "registration_client_uri", "require_pushed"),
    )
)
KEYS = st.sampled_from(
    (
        {"keys": []},
        {"keys": [dict(key_for("ES256").public.members)]},
        {"keys": [dict(key_for("ES256").members)]},
        {"keys": [{"kty": "oct", "k": "eA"}, 1, None]},
        {"keys": {}},
    )
)
WORDS = st.sampled_from(
    (
        *("code", "token", "id_token", "code id_token", "none", "pairwise", "public", "web", "native", "implicit"),
        *(
            "RS256",
            "ES256",
            "HS256",
            "RSA-OAEP",
            "A128GCM",
            "private_key_jwt",
            "client_secret_jwt",
            "authorization_code",
        ),
        *("refresh_token", "client_credentials", "openid", "email profile", REDIRECT, "https://client.example/x"),
    )
)
MEMBERS = VALUES | WORDS | URIS | KEYS | st.lists(WORDS | URIS, max_size=4)
METADATA = st.dictionaries(NAMES, MEMBERS, max_size=6)


def not_found(request: Outgoing) -> Response:
    """Be every other server, which has nothing."""
    return Response(404)


def site_of(site: Site) -> Site:
    """Return a site whose world has other servers."""
    site.world = attrs.evolve(site.world, fetch=not_found)
    return site


SITES = (
    site_of(make_site(registration=UNLIMITED)),
    site_of(provider(run, registration=attrs.evolve(UNLIMITED, schemes=()))),
)


def check_registered(site: Site, response: Response) -> None:
    """Check that what was registered is what a stranger may have, and is read back as it was answered."""
    registered = members(response)
    client = run(site.server.clients.find(registered["client_id"]), site.world)
    assert client is not None
    assert (client.allow, client.introspects_any, client.access_token_format) == (frozenset(), False, "opaque")
    assert set(client.scope) <= {"openid", "email"}
    assert set(client.grant_types) <= {"authorization_code", "refresh_token", "implicit"}
    assert client.dynamic is not None
    for uri in client.redirect_uris:
        assert uri.startswith(
            ("https://", "http://127.0.0.1", "http://localhost", "http://[::1]", "com.example.app:")
        ) or (uri.startswith("cursor:") and site is SITES[0])
    read = members(configure(site, "GET", registered))
    assert read == {name: value for name, value in registered.items() if not name.startswith("client_secret")}


def answered_rightly(site: Site, response: Response, status: int) -> bool:
    """Check that an answer is one of those that there are; tell whether it is a good one."""
    assert response.header("content-type") == "application/json"
    assert response.refusal is None or response.refusal.cause is None, response.refusal
    if response.status == status:
        check_registered(site, response)
        return True
    assert response.status == 400
    assert members(response)["error"] in ERRORS
    return False


@pytest.mark.long
@given(st.sampled_from(SITES), METADATA, st.lists(URIS, min_size=1, max_size=3), METADATA)
@settings(max_examples=EXAMPLES, deadline=None)
def test_whatever_metadata_is_sent_is_registered_and_changed_or_refused(
    site: Site, metadata: dict[str, Any], uris: list[str], changed: dict[str, Any]
) -> None:
    response = register(site, **({"redirect_uris": uris} | metadata))

    if answered_rightly(site, response, 201):
        registered = members(response)
        request = change_request(
            registered, **({"redirect_uris": uris} | changed | {"client_id": registered["client_id"]})
        )
        answered_rightly(site, site.handle(request), 200)
    site.world.storage.purge(site.now + 2 * 86_400, 10)


# Half of the time of a body goes into drawing it: of each that is drawn, some are made.
VARIANTS = 10
BODIES = st.binary(max_size=200) | st.text().map(str.encode) | VALUES.map(json.dumps).map(str.encode)


def variants(body: bytes) -> tuple[bytes, ...]:
    """Return a body, and others made of it: cut off, repeated, spoilt, and as a part of JSON."""
    half = len(body) // 2
    made = (
        *(body, body[:half], body[half:], body + body, body[::-1], b"\xef\xbb\xbf" + body),
        *(b"[" + body + b"]", b'{"client_name": ' + body + b"}", b'{"jwks": ' + body + b', "jwks_uri": 1}'),
        b'{"redirect_uris": [], "grant_types": ' + body + b', "response_types": ' + body,
    )
    assert len(made) == VARIANTS
    return made


@pytest.mark.long
@given(BODIES)
@settings(max_examples=EXAMPLES // VARIANTS, deadline=None)
def test_whatever_bytes_are_sent_are_refused_in_oauths_json(drawn: bytes) -> None:
    for body in variants(drawn):
        for site in SITES:
            for method in ("POST", "PUT"):
                response = site.handle(Request(method, "/register", (JSON,), body))

                assert response.header("content-type") == "application/json"
                assert response.status in {400, 401}
                assert response.refusal is not None
                assert response.refusal.cause is None
