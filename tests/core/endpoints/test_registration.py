"""The client registration endpoint (RFC 7591) and the configuration endpoint (RFC 7592)."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from typing import Any

import attrs
import pytest

from oauthcore import (
    Allowance,
    Client,
    ConfigurationError,
    Policy,
    Registration,
    Request,
    Response,
    SubjectRule,
    TrustedIssuer,
)
from oauthcore.errors import AccessDenied
from oauthcore.flow.effects import Flow
from oauthcore.jose.jwk import set_of
from oauthcore.testing import Factory, Run
from tests.core.registering import CURSOR, JSON, LOOPBACK, OPEN, configure, register, use
from tests.core.signing_keys import key_for
from tests.core.site import (
    CLIENTS,
    FORM,
    REDIRECT,
    VERIFIER,
    Drive,
    Site,
    basic,
    form,
    make_site,
    members,
    params,
    refused,
)
from tests.core.test_interleavings import Meeting


@pytest.fixture
def opened(drive: Drive) -> Site:
    """Return a site where anybody may register."""
    return make_site(drive, registration=OPEN)


def test_registration_is_off_unless_it_is_turned_on(site: Site) -> None:
    assert register(site, redirect_uris=[REDIRECT]).status == 404
    assert "registration_endpoint" not in members(site.get("/.well-known/oauth-authorization-server"))


def test_the_metadata_names_the_endpoint_where_it_is_on(opened: Site) -> None:
    """A4."""
    document = members(opened.get("/.well-known/oauth-authorization-server"))

    assert document["registration_endpoint"] == "https://as.example/register"


def test_an_identifier_begins_with_no_hyphen_since_commands_take_it_as_an_argument(drive: Drive) -> None:
    draws = count(1)
    # A hyphen, and then what no other draw has: a replay tells draws apart by their text.
    site = make_site(
        drive, registration=OPEN, entropy=lambda size: b"\xf8" + sha256(bytes([next(draws)])).digest()[: size - 1]
    )

    client_id = members(register(site, redirect_uris=[REDIRECT]))["client_id"]

    assert client_id[0] != "-"


def test_the_answer_has_everything_as_registered(opened: Site) -> None:
    """E1; RFC 7591 section 3.2.1."""
    told = {
        "client_name": "The app",
        "redirect_uris": [REDIRECT],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": "client_secret_post",
        "contacts": ["admin@client.example"],
        "logo_uri": "https://client.example/logo.png",
        "client_uri": "https://client.example/",
        "policy_uri": "https://client.example/policy",
        "tos_uri": "https://client.example/tos",
        "initiate_login_uri": "https://client.example/login",
        "software_id": "4NRB1-0XZABZI9E6-5SM3R",
        "software_version": "2.1",
        "application_type": "web",
        "scope": "email profile",
    }

    response = register(opened, **told, unknown_member={"is": "ignored"})

    registered = members(response)
    assert response.status == 201
    assert response.header("cache-control") == "no-store"
    assert {name: registered[name] for name in told} == told
    assert registered["client_id_issued_at"] == opened.now
    assert registered["client_secret_expires_at"] == 0
    assert "unknown_member" not in registered


def test_a_client_that_registered_itself_logs_somebody_in(opened: Site) -> None:
    registered = members(register(opened, redirect_uris=[LOOPBACK]))

    assert use(opened, registered).status == 200


@pytest.mark.parametrize(
    ("metadata", "method"),
    [
        ({"redirect_uris": [LOOPBACK]}, "none"),
        ({"redirect_uris": ["com.example.app:/cb"]}, "none"),
        ({"redirect_uris": [REDIRECT]}, "client_secret_basic"),
        ({"redirect_uris": [REDIRECT, LOOPBACK]}, "client_secret_basic"),
        ({"redirect_uris": [REDIRECT], "application_type": "native"}, "none"),
        ({"redirect_uris": [LOOPBACK], "token_endpoint_auth_method": "client_secret_post"}, "client_secret_post"),
    ],
)
def test_a_client_that_names_no_method_is_told_which_it_has(opened: Site, metadata: Any, method: str) -> None:
    """E2."""
    registered = members(register(opened, client_name="x", scope="email", **metadata))

    assert registered["token_endpoint_auth_method"] == method
    assert ("client_secret" in registered) == (method != "none")
    assert ("client_secret_expires_at" in registered) == (method != "none")


@pytest.mark.parametrize("named", [None, "client_secret_basic", "client_secret_post"])
def test_a_client_that_names_no_method_sends_its_secret_as_its_library_likes(opened: Site, named: str | None) -> None:
    """openid-client 6 sends it in the form, whatever the answer says; who has named a method keeps to it."""
    registered = members(register(opened, redirect_uris=[REDIRECT], token_endpoint_auth_method=named))
    client_id, secret = registered["client_id"], registered["client_secret"]
    ways = {
        "client_secret_basic": opened.post("/token", form(grant_type="x"), basic(client_id, secret)),
        "client_secret_post": opened.post("/token", form(grant_type="x", client_id=client_id, client_secret=secret)),
    }

    taken = {method for method, answer in ways.items() if members(answer)["error"] != "invalid_client"}

    assert taken == (set(ways) if named is None else {named})


HOSTS_CALLBACKS = (
    CURSOR,
    ("https://claude.ai/api/mcp/auth_callback",),
    ("https://chatgpt.com/connector/oauth/abc123",),
    ("http://localhost/callback", "http://127.0.0.1/callback"),
)


@pytest.mark.parametrize("callbacks", HOSTS_CALLBACKS)
@pytest.mark.parametrize("application_type", [None, "native"])
def test_the_callbacks_of_cursor_claude_and_chatgpt_register(
    opened: Site, callbacks: tuple[str, ...], application_type: str | None
) -> None:
    """E3."""
    response = register(opened, redirect_uris=list(callbacks), application_type=application_type)

    assert response.status == 201
    assert members(response)["redirect_uris"] == list(callbacks)


def test_a_redirect_uri_that_anybody_could_claim_is_left_out_beside_others(drive: Drive) -> None:
    """RFC 7591 section 3.2.1: what can't be honoured is left out, and the answer says so."""
    site = make_site(drive, registration=attrs.evolve(OPEN, schemes=()))

    registered = members(register(site, redirect_uris=list(CURSOR)))

    assert registered["redirect_uris"] == list(CURSOR[1:])


