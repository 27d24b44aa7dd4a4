"""The resource server: who may do what by which token, and how the others are told."""

from __future__ import annotations

import json
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oauthcore import (
    Access,
    AnyAudience,
    Client,
    ConfigurationError,
    MemoryStorage,
    Request,
    ResourceServer,
    Response,
    Scope,
    World,
    run,
)
from oauthcore.digest import Digester, Secret
from oauthcore.errors import InvalidRequest, InvalidToken
from oauthcore.flow.effects import Flow, pure
from oauthcore.flow.outcome import Insert
from oauthcore.flow.storage import Storage
from oauthcore.records.actor import Actor
from oauthcore.records.confirmation import Confirmation
from oauthcore.records.grant import Grant
from oauthcore.records.lifecycle import GrantState
from oauthcore.records.token import AccessToken
from oauthcore.resource.stored import StoredTokens
from oauthcore.testing import FixedClock, Outage

ISSUER = "https://as.example"
NOW = 1_000_000
DIGEST = Digester(ISSUER)


def access(**changes: object) -> Access:
    known = {"client_id": "app", "subject": "alice", "scope": Scope(("read",)), "issued_at": 1, "expires_at": 2}
    return Access(**(known | changes))  # type: ignore[arg-type]  # given by name


def knows(found: Access | None) -> ResourceServer:
    return ResourceServer(lambda _: pure(found), realm="api")


def ask(server: ResourceServer, authorization: str | None, scope: str = "read") -> Access | Response:
    headers = () if authorization is None else (("Authorization", authorization),)
    return run(server.verify(Request("GET", "/", headers), scope), World(MemoryStorage()))


def refused(verdict: Access | Response) -> tuple[int, str | None]:
    assert isinstance(verdict, Response)
    return verdict.status, verdict.header("www-authenticate")


def stored_records() -> tuple[AccessToken, Grant, Client]:
    key = DIGEST("grant", Secret("grant"))
    token = AccessToken(
        key=DIGEST("access_token", Secret("token")),
        client_id="app",
        subject="alice",
        grant=key,
        scope=Scope(("read",)),
        audience=(ISSUER,),
        issued_at=NOW,
        expires_at=NOW + 10,
    )
    grant = Grant(
        key=key,
        client_id="app",
        subject="alice",
        scope=Scope(("read",)),
        auth_time=NOW,
        granted_at=NOW,
        expires_at=NOW + 100,
    )
    return token, grant, Client(client_id="app", scope="read")


def stored(state: GrantState = GrantState.ACTIVE, *, grant: bool = True, expires_at: int = NOW + 10) -> MemoryStorage:
    storage = MemoryStorage()
    token, of, client = stored_records()
    token = attrs.evolve(token, expires_at=expires_at)
    if not grant:
        token = attrs.evolve(token, subject=None, grant=None)
    assert storage.commit((Insert(token), Insert(attrs.evolve(of, state=state)), Insert(client)))
    return storage


def ask_stored(storage: Storage, *, audience: str | None = None) -> Access | Response:
    server = ResourceServer(StoredTokens(ISSUER, FixedClock(NOW)), audience=audience)
    request = Request("GET", "/", (("Authorization", "Bearer token"),))
    return run(server.verify(request, "read"), World(storage))


def test_good_token_gives_what_it_allows() -> None:
    assert ask(knows(access()), "Bearer token") == access()


def test_stored_token_is_found_by_its_digest() -> None:
    found = ask_stored(stored())

    assert isinstance(found, Access)
    assert (found.client_id, found.subject, found.issuer, found.expires_at) == ("app", "alice", ISSUER, NOW + 10)


def test_clients_own_token_has_no_subject() -> None:
    found = ask_stored(stored(grant=False))

    assert isinstance(found, Access)
    assert found.subject is None


@pytest.mark.parametrize("storage", [MemoryStorage(), stored(GrantState.REVOKED), stored(expires_at=NOW)])
def test_dead_token_is_refused(storage: MemoryStorage) -> None:
    assert refused(ask_stored(storage))[0] == 401


def test_token_for_others_is_refused() -> None:
    """RFC 8707 section 3."""
    assert isinstance(ask_stored(stored(), audience=ISSUER), Access)
    assert refused(ask_stored(stored(), audience="https://other.example"))[0] == 401