def test_a_client_whose_scheme_is_known_logs_somebody_in_by_it(opened: Site) -> None:
    """E3, Cursor's own."""
    registered = members(register(opened, redirect_uris=list(CURSOR), application_type="native"))

    assert use(opened, registered).status == 200


@pytest.mark.parametrize(
    "uri",
    [
        *("javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "http://evil.example/", "vbscript:x"),
        *("https://client.example/#f", "other://only.this", "relative", "https://[", "https://u@client.example/"),
    ],
)
def test_a_redirect_uri_that_may_never_be_refuses_the_registration(opened: Site, uri: str) -> None:
    """E3."""
    assert refused(register(opened, redirect_uris=[uri]), "invalid_redirect_uri")


@pytest.mark.parametrize("uri", [LOOPBACK, "https://localhost/cb", "com.example.app:/cb"])
def test_a_web_client_is_sent_to_by_https_alone(opened: Site, uri: str) -> None:
    """OIDC Dynamic Client Registration section 2."""
    assert refused(register(opened, redirect_uris=[uri], application_type="web"), "invalid_redirect_uri")


def test_a_client_without_redirect_uris_is_refused(opened: Site) -> None:
    assert refused(register(opened, client_name="x"), "invalid_redirect_uri")


def test_what_the_server_lacks_is_left_out_and_the_answer_says_so(opened: Site) -> None:
    """E4; RFC 7591 section 3.2.1."""
    asked = ["authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer", "client_credentials", "implicit"]

    registered = members(register(opened, redirect_uris=[REDIRECT], grant_types=asked, scope="email admin"))

    assert registered["grant_types"] == ["authorization_code"]
    assert registered["scope"] == "email profile"


def test_a_client_steps_up_to_a_scope_that_it_did_not_name_when_it_registered(opened: Site) -> None:
    """MCP 2026-07-28, "Step-Up Authorization Flow": clients register with the scope of the first challenge."""
    registered = members(register(opened, redirect_uris=[LOOPBACK], scope="email"))

    granted = [members(use(opened, registered, scope=scope))["scope"] for scope in (None, "email profile")]

    assert granted == ["email", "email profile"]


def test_what_a_client_without_people_names_is_a_bound(drive: Drive) -> None:
    own = attrs.evolve(OPEN, grant_types=("client_credentials",))
    site = make_site(drive, registration=own)

    registered = members(register(site, grant_types=["client_credentials"], response_types=[], scope="email"))

    assert registered["scope"] == "email"


@pytest.mark.parametrize("name", ["Bậc thầy", "שָׁלוֹם", "❤️", "한글", "नमस्ते", "₿", "e\u0301\u0323\u0308\u0304"])
def test_a_name_in_any_script_is_taken(opened: Site, name: str) -> None:
    assert members(register(opened, redirect_uris=[REDIRECT], client_name=name))["client_name"] == name


@pytest.mark.parametrize(
    "metadata",
    [
        {"grant_types": ["urn:ietf:params:oauth:grant-type:jwt-bearer"]},
        {"grant_types": "authorization_code"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"token_endpoint_auth_method": "private_key_jwt"},
        {"jwks": {"keys": []}, "jwks_uri": "https://client.example/jwks"},
        {"jwks_uri": "http://client.example/jwks"},
        {"logo_uri": "javascript:alert(1)"},
        {"initiate_login_uri": "http://client.example/"},
        {"client_name": ["x"]},
        {"client_name": "x" * 201},
        {"client_uri": "https://client.example/" + "x" * 2_048},
        {"client_uri": "https://bank.example@evil.example/"},
        {"tos_uri#de": "javascript:alert(1)"},
        {"client_name": "\x1b[2J"},
        {"client_name": " "},
        {"client_name": "\u3164\u2800\ufe0f"},
        {"client_name": "Bank" + "\u0336" * 5},
        {"client_name#de": "Bank" + "\u0336" * 5},
        {"contacts": ["x"] * 51},
        {"application_type": "other"},
        {"scope": '"'},
    ],
)
def test_metadata_that_cannot_be_is_refused(opened: Site, metadata: Any) -> None:
    """RFC 7591 section 3.2.2."""
    assert refused(register(opened, **({"redirect_uris": [REDIRECT]} | metadata)), "invalid_client_metadata")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"a":1,"a":2}', b"\xff", b"[" * 10_000])
def test_a_body_that_is_no_json_object_is_refused(opened: Site, body: bytes) -> None:
    assert refused(opened.handle(Request("POST", "/register", (JSON,), body)), "invalid_client_metadata")


def test_a_form_is_no_metadata(opened: Site) -> None:
    assert refused(opened.handle(Request("POST", "/register", (FORM,), form(a="b"))), "invalid_client_metadata")


def test_a_body_of_more_than_64_kib_is_not_read(opened: Site) -> None:
    """E5."""
    assert register(opened, redirect_uris=[REDIRECT], x="x" * 65_536).status == 413


def test_what_is_the_operators_alone_is_set_by_no_registration(opened: Site) -> None:
    hostile = {
        "organization_name": "Bank plc",
        "introspects_any": True,
        "allow": ["PLAIN_PKCE"],
        "client_id": "mine",
        "client_secret": "mine",
    }

    registered = members(register(opened, redirect_uris=[REDIRECT], **hostile, access_token_format="jwt"))

    client = opened.drive(opened.server.clients.find(registered["client_id"]), opened.world)
    assert registered["client_id"] != "mine"
    assert registered["client_secret"] != "mine"
    assert (client.introspects_any, client.allow, client.access_token_format) == (False, frozenset(), "opaque")


def test_nobody_registers_without_an_initial_access_token_unless_it_is_open(drive: Drive) -> None:
    site = make_site(drive, registration=Registration())

    response = register(site, redirect_uris=[REDIRECT])

    assert response.status == 401
    assert response.header("www-authenticate") == "Bearer"


def test_an_initial_access_token_registers_as_often_as_it_says(drive: Drive) -> None:
    """RFC 7591 section 3."""
    site = make_site(drive, registration=Registration())
    token = drive(site.server.clients.issue_initial_access_token(lifetime=60, uses=2), site.world)
    bearer = ("Authorization", f"Bearer {token.reveal()}")

    statuses = [register(site, bearer, redirect_uris=[REDIRECT]).status for _ in range(3)]

    assert statuses == [201, 201, 401]


def test_an_initial_access_token_expires(drive: Drive) -> None:
    site = make_site(drive, registration=Registration())
    token = drive(site.server.clients.issue_initial_access_token(lifetime=60), site.world)
    site.clock.advance(60)

    assert register(site, ("Authorization", f"Bearer {token.reveal()}"), redirect_uris=[REDIRECT]).status == 401


def test_a_refused_registration_does_not_use_the_token_up(drive: Drive) -> None:
    site = make_site(drive, registration=Registration())
    token = drive(site.server.clients.issue_initial_access_token(lifetime=60), site.world)
    bearer = ("Authorization", f"Bearer {token.reveal()}")

    assert register(site, bearer, redirect_uris=["javascript:x"]).status == 400

    assert register(site, bearer, redirect_uris=[REDIRECT]).status == 201