@pytest.mark.parametrize("at", [0, 1])
def test_storage_that_fails_is_a_503_and_no_word_of_the_token(at: int) -> None:
    verdict = ask_stored(Outage(stored(), at))

    assert isinstance(verdict, Response)
    assert (verdict.status, verdict.header("www-authenticate"), verdict.header("retry-after")) == (503, None, "1")


def test_bug_is_a_500() -> None:
    def broken(_: Secret) -> Flow[Access | None]:
        raise ZeroDivisionError

    assert refused(ask(ResourceServer(broken), "Bearer token")) == (500, None)


def test_no_credentials_are_asked_for_without_an_error() -> None:
    """RFC 6750 section 3.1."""
    assert refused(ask(knows(access()), None)) == (401, 'Bearer realm="api", scope="read"')


def test_unknown_token_is_invalid() -> None:
    status, challenge = refused(ask(knows(None), "Bearer token"))

    assert status == 401
    assert challenge is not None
    assert challenge.startswith('Bearer realm="api", error="invalid_token", error_description="')


def test_g5_missing_scope_names_all_that_is_needed() -> None:
    """RFC 6750 section 3."""
    status, challenge = refused(ask(knows(access()), "Bearer token", "read write"))

    assert status == 403
    assert 'error="insufficient_scope"' in (challenge or "")
    assert 'scope="read write"' in (challenge or "")


def test_repeated_header_is_malformed() -> None:
    request = Request("GET", "/", (("Authorization", "Bearer a"), ("Authorization", "Bearer b")))

    assert refused(run(knows(access()).verify(request), World(MemoryStorage())))[0] == 400


@pytest.mark.parametrize(
    ("credentials", "status"),
    [("Bearer", 400), ("Bearer ", 400), ("bearer a b", 400), ("Bearer a,b", 401), ("Bearer =a", 401), ("Basic a", 401)],
)
def test_credentials_that_are_no_token_are_refused(credentials: str, status: int) -> None:
    assert refused(ask(knows(access()), credentials))[0] == status


def test_token_in_query_or_form_is_not_looked_at() -> None:
    request = Request(
        "POST", "/?access_token=token", (("Content-Type", "application/x-www-form-urlencoded"),), b"access_token=token"
    )

    assert refused(run(knows(access()).verify(request), World(MemoryStorage())))[0] == 401


def test_g2_challenge_for_no_token_is_one_header_that_names_scope_and_metadata_and_no_error() -> None:
    server = ResourceServer(lambda _: pure(None), resource="https://api.example/mcp")
    verdict = ask(server, None, "files:read files:write")

    assert isinstance(verdict, Response)
    assert [value for name, value in verdict.headers if name == "WWW-Authenticate"] == [
        'Bearer realm="https://api.example/mcp", scope="files:read files:write", '
        'resource_metadata="https://api.example/.well-known/oauth-protected-resource/mcp"'
    ]


RESOURCE = "https://api.example/mcp"


def meant_for(*audience: str) -> Access:
    return access(audience=audience)


def ask_for(found: Access, **settings: object) -> int:
    """Return 200 for an access, and the status of a refusal."""
    server = ResourceServer(lambda _: pure(found), **settings)  # type: ignore[arg-type]  # given by name
    verdict = ask(server, "Bearer token")
    return verdict.status if isinstance(verdict, Response) else 200


def test_g4_token_for_another_resource_is_refused_by_a_server_that_has_one() -> None:
    """RFC 8707 section 3."""
    assert ask_for(meant_for("https://other.example", RESOURCE), resource=RESOURCE) == 200
    assert ask_for(meant_for("https://other.example"), resource=RESOURCE) == 401
    assert ask_for(meant_for(), resource=RESOURCE) == 401


@given(st.lists(st.text() | st.sampled_from([RESOURCE + "2", RESOURCE.upper(), RESOURCE[:-1], RESOURCE + "/"])))
def test_no_audience_but_the_resource_itself_is_taken(audience: list[str]) -> None:
    assert (ask_for(meant_for(*audience), resource=RESOURCE) == 200) == (RESOURCE in audience)


@pytest.mark.parametrize("resource", ["https://api.example", "https://api.example/"])
@pytest.mark.parametrize("audience", ["https://api.example", "https://api.example/"])
def test_host_and_its_root_are_one_resource(resource: str, audience: str) -> None:
    """B6: RFC 3986 section 6.2.3."""
    assert ask_for(meant_for(audience), resource=resource) == 200


def test_audience_may_be_another_or_one_of_several() -> None:
    assert ask_for(meant_for("api"), resource=RESOURCE, audience=["api", RESOURCE]) == 200
    assert ask_for(meant_for(RESOURCE), resource=RESOURCE, audience="api") == 401


def test_any_audience_is_taken_where_that_is_said() -> None:
    assert ask_for(meant_for("https://other.example"), resource=RESOURCE, audience=AnyAudience()) == 200


@pytest.mark.parametrize("audience", [[], ""])
def test_audience_that_is_nothing_is_refused(audience: object) -> None:
    with pytest.raises(ConfigurationError, match="audience"):
        ResourceServer(lambda _: pure(None), audience=audience)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("cnf", [{"jkt": "x"}, {"x5t#S256": "x"}, {}])
def test_token_that_is_bound_to_a_key_is_no_bearers(cnf: dict[str, str]) -> None:
    """RFC 9449 section 7.2, RFC 8705 section 3."""
    assert refused(ask(knows(access(cnf=cnf)), "Bearer token"))[0] == 401


@pytest.mark.parametrize("settings", [{"scopes": ["read", "offline_access"]}])
def test_g1_metadata_never_asks_for_offline_access(settings: dict[str, list[str]]) -> None:
    with pytest.raises(ConfigurationError, match="offline_access"):
        ResourceServer(lambda _: pure(None), resource=RESOURCE, **settings)  # type: ignore[arg-type]  # given by name


def test_challenge_never_asks_for_offline_access() -> None:
    with pytest.raises(ConfigurationError, match="offline_access"):
        knows(None).protect("read offline_access")


def authenticated(**known: object) -> ResourceServer:
    found = access(**known)
    return ResourceServer(lambda _: pure(found), realm="api", clock=FixedClock(NOW))


def step_up(server: ResourceServer, scope: str = "read", **required: Any) -> Access | Response:
    request = Request("GET", "/", (("Authorization", "Bearer token"),))
    return run(server.verify(request, scope, **required), World(MemoryStorage()))


def test_person_who_was_authenticated_as_required_gets_through() -> None:
    server = authenticated(acr="mfa", auth_time=NOW - 300)

    assert isinstance(step_up(server, acr_values=["hwk", "mfa"], max_age=300), Access)
    assert isinstance(step_up(server, acr_values="hwk mfa"), Access)


@pytest.mark.parametrize(
    ("known", "required", "parameters"),
    [
        ({"acr": "pwd"}, {"acr_values": ["hwk", "mfa"]}, 'acr_values="hwk mfa"'),
        ({}, {"acr_values": "mfa"}, 'acr_values="mfa"'),
        ({"auth_time": NOW - 301}, {"max_age": 300}, 'max_age="300"'),
        ({}, {"max_age": 300}, 'max_age="300"'),
        (
            {"acr": "mfa", "auth_time": NOW - 301},
            {"acr_values": "mfa", "max_age": 300},
            'acr_values="mfa", max_age="300"',
        ),
    ],
)
def test_person_who_was_not_is_sent_back_with_all_that_is_required(
    known: dict[str, object], required: dict[str, Any], parameters: str
) -> None:
    """RFC 9470 section 3."""
    status, challenge = refused(step_up(authenticated(**known), **required))

    assert status == 401
    assert 'error="insufficient_user_authentication"' in (challenge or "")
    assert (challenge or "").endswith(f'{parameters}, scope="read"')


def test_one_authorization_is_enough_for_a_scope_and_a_login() -> None:
    status, challenge = refused(step_up(authenticated(), "read write", acr_values="mfa"))

    assert status == 401
    assert 'scope="read write"' in (challenge or "")