def test_a_host_may_change_what_is_registered(drive: Drive) -> None:
    review: Callable[[Client], Client] = lambda client: attrs.evolve(client, name="Unverified")  # noqa: E731
    site = make_site(drive, registration=attrs.evolve(OPEN, review=review))

    assert members(register(site, redirect_uris=[REDIRECT]))["client_name"] == "Unverified"


@pytest.mark.parametrize(
    "uri", ["javascript:alert(1)", "http://evil.example/", "https://a.example/#f", "other://x", "https://u@a.example/"]
)
def test_what_a_host_returns_is_held_to_the_rules_of_a_client(drive: Drive, uri: str) -> None:
    """The policy opens plain http for clients of the operator's, and for no stranger."""
    review: Callable[[Client], Client] = lambda client: attrs.evolve(client, redirect_uris=(REDIRECT, uri))  # noqa: E731
    policy = Policy.oauth21(allow=[Allowance.INSECURE_TRANSPORT])
    site = make_site(drive, policy=policy, registration=attrs.evolve(OPEN, review=review))

    assert refused(register(site, redirect_uris=[REDIRECT]), "invalid_redirect_uri")


@pytest.mark.parametrize("uri", ["http://evil.example/", "http://client.example/cb"])
def test_the_policys_allowances_are_no_strangers(drive: Drive, uri: str) -> None:
    site = make_site(drive, policy=Policy.oauth21(allow=[Allowance.INSECURE_TRANSPORT]), registration=OPEN)

    assert refused(register(site, redirect_uris=[uri]), "invalid_redirect_uri")


@pytest.mark.parametrize(
    "changes",
    [{"client_id": "public"}, {"generation": "x"}, {"dynamic": None}, {"expires_at": None}, {"secrets": ("x",)}],
)
def test_a_host_that_makes_another_client_of_it_is_told_in_the_log(drive: Drive, changes: dict[str, Any]) -> None:
    site = make_site(drive, registration=attrs.evolve(OPEN, review=lambda client: attrs.evolve(client, **changes)))

    response = register(site, redirect_uris=[REDIRECT])

    assert response.status == 500
    assert response.refusal is not None
    assert isinstance(response.refusal.cause, ConfigurationError)


def test_a_host_may_refuse(drive: Drive) -> None:
    def review(client: Client) -> Client:
        """Refuse everybody."""
        raise AccessDenied("not here")

    site = make_site(drive, registration=attrs.evolve(OPEN, review=review))

    assert refused(register(site, redirect_uris=[REDIRECT]), "access_denied")


def test_a_client_that_was_never_used_is_forgotten(opened: Site) -> None:
    """E5."""
    registered = members(register(opened, redirect_uris=[LOOPBACK]))
    opened.clock.advance(24 * 3_600 + 1)

    assert configure(opened, "GET", registered).status == 401
    opened.world.storage.purge(opened.now, 100)

    clients = opened.drive(opened.server.clients.all(), opened.world)
    assert registered["client_id"] not in [client.client_id for client in clients]


def test_a_client_that_was_used_stays(opened: Site) -> None:
    registered = members(register(opened, redirect_uris=[LOOPBACK]))
    use(opened, registered)
    opened.clock.advance(24 * 3_600 + 1)
    opened.world.storage.purge(opened.now, 100)

    assert use(opened, registered).status == 200
    clients = opened.drive(opened.server.clients.all(), opened.world)
    assert registered["client_id"] in [client.client_id for client in clients]


def test_a_client_reads_its_registration(opened: Site) -> None:
    """E6; RFC 7592 section 2.1."""
    registered = members(register(opened, redirect_uris=[LOOPBACK], client_name="x"))

    response = configure(opened, "GET", registered)

    assert response.status == 200
    assert members(response) == registered


def test_a_client_that_is_deleted_loses_its_tokens(opened: Site) -> None:
    """E6; RFC 7592 section 2.3."""
    registered = members(register(opened, redirect_uris=[LOOPBACK], grant_types=["authorization_code"]))
    tokens = members(use(opened, registered))

    assert configure(opened, "DELETE", registered).status == 204

    assert not opened.is_active(tokens["access_token"])
    assert configure(opened, "GET", registered).status == 401


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_another_clients_token_opens_nothing(opened: Site, method: str) -> None:
    """RFC 7592 section 2: 401."""
    mine, other = (members(register(opened, redirect_uris=[LOOPBACK])) for _ in range(2))

    assert configure(opened, method, mine, other["registration_access_token"]).status == 401

    assert configure(opened, "GET", mine).status == 200


def test_a_client_of_the_operators_has_no_configuration(opened: Site) -> None:
    bearer = ("Authorization", "Bearer x")

    assert opened.handle(Request("DELETE", "/register?client_id=public", (bearer,))).status == 401