@pytest.mark.parametrize("acr_values", ['a"b', ["a b"], ["a\r\nb"], ["ä"], [""], ["a\\"], [7]])
def test_acr_values_that_could_break_out_of_their_quotes_are_refused(acr_values: object) -> None:
    with pytest.raises(ConfigurationError, match="acr_values"):
        knows(None).protect(acr_values=acr_values)  # type: ignore[arg-type]  # the mistake


@pytest.mark.parametrize("max_age", [0, -1, True, 1.5, "60"])
def test_age_that_nobody_could_have_is_refused(max_age: object) -> None:
    with pytest.raises(ConfigurationError, match="max_age"):
        authenticated().protect(max_age=max_age)  # type: ignore[arg-type]  # the mistake


def test_ages_are_known_by_a_clock() -> None:
    with pytest.raises(ConfigurationError, match="clock"):
        knows(None).protect(max_age=300)

    assert ResourceServer(StoredTokens(ISSUER, FixedClock(NOW))).protect(max_age=300).requirement.max_age == 300


@pytest.mark.parametrize("credentials", ["Bearer token", "bearer token", "BEARER  token", " bEaReR   token  "])
def test_g6_scheme_is_read_in_any_case_and_with_more_spaces(credentials: str) -> None:
    """RFC 9110 section 11.1."""
    assert isinstance(ask(knows(access()), credentials), Access)


def test_g5_wider_scope_may_imply_a_narrower() -> None:
    def implies(scope: Scope) -> list[str]:
        return [*scope, "read"] if "write" in scope else list(scope)

    server = ResourceServer(lambda _: pure(access(scope=Scope(("write",)))), implies=implies)

    assert isinstance(ask(server, "Bearer token"), Access)
    assert refused(ask(server, "Bearer token", "admin"))[0] == 403


def test_access_that_was_found_before_is_decided_the_same() -> None:
    server = knows(None)

    assert server.protect("read").decide(access()) == access()
    assert refused(server.protect("write").decide(access()))[0] == 403
    assert refused(server.protect("read").decide(None)) == refused(ask(server, None))


@given(st.text(max_size=40))
def test_nothing_that_is_sent_gets_into_the_answer(text: str) -> None:
    verdict = ask(knows(None), f"Bearer {text}")

    assert isinstance(verdict, Response)
    challenge = knows(None)._challenge
    assert verdict.headers in {
        challenge.refuse(error("x"), Scope(("read",))).headers for error in (InvalidToken, InvalidRequest)
    }


@pytest.mark.parametrize("realm", ['a"b', "a\r\nb", "ä", "a\\b"])
def test_realm_that_could_break_out_of_its_quotes_is_refused(realm: str) -> None:
    with pytest.raises(ConfigurationError, match="realm"):
        ResourceServer(lambda _: pure(None), realm=realm)


@pytest.mark.parametrize("scope", ['a"b', "a\r\nb", ("a\r\nX: y",), ("a b\\",)])
def test_scope_that_could_break_out_of_its_quotes_is_refused(scope: str | tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError, match="scope"):
        knows(None).verify(Request("GET", "/"), scope)


def described() -> ResourceServer:
    return ResourceServer(
        lambda _: pure(None),
        resource="https://api.example/v1/",
        authorization_servers=[ISSUER],
        scopes=["read", "write"],
        name="The API",
    )


PATH = "/.well-known/oauth-protected-resource"


def metadata_at(server: ResourceServer, path: str) -> Response:
    return run(server.handle(Request("GET", path)), World(MemoryStorage()))


def test_metadata_says_whose_tokens_are_taken() -> None:
    """RFC 9728 section 2."""
    response = metadata_at(described(), f"{PATH}/v1/")

    assert response.header("access-control-allow-origin") == "*"
    assert json.loads(response.body) == {
        "resource": "https://api.example/v1/",
        "authorization_servers": [ISSUER],
        "bearer_methods_supported": ["header"],
        "scopes_supported": ["read", "write"],
        "resource_name": "The API",
    }


def test_challenge_names_the_metadata() -> None:
    """RFC 9728 section 5.1."""
    assert f'resource_metadata="https://api.example{PATH}/v1/"' in (refused(ask(described(), None))[1] or "")


@pytest.mark.parametrize(
    ("resource", "paths"),
    [
        ("https://api.example", [PATH]),
        ("https://api.example/", [PATH]),
        ("https://api.example/mcp", [f"{PATH}/mcp", PATH]),
        ("https://api.example/a/mcp/", [f"{PATH}/a/mcp/", f"{PATH}/a/mcp", PATH]),
    ],
)
def test_g1_metadata_stands_before_the_path_of_its_resource_and_at_the_root(resource: str, paths: list[str]) -> None:
    """RFC 9728 section 3.1."""
    server = ResourceServer(lambda _: pure(None), resource=resource)

    assert list(server.metadata_paths) == paths
    assert {json.loads(metadata_at(server, path).body)["resource"] for path in paths} == {resource}
    assert f'resource_metadata="https://api.example{paths[0]}"' in (refused(ask(server, None))[1] or "")


def test_resource_among_others_leaves_the_root_alone() -> None:
    server = ResourceServer(lambda _: pure(None), resource="https://api.example/mcp", metadata_at_root=False)

    assert server.metadata_paths == (f"{PATH}/mcp",)
    assert metadata_at(server, PATH).status == 404


def test_metadata_names_the_issuer_of_the_tokens_by_itself() -> None:
    """G1: byte-equal, whatever the issuer looks like."""
    server = ResourceServer(StoredTokens("https://AS.example/", FixedClock(NOW)), resource="https://api.example")

    assert json.loads(metadata_at(server, PATH).body)["authorization_servers"] == ["https://AS.example/"]


def test_list_of_authorization_servers_is_no_string() -> None:
    with pytest.raises(ConfigurationError, match="authorization_servers"):
        ResourceServer(lambda _: pure(None), resource="https://api.example", authorization_servers=ISSUER)


@pytest.mark.parametrize(("method", "path", "status"), [("POST", "/v1", 405), ("GET", "/v2", 404)])
def test_metadata_is_read_at_its_path_alone(method: str, path: str, status: int) -> None:
    request = Request(method, f"/.well-known/oauth-protected-resource{path}")

    assert run(described().handle(request), World(MemoryStorage())).status == status


def test_resource_without_more_says_no_more() -> None:
    server = ResourceServer(lambda _: pure(None), resource="https://api.example")
    response = run(server.handle(Request("GET", server.metadata_paths[0])), World(MemoryStorage()))

    assert set(json.loads(response.body)) == {"resource", "bearer_methods_supported"}
    assert not knows(None).owns("/.well-known/oauth-protected-resource")


@pytest.mark.parametrize("resource", ["api", "https://", "https://api.example?q", "https://api.example#f", "urn:api"])
def test_resource_that_is_no_url_is_refused(resource: str) -> None:
    with pytest.raises(ConfigurationError, match="resource"):
        ResourceServer(lambda _: pure(None), resource=resource)


def test_a_preflight_for_the_metadata_is_answered() -> None:
    """MCP's clients in a browser announce `mcp-protocol-version` before they read it."""
    server = described()
    announced = ("Access-Control-Request-Headers", "mcp-protocol-version")

    response = run(server.handle(Request("OPTIONS", server.metadata_paths[0], (announced,))), World(MemoryStorage()))

    assert response.status == 204
    assert response.header("access-control-allow-headers") == "mcp-protocol-version"


def test_stored_token_tells_what_is_known_of_its_person_and_its_key() -> None:
    """RFC 9470 section 6, RFC 7800, RFC 8693 section 4.1."""
    storage = MemoryStorage()
    token, grant, client = stored_records()
    grant = attrs.evolve(grant, acr="mfa", amr=("pwd", "otp"), auth_time=NOW - 9)
    token = attrs.evolve(token, confirmation=Confirmation(jkt="x"), actors=(Actor(subject="bob"),))
    assert storage.commit((Insert(token), Insert(grant), Insert(client)))

    found = run(StoredTokens(ISSUER, FixedClock(NOW))(Secret("token")), World(storage))

    assert found is not None
    assert (found.acr, found.amr, found.auth_time) == ("mfa", ("pwd", "otp"), NOW - 9)
    assert (found.cnf, found.act) == ({"jkt": "x"}, {"sub": "bob"})
    assert refused(ask_stored(storage))[0] == 401