def test_a_disabled_client_can_not_remove_itself_to_come_back(opened: Site) -> None:
    registered = members(register(opened, redirect_uris=[LOOPBACK]))
    opened.drive(opened.server.clients.disable(registered["client_id"]), opened.world)

    assert configure(opened, "DELETE", registered).status == 401


def spent_token(site: Site) -> list[Flow[Response]]:
    """Return two registrations by the last use of one initial access token."""
    token = site.drive(site.server.clients.issue_initial_access_token(lifetime=60), site.world)
    headers = (JSON, ("Authorization", f"Bearer {token.reveal()}"))
    request = Request("POST", "/register", headers, json.dumps({"redirect_uris": [LOOPBACK]}).encode())
    return [site.server.handle(request), site.server.handle(request)]


def test_the_last_use_of_a_token_registers_one_client_in_every_order(kept: Factory) -> None:
    meeting = Meeting(spent_token, registration=Registration())

    def check(run: Run[Response]) -> None:
        """Look at what came of it."""
        assert sorted(response.status for response in run.results) == [201, 401]

    meeting.explored(check, kept)


def used_and_deleted(site: Site) -> list[Flow[Response]]:
    """Return the first use of a client and its deletion."""
    registered = members(register(site, redirect_uris=[LOOPBACK]))
    client_id = registered["client_id"]
    code = params(site.approve(site.authorize(None, client_id=client_id, redirect_uri=LOOPBACK)))["code"]
    body = form(
        grant_type="authorization_code",
        code=code,
        client_id=client_id,
        redirect_uri=LOOPBACK,
        code_verifier=VERIFIER,
    )
    bearer = ("Authorization", f"Bearer {registered['registration_access_token']}")
    target = registered["registration_client_uri"].removeprefix("https://as.example")
    return [
        site.server.handle(Request("POST", "/token", (FORM,), body)),
        site.server.handle(Request("DELETE", target, (bearer,))),
    ]


def test_what_a_client_gets_while_it_is_deleted_is_dead_in_every_order(kept: Factory) -> None:
    meeting = Meeting(used_and_deleted, registration=OPEN)

    def check(run: Run[Response]) -> None:
        """Look for what is left."""
        redeemed, deleted = run.results
        assert deleted.status == 204
        if redeemed.status == 200:
            assert not meeting.site.is_active(members(redeemed)["access_token"])
        assert [
            client.client_id for client in meeting.site.drive(meeting.site.server.clients.all(), meeting.site.world)
        ] == sorted(each.client_id for each in CLIENTS)

    meeting.explored(check, kept)


JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TRUSTING = TrustedIssuer(
    issuer="https://idp.example", keys=set_of([key_for("ES256")]), subjects=SubjectRule(subject_claim="sub")
)


def test_e4_client_gets_no_grant_of_assertions_by_registering_itself(drive: Drive) -> None:
    """Who may bring assertions is for the operator to say: a stranger's client could be sent to collect them."""
    site = make_site(drive, registration=OPEN, trusted_issuers=[TRUSTING])
    among = register(site, redirect_uris=[REDIRECT], grant_types=["authorization_code", JWT_BEARER])
    alone = register(site, redirect_uris=[REDIRECT], grant_types=[JWT_BEARER])

    assert JWT_BEARER in members(site.get("/.well-known/oauth-authorization-server"))["grant_types_supported"]
    assert members(among)["grant_types"] == ["authorization_code"]
    assert refused(alone, "invalid_client_metadata")


@pytest.mark.parametrize(
    "keys", [{"jwks": {"keys": [dict(key_for("ES256").public.members)]}}, {"jwks_uri": "https://client.example/jwks"}]
)
def test_e4_client_registers_keys_to_authenticate_by(drive: Drive, keys: dict[str, Any]) -> None:
    site = make_site(drive, registration=OPEN)
    registered = members(register(site, redirect_uris=[REDIRECT], token_endpoint_auth_method="private_key_jwt", **keys))

    assert registered["token_endpoint_auth_method"] == "private_key_jwt"
    assert "client_secret" not in registered
    assert registered.items() >= keys.items()


def test_b10_scope_that_was_granted_is_told_where_it_is_not_the_one_that_was_requested(drive: Drive) -> None:
    """RFC 6749 section 5.1."""
    site = make_site(drive, registration=OPEN, policy=Policy(unknown_scope="ignore"))
    registered = members(register(site, redirect_uris=[LOOPBACK], scope="email"))

    assert members(use(site, registered, scope="email unknown"))["scope"] == "email"
